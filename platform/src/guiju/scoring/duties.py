"""What an organization has to do, by how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from guiju.db.session import AnySession
from guiju.rules import periods
from guiju.rules.pack import Pack
from guiju.scoring import queries
from guiju.scoring.guidance import Guidance, Place
from guiju.scoring.results import AttentionItem

#: Verdicts that the organization itself can do something about.
_OURS = ("not_met", "deviation", "action_due", "no_data", "pending")
#: Those that say something falls short already, whatever day it is.
_LACKING = ("not_met", "deviation", "no_data")


@dataclass(frozen=True)
class Duty:
    """One thing to do: a requirement in a period, until a day (None where none is set).

    ``kinds`` are the kinds of occasions that answer it when recorded; empty where something
    else has to be done.  ``place`` is where that is recorded.
    """

    item: AttentionItem
    due: date | None
    clause: str
    strictness: str
    remedy: str | None
    kinds: Sequence[str]
    place: Place


@dataclass(frozen=True)
class Duties:
    """Everything to do: what is late, due this month, due later, and without a day.

    ``judged_above`` is the number of findings that wait for a person above to decide.
    """

    late: Sequence[Duty]
    soon: Sequence[Duty]
    later: Sequence[Duty]
    undated: Sequence[Duty]
    judged_above: int

    def __len__(self) -> int:
        return sum(map(len, (self.late, self.soon, self.later, self.undated)))


def duties(
    session: AnySession,
    packs: Mapping[str, Pack],
    organization_id: int,
    *,
    within: Sequence[str],
    asked: Guidance,
    today: date,
) -> Duties:
    """What the organization's findings leave to do, seen from ``today``.

    Raises ``NotVisible`` for an organization outside ``within``.
    """
    found = queries.own_attention(session, packs, organization_id, within=within)
    open_ = [_duty(item, asked) for item in found if item.verdict in _OURS]
    last = _last_of_month(today)
    late = [one for one in open_ if _is_late(one, today)]
    # Of what is due on one day, what can be recorded at once comes first.
    ahead = sorted(
        (one for one in open_ if one not in late),
        key=lambda one: (one.due or date.max, not one.kinds),
    )
    return Duties(
        # What passed last can most likely still be put right.
        late=sorted(late, key=lambda one: one.due or date.min, reverse=True),
        soon=[one for one in ahead if one.due is not None and one.due <= last],
        later=[one for one in ahead if one.due is not None and one.due > last],
        undated=[one for one in ahead if one.due is None],
        judged_above=sum(1 for item in found if item.verdict == "needs_judgement"),
    )


def _duty(item: AttentionItem, asked: Guidance) -> Duty:
    requirement = asked.requirement(item.requirement)
    about_unit = item.subject_type in {"organization", "group", "team"}
    return Duty(
        item=item,
        due=item.due or _period_end(item),
        clause=requirement.clause if requirement else "",
        strictness=str(requirement.strictness) if requirement else "",
        remedy=requirement.remedy if requirement else None,
        kinds=asked.kinds_for(item.requirement, item.part) if about_unit else (),
        place=asked.place_of(item.requirement, item.part),
    )


def _period_end(item: AttentionItem) -> date | None:
    """When what already falls short should have been done."""
    if item.period is None or item.verdict not in _LACKING:
        return None
    found, unit = periods.parse(item.period)
    return periods.to_date(periods.last_day(found, unit))


def _is_late(duty: Duty, today: date) -> bool:
    if duty.item.verdict in {"not_met", "deviation"}:
        return True
    return duty.due is not None and duty.due < today


def _last_of_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
