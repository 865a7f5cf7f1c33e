from datetime import date

import pytest

ORGANIZATIONS = [{"id": "b", "name": "b", "kind": "branch"}]
MEMBER = {"id": "p", "organization": "b", "membership_class": "full"}
ATTESTED = [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}]
RULE = {"tenths": 320}


def attended(tenths, day=date(2020, 2, 29), **columns):
    return {"person": "p", "held_on": day, "tenths": tenths, "concentrated": True, **columns}


def found(judge, training, *, member=MEMBER, as_of=date(2021, 1, 1), attested=True, **parameters):
    rows = {
        "organizations": ORGANIZATIONS,
        "members": [member],
        "training": training,
        "attestations": ATTESTED if attested else [],
    }
    every = judge("hours", {**RULE, **parameters}, rows, as_of, strictness="general")
    return next(f for f in every if f["period"] == "2020")


@pytest.mark.parametrize(
    ("tenths", "verdict", "observed"), [(320, "met", 32), (319, "deviation", "31.9")]
)
def test_exactly_the_hours_and_a_tenth_fewer(judge, tenths, verdict, observed):
    finding = found(judge, [attended(tenths)])
    assert (finding["verdict"], finding["observed"]) == (verdict, observed)


def test_only_concentrated_training_of_the_year_counts(judge):
    training = [
        attended(200, date(2020, 1, 1)),
        attended(119, date(2020, 12, 31)),
        attended(100, concentrated=False),
        attended(100, date(2019, 12, 31)),
        attended(100, date(2021, 1, 1)),
    ]
    assert found(judge, training)["observed"] == "31.9"


def test_hours_that_may_be_concentrated_leave_it_open(judge):
    doubtful = attended(1, concentrated=None)
    assert found(judge, [attended(319), doubtful])["verdict"] == "no_data"
    assert found(judge, [attended(318), doubtful])["verdict"] == "deviation"


def test_the_year_must_be_over_and_attested(judge):
    assert found(judge, [attended(1)], as_of=date(2020, 12, 31))["verdict"] == "pending"
    assert found(judge, [attended(1)], attested=False)["verdict"] == "no_data"


def test_who_came_from_elsewhere_brings_hours(judge):
    came = {**MEMBER, "from_on": date(2020, 1, 2)}
    assert found(judge, [attended(200)], member=came)["verdict"] == "no_data"
    own = found(judge, [attended(200)], member=came, movers="own_records")
    assert own["verdict"] == "deviation"
    brought = {**came, "transferred_hours": 120}
    assert found(judge, [attended(200)], member=brought)["verdict"] == "met"


def test_who_was_there_on_the_first_day_came_from_nowhere(judge):
    there = {**MEMBER, "from_on": date(2020, 1, 1)}
    assert found(judge, [attended(200)], member=there)["verdict"] == "deviation"


def test_who_joined_in_the_year_owes_no_whole_year(judge):
    new = {**MEMBER, "from_on": date(2020, 2, 29), "joined_on": date(2020, 2, 29)}
    assert found(judge, [attended(1)], member=new)["verdict"] == "not_applicable"
    assert found(judge, [attended(320)], member=new)["verdict"] == "met"


def test_a_move_between_branches_of_these_records(judge):
    rows = {
        "organizations": [*ORGANIZATIONS, {"id": "c", "name": "c", "kind": "branch"}],
        "members": [
            {**MEMBER, "until_on": date(2020, 6, 30)},
            {**MEMBER, "organization": "c", "from_on": date(2020, 7, 1)},
        ],
        "training": [attended(200), attended(120, date(2020, 8, 1))],
    }
    (finding,) = [f for f in judge("hours", RULE, rows, date(2021, 1, 1)) if f["period"] == "2020"]
    assert (finding["organization"], finding["verdict"]) == ("c", "met")
