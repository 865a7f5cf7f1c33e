from datetime import date

import pytest

ORGANIZATIONS = [
    {"id": "c", "name": "c", "kind": "committee"},
    {"id": "b", "name": "b", "kind": "branch", "parent": "c", "has_committee": True},
]


def term(**columns):
    return {
        "organization": "b",
        "elected_on": date(2018, 3, 1),
        "ends_on": date(2021, 3, 1),
        **columns,
    }


def verdict(judge, parameters, row, as_of=date(2021, 4, 1), **more):
    rows = {"organizations": ORGANIZATIONS, "terms": [row], **more}
    found = judge("term", parameters, rows, as_of, strictness="general")
    return {f["period"]: f["verdict"] for f in found if f["period"]}


@pytest.mark.parametrize(
    ("held", "wanted"), [(date(2021, 3, 1), "met"), (date(2021, 3, 2), "deviation")]
)
def test_the_next_election_on_the_last_day(judge, held, wanted):
    length = {"aspect": "length", "months": 36}
    assert verdict(judge, length, term(next_elected_on=held)) == {"2021": wanted}


def test_no_election_is_short_only_where_attested(judge):
    length = {"aspect": "length", "months": 36}
    assert verdict(judge, length, term()) == {"2021": "no_data"}
    attested = [{"organization": "b", "period": "2021-03", "attested_on": date(2021, 4, 1)}]
    assert verdict(judge, length, term(), attestations=attested) == {"2021": "deviation"}
    assert verdict(judge, length, term(), date(2021, 3, 1)) == {"2021": "pending"}


@pytest.mark.parametrize(
    ("elected", "ends", "wanted"),
    [
        (date(2020, 2, 29), date(2023, 2, 28), "pending"),
        (date(2020, 2, 29), date(2023, 2, 27), "pending"),
        (date(2020, 2, 29), date(2023, 3, 1), "deviation"),
    ],
)
def test_three_years_from_a_leap_day(judge, elected, ends, wanted):
    row = term(elected_on=elected, ends_on=ends)
    assert verdict(judge, {"aspect": "length", "months": 36}, row) == {"2023": wanted}


def test_a_committee_without_a_term_on_record(judge):
    rows = {"organizations": ORGANIZATIONS}
    found = judge("term", {"aspect": "length", "months": 36}, rows, conditions=["has_committee"])
    assert found.verdicts() == {"b": "no_data"}


@pytest.mark.parametrize(
    ("requested", "wanted"),
    [(date(2020, 12, 1), "met"), (date(2020, 12, 2), "deviation"), (None, "no_data")],
)
def test_a_request_three_months_ahead(judge, requested, wanted):
    request = {"aspect": "request", "months": 3}
    assert verdict(judge, request, term(requested_on=requested)) == {"2021": wanted}


def test_a_request_three_months_before_the_end_of_may(judge):
    row = term(elected_on=date(2018, 5, 31), ends_on=date(2021, 5, 31))
    request = {"aspect": "request", "months": 3}
    assert verdict(judge, request, {**row, "requested_on": date(2021, 2, 28)}) == {"2021": "met"}
    assert verdict(judge, request, {**row, "requested_on": date(2021, 3, 1)}) == {
        "2021": "deviation"
    }


def test_a_report_of_the_request_counts(judge):
    report = {
        "id": "r",
        "organization": "b",
        "kind": "renewal_request",
        "filed_on": date(2020, 12, 1),
    }
    request = {"aspect": "request", "months": 3}
    assert verdict(judge, request, term(), reports=[report]) == {"2021": "met"}
    before_the_term = {**report, "filed_on": date(2018, 2, 28)}
    assert verdict(judge, request, term(), reports=[before_the_term]) == {"2021": "no_data"}


@pytest.mark.parametrize(
    ("reminded", "wanted"), [(date(2020, 9, 1), "met"), (date(2020, 9, 2), "deviation")]
)
def test_the_superior_answers_for_the_reminder(judge, reminded, wanted):
    rows = {"organizations": ORGANIZATIONS, "terms": [term(reminded_on=reminded)]}
    found = judge(
        "term",
        {"aspect": "reminder", "months": 6},
        rows,
        date(2021, 4, 1),
        kinds=["committee"],
        strictness="general",
    )
    assert found.verdicts() == {"c 2020": wanted}
    assert found[0]["required"] == 1


@pytest.mark.parametrize(
    ("early", "wanted"),
    [("ask", "needs_judgement"), ("early", "not_met"), ("fine", "not_applicable")],
)
def test_an_election_shortly_before_the_end(judge, early, wanted):
    rows = {"organizations": ORGANIZATIONS, "terms": [term(next_elected_on=date(2020, 12, 1))]}
    found = judge(
        "term", {"aspect": "approval", "early": early}, rows, date(2021, 4, 1), strictness="duty"
    )
    assert found.verdicts() == {"b 2021": wanted}


@pytest.mark.parametrize(
    ("held", "wanted"),
    [
        (date(2022, 3, 1), "met"),
        (date(2022, 3, 2), "deviation"),
        (date(2020, 3, 1), "met"),
        (date(2020, 2, 29), "deviation"),
        (date(2021, 3, 1), "not_applicable"),
    ],
)
def test_a_shift_of_at_most_a_year(judge, held, wanted):
    shift = {"aspect": "shift", "months": 12}
    assert verdict(judge, shift, term(next_elected_on=held), date(2022, 4, 1)) == {"2021": wanted}


def test_a_term_that_ended_before_the_rule(judge):
    row = term(elected_on=date(2016, 12, 19), ends_on=date(2019, 12, 19))
    assert verdict(judge, {"aspect": "length", "months": 36}, row) == {}
