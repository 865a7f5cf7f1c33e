"""What an organization is judged by, as stretches of days, and the ways to change them.

Pure: terms go in, other terms come out.  Of one organization no two terms share a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Protocol, Self

from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Term:
    """One profile from a day on, to a last day or (None) until further notice.

    ``settings`` are the readings and settings chosen here, as texts by name; others are
    inherited.
    """

    profile: str
    judge_from: date
    until: date | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    def holds(self, day: date) -> bool:
        """Whether the profile judges on a day."""
        return self.judge_from <= day and (self.until is None or day <= self.until)

    def overlaps(self, other: Term) -> bool:
        """Whether the two share a day."""
        return (self.until is None or other.judge_from <= self.until) and (
            other.until is None or self.judge_from <= other.until
        )

    def as_json(self) -> dict[str, Any]:
        """For storage; :meth:`from_json` reads it."""
        return {
            "profile": self.profile,
            "judge_from": self.judge_from.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What :meth:`as_json` gave."""
        until = stored["until"]
        return cls(
            stored["profile"],
            date.fromisoformat(stored["judge_from"]),
            None if until is None else date.fromisoformat(until),
            dict(stored["settings"]),
        )


#: Of one organization, in the order of days.
Terms = tuple[Term, ...]


class Edit(Protocol):
    """A way to change an organization's terms; ``action`` names it in the audit trail."""

    @property
    def action(self) -> str: ...

    def apply(self, terms: Terms) -> Terms:
        """The terms as they become; raises ``BadInput`` where that cannot be."""


@dataclass(frozen=True)
class Enable:
    """Judge by a profile from a day on; one that goes on now ends the day before."""

    term: Term
    action = "profile.enable"

    def apply(self, terms: Terms) -> Terms:
        new = self.term
        _check_order(new, "/until")
        kept: list[Term] = []
        for old in terms:
            if not old.overlaps(new):
                kept.append(old)
                continue
            outlasted = new.until is None or (old.until is not None and old.until <= new.until)
            if old.judge_from >= new.judge_from or not outlasted:
                found = _("{day} 起已由另一个地方规则评判").format(day=old.judge_from)
                wanted = _("同一组织同一时间只能启用一个地方规则，请先停用原有的，或另选日期")
                raise BadInput([Problem("/judge_from", found, wanted, "overlapping")])
            kept.append(replace(old, until=new.judge_from - _DAY))
        return _ordered([*kept, new])


@dataclass(frozen=True)
class End:
    """Judge by the term that begins on ``judge_from`` for the last time on ``until``."""

    judge_from: date
    until: date
    action = "profile.end"

    def apply(self, terms: Terms) -> Terms:
        old = _beginning(terms, self.judge_from)
        ended = replace(old, until=self.until)
        _check_order(ended, "/until")
        if old.until is not None and self.until > old.until:
            wanted = _("应不晚于原定的最后一天 {day}").format(day=old.until)
            raise BadInput([Problem("/until", self.until.isoformat(), wanted)])
        return _ordered([ended if term is old else term for term in terms])


@dataclass(frozen=True)
class Withdraw:
    """Take back the term that begins on ``judge_from``, as if it had never been."""

    judge_from: date
    action = "profile.withdraw"

    def apply(self, terms: Terms) -> Terms:
        old = _beginning(terms, self.judge_from)
        return tuple(term for term in terms if term is not old)


@dataclass(frozen=True)
class Choose:
    """Other readings and settings for the term that begins on ``judge_from``.

    They hold from ``since`` on, for all of it without one.
    """

    judge_from: date
    settings: Mapping[str, str]
    since: date | None = None
    action = "profile.choose"

    def apply(self, terms: Terms) -> Terms:
        old = _beginning(terms, self.judge_from)
        since = self.since or old.judge_from
        if since <= old.judge_from:
            changed = [replace(old, settings=dict(self.settings))]
        elif old.until is not None and since > old.until:
            wanted = _("应不晚于最后一天 {day}").format(day=old.until)
            raise BadInput([Problem("/since", since.isoformat(), wanted)])
        else:
            later = Term(old.profile, since, old.until, dict(self.settings))
            changed = [replace(old, until=since - _DAY), later]
        return _ordered([*changed, *(term for term in terms if term is not old)])


def _beginning(terms: Terms, day: date) -> Term:
    for term in terms:
        if term.judge_from == day:
            return term
    wanted = _("没有从这一天起启用的地方规则，请刷新后重试")
    raise BadInput([Problem("/judge_from", day.isoformat(), wanted, "unknown")])


def _check_order(term: Term, place: str) -> None:
    if term.until is not None and term.until < term.judge_from:
        wanted = _("应不早于起始日 {day}").format(day=term.judge_from)
        raise BadInput([Problem(place, term.until.isoformat(), wanted)])


def _ordered(terms: Iterable[Term]) -> Terms:
    return tuple(sorted(terms, key=lambda term: term.judge_from))
