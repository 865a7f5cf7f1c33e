"""Fields of the forms for entries, made from the columns of the facts tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import MultiDict

from guiju.activities.entries import ENTRIES
from guiju.facts import layout
from guiju.language import gettext as _
from guiju.rules import tables
from guiju.rules import vocabulary as v
from guiju.web.record_forms import clock_text
from guiju.web.wording import label, plugins
from guiju.web.workbooks import Cell

#: Columns whose codes the profile adds to are offered with its own labels.
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class EntryField:
    """One field: ``kind`` is how the page shows it, ``choices`` are codes with labels."""

    name: str
    title: str
    note: str
    kind: str
    required: bool
    choices: Choices = ()


@dataclass(frozen=True)
class Known:
    """What an entry may name, code to words: people, units, and the unit's latest occasions."""

    people: Mapping[str, str]
    #: Names of everybody whom the listed rows name.
    named: Mapping[str, str]
    #: The unit itself and those below it, to which a superior does something.
    below: Mapping[str, str]
    #: Those to which the unit reports.
    above: Mapping[str, str]
    occasions: Mapping[str, str]

    @property
    def words(self) -> dict[str, str]:
        """All of it."""
        return {**self.occasions, **self.above, **self.below, **self.named, **self.people}

    def offered(self, column: str, target: str) -> Mapping[str, str]:
        """What may be chosen in a column that names a row of ``target``."""
        if target == "organizations":
            return (
                self.below if column in {"organization", "target"} else {**self.above, **self.below}
            )
        return self.people if target == "people" else self.occasions


def fields_of(
    table: str,
    known: Known,
    profile: str | None,
) -> list[EntryField]:
    """The fields of a table's form, with what may be chosen in each."""
    found = []
    for name in ENTRIES[table].columns:
        column = tables.columns(table)[name]
        kind, choices = layout.kind(column), _choices(name, column, known, profile)
        if kind == "ref":
            # A unit without a roster of its own has too many people to choose from a list.
            shown = "choice" if choices or column.metadata["target"] != "people" else "person"
        elif kind == "period" and column.metadata.get("unit") == "month":
            shown = "month"
        elif kind == "count":
            shown = str(column.metadata.get("unit") or "count")
        else:
            shown = {"code": "choice", "codes": "boxes"}.get(kind, kind)
        note = str(column.metadata["note"])
        found.append(
            EntryField(
                name, _title(column), _(note) if note else "", shown, column.required, choices
            )
        )
    return found


def _choices(name: str, column: layout.Field, known: Known, profile: str | None) -> Choices:
    """What may be chosen in a column; nothing where it is typed."""
    kind = layout.kind(column)
    if kind == "ref":
        return tuple(known.offered(name, str(column.metadata["target"])).items())
    if kind not in {"code", "codes"}:
        return ()
    vocabulary = layout.vocabulary(column)
    pack = plugins().packs.get(profile or "")
    added = pack.vocabularies.get(vocabulary.name, {}) if pack else {}
    return tuple((code, label(code, vocabulary.name, profile)) for code in [*vocabulary, *added])


def people_columns(table: str) -> list[str]:
    """The columns of a form that name somebody."""
    columns = tables.columns(table)
    return [
        name for name in ENTRIES[table].columns if columns[name].metadata.get("target") == "people"
    ]


def people_in(table: str, rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of everybody whom rows name."""
    columns = [
        name
        for name, column in tables.columns(table).items()
        if column.metadata.get("target") == "people"
    ]
    return {str(row[name]) for row in rows for name in columns if row.get(name)}


def _title(column: layout.Field) -> str:
    """The column's name as people say it: people and units are chosen by name."""
    title = layout.heading(column)
    if layout.kind(column) == "ref":
        title = title.removesuffix("编号")
    return _(title.removesuffix("（分）"))


def given(table: str, fields: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, as the facts table has it; what cannot be read stays as it was typed."""
    row: dict[str, Any] = {}
    for name in ENTRIES[table].columns:
        column = tables.columns(table)[name]
        kind, unit = layout.kind(column), column.metadata.get("unit")
        typed = fields.get(name, "").strip()
        if kind == "codes":
            row[name] = fields.getlist(name) or None
        elif kind == "flag":
            row[name] = True if typed else None
        elif kind == "count" and typed:
            row[name] = _counted(typed, {"tenth": 10, "fen": 100}.get(str(unit), 1))
        else:
            row[name] = typed or None
    return row


def _counted(typed: str, parts: int) -> int | str:
    """A number in the smallest unit: 12.5 yuan are 1250 fen."""
    whole, _point, rest = typed.partition(".")
    digits = len(str(parts)) - 1
    if not whole.isdecimal() or (rest and not rest.isdecimal()) or len(whole) > 9:
        return typed
    if len(rest.rstrip("0")) > digits:
        return typed
    return int(whole) * parts + int((rest + "0" * digits)[:digits] or 0)


def typed_of(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the fields of its form show it."""
    shown = {}
    for name in ENTRIES[table].columns:
        value, column = row.get(name), tables.columns(table)[name]
        unit = str(column.metadata.get("unit"))
        if value is None:
            continue
        if isinstance(value, bool):
            shown[name] = "1" if value else ""
        elif unit in {"tenth", "fen"}:
            shown[name] = _divided(int(value), {"tenth": 10, "fen": 100}[unit])
        else:
            shown[name] = value.isoformat() if isinstance(value, date) else value
    return shown


def in_words(
    table: str, name: str, value: Any, known: Mapping[str, str], profile: str | None
) -> Cell:
    """One value as lists and files show it; ``known`` are names of people, units, occasions."""
    column = tables.columns(table)[name]
    kind, unit = layout.kind(column), str(column.metadata.get("unit"))
    if value is None or value == []:
        return None
    if kind in {"code", "codes"}:
        codes = value if isinstance(value, list) else [value]
        vocabulary = layout.vocabulary(column).name
        return _("、").join(label(str(code), vocabulary, profile) for code in codes)
    if kind == "ref":
        return known.get(str(value), str(value))
    if kind == "flag":
        return _("是") if value else _("否")
    if unit in {"tenth", "fen"}:
        return _divided(int(value), {"tenth": 10, "fen": 100}[unit])
    if unit == "minute":
        return clock_text(value)
    return value if isinstance(value, (date, int)) else str(value)


def _divided(number: int, parts: int) -> str:
    digits = len(str(parts)) - 1
    whole, rest = divmod(number, parts)
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") if rest else str(whole)


def titles() -> dict[str, tuple[str, str]]:
    """What each kind of entry is called, and what it is for."""
    return {
        "talks": (_("谈心谈话"), _("谁和谁、哪一天；谈了什么不记")),
        "reports": (_("报告和备案"), _("向谁、哪一天报告、备案、通报或公开")),
        "rectifications": (_("整改事项"), _("责任主体、时限和销号日期")),
        "appraisals": (_("评议等次"), _("已经评定的等次，或待核对的方案")),
        "dues": (_("党费交纳"), _("一名党员一个月应交和实交的数额")),
        "dues_bases": (_("党费核定"), _("一名党员一年的月应交数额")),
        "training": (_("培训学时"), _("一人参加一次培训的学时")),
        "commitments": (_("承诺和积分"), _("承诺、记录和评议的日期")),
        "register": (_("事项登记"), _("台账、岗位、公示等会议记录看不出的事项")),
        "documents": (_("留存材料"), _("不属于某次活动的材料")),
        "terms": (_("任期和换届"), _("选举、届满、提醒和请示的日期")),
        "vacancies": (_("职务空缺"), _("空缺和补选的日期")),
        "foundings": (_("设立和调整"), _("申请、决定、批准和备案的日期")),
        "inspections": (_("检查指导"), _("对下级的一次检查、提醒或指导")),
        "disciplinary_steps": (_("组织处理"), _("步骤和日期；查看和登记都会留下记录")),
    }


def offered_tables(kind: str, *, below: bool) -> list[str]:
    """The kinds of entries that a unit of this kind makes, in the order of :data:`ENTRIES`."""
    members = kind in v.BRANCH_KINDS
    about_members = {"dues", "dues_bases", "commitments", "training"}
    return [
        table
        for table in ENTRIES
        if (members or table not in about_members) and (below or table != "inspections")
    ]
