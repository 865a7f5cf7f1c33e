"""Names by which people find the tables and columns, and what each column wants, in words.

Everything here is derived from the schemas of :mod:`guiju.rules.tables`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from marshmallow import fields, validate

from guiju.language import gettext as _
from guiju.rules import tables
from guiju.rules.vocabulary import Vocabulary

Field = fields.Field[Any]

#: Sheets of the template that hold no facts.
GUIDE_SHEET: Final = "说明"
OPTIONS_SHEET: Final = "选项"
#: What separates the entries of a list in a cell; the first is the one written.
SEPARATORS: Final = "；;、"
YES: Final = "是"
NO: Final = "否"

#: Table names by their English and Chinese names.
TABLE_NAMES: Final[Mapping[str, str]] = {
    spelling: name for name, table in tables.TABLES.items() for spelling in (name, table.title)
}


def heading(field: Field) -> str:
    """The Chinese name of a column."""
    return str(field.metadata["heading"])


def headings(table: str) -> dict[str, str]:
    """Column names of ``table`` by their English and Chinese names."""
    columns = tables.columns(table)
    return {heading(field): name for name, field in columns.items()} | {n: n for n in columns}


def kind(field: Field) -> str:
    """How the column is encoded, as :mod:`guiju.rules.tables` lists the kinds."""
    return str(field.metadata["kind"])


def unit(field: Field) -> str:
    """What a count counts, as :mod:`guiju.rules.tables` lists the units; often empty."""
    return str(field.metadata.get("unit", ""))


def vocabulary(field: Field) -> Vocabulary:
    """The vocabulary of a ``code`` or ``codes`` column."""
    found: Vocabulary = field.metadata["vocabulary"]
    return found


def listed(table: str) -> bool:
    """Whether lists in cells may name rows of ``table``, so that its ids bear no separators."""
    return any(
        kind(field) == "refs" and field.metadata["target"] == table
        for name in tables.TABLES
        for field in tables.columns(name).values()
    )


def nearest(text: str, known: Iterable[str]) -> str | None:
    """The entry of ``known`` that ``text`` was probably meant to be."""
    # Chinese names are short: one wrong character of four is a likeness of 0.75.
    return next(iter(get_close_matches(text, list(known), n=1, cutoff=0.5)), None)


def length(field: Field) -> tuple[int, int]:
    """Least and greatest number of characters of a text column."""
    for rule in field.validators:
        if isinstance(rule, validate.Length):
            return rule.min or 0, rule.max or tables.MAX_TEXT
    return 0, tables.MAX_TEXT


def bounds(field: Field) -> tuple[int, int]:
    """Least and greatest number of a ``count`` column."""
    for rule in field.validators:
        if isinstance(rule, validate.Range):
            return rule.min, rule.max
    raise AssertionError(field)


def wanted(field: Field, *, hours: bool = False) -> str:  # noqa: C901 - one a kind
    """What may stand in a cell of the column, as a phrase that follows 应为.

    ``hours`` is for columns in tenths of an hour where people write hours.
    """
    match kind(field):
        case "key":
            return _("1 至 {number} 个字的编号").format(number=length(field)[1])
        case "ref":
            return _("{target}的编号").format(target=target(field))
        case "refs":
            return _("{target}的编号，多个用“；”隔开").format(target=target(field))
        case "day":
            return _("日期，写作 2021-03-05（{first} 至 {last}）").format(
                first=tables.FIRST_DAY, last=tables.LAST_DAY
            )
        case "flag":
            return _("是或否")
        case "count":
            return _wanted_count(field, hours=hours)
        case "code":
            return _("“{heading}”的一种").format(heading=heading(field))
        case "codes":
            return _("“{heading}”的一种或几种，多个用“；”隔开").format(heading=heading(field))
        case "period" if unit(field) == "month":
            return _("月份，写作 2021-03")
        case "period":
            return _("期间，写作 2021、2021-H1、2021-Q1、2021-B1 或 2021-03")
        case _:
            return _("不超过 {number} 个字的文字").format(number=length(field)[1])


def _wanted_count(field: Field, *, hours: bool) -> str:
    least, greatest = bounds(field)
    match unit(field):
        case "minute":
            return _("一天中的时间，写作 14:30，或零时起的分钟数")
        case "tenth" if hours:
            return _("学时，写作 32 或 3.5，至多一位小数")
        case "tenth":
            return _("以十分之一学时计的整数，32 学时写 320")
        case "year":
            return _("年份，{least} 至 {greatest}").format(least=least, greatest=greatest)
        case "fen":
            return _("以分计的整数，1 元写 100")
        case _:
            return _("整数，{least} 至 {greatest}").format(least=least, greatest=greatest)


def target(field: Field) -> str:
    """What a reference points to, as a phrase."""
    name = str(field.metadata["target"])
    if name == "people":
        return _("“{members}”或“{posts}”表中人员").format(
            members=tables.TABLES["members"].title, posts=tables.TABLES["posts"].title
        )
    return _("“{title}”表中").format(title=tables.TABLES[name].title)
