"""Fields that the plugin of the unit's profile adds to its records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from guiju import record_fields
from guiju.activities.payloads import Loaded
from guiju.db.session import AnySession
from guiju.facts.places import pointer
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.plugins import Plugins
from guiju.record_fields import RecordField
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.queries import enabled_profiles


def fields_of(
    session: AnySession, plugins: Plugins, path: str, kinds: Collection[str], on: date
) -> list[RecordField]:
    """The fields of a record of these kinds, held on a day in the organization with ``path``."""
    profile = _profile(session, path, on)
    return record_fields.fields_for(plugins.record_fields, profile, kinds)


def read(
    session: AnySession,
    plugins: Plugins,
    unit: Organization,
    loaded: Loaded,
    before: Mapping[str, Any],
) -> dict[str, Any]:
    """What a payload gives for them, as stored.

    Values that the record had ``before`` of fields there are no more stay as they were.
    Raises ``BadInput`` at ``/extra/…`` for unknown fields and for values that do not fit.
    """
    occasion = loaded.occasion
    known = fields_of(session, plugins, unit.path, occasion["kinds"], occasion["held_on"])
    names = {one.name for one in known}
    found, problems = record_fields.read(known, loaded.extra, "/extra")
    for name, value in loaded.extra.items():
        if name in names:
            continue
        if name in before and before[name] == value:
            found[name] = value
            continue
        place = pointer("extra", name)
        problems.append(Problem(place, name[:60], _("没有这一栏"), "unknown_column"))
    if problems:
        raise BadInput(problems)
    return found


def _profile(session: AnySession, path: str, on: date) -> str | None:
    """The profile that judges the organization with ``path`` on a day: the nearest above."""
    in_force = [
        one
        for one in enabled_profiles(session)
        if path.startswith(one.path)
        and one.judge_from <= on
        and (one.until is None or on <= one.until)
    ]
    nearest = max(in_force, key=lambda one: len(one.path), default=None)
    return None if nearest is None else nearest.profile
