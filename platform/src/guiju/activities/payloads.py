"""What is typed of a record, read strictly.

A *payload* is one JSON object: the columns of the facts table ``occasions`` by name (without
``id``, ``organization`` and ``recorded_on``, which the platform sets), the parts of the
occasion (:data:`PARTS`) each as a list of rows of their facts table without ``occasion``
(attendance with the reason of a leave besides, :mod:`guiju.activities.leave`),
``content`` (free text) and ``extra`` (an object of the fields that the profile's plugin adds).
Days are ISO text, references are the authors' ids, codes or their labels name codes::

    {"kinds": ["theme_day"], "held_on": "2021-03-05", "place": "…",
     "attendance": [{"person": "p1", "status": "excused", "leave_reason": "duty"}],
     "agenda": [{"item": "1", "topic": "study"}]}

Problems are placed by JSON pointers into it: ``/held_on``, ``/attendance/3/person``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from guiju.activities import leave
from guiju.facts import layout
from guiju.facts.cells import Misfit, Typed, deserialized, quoted
from guiju.facts.places import pointer
from guiju.language import gettext as _
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

Row = dict[str, Any]
Codes = Mapping[str, Mapping[str, str]]

#: What is recorded about an occasion beside its own columns.
PARTS: Final = ("attendance", "agenda", "documents", "steps", "votes")
#: Columns that the platform fills in.
_OWN: Final = frozenset({"id", "organization", "recorded_on"})
#: In a part, the reference to the occasion; a document of an occasion has no unit of its own.
_IMPLIED: Final = {
    part: frozenset({"occasion", "organization"} if part == "documents" else {"occasion"})
    for part in PARTS
}
#: Longest free text, in characters.
MOST_CONTENT: Final = 20_000
#: Longest id of an author's own.
MOST_ID: Final = tables.MAX_ID
#: Most rows of a part.
MOST_ROWS: Final = 10_000

#: Counts that are part of another: the first are together at most the second.
_COUNTS: Final = (
    (("present",), "expected"),
    (("voting_present",), "voting_expected"),
    (("voting_expected",), "expected"),
)
_VOTES: Final = ((("present",), "should_attend"), (("ayes", "noes", "abstentions"), "present"))
#: Columns that tell rows of a part apart.
_SAME: Final = {"attendance": ("person", "person_class"), "agenda": ("item",), "votes": ("item",)}


@dataclass(frozen=True)
class Loaded:
    """A payload that is well formed; ``parts`` has those that were given."""

    occasion: Row
    parts: Mapping[str, Sequence[Row]]
    content: str | None
    extra: Mapping[str, Any]


def columns() -> dict[str, layout.Field]:
    """The fields of the occasion itself that a payload may have, by name."""
    fields = tables.columns("occasions")
    return {name: field for name, field in fields.items() if name not in _OWN}


def part_columns(part: str) -> dict[str, layout.Field]:
    """The fields that a row of ``part`` may have, by name."""
    fields = tables.columns(part)
    own = {leave.COLUMN: leave.FIELD} if part == "attendance" else {}
    return {
        **{name: field for name, field in fields.items() if name not in _IMPLIED[part]},
        **own,
    }


def load(payload: Mapping[str, Any], codes: Codes) -> Loaded:
    """Read a payload; ``codes`` are those that the packs add, with labels, by vocabulary.

    Columns that it lacks are blank.  Raises ``BadInput`` with everything wrong that the
    payload alone shows.
    """
    reader = _Reader(Typed(codes))
    own = {name: value for name, value in payload.items() if name in columns()}
    occasion = reader.row(own, columns(), "")
    parts = {
        part: reader.rows(payload[part], part) for part in PARTS if payload.get(part) is not None
    }
    content = reader.content(payload.get("content"))
    extra = reader.additions(payload.get("extra"))
    reader.refuse_unknown(payload, {*columns(), *PARTS, "content", "extra"}, "")
    reader.check(occasion, _COUNTS, "")
    for place, row in enumerate(parts.get("votes", ())):
        reader.check(row, _VOTES, pointer("votes", place))
    for part, rows in parts.items():
        reader.refuse_repeated(part, rows)
    if reader.problems:
        raise BadInput(reader.problems)
    return Loaded(occasion, parts, content, extra)


def load_row(table: str, given: Mapping[str, Any], codes: Codes) -> Row:
    """Read one row of a facts table strictly; its columns that are not given are blank.

    Raises ``BadInput`` with everything wrong that the row alone shows, placed by column.
    """
    reader = _Reader(Typed(codes))
    row = reader.row(given, tables.columns(table), "")
    reader.refuse_unknown(given, tables.columns(table), "")
    if reader.problems:
        raise BadInput(reader.problems)
    return row


def row_references(table: str, row: Row) -> Iterator[tuple[str, str, str]]:
    """Whom and what a row names: the table, the author's id and the place."""
    return _named(row, tables.columns(table), "")


def refuse_day(occasion: Row, today: date, opened_on: date | None, closed_on: date | None) -> None:
    """Raise ``BadInput`` for a day on which it cannot have been, or cannot be planned."""
    held_on = occasion["held_on"]
    if occasion["status"] == "planned":
        if held_on < today:
            _refuse("/held_on", held_on, _("计划的日期不能早于今天"), "in_the_past")
    elif held_on > today:
        wanted = _("活动还没有开，日期不能晚于今天；还没有开的，请先安排（状态为“计划中”）")
        _refuse("/held_on", held_on, wanted, "in_the_future")
    if opened_on is not None and held_on < opened_on:
        _refuse("/held_on", held_on, _("本组织当时尚未成立"), "before_opening")
    if closed_on is not None and held_on > closed_on:
        _refuse("/held_on", held_on, _("本组织当时已经撤销"), "after_closing")


def references(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """Whom and what a payload names: the table, the author's id and the place."""
    yield from _named(loaded.occasion, columns(), "")
    for part, rows in loaded.parts.items():
        for place, row in enumerate(rows):
            yield from _named(row, part_columns(part), pointer(part, place))


def without_people(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload for somebody who may see records but not who was there.

    Rows that name a person go whole; so do free texts that may, and what a plugin adds.
    """
    kept = {
        name: value
        for name, value in payload.items()
        if name not in {"content", "extra", "files", *PARTS} and not _is_person(columns().get(name))
    }
    for part in PARTS:
        people = [name for name, field in part_columns(part).items() if _is_person(field)]
        rows = [
            row for row in payload.get(part, ()) if all(row.get(name) is None for name in people)
        ]
        if rows:
            kept[part] = rows
    return kept


def _is_person(field: layout.Field | None) -> bool:
    return field is not None and field.metadata.get("target") == "people"


def _named(
    row: Row, fields: Mapping[str, layout.Field], place: str
) -> Iterator[tuple[str, str, str]]:
    for name, field in fields.items():
        target, value = field.metadata.get("target"), row.get(name)
        if target is None or value is None:
            continue
        for code in value if isinstance(value, list) else [value]:
            yield str(target), code, place + pointer(name)


def _refuse(place: str, found: object, wanted: str, code: str) -> None:
    raise BadInput([Problem(place, str(found), wanted, code)])


class _Reader:
    """Reads cell by cell and gathers what is wrong."""

    def __init__(self, spelling: Typed) -> None:
        self.problems: list[Problem] = []
        self._spelling = spelling

    def row(self, given: Mapping[str, Any], fields: Mapping[str, layout.Field], place: str) -> Row:
        """Every field with its value, None where nothing is given."""
        return {
            name: self._cell(given.get(name), field, place + pointer(name))
            for name, field in fields.items()
        }

    def rows(self, given: Any, part: str) -> list[Row]:
        place = pointer(part)
        if not isinstance(given, list):
            self._wrong(place, quoted(given), _("应为行的列表"), "wrong_type")
            return []
        if len(given) > MOST_ROWS:
            found = _("有 {number} 行").format(number=len(given))
            self._wrong(place, found, _("不超过 {most} 行").format(most=MOST_ROWS), "too_many")
            return []
        fields = part_columns(part)
        read_rows: list[Row] = []
        for number, row in enumerate(given):
            at = pointer(part, number)
            if not isinstance(row, dict):
                self._wrong(at, quoted(row), _("应为对象：列名对应值"), "wrong_type")
                continue
            self.refuse_unknown(row, fields, at)
            read = self.row(row, fields, at)
            read_rows.append(read)
            if part == "attendance":
                self._check_attendance(read, at)
        return read_rows

    def _check_attendance(self, row: Row, at: str) -> None:
        if row["person"] is None and row["person_class"] is None:
            wanted = _("填写人员，或非本支部党员的类别")
            self._wrong(at + "/person", _("没有填写"), wanted, "missing_value")
        if row[leave.COLUMN] is not None and (row["person"] is None or row["status"] != "excused"):
            wanted = _("只有请假的人才有请假事由")
            self._wrong(at + pointer(leave.COLUMN), row[leave.COLUMN], wanted, "not_on_leave")

    def content(self, given: Any) -> str | None:
        if given is None:
            return None
        if not isinstance(given, str):
            self._wrong("/content", quoted(given), _("应为文字"), "wrong_type")
            return None
        text = "".join(sign for sign in given if sign >= " " or sign in "\n\t").strip()
        if len(text) > MOST_CONTENT:
            found = _("有 {number} 个字").format(number=len(text))
            wanted = _("不超过 {most} 个字").format(most=MOST_CONTENT)
            self._wrong("/content", found, wanted, "too_long")
        return text or None

    def additions(self, given: Any) -> dict[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, dict):
            self._wrong("/extra", quoted(given), _("应为对象：字段名对应值"), "wrong_type")
            return {}
        return given

    def refuse_unknown(
        self, given: Mapping[str, Any], known: Mapping[str, Any] | set[str], place: str
    ) -> None:
        for name in given:
            if name not in known:
                self._wrong(place + pointer(name), quoted(name), _("没有这一栏"), "unknown_column")

    def check(self, row: Row, sums: Sequence[tuple[tuple[str, ...], str]], place: str) -> None:
        """Counts that are part of another are not more than it."""
        for parts, whole in sums:
            total, most = sum(row[name] or 0 for name in parts), row[whole]
            if most is not None and total > most:
                fields = tables.columns("occasions" if sums is _COUNTS else "votes")
                wanted = _("不能多于{whole} {number}").format(
                    whole=layout.heading(fields[whole]), number=most
                )
                self._wrong(place + pointer(parts[0]), str(total), wanted, "more_than_whole")

    def refuse_repeated(self, part: str, rows: Sequence[Row]) -> None:
        """Nobody is listed twice, and no item."""
        names = _SAME.get(part)
        if names is None:
            return
        seen: set[tuple[Any, ...]] = set()
        for number, row in enumerate(rows):
            key = tuple(row[name] for name in names)
            if key in seen:
                found = quoted(next((value for value in key if value is not None), None))
                wanted = _("与前面的一行重复，每行只写一次")
                self._wrong(pointer(part, number, names[0]), found, wanted, "repeated")
            seen.add(key)

    def _cell(self, value: Any, field: layout.Field, place: str) -> Any:
        try:
            read = deserialized(
                tuple(value) if isinstance(value, list) else value,
                field,
                self._spelling,
                hours=False,
            )
        except Misfit as misfit:
            found = misfit.found or _("写的是{value}").format(value=quoted(value))
            wanted = misfit.wanted or _("应为{phrase}").format(phrase=layout.wanted(field))
            self._wrong(place, found, wanted, misfit.code)
            return None
        if read is None and field.required:
            found = _("没有填写“{heading}”").format(heading=layout.heading(field))
            wanted = _("应为{phrase}").format(phrase=layout.wanted(field))
            self._wrong(place, found, wanted, "missing_value")
        return read

    def _wrong(self, place: str, found: str, wanted: str, code: str) -> None:
        self.problems.append(Problem(place, found, wanted, code))
