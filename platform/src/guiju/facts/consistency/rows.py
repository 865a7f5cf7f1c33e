"""What must hold within a row."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from guiju.facts import layout
from guiju.facts.consistency.base import Array, Checked, heading
from guiju.language import gettext as _
from guiju.rules import tables

#: Pairs of days of which the second cannot be the earlier one.  Days that a rule wants
#: in order are not among them.
_ORDERED: Final = {
    "organizations": [("opened_on", "closed_on")],
    "members": [("from_on", "until_on"), ("joined_on", "full_member_on")],
    "posts": [("from_on", "until_on")],
    "rectifications": [("opened_on", "closed_on")],
    "terms": [("elected_on", "ends_on")],
    "vacancies": [("vacant_on", "filled_on")],
    "register": [("since_on", "until_on")],
}
#: Counts that are part of another: the sum of the first columns is at most the second.
_PARTS: Final[dict[str, list[tuple[tuple[str, ...], str]]]] = {
    "occasions": [
        (("present",), "expected"),
        (("voting_present",), "voting_expected"),
        (("voting_expected",), "expected"),
    ],
    "votes": [
        (("present",), "should_attend"),
        (("ayes", "noes", "abstentions"), "present"),
    ],
}
#: Columns of which at least one says who or what a row is about.
_EITHER: Final = {
    "attendance": ("person", "person_class"),
    "documents": ("occasion", "organization"),
    "talks": ("partner", "partner_class"),
}
#: What is graded in a person's name.
_PERSONAL: Final = pa.array(["secretary", "member"])


def check(checked: Checked) -> None:
    """Report rows that contradict themselves or say nothing."""
    for table, pairs in _ORDERED.items():
        for first, last in pairs:
            _check_order(checked, table, first, last)
    for table, sums in _PARTS.items():
        for parts, whole in sums:
            _check_parts(checked, table, parts, whole)
    for table, columns in _EITHER.items():
        _check_either(checked, table, columns)
    _check_appraised(checked)
    _check_separators(checked)


def _check_order(checked: Checked, table: str, first: str, last: str) -> None:
    columns = checked.table(table)

    def say(row: int) -> tuple[str, str]:
        found = _("{last}（{day}）早于{first}（{other}）").format(
            last=heading(table, last),
            day=checked.value(table, last, row),
            first=heading(table, first),
            other=checked.value(table, first, row),
        )
        return found, _("不能早于{first}").format(first=heading(table, first))

    wrong = _true(pc.less(columns[last], columns[first]))
    checked.report(table, last, wrong, say, "days_out_of_order")


def _check_parts(checked: Checked, table: str, parts: tuple[str, ...], whole: str) -> None:
    columns = checked.table(table)
    total = pc.fill_null(columns[parts[0]], 0)
    for part in parts[1:]:
        total = pc.add(total, pc.fill_null(columns[part], 0))
    names = _("、").join(heading(table, part) for part in parts)

    def say(row: int) -> tuple[str, str]:
        found = _("{parts}共 {total}，多于{whole} {number}").format(
            parts=names,
            total=total[row],
            whole=heading(table, whole),
            number=checked.value(table, whole, row),
        )
        return found, _("不能多于{whole}").format(whole=heading(table, whole))

    wrong = _true(pc.greater(total, columns[whole]))
    checked.report(table, parts[0], wrong, say, "more_than_whole")


def _check_either(checked: Checked, table: str, columns: tuple[str, ...]) -> None:
    read = checked.table(table)
    blank = pc.is_null(read[columns[0]])
    for column in columns[1:]:
        blank = pc.and_(blank, pc.is_null(read[column]))
    names = "”“".join(heading(table, column) for column in columns)
    saying = _("“{names}”都没有填写").format(names=names), _("至少填写一项")
    checked.report(table, columns[0], _true(blank), lambda _row: saying, "missing_value")


def _check_appraised(checked: Checked) -> None:
    table = checked.table("appraisals")
    personal = pc.is_in(table["subject_type"], value_set=_PERSONAL)
    saying = (
        _("没有填写“{heading}”").format(heading=heading("appraisals", "person")),
        _("评书记、评党员时应填写"),
    )
    blank = pc.and_(personal, pc.is_null(table["person"]))
    checked.report("appraisals", "person", _true(blank), lambda _row: saying, "missing_value")


def _check_separators(checked: Checked) -> None:
    """Ids that lists name must not look like several."""
    saying = _("编号中有“；”“;”或“、”"), _("这些符号用来隔开多个编号，请改用其他符号")
    for table in tables.TABLES:
        if layout.listed(table):
            wrong = pc.match_substring_regex(checked.table(table)["id"], f"[{layout.SEPARATORS}]")
            checked.report(table, "id", _true(wrong), lambda _row: saying, "separator_in_id")


def _true(mask: pa.ChunkedArray) -> Array:
    """The rows where ``mask`` is true, null being false."""
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy())  # noqa: FBT003
