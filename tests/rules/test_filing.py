from datetime import date

import pytest

TREE = [
    {"id": "w", "name": "w", "kind": "working_committee"},
    {"id": "c", "name": "c", "kind": "committee", "parent": "w"},
    {"id": "b", "name": "b", "kind": "branch", "parent": "c"},
]
RULE = {"kinds": ["three_meetings"], "recipient": "unit_committee", "grace_months": 1}
ATTESTED = [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}]


def verdict(judge, reports, as_of=date(2021, 12, 31), attested=(), **parameters):
    rows = {
        "organizations": TREE,
        "reports": [
            {"id": f"r{n}", "organization": "b", "kind": "three_meetings", "recipient": "c"} | row
            for n, row in enumerate(reports)
        ],
        "attestations": list(attested),
    }
    return judge("filing", {**RULE, **parameters}, rows, as_of).verdicts()["b 2020"]


@pytest.mark.parametrize(
    ("filed", "late", "wanted"),
    [
        (date(2020, 12, 31), "deviation", "met"),
        (date(2021, 1, 1), "deviation", "deviation"),
        (date(2021, 1, 31), "met", "met"),
        (date(2021, 1, 31), "not_met", "not_met"),
    ],
)
def test_by_the_last_day_of_the_year(judge, filed, late, wanted):
    assert verdict(judge, [{"filed_on": filed}], late=late) == wanted


def test_the_year_a_filing_names(judge):
    # In February a filing without a year is this year's.
    assert verdict(judge, [{"filed_on": date(2021, 2, 1)}]) == "no_data"
    named = {"filed_on": date(2021, 2, 1), "period": "2020"}
    assert verdict(judge, [named], late="deviation") == "not_met"
    quarter = {"filed_on": date(2021, 1, 31), "period": "2020-Q4"}
    assert verdict(judge, [quarter], late="deviation") == "deviation"


def test_the_best_filing_stands(judge):
    twice = [{"filed_on": date(2021, 1, 10)}, {"filed_on": date(2020, 12, 1)}]
    assert verdict(judge, twice, late="deviation") == "met"


def test_the_recipient(judge):
    elsewhere = [{"filed_on": date(2020, 12, 1), "recipient": "w"}]
    assert verdict(judge, elsewhere, attested=ATTESTED) == "not_met"
    assert verdict(judge, elsewhere, any_superior=True) == "met"
    assert verdict(judge, elsewhere, recipient="superior") == "met"
    assert verdict(judge, [{"filed_on": date(2020, 12, 1), "recipient": None}]) == "no_data"
    upward = [{"filed_on": date(2020, 12, 1), "recipient": None, "audience": "superior"}]
    assert verdict(judge, upward, recipient="superior") == "met"


def test_nothing_filed(judge):
    assert verdict(judge, [], date(2020, 12, 31)) == "pending"
    assert verdict(judge, [], date(2021, 1, 1)) == "no_data"
    assert verdict(judge, [], date(2021, 1, 1), ATTESTED) == "not_met"


def test_a_filing_to_somebody_else_is_explained(judge):
    rows = {
        "organizations": TREE,
        "reports": [
            {
                "id": "r",
                "organization": "b",
                "kind": "three_meetings",
                "recipient": "w",
                "filed_on": date(2020, 12, 1),
            }
        ],
    }
    found = judge("filing", RULE, rows, date(2021, 1, 1))
    number = next(n for n, f in enumerate(found) if f["period"] == "2020")
    assert found.uncounted(number) == [("r", "报送对象不符")]
