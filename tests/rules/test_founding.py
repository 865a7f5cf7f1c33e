from datetime import date

import pytest

ROUTE = {
    "kinds": ["founded"],
    "route": ["applied_on", "approved_on", "elected_on"],
    "direct": ["decided_on"],
}
STEPS = {
    "applied_on": date(2020, 2, 28),
    "approved_on": date(2020, 2, 29),
    "elected_on": date(2020, 2, 29),
}


def verdict(judge, parameters, row, *, as_of=date(2021, 1, 1), opened=None, **more):
    rows = {
        "organizations": [
            {"id": "c", "name": "c", "kind": "committee"},
            {"id": "b", "name": "b", "kind": "branch", "parent": "c", "opened_on": opened},
        ],
        "foundings": [] if row is None else [{"organization": "b", "kind": "founded", **row}],
        **more,
    }
    return judge("founding", parameters, rows, as_of).verdicts().get("b")


def test_steps_of_one_day_are_in_order(judge):
    assert verdict(judge, ROUTE, STEPS) == "met"


def test_a_step_before_the_one_that_comes_first(judge):
    assert verdict(judge, ROUTE, {**STEPS, "elected_on": date(2020, 2, 28)}) == "not_met"


def test_the_last_step_is_awaited(judge):
    assert verdict(judge, ROUTE, {**STEPS, "elected_on": None}) == "pending"
    assert verdict(judge, ROUTE, {**STEPS, "elected_on": date(2021, 1, 2)}) == "pending"
    assert verdict(judge, ROUTE, {**STEPS, "elected_on": date(2021, 1, 1)}) == "met"


def test_a_gap_is_short_only_where_attested(judge):
    gap = {**STEPS, "approved_on": None}
    assert verdict(judge, ROUTE, gap) == "no_data"
    attested = [{"organization": "b", "period": "2020-02", "attested_on": date(2020, 3, 1)}]
    assert verdict(judge, ROUTE, gap, attestations=attested) == "not_met"


def test_a_direct_decision_has_its_own_route(judge):
    direct = {"direct": True, "decided_on": date(2020, 5, 1)}
    assert verdict(judge, ROUTE, direct) == "met"
    assert verdict(judge, {**ROUTE, "mode": "direct"}, direct) == "met"
    assert verdict(judge, {**ROUTE, "mode": "direct"}, STEPS) == "not_applicable"


@pytest.mark.parametrize(("body", "wanted"), [("c", "met"), ("b", "not_met"), (None, "no_data")])
def test_who_approves(judge, body, wanted):
    parameters = {**ROUTE, "approved_by": ["committee"]}
    assert verdict(judge, parameters, {**STEPS, "approved_by": body}) == wanted


@pytest.mark.parametrize(
    ("approved", "wanted"),
    [(date(2020, 3, 1), "met"), (date(2020, 3, 2), "not_met")],
)
def test_approved_before_opening(judge, approved, wanted):
    before = {"kinds": ["founded"], "route": ["approved_on"], "mode": "before_opening"}
    row = {"approved_on": approved}
    assert verdict(judge, before, row, opened=date(2020, 3, 1)) == wanted


def test_a_branch_opened_without_any_record(judge):
    assert verdict(judge, ROUTE, None, opened=date(2019, 12, 20)) == "no_data"
    assert verdict(judge, ROUTE, None, opened=date(2019, 12, 19)) is None


def test_steps_older_than_the_rule(judge):
    old = {step: date(2019, 12, 19) for step in STEPS}
    assert verdict(judge, ROUTE, old) is None
