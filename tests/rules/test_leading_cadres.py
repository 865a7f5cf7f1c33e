from datetime import date

import pytest

TREE = [
    {"id": "b", "name": "b", "kind": "branch"},
    {"id": "c", "name": "c", "kind": "branch"},
    {"id": "g", "name": "g", "kind": "party_group", "parent": "b"},
]
CADRE = {"id": "p", "organization": "b", "membership_class": "full", "leading_cadre": True}
LIFE = {"kinds": ["theme_day", "party_group_meeting"]}
ATTESTED = [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}]


def rows(statuses, member=CADRE, **more):
    occasions = [
        {
            "id": f"o{n}",
            "organization": organization,
            "kinds": ["theme_day"],
            "held_on": day,
        }
        for n, (_, day, organization) in enumerate(statuses)
    ]
    attendance = [
        {"occasion": f"o{n}", "person": "p", "status": status}
        for n, (status, _, _) in enumerate(statuses)
    ]
    return {
        "organizations": TREE,
        "members": [member],
        "occasions": occasions,
        "attendance": attendance,
        **more,
    }


def at(status, day=date(2020, 2, 29), organization="b"):
    return status, day, organization


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([at("present")], "met"),
        ([at("remote", organization="g")], "met"),
        ([at("present"), at("excused")], "met"),
        ([at("present"), at("unexcused")], "needs_judgement"),
        ([at("excused")], "needs_judgement"),
        ([at("unexcused")], "not_met"),
        ([], "needs_judgement"),
        # Not the life of the cadre's own branch.
        ([at("present", organization="c"), at("unexcused")], "not_met"),
        ([at("present", date(2021, 1, 1)), at("unexcused")], "not_met"),
    ],
)
def test_taking_part(judge, statuses, verdict):
    facts = rows(statuses, attestations=ATTESTED)
    found = judge("leader_attendance", LIFE, facts, date(2021, 1, 2), strictness="duty")
    assert found.verdicts()["p 2020"] == verdict


def test_only_leading_cadres_are_looked_at(judge):
    ordinary = {**CADRE, "leading_cadre": False}
    facts = rows([at("unexcused")], ordinary, attestations=ATTESTED)
    assert not judge("leader_attendance", LIFE, facts, date(2021, 1, 1))
    assert not judge("leader_leave", LIFE, facts, date(2021, 1, 1))


def test_open_or_unattested_years(judge):
    facts = rows([at("unexcused")])
    found = judge("leader_attendance", LIFE, facts, date(2021, 1, 1)).verdicts()
    assert found["p 2020"] == "needs_judgement"
    assert found["p 2021"] == "pending"
    assert judge("leader_attendance", LIFE, rows([]), date(2021, 1, 1)).verdicts() == {
        "p 2019": "not_applicable",
        "p 2020": "no_data",
        "p 2021": "pending",
    }


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ([at("excused")], "met"),
        ([at("excused"), at("unexcused", date(2020, 2, 1))], "not_met"),
        ([at("excused"), at("unexcused", date(2020, 3, 1))], "met"),
        ([at("present")], None),
    ],
)
def test_leave_asked_month_by_month(judge, statuses, verdict):
    found = judge("leader_leave", LIFE, rows(statuses), date(2021, 1, 1)).verdicts()
    assert found.get("p 2020-02") == verdict


def test_absence_before_the_rule(judge):
    facts = rows([at("unexcused", date(2019, 12, 19))])
    assert not judge("leader_leave", LIFE, facts, date(2021, 1, 1))
    facts = rows([at("unexcused", date(2019, 12, 20))])
    assert judge("leader_leave", LIFE, facts, date(2021, 1, 1)).verdicts() == {
        "p 2019-12": "not_met"
    }


def test_who_was_a_cadre_on_the_day(judge):
    until = {**CADRE, "until_on": date(2020, 2, 28)}
    assert not judge("leader_leave", LIFE, rows([at("unexcused")], until), date(2021, 1, 1))
