"""Numbers for rules and readings in stored findings; only ever added to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from guiju.db.registries import registry
from guiju.db.session import AnySession
from guiju.scoring.models import ReadingNumber, RuleNumber

#: Sections have two bytes for the number of a rule.
LAST_RULE = 0xFFFF

T = TypeVar("T")


class RuleKey(NamedTuple):
    """What a rule's number stands for; ``unit`` is month, quarter … or None."""

    profile: str
    requirement: str
    part: str | None
    valid_from: date
    subject_type: str
    unit: str | None


class ReadingKey(NamedTuple):
    """One option of a reading of a profile."""

    profile: str
    reading: str
    option: str


class Numbering:
    """The numbers known so far; missing ones are added together."""

    def __init__(self, session: orm.Session) -> None:
        self._session = session
        self.rules: dict[RuleKey, int] = {}
        self.readings: dict[ReadingKey, int] = {}
        self._refresh()

    def require(self, rules: Iterable[RuleKey], readings: Iterable[ReadingKey]) -> None:
        """Give every key a number and commit, so that no other run waits for this one."""
        new_rules = [key for key in dict.fromkeys(rules) if key not in self.rules]
        new_readings = [key for key in dict.fromkeys(readings) if key not in self.readings]
        if not new_rules and not new_readings:
            return
        _add(self._session, RuleNumber, [key._asdict() for key in new_rules])
        _add(self._session, ReadingNumber, [key._asdict() for key in new_readings])
        self._session.commit()
        self._refresh()
        if max(self.rules.values(), default=0) > LAST_RULE:
            raise OverflowError(f"more than {LAST_RULE} rules have been numbered")

    def _refresh(self) -> None:
        rules = rule_keys(self._session, fresh=True)
        readings = reading_keys(self._session, fresh=True)
        self.rules = {key: number for number, key in rules.items()}
        self.readings = {key: number for number, key in readings.items()}
        self._session.rollback()


def _add(
    session: orm.Session, model: type[RuleNumber | ReadingNumber], rows: list[dict[str, object]]
) -> None:
    if rows:
        session.execute(insert(model).on_conflict_do_nothing(), rows)


class _Keys(dict[int, T]):
    """What numbers stand for; one that is newer than what the process knows is looked up."""

    def __init__(self, known: Mapping[int, T], read_again: Callable[[], Mapping[int, T]]) -> None:
        super().__init__(known)
        self._read_again = read_again

    def __missing__(self, number: int) -> T:
        self.update(self._read_again())
        if number not in self:
            raise KeyError(number)
        return self[number]


def rule_keys(session: AnySession, *, fresh: bool = False) -> Mapping[int, RuleKey]:
    """What each rule's number stands for; ``fresh`` for who goes through all there are."""
    columns = [getattr(RuleNumber, name) for name in RuleKey._fields]

    def read() -> Mapping[int, RuleKey]:
        rows = session.execute(sa.select(RuleNumber.number, *columns))
        return {number: RuleKey(*key) for number, *key in rows}

    known = registry(session, RuleNumber, read, fresh=fresh)
    return _Keys(known, lambda: registry(session, RuleNumber, read, fresh=True))


def reading_keys(session: AnySession, *, fresh: bool = False) -> Mapping[int, ReadingKey]:
    """What each reading's number stands for; ``fresh`` for who goes through all there are."""
    columns = [getattr(ReadingNumber, name) for name in ReadingKey._fields]

    def read() -> Mapping[int, ReadingKey]:
        rows = session.execute(sa.select(ReadingNumber.number, *columns))
        return {number: ReadingKey(*key) for number, *key in rows}

    known = registry(session, ReadingNumber, read, fresh=fresh)
    return _Keys(known, lambda: registry(session, ReadingNumber, read, fresh=True))
