"""Counting in periods: the boundaries of every verdict."""

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiju.rules.engine import evaluate
from guiju.rules.facts import Facts
from guiju.rules.loader import loads

PACK = """
[pack]
id = "x"
title = "示例"
issuer = "示例"
document = "示例〔2020〕1号"
issued_on = 2019-12-20
checked_on = 2020-01-01

[[requirement]]
id = "x.branch_assembly.quarterly"
kind = "REQ"
title = "党员大会每季度一次"
clause = "一"
strictness = "{strictness}"
automation = "full"
applies_to = {{ kinds = ["branch"], conditions = {conditions} }}
check = "count"
parameters = {{ kinds = ["branch_assembly"], per = "{per}", {limits} }}
"""


def pack(strictness="bare", per="quarter", limits="min = 1", conditions="[]"):
    return loads(PACK.format(strictness=strictness, per=per, limits=limits, conditions=conditions))


def facts(held=(), attested=(), **organization):
    branch = {"id": "b", "name": "支部", "kind": "branch", **organization}
    rows = {
        "organizations": [branch],
        "occasions": [
            {"id": f"o{n}", "organization": "b", "kinds": ["branch_assembly"], "held_on": day}
            if isinstance(day, date)
            else {"id": f"o{n}", "organization": "b", "kinds": ["branch_assembly"], **day}
            for n, day in enumerate(held)
        ],
        "attestations": [
            {"organization": "b", "period": period, "attested_on": day} for period, day in attested
        ],
    }
    return Facts({name: pa.Table.from_pylist(found) for name, found in rows.items() if found})


def judge(facts_, as_of, pack_=None):
    found = evaluate(pack_ or pack(), facts_, as_of)
    return {finding.period: finding for finding in found}


def verdict(facts_, as_of, period="2020-Q1", pack_=None):
    return str(judge(facts_, as_of, pack_)[period].verdict)


ATTESTED = [("2020-Q1", date(2020, 4, 1))]


def test_the_last_day_of_the_period_counts():
    assert verdict(facts([date(2020, 3, 31)]), date(2020, 4, 1)) == "met"


def test_the_day_after_does_not():
    assert verdict(facts([date(2020, 4, 1)], ATTESTED), date(2020, 4, 1)) == "not_met"


def test_still_unmet_on_the_last_day_is_pending_until_that_day():
    finding = judge(facts(), date(2020, 3, 31))["2020-Q1"]
    assert (str(finding.verdict), finding.due) == ("pending", "2020-03-31")


def test_unmet_and_not_attested_is_no_data():
    assert verdict(facts(), date(2020, 4, 1)) == "no_data"


def test_unmet_and_attested_is_a_shortfall():
    assert verdict(facts(attested=ATTESTED), date(2020, 4, 1)) == "not_met"


@pytest.mark.parametrize(
    ("strictness", "expected"),
    [("hard", "not_met"), ("bare", "not_met"), ("general", "deviation"), ("may", "not_applicable")],
)
def test_what_a_shortfall_is_called(strictness, expected):
    found = verdict(facts(attested=ATTESTED), date(2020, 4, 1), pack_=pack(strictness))
    assert found == expected


def test_three_attested_months_attest_the_quarter():
    months = [(f"2020-0{n}", date(2020, 4, 1)) for n in (1, 2, 3)]
    assert verdict(facts(attested=months), date(2020, 4, 1)) == "not_met"
    assert verdict(facts(attested=months[:2]), date(2020, 4, 1)) == "no_data"


def test_a_later_attestation_says_nothing_yet():
    assert verdict(facts(attested=[("2020-Q1", date(2020, 4, 9))]), date(2020, 4, 8)) == "no_data"


def test_a_year_attests_its_quarters():
    found = facts(attested=[("2020", date(2021, 1, 2))])
    assert verdict(found, date(2021, 1, 2)) == "not_met"


def test_cancelled_and_planned_meetings_do_not_count_and_are_told():
    held = [
        {"held_on": date(2020, 2, 1), "status": "cancelled"},
        {"held_on": date(2020, 3, 1), "status": "planned"},
    ]
    assert verdict(facts(held, ATTESTED), date(2020, 4, 1)) == "not_met"


def test_records_after_the_day_judged_do_not_count():
    assert verdict(facts([date(2020, 3, 20)]), date(2020, 3, 19)) == "pending"


def test_nothing_before_the_notice_is_judged():
    found = judge(facts([date(2019, 11, 1)]), date(2020, 4, 1))
    assert found.pop("2019-Q4").verdict == "not_applicable"
    assert list(found) == ["2020-Q1", "2020-Q2"]


@pytest.mark.parametrize(
    ("opened", "closed", "expected"),
    [
        (date(2020, 1, 1), None, "not_met"),
        (date(2020, 1, 2), None, "not_applicable"),
        (None, date(2020, 3, 31), "not_met"),
        (None, date(2020, 3, 30), "not_applicable"),
    ],
)
def test_only_whole_periods_of_existence_are_judged(opened, closed, expected):
    found = facts(attested=ATTESTED, opened_on=opened, closed_on=closed)
    assert verdict(found, date(2020, 4, 1)) == expected


def test_an_upper_number_binds_at_once():
    once_or_twice = pack("general", "year", "min = 1, max = 2")
    held = [date(2020, 2, 1), date(2020, 5, 1), date(2020, 6, 1)]
    assert verdict(facts(held[:2]), date(2020, 7, 1), "2020", once_or_twice) == "met"
    assert verdict(facts(held), date(2020, 7, 1), "2020", once_or_twice) == "deviation"


def test_a_condition_that_does_not_hold_makes_it_not_applicable():
    with_committee = pack(conditions='["has_committee"]')
    assert verdict(facts(has_committee=False), date(2020, 4, 1), pack_=with_committee) == (
        "not_applicable"
    )
    assert verdict(facts(has_committee=True), date(2020, 4, 1), pack_=with_committee) == "no_data"


def test_a_finding_says_everything():
    finding = judge(facts([date(2020, 2, 29)]), date(2020, 4, 1))["2020-Q1"].as_dict()
    assert finding == {
        "requirement": "x.branch_assembly.quarterly",
        "subject": {"type": "organization", "id": "b"},
        "organization": "b",
        "period": "2020-Q1",
        "verdict": "met",
        "strictness": "bare",
        "part": None,
        "required": 1,
        "observed": 1,
        "due": None,
        "evidence": ["o0"],
        "citation": {"document": "示例〔2020〕1号", "clause": "一"},
        "alternatives": [],
        "readings": {
            "carry_over": "none",
            "incomplete": "no_data",
            "first_period": "half_way",
            "shared_occasions": "each",
        },
        "message": "2020年第一季度“党员大会每季度一次”记录 1 次，要求至少 1 次，符合。",
    }


HELD = st.lists(st.dates(date(2019, 12, 1), date(2021, 1, 31)), max_size=12)


@settings(max_examples=60)
@given(
    HELD,
    st.dates(date(2020, 1, 1), date(2021, 1, 31)),
    st.dates(date(2020, 1, 1), date(2021, 1, 31)),
)
def test_another_record_never_unmeets_a_minimum(held, extra, as_of):
    attested = [("2020", date(2020, 1, 1))]
    before = judge(facts(held, attested), as_of)
    after = judge(facts([*held, extra], attested), as_of)
    assert all(str(after[p].verdict) == "met" for p, f in before.items() if str(f.verdict) == "met")


@settings(max_examples=60)
@given(HELD, st.dates(date(2020, 1, 1), date(2021, 1, 31)))
def test_the_observed_number_is_the_number_of_days_in_the_period(held, as_of):
    for period, finding in judge(facts(held), as_of).items():
        year, quarter = int(period[:4]), int(period[-1])
        expected = [
            day
            for day in held
            if day.year == year and (day.month + 2) // 3 == quarter and day <= as_of
        ]
        assert finding.observed == len(expected) == len(finding.evidence)


def test_a_leap_day_is_in_its_month():
    monthly = pack(per="month")
    leap = date(2020, 2, 29)
    assert verdict(facts([leap]), leap + timedelta(days=1), "2020-02", monthly) == "met"


def test_what_is_filed_with_who_is_not_above_is_not_filed_with_the_superior(judge):
    tree = [
        {"id": "c", "name": "c", "kind": "committee"},
        {"id": "other", "name": "other", "kind": "committee", "parent": "c"},
        {"id": "b", "name": "b", "kind": "branch", "parent": "c"},
    ]
    report = {
        "id": "r",
        "organization": "b",
        "kind": "work_report",
        "filed_on": date(2020, 6, 1),
        "audience": "superior",
    }
    rule = {"source": "reports", "kinds": ["work_report"], "audience": "superior", "per": "year"}

    def verdict(**columns):
        rows = {"organizations": tree, "reports": [report | columns]}
        return judge("count", rule, rows, date(2020, 12, 31)).verdicts()["b 2020"]

    assert verdict() == "met"
    assert verdict(recipient="c") == "met"
    assert verdict(recipient="other") == "pending"
    assert verdict(recipient="somebody-else") == "pending"
