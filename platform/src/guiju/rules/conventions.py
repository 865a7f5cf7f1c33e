"""How every notice is read where it does not say: conventions, and the readings they leave open.

A common reading is declared once, in ``conventions.toml``.  It bears on each part of a
requirement whose check names it in :meth:`guiju.rules.checks.base.Check.readings`, and
choosing an option sets the check's parameter of the reading's name to the option's value.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from guiju.rules.pack import Option, Reading, Requirement

if TYPE_CHECKING:
    from guiju.rules.checks.base import Check


@dataclass(frozen=True)
class Convention:
    """One of the conventions, D1 to D14.

    ``principle`` marks one that leaves nothing to choose; ``tenant_setting`` names the
    platform's own setting that belongs to it.
    """

    id: str
    title: str
    says: str
    principle: bool = False
    tenant_setting: str | None = None


@cache
def conventions() -> tuple[Convention, ...]:
    """The conventions in order."""
    return tuple(Convention(**entry) for entry in _data()["convention"])


@cache
def options(reading: str) -> tuple[str, ...]:
    """The values of a common reading's options, the default first."""
    entry = next(entry for entry in _data()["reading"] if entry["id"] == reading)
    values = [option["value"] for option in entry["option"]]
    return (entry["default"], *(value for value in values if value != entry["default"]))


def readings(
    requirements: Sequence[Requirement], checks: Mapping[str, Check]
) -> tuple[Reading, ...]:
    """The common readings that bear on some part of ``requirements``."""
    borne: dict[str, set[tuple[str, str | None]]] = {}
    for requirement in requirements:
        for part in requirement.parts:
            check = checks.get(part.check or "")
            if check is None:
                continue
            for version in part.versions:
                for name in check.readings(version.parameters):
                    borne.setdefault(name, set()).add((requirement.id, part.id))
    return tuple(
        Reading(
            id=entry["id"],
            title=entry["title"],
            default=entry["default"],
            options=tuple(
                Option(option["value"], option["title"], {}) for option in entry["option"]
            ),
            convention=entry["convention"],
            # In an order of its own: what everything is judged by is told by a digest of it.
            borne_by=tuple(sorted(borne[entry["id"]], key=lambda one: (one[0], one[1] or ""))),
        )
        for entry in _data()["reading"]
        if entry["id"] in borne
    )


@cache
def _data() -> dict[str, Any]:
    text = resources.files("guiju.rules").joinpath("conventions.toml").read_text("utf-8")
    return tomllib.loads(text)
