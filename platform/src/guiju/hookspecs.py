"""The hooks that a jurisdiction plugin may implement, and the values they exchange.

A plugin is a module named by an entry point of the group ``guiju``.  It marks its
functions with :data:`hookimpl`.  Every hook here is typed, documented in
``docs/hooks.md`` under a heading equal to its signature, has a test named after it and
at least one real user among the plugins that come with Guiju.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

import pluggy
from marshmallow import fields

from guiju.rules.facts import Facts
from guiju.rules.findings import Findings
from guiju.rules.pack import Pack

PROJECT: Final = "guiju"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class ReportRequest:
    """What a report is made from.

    ``organization`` is the code (in ``facts``) of the unit at the top of the report;
    ``findings`` are those of its subtree as of ``as_of``; ``requested_by`` is shown in
    the footer.
    """

    pack: Pack
    facts: Facts
    findings: Findings
    organization: int
    as_of: date
    requested_by: str = ""


@dataclass(frozen=True)
class ReportFormat:
    """A report in the notice's own form.

    ``render`` writes the finished file; ``suffix`` is its extension with the dot.
    """

    id: str
    profile: str
    title: str
    clause: str
    media_type: str
    suffix: str
    render: Callable[[ReportRequest, BinaryIO], None]


@dataclass(frozen=True)
class DemoTenant:
    """An invented tenant that shows the plugin at work.

    ``write`` writes the workbook that its department would import; ``root`` and
    ``branch`` are ids in it: the unit of the department's administrator and the branch
    whose secretary signs in.  The tenant is judged from ``judge_from`` as of ``as_of``.
    """

    id: str
    name: str
    profile: str
    root: str
    branch: str
    judge_from: date
    as_of: date
    write: Callable[[Path], None]
    root_kind: str = "committee"


@dataclass(frozen=True)
class RecordFields:
    """Fields that records of some kinds have besides, where a profile judges the unit.

    ``kinds`` are occasion kinds; ``clause`` says where the notice asks for it.  ``fields``
    maps names (lower case, unique in the profile) to marshmallow fields of type ``String``,
    ``Integer``, ``Boolean`` or ``Date``, whose metadata hold ``heading`` (a Chinese label)
    and may hold ``note``; ``required``, ``OneOf``, ``Length`` and ``Range`` are understood
    by forms as well.
    """

    profile: str
    kinds: Sequence[str]
    clause: str
    fields: Mapping[str, fields.Field[Any]]


class Registration:
    """Hooks that run once at start-up, without a tenant."""

    @hookspec
    def register_packs(self) -> Sequence[Path]:
        """Paths of the ``pack.toml`` files that the plugin brings."""
        raise NotImplementedError

    @hookspec
    def register_report_formats(self) -> Sequence[ReportFormat]:
        """The reports that the plugin can render."""
        raise NotImplementedError

    @hookspec
    def register_record_fields(self) -> Sequence[RecordFields]:
        """Fields that the notice asks of a record and that the core does not have."""
        raise NotImplementedError

    @hookspec
    def register_demo_tenants(self) -> Sequence[DemoTenant]:
        """Invented tenants for ``guiju demo``."""
        raise NotImplementedError
