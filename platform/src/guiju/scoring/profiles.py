"""Which profile judges which organization, from when until when.

A profile enabled at an organization judges what is below it too, up to a nearer one.  What
was below whom is asked of the tree of the day.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.rules import periods
from guiju.rules.pack import Choices, Pack
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.places import Places
from guiju.tenancy.queries import ProfileInForce, tenant_settings
from guiju.tenancy.queries import enabled_profiles as stored_profiles

#: The tenant's setting of when records count as complete, and what holds without it.
COMPLETE_AFTER = "complete_after_days"
COMPLETE_AFTER_DAYS = 10
#: Name of the setting that fixes the day judged by, for demonstrations.
AS_OF = "as_of"
#: Settings of Guiju's own; those of the packs stand beside them.
OWN_SETTINGS = frozenset({COMPLETE_AFTER, AS_OF})

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Enabled:
    """A profile enabled at an organization, with the readings and settings that hold there."""

    organization_id: int
    profile: str
    judge_from: date
    until: date | None
    choices: Choices


@dataclass(frozen=True)
class Assignment:
    """Organizations (a mask over codes) that one enabled profile judges over some days.

    ``over`` says that it has ceased to judge them: what was pending then stays undone.
    """

    enabled: Enabled
    judge_from: date
    as_of: date
    over: bool
    scope: NDArray[np.bool_]


def enabled_profiles(
    session: AnySession,
    packs: Mapping[str, Pack],
    rows: Sequence[ProfileInForce] | None = None,
) -> list[Enabled]:
    """The tenant's enabled profiles, by path and day; ``rows`` as if those were enabled.

    What an enabled profile leaves open it takes from the same profile enabled above, then from
    the tenant; where that changes over its days, it is returned in pieces.  Raises
    ``BadInput`` where one is not installed, or has readings or settings it cannot have.
    """
    chosen = tenant_settings(session)
    rows = stored_profiles(session) if rows is None else rows
    missing = sorted({row.profile for row in rows} - set(packs))
    if missing:
        raise BadInput(
            Problem(f"/profiles/{name}", "已启用，但未安装", "请安装其插件，或停用", "missing")
            for name in missing
        )
    numbers = _organization_numbers(session, packs, [chosen, *(row.settings for row in rows)])
    return [
        Enabled(
            row.organization_id,
            row.profile,
            begin,
            end,
            choices(packs[row.profile], {**chosen, **settings}, numbers),
        )
        for row in rows
        for begin, end, settings in inherited(row, rows)
    ]


#: First day, last day (None: until further notice), readings and settings by name.
Piece = tuple[date, date | None, Mapping[str, Any]]


def inherited(row: ProfileInForce, rows: Iterable[ProfileInForce]) -> list[Piece]:
    """What holds of an enabled profile's settings with those it inherits, over its days."""
    above = [
        other
        for other in rows
        if other.profile == row.profile
        and row.path.startswith(other.path)
        and other.path != row.path
    ]
    # From the top down: the nearest has the last word.
    above.sort(key=lambda other: other.path.count("/"))
    begins = {other.judge_from for other in above}
    begins |= {other.until + _DAY for other in above if other.until is not None}
    last = row.until or date.max
    cuts = [row.judge_from, *sorted(day for day in begins if row.judge_from < day <= last)]
    pieces: list[Piece] = []
    for begin, following in zip(cuts, [*cuts[1:], None], strict=True):
        settings: dict[str, Any] = {}
        for other in above:
            if other.judge_from <= begin and (other.until is None or begin <= other.until):
                settings |= other.settings
        settings |= row.settings
        end = row.until if following is None else following - _DAY
        if pieces and pieces[-1][2] == settings:
            begin = pieces.pop()[0]  # noqa: PLW2901 - the piece goes on
        pieces.append((begin, end, settings))
    return pieces


def _organization_numbers(
    session: AnySession, packs: Mapping[str, Pack], chosen: Iterable[Mapping[str, Any]]
) -> Mapping[str, int]:
    """The numbers of the organizations that settings name by their codes."""
    names = {
        setting.id
        for pack in packs.values()
        for setting in pack.settings
        if setting.type == "organization"
    }
    codes = {str(some[name]) for some in chosen for name in names if name in some}
    if not codes:
        return {}
    return dict(
        session.execute(
            sa.select(Organization.code, Organization.id).where(Organization.code.in_(codes))
        ).all()
    )


def complete_after(session: AnySession) -> int | None:
    """Days after its end that a month counts as complete without a word; None for never.

    A tenant chooses with the setting :data:`COMPLETE_AFTER`.  Raises ``BadInput`` for a
    value that is neither a number of days nor ``never``.
    """
    value = tenant_settings(session).get(COMPLETE_AFTER)
    if value is None:
        return COMPLETE_AFTER_DAYS
    if not _is_wait(value):
        raise BadInput([_no_wait(f"/settings/{COMPLETE_AFTER}", value)])
    return None if value == "never" else int(value)


def _is_wait(value: str) -> bool:
    return value == "never" or re.fullmatch(r"\d{1,4}", value, re.ASCII) is not None


def _no_wait(place: str, value: str) -> Problem:
    return Problem(place, value, "应为天数（至多四位的整数），或 never（只按确认）")


def choices(
    pack: Pack, chosen: Mapping[str, Any], numbers: Mapping[str, int] = MappingProxyType({})
) -> Choices:
    """What of ``chosen`` is the pack's: other names are other profiles' or the platform's own.

    The facts of the platform call organizations by number; ``numbers`` gives them by code.
    """
    types = {reading.id: "choice" for reading in pack.readings}
    types |= {setting.id: setting.type for setting in pack.settings}
    found = {name: str(chosen[name]) for name in chosen if name in types}
    for name, value in found.items():
        if types[name] == "organization" and value in numbers:
            found[name] = str(numbers[value])
    return pack.choices(found)


def check_settings(
    packs: Mapping[str, Pack],
    enabled: Collection[str],
    chosen: Mapping[str, str],
    places: Mapping[str, str],
    organizations: Collection[str],
) -> None:
    """Refuse settings that the tenant could not be judged with; ``places`` is where each stands.

    Raises BadInput for a name that neither an installed pack nor Guiju knows, for a value that
    cannot be (Guiju's own settings included), an organization that is not among
    ``organizations`` (codes), and for what one of the tenant's ``enabled`` profiles forbids to
    set.
    """
    problems: dict[Problem, None] = {}
    for name, value in chosen.items():
        owners = [pack for pack in packs.values() if name in pack.choosable]
        if not owners and name not in OWN_SETTINGS:
            wanted = "应为已安装规则包的解读或设置"
            problems[Problem(places[name], f"没有“{name}”这项设置", wanted, "unknown")] = None
        if name == COMPLETE_AFTER and not _is_wait(value):
            problems[_no_wait(places[name], value)] = None
        for pack in owners:
            try:
                pack.choices({name: value}, places)
            except BadInput as error:
                for problem in error.problems:
                    if problem.code != "forbidden" or pack.id in enabled:
                        problems[problem] = None
            problems |= dict.fromkeys(pack.strangers({name: value}, organizations, places))
    if problems:
        raise BadInput(problems)


def assign(enabled: Sequence[Enabled], places: Places, as_of: date) -> list[Assignment]:
    """Who judges whom, from the first enabled day to ``as_of``."""
    last = periods.day(as_of)
    begins = [periods.day(one.judge_from) for one in enabled]
    ends = [last if one.until is None else periods.day(one.until) for one in enabled]
    cuts = {*begins, *(end + 1 for end in ends), *places.cuts}
    edges = sorted(cut for cut in cuts if cut <= last)
    runs: dict[tuple[int, int, int], NDArray[np.bool_]] = {}
    open_: dict[tuple[int, int], NDArray[np.bool_]] = {}
    for edge in edges:
        active = {
            one.organization_id: number
            for number, one in enumerate(enabled)
            if begins[number] <= edge <= ends[number]
        }
        chosen = _nearest(places.paths[int(places.epochs(np.array([edge]))[0])], active)
        going_on: dict[tuple[int, int], NDArray[np.bool_]] = {}
        for (number, begin), scope in open_.items():
            still = scope & (chosen == number)
            if bool(still.any()):
                going_on[number, begin] = still
            if bool((scope & ~still).any()):
                runs[number, begin, edge - 1] = scope & ~still
            chosen = np.where(still, -1, chosen)
        for number in np.unique(chosen[chosen >= 0]).tolist():
            going_on[number, edge] = chosen == number
        open_ = going_on
    runs |= {(number, begin, last): scope for (number, begin), scope in open_.items()}
    return [
        Assignment(enabled[number], periods.to_date(begin), periods.to_date(end), end < last, scope)
        for (number, begin, end), scope in sorted(runs.items(), key=lambda run: run[0])
    ]


def _nearest(paths: Sequence[str], active: Mapping[int, int]) -> NDArray[np.int64]:
    """For each path the entry of ``active`` nearest above its end; -1 where there is none."""
    known: dict[str, int] = {"/": -1}

    def of(path: str) -> int:
        found = known.get(path)
        if found is None:
            above, _, own = path[:-1].rpartition("/")
            number = active.get(int(own))
            found = known[path] = of(f"{above}/") if number is None else number
        return found

    return np.array([of(path) for path in paths], dtype=np.int64)
