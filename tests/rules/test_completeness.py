"""Complete without a word: after the tenant's number of days, unless somebody objects."""

from datetime import date

import pyarrow as pa
import pytest

from guiju.rules.engine import evaluate
from guiju.rules.facts import Facts
from guiju.rules.loader import loads

PACK = loads("""
[pack]
id = "x"
title = "示例"
issuer = "示例"
document = "示例〔2020〕1号"
issued_on = 2020-01-01
checked_on = 2020-01-01

[[requirement]]
id = "x.theme_day.monthly"
kind = "REQ"
title = "主题党日每月一次"
clause = "一"
strictness = "bare"
automation = "full"
check = "count"
parameters = { kinds = ["theme_day"], per = "month" }
""")


def verdict(as_of, after, attestations=(), period="2020-03"):
    source = {"organizations": pa.table({"id": ["b"], "kind": ["branch"]})}
    if attestations:
        source["attestations"] = pa.Table.from_pylist(
            [{"organization": "b", **row} for row in attestations]
        )
    found = evaluate(PACK, Facts(source), as_of, complete_after=after)
    (finding,) = [f for f in found if f.period == period]
    return str(finding.verdict)


@pytest.mark.parametrize(
    ("as_of", "after", "expected"),
    [
        (date(2020, 3, 31), 10, "pending"),
        (date(2020, 4, 1), 10, "no_data"),
        (date(2020, 4, 10), 10, "no_data"),
        (date(2020, 4, 11), 10, "not_met"),
        (date(2020, 4, 1), 0, "not_met"),
        (date(2021, 4, 11), None, "no_data"),
    ],
)
def test_a_month_is_complete_so_many_days_after_its_end(as_of, after, expected):
    assert verdict(as_of, after) == expected


def test_an_objection_keeps_a_month_open():
    objection = {"period": "2020-03", "attested_on": date(2020, 4, 5), "objected": True}
    assert verdict(date(2020, 5, 20), 10, [objection]) == "no_data"
    assert verdict(date(2020, 5, 20), 10, [objection], "2020-02") == "not_met"


def test_attesting_after_the_objection_closes_it():
    rows = [
        {"period": "2020-Q1", "attested_on": date(2020, 4, 5), "objected": True},
        {"period": "2020-03", "attested_on": date(2020, 4, 9), "objected": None},
    ]
    assert verdict(date(2020, 5, 20), 10, rows) == "not_met"
    assert verdict(date(2020, 5, 20), 10, rows, "2020-02") == "no_data"
