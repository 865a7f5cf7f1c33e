"""Life meetings by branch or groups, team meetings, and the gap between lessons."""

from datetime import date

import pytest

LIFE = {"kinds": ["organizational_life_meeting"]}
TREE = [
    {"id": "b", "kind": "branch"},
    {"id": "g1", "kind": "party_group", "parent": "b"},
    {"id": "g2", "kind": "party_group", "parent": "b"},
]


def held(*meetings, kind="organizational_life_meeting"):
    return [
        {"id": f"o{n}", "organization": organization, "kinds": [kind], "held_on": day}
        for n, (organization, day) in enumerate(meetings)
    ]


def attested(*periods, organization="b"):
    return [
        {"organization": organization, "period": period, "attested_on": date(2021, 1, 1)}
        for period in periods
    ]


def life(judge, meetings, parameters=LIFE, organizations=TREE, as_of=date(2021, 1, 1)):
    rows = {
        "organizations": organizations,
        "occasions": held(*meetings),
        "attestations": attested("2020"),
    }
    return judge("life_cycle", parameters, rows, as_of)


@pytest.mark.parametrize(
    ("meetings", "number", "expected"),
    [
        ([("b", date(2020, 12, 31))], 1, "met"),
        ([("b", date(2021, 1, 1))], 0, "not_met"),
        ([("g1", date(2020, 5, 1)), ("g2", date(2020, 6, 1))], 1, "met"),
        ([("g1", date(2020, 5, 1)), ("g1", date(2020, 6, 1))], 0, "not_met"),
        ([("b", date(2020, 2, 1)), ("g1", date(2020, 5, 1))], 1, "met"),
        ([("b", date(2020, 2, 1)), ("g1", date(2020, 5, 1)), ("g2", date(2020, 5, 1))], 2, "met"),
    ],
)
def test_a_branch_has_had_as_many_as_the_group_with_the_fewest(judge, meetings, number, expected):
    found = [f for f in life(judge, meetings) if f["period"] == "2020"]
    assert [(f["observed"], f["verdict"]) for f in found] == [(number, expected)]


def test_the_group_without_a_meeting_is_named(judge):
    meetings = [("g1", date(2020, 5, 1)), ("g1", date(2020, 6, 1))]
    found = life(judge, meetings, organizations=[{**unit, "name": unit["id"]} for unit in TREE])
    [this_year] = (row for row, one in enumerate(found) if one["period"] == "2020")
    said = found[this_year]["message"]
    assert "共记录 2 次，g2没有召开，要求至少 1 次，少 1 次" in said
    assert found.uncounted(this_year) == [("g2", "本期没有召开")]


@pytest.mark.parametrize(
    ("meetings", "expected"),
    [
        ([("g1", date(2020, 5, 1)), ("g2", date(2020, 6, 1))], "met"),
        ([("g1", date(2020, m, 1)) for m in (3, 5, 7)] + [("g2", date(2020, 6, 1))], "deviation"),
        ([("b", date(2020, m, 1)) for m in (3, 6)], "met"),
        ([("b", date(2020, m, 1)) for m in (3, 6, 9)], "deviation"),
        (
            [("b", date(2020, 3, 1)), ("g1", date(2020, 5, 1)), ("g1", date(2020, 6, 1))],
            "deviation",
        ),
    ],
)
def test_too_many_for_one_group_are_too_many(judge, meetings, expected):
    rows = {
        "organizations": TREE,
        "occasions": held(*meetings),
        "attestations": attested("2020"),
    }
    found = judge("life_cycle", {**LIFE, "max": 2}, rows, date(2021, 1, 1), strictness="general")
    assert found.verdicts()["b 2020"] == expected


def test_a_group_founded_in_the_course_of_the_year_holds_nobody_back(judge):
    late = {"id": "g3", "kind": "party_group", "parent": "b", "opened_on": date(2020, 1, 2)}
    meetings = [("g1", date(2020, 5, 1)), ("g2", date(2020, 6, 1))]
    assert life(judge, meetings, organizations=[*TREE, late]).verdicts()["b 2020"] == "met"


ELECTIVE = {**LIFE, "elective": True}


def elected(cycle):
    return [{"id": "b", "kind": "branch", "life_meeting_cycle": cycle}]


def test_who_chose_the_half_year_is_judged_by_halves(judge):
    meetings = [("b", date(2020, 6, 30))]
    found = life(judge, meetings, ELECTIVE, elected("half_year")).verdicts()
    assert found["b 2020-H1"] == "met"
    assert found["b 2020-H2"] == "not_met"
    assert "b 2020" not in found


@pytest.mark.parametrize("cycle", [None, "year"])
def test_who_chose_nothing_is_judged_by_years(judge, cycle):
    found = life(judge, [("b", date(2020, 6, 30))], ELECTIVE, elected(cycle)).verdicts()
    assert found["b 2020"] == "met"
    assert not [key for key in found if "-H" in key]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([date(2020, 6, 30)], "not_met"),
        ([date(2020, 6, 30), date(2020, 7, 1)], "met"),
        ([date(2020, 7, 1), date(2020, 12, 31)], "not_met"),
    ],
)
def test_by_the_other_reading_both_halves_need_one(judge, days, expected):
    parameters = {**ELECTIVE, "unelected": "half_year"}
    found = life(judge, [("b", day) for day in days], parameters, elected(None))
    assert found.verdicts()["b 2020"] == expected


TEAM = {"kinds": ["democratic_life_meeting"], "per": "year"}
COMMITTEE = [{"id": "c", "kind": "committee"}]
SEATS = [{"person": f"p{n}", "organization": "c", "post": "team_member"} for n in range(1, 7)]


def came(number):
    return [
        {"occasion": "o0", "person": f"p{n}", "status": "present" if n <= number else "excused"}
        for n in range(1, 7)
    ]


def team(judge, day, parameters, number=6, **more):
    occasion = held(("c", day), kind="democratic_life_meeting")[0]
    rows = {
        "organizations": COMMITTEE,
        "posts": SEATS,
        "occasions": [{**occasion, **more}],
        "attendance": came(number),
        "attestations": attested("2020", organization="c"),
    }
    found = judge(
        "team_meeting",
        {**TEAM, **parameters},
        rows,
        date(2021, 2, 1),
        kinds=["committee"],
        conditions=["has_team"],
    )
    assert {finding["subject"]["type"] for finding in found} == {"team"}
    return found.verdicts()


QUORUM = {"quorum": [2, 3]}


@pytest.mark.parametrize(
    ("number", "parameters", "expected"),
    [
        (4, QUORUM, "met"),
        (3, QUORUM, "not_met"),
        (3, {}, "met"),
        (3, {**QUORUM, "count_inquorate": True}, "met"),
        (4, {**QUORUM, "inclusive": False}, "not_met"),
        (5, {**QUORUM, "inclusive": False}, "met"),
    ],
)
def test_a_meeting_without_its_quorum_was_not_held(judge, number, parameters, expected):
    assert team(judge, date(2020, 12, 31), parameters, number)["c 2020"] == expected


def test_unknown_presence_is_not_held_against_a_meeting(judge):
    rows = {
        "organizations": COMMITTEE,
        "posts": SEATS,
        "occasions": held(("c", date(2020, 12, 31)), kind="democratic_life_meeting"),
    }
    found = judge("team_meeting", {**TEAM, **QUORUM}, rows, date(2021, 2, 1), kinds=["committee"])
    assert found.verdicts()["c 2020"] == "met"


@pytest.mark.parametrize(
    ("year_of", "expected"),
    [("held_on", ("not_met", "met")), ("for_year", ("met", "pending"))],
)
def test_a_meeting_of_january_serves_one_year_only(judge, year_of, expected):
    found = team(judge, date(2021, 1, 15), {"year_of": year_of}, for_year=2020)
    assert (found["c 2020"], found["c 2021"]) == expected


@pytest.mark.parametrize(
    ("campaign", "expected"), [("suspends", "not_applicable"), ("counts", "met")]
)
def test_a_campaign_meeting_suspends_the_local_number_or_counts(judge, campaign, expected):
    found = team(judge, date(2020, 9, 1), {"campaign": campaign}, campaign_document="文件")
    assert found["c 2020"] == expected


def test_an_ordinary_unit_has_a_team_only_if_its_members_are_on_record(judge):
    units = [{"id": "u", "kind": "unit"}, {"id": "v", "kind": "unit"}]
    rows = {
        "organizations": units,
        "posts": [{"person": "p", "organization": "u", "post": "team_member"}],
    }
    found = judge(
        "team_meeting", TEAM, rows, date(2021, 2, 1), kinds=["unit"], conditions=["has_team"]
    )
    assert found.verdicts()["u 2020"] == "no_data"
    assert found.verdicts()["v 2020"] == "not_applicable"


GAP = {"kinds": ["party_lecture"], "per": "bimonth", "rolling": True}
BRANCH = [{"id": "b", "kind": "branch"}]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # Nobody is late at once: the first two months run from the day the rule begins.
        ([date(2020, 2, 29)], {"b 2020-B1": "met"}),
        ([date(2020, 3, 1)], {"b 2020-B1": "met", "b 2020-B2": "not_met"}),
        ([date(2020, 1, 10), date(2020, 3, 10)], {"b 2020-B1": "met", "b 2020-B2": "met"}),
        ([date(2020, 1, 10), date(2020, 3, 11)], {"b 2020-B1": "met", "b 2020-B2": "not_met"}),
        ([date(2020, 2, 28), date(2020, 4, 29)], {"b 2020-B2": "not_met"}),
        ([date(2020, 2, 29), date(2020, 4, 29)], {"b 2020-B2": "met"}),
        ([], {"b 2020-B1": "met", "b 2020-B2": "not_met", "b 2020-B3": "not_met"}),
    ],
)
def test_no_longer_than_two_months_without_a_lesson(judge, days, expected):
    rows = {
        "organizations": BRANCH,
        "occasions": held(*(("b", day) for day in days), kind="party_lecture"),
        "attestations": attested("2020"),
    }
    found = judge("spacing", GAP, rows, date(2021, 1, 1)).verdicts()
    assert {key: found[key] for key in expected} == expected


def test_an_open_period_is_pending_until_it_is_covered(judge):
    rows = {
        "organizations": BRANCH,
        "occasions": held(("b", date(2020, 2, 28)), kind="party_lecture"),
    }
    found = judge("spacing", GAP, rows, date(2020, 3, 15)).verdicts()
    assert found["b 2020-B2"] == "pending"


def test_without_rolling_it_is_a_count(judge):
    rows = {
        "organizations": BRANCH,
        "occasions": held(("b", date(2020, 1, 1)), kind="party_lecture"),
        "attestations": attested("2020"),
    }
    found = judge("spacing", {**GAP, "rolling": False}, rows, date(2020, 5, 1)).verdicts()
    assert (found["b 2020-B1"], found["b 2020-B2"]) == ("met", "no_data")
