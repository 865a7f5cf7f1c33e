from datetime import date

import pytest

ORGANIZATIONS = [{"id": "b", "name": "b", "kind": "branch"}]
MEMBER = {"id": "p", "organization": "b", "membership_class": "full"}
DAY = date(2021, 12, 31)


def rows(member=MEMBER, **more):
    return {"organizations": ORGANIZATIONS, "members": [member], **more}


def base(judge, fixed, as_of=date(2020, 12, 31), member=MEMBER, **parameters):
    bases = [{"person": "p", "year": 2020, "fixed_on": fixed, "amount": 1000}] if fixed else []
    found = judge("dues_base", parameters, rows(member, dues_bases=bases), as_of).verdicts()
    return found["p 2020"]


@pytest.mark.parametrize(
    ("month", "fixed", "verdict"),
    [
        (2, date(2020, 2, 29), "met"),
        (2, date(2020, 3, 1), "not_met"),
        (3, date(2020, 3, 31), "met"),
        (3, date(2020, 4, 1), "not_met"),
        (12, date(2020, 12, 31), "met"),
        (1, date(2019, 12, 31), "met"),
    ],
)
def test_fixed_by_the_last_day_of_the_month(judge, month, fixed, verdict):
    assert base(judge, fixed, until_month=month) == verdict


def test_not_fixed_is_pending_then_unknown_then_short(judge):
    assert base(judge, None, date(2020, 3, 31)) == "pending"
    assert base(judge, None, date(2020, 4, 1)) == "no_data"
    attested = [{"organization": "b", "period": "2020-Q1", "attested_on": date(2020, 4, 1)}]
    found = judge("dues_base", {}, rows(attestations=attested), date(2020, 4, 1))
    assert found.verdicts() == {"p 2019": "not_applicable", "p 2020": "not_met"}


def test_who_was_not_there_when_the_year_began(judge):
    late = {**MEMBER, "from_on": date(2020, 1, 2)}
    assert base(judge, None, member=late) == "not_applicable"


def paid(judge, as_of=date(2020, 4, 1), member=MEMBER, parameters=None, **row):
    payment = {"person": "p", "month": "2020-02", "due_amount": 1000, "paid_amount": 1000, **row}
    found = judge("dues_paid", parameters or {}, rows(member, dues=[payment]), as_of).verdicts()
    return found.get("p 2020-02")


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"paid_on": date(2020, 2, 29)}, "met"),
        ({"paid_on": date(2020, 3, 1)}, "not_met"),
        ({"paid_amount": 999}, "not_met"),
        ({"paid_amount": 1001}, "met"),
        ({"due_amount": 0, "paid_amount": 0}, "met"),
    ],
)
def test_in_full_by_the_end_of_february(judge, row, verdict):
    assert paid(judge, **row) == verdict


def test_an_open_month(judge):
    assert paid(judge, date(2020, 2, 29), paid_amount=0) == "pending"
    assert paid(judge, date(2020, 3, 1), paid_amount=0) == "not_met"


def test_only_leading_cadres(judge):
    leading = {"who": "leading_cadre"}
    assert paid(judge, parameters=leading) is None
    cadre = {**MEMBER, "leading_cadre": True}
    assert paid(judge, member=cadre, parameters=leading) == "met"


def test_a_month_without_a_record(judge):
    found = judge("dues_paid", {}, rows(), date(2020, 2, 1)).verdicts()
    assert found == {
        "p 2019-12": "not_applicable",
        "p 2020-01": "no_data",
        "p 2020-02": "pending",
    }
