"""Duties without a number, and sets of kinds: what records show and what silence means."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
DUTY = {"source": "talks"}


def talk(day, **more):
    return {"id": f"t{day}", "organization": "b", "held_on": day, "person": "p", **more}


def attested(period="2020", on=date(2021, 1, 1), organization="b"):
    return [{"organization": organization, "period": period, "attested_on": on}]


@pytest.mark.parametrize(
    ("talks", "attestations", "as_of", "expected"),
    [
        ([talk(date(2020, 12, 31))], [], date(2021, 1, 1), "met"),
        ([talk(date(2021, 1, 1))], attested(), date(2021, 2, 1), "needs_judgement"),
        ([], attested(), date(2021, 1, 1), "needs_judgement"),
        ([], [], date(2021, 1, 1), "no_data"),
        ([], [], date(2020, 12, 31), "pending"),
        ([talk(date(2020, 12, 31))], [], date(2020, 12, 30), "pending"),
    ],
)
def test_silence_is_a_question_never_a_breach(judge, talks, attestations, as_of, expected):
    rows = {"organizations": BRANCH, "talks": talks, "attestations": attestations}
    found = judge("presence", DUTY, rows, as_of, strictness="duty")
    assert found.verdicts()["b 2020"] == expected
    assert all(finding["due"] is None for finding in found)


@pytest.mark.parametrize(
    ("talks", "as_of", "expected"),
    [
        # 2020 is a leap year: from 1 January to 30 March are ninety days.
        ([], date(2020, 3, 30), "pending"),
        ([talk(date(2020, 3, 30))], date(2020, 6, 28), "met"),
        ([talk(date(2020, 3, 30))], date(2020, 6, 29), "pending"),
        ([talk(date(2020, 3, 31))], date(2020, 4, 1), "pending"),
        ([talk(date(2020, 3, 31))], date(2021, 1, 1), "needs_judgement"),
    ],
)
def test_days_of_the_tenant_s_own_are_counted_between_records(judge, talks, as_of, expected):
    attestations = attested() if as_of.year == 2021 else []
    rows = {"organizations": BRANCH, "talks": talks, "attestations": attestations}
    found = judge("presence", {**DUTY, "days": 90}, rows, as_of, strictness="duty")
    assert found.verdicts()["b 2020"] == expected
    unset = judge("presence", DUTY, rows, as_of, strictness="duty")
    assert unset.verdicts()["b 2020"] == ("met" if talks else "pending")


def test_a_duty_that_waits_for_an_event_does_not_apply_without_one(judge):
    rows = {"organizations": BRANCH, "attestations": attested()}
    found = judge("presence", {**DUTY, "silent": "not_applicable"}, rows, date(2021, 1, 1))
    assert found.verdicts()["b 2020"] == "not_applicable"


def test_what_may_be_done_is_no_omission(judge):
    rows = {"organizations": BRANCH, "attestations": attested()}
    found = judge("presence", DUTY, rows, date(2021, 1, 1), strictness="may")
    assert found.verdicts()["b 2020"] == "not_applicable"


def test_a_case_on_record_may_itself_be_the_question(judge):
    parameters = {
        "source": "documents",
        "kinds": ["application"],
        "silent": "not_applicable",
        "found": "needs_judgement",
    }
    papers = [{"organization": "b", "kind": "application", "kept_on": date(2020, 5, 1)}]
    rows = {"organizations": BRANCH, "documents": papers}
    found = judge("presence", parameters, rows, date(2021, 1, 1))
    assert found.verdicts()["b 2020"] == "needs_judgement"


STATE = {"source": "register", "kinds": ["online_branch"]}


def entry(since, until=None, organization="b"):
    return {
        "organization": organization,
        "item": "online_branch",
        "since_on": since,
        "until_on": until,
    }


@pytest.mark.parametrize(
    ("row", "lasting", "expected"),
    [
        (entry(date(2015, 3, 1)), True, ["met", "met"]),
        (entry(date(2015, 3, 1), date(2020, 1, 1)), True, ["met", "needs_judgement"]),
        (entry(date(2015, 3, 1), date(2019, 12, 31)), True, ["needs_judgement"] * 2),
        (entry(date(2021, 12, 31)), True, ["needs_judgement", "met"]),
        (entry(date(2020, 12, 31)), False, ["met", "needs_judgement"]),
    ],
)
def test_a_state_counts_in_every_year_it_lasts(judge, row, lasting, expected):
    rows = {
        "organizations": BRANCH,
        "register": [row],
        "attestations": [*attested("2020"), *attested("2021", date(2022, 1, 1))],
    }
    found = judge("presence", {**STATE, "lasting": lasting}, rows, date(2022, 1, 1))
    verdicts = found.verdicts()
    assert [verdicts["b 2020"], verdicts["b 2021"]] == expected


TREE = [
    {"id": "c", "kind": "committee"},
    {"id": "office", "kind": "unit", "parent": "c"},
    {"id": "g", "kind": "general_branch", "parent": "c"},
    {"id": "b", "kind": "branch", "parent": "g"},
]


def check(by):
    return {"id": "i", "by": by, "target": "b", "kind": "spot_check", "done_on": date(2020, 5, 1)}


@pytest.mark.parametrize(("offices", "expected"), [(True, "met"), (False, "needs_judgement")])
def test_what_an_office_does_its_committee_has_done(judge, offices, expected):
    rows = {
        "organizations": TREE,
        "inspections": [check("office")],
        "attestations": attested(organization="c"),
    }
    parameters = {"source": "inspections", "kinds": ["spot_check"], "offices": offices}
    found = judge("presence", parameters, rows, date(2021, 1, 1), kinds=["committee"])
    assert found.verdicts()["c 2020"] == expected


def test_records_below_count_for_the_nearest_above(judge):
    rows = {
        "organizations": TREE,
        "register": [entry(date(2020, 5, 1), organization="b")],
        "attestations": [*attested(organization="c"), *attested(organization="g")],
    }
    found = judge(
        "presence",
        {**STATE, "below": True},
        rows,
        date(2021, 1, 1),
        kinds=["committee", "general_branch"],
    )
    assert found.verdicts()["g 2020"] == "met"
    assert found.verdicts()["c 2020"] == "needs_judgement"


def test_records_looked_at_but_not_counted_are_named(judge):
    rows = {
        "organizations": BRANCH,
        "members": [
            {"id": "p", "organization": "b", "membership_class": "full"},
            {"id": "q", "organization": "b", "membership_class": "full", "floating": True},
        ],
        "talks": [
            talk(date(2020, 5, 1), partner="q"),
            {**talk(date(2020, 6, 1)), "partner": "p"},
        ],
    }
    found = judge("presence", {**DUTY, "floating": True}, rows, date(2021, 1, 1))
    assert found.verdicts()["b 2020"] == "met"
    [this_year] = (row for row, one in enumerate(found) if one["period"] == "2020")
    assert found[this_year]["evidence"] == ["t2020-05-01"]
    assert found.uncounted(this_year) == [("t2020-06-01", "双方当日都不是流动党员")]


SET = {
    "source": "agenda",
    "kinds": ["annual_plan", "annual_summary"],
    "on_kinds": ["branch_committee"],
    "per": "year",
}


def meeting(id, day, kind="branch_committee", **more):
    return {"id": id, "organization": "b", "kinds": [kind], "held_on": day, **more}


def topic(occasion, code):
    return {"occasion": occasion, "item": f"{occasion}{code}", "topic": code}


@pytest.mark.parametrize(
    ("meetings", "topics", "expected"),
    [
        (
            [meeting("o1", date(2020, 1, 5)), meeting("o2", date(2020, 12, 31))],
            [topic("o1", "annual_plan"), topic("o2", "annual_summary")],
            "met",
        ),
        (
            [meeting("o1", date(2020, 1, 5)), meeting("o2", date(2021, 1, 1))],
            [topic("o1", "annual_plan"), topic("o2", "annual_summary")],
            "not_met",
        ),
        (
            [meeting("o1", date(2020, 1, 5))],
            [topic("o1", "annual_plan"), topic("o1", "annual_summary")],
            "met",
        ),
        (
            [meeting("o1", date(2020, 1, 5), "branch_assembly")],
            [topic("o1", "annual_plan"), topic("o1", "annual_summary")],
            "not_met",
        ),
        (
            [meeting("o1", date(2020, 1, 5), status="cancelled")],
            [topic("o1", "annual_plan"), topic("o1", "annual_summary")],
            "not_met",
        ),
    ],
)
def test_every_kind_of_a_set_is_needed(judge, meetings, topics, expected):
    rows = {
        "organizations": BRANCH,
        "occasions": meetings,
        "agenda": topics,
        "attestations": attested(),
    }
    found = judge("all_kinds", SET, rows, date(2021, 2, 1))
    assert found.verdicts()["b 2020"] == expected


def test_some_kinds_are_needed_only_where_there_is_a_committee_or_are_groups(judge):
    parameters = {
        "kinds": ["branch_assembly"],
        "with_committee": ["branch_committee"],
        "with_groups": ["party_group_meeting"],
    }
    rows = {
        "organizations": [
            {"id": "small", "kind": "branch"},
            {"id": "large", "kind": "branch", "has_committee": True},
            {"id": "g", "kind": "party_group", "parent": "large"},
        ],
        "occasions": [
            {"id": "o1", "organization": "small", "kinds": ["branch_assembly"]},
            {"id": "o2", "organization": "large", "kinds": ["branch_assembly"]},
            {"id": "o3", "organization": "g", "kinds": ["party_group_meeting"]},
        ],
        "attestations": [*attested(organization="small"), *attested(organization="large")],
    }
    for occasion in rows["occasions"]:
        occasion["held_on"] = date(2020, 3, 1)
    found = judge("all_kinds", parameters, rows, date(2021, 1, 1))
    assert found.verdicts()["small 2020"] == "met"
    assert found.verdicts()["large 2020"] == "not_met"
    [large] = [f for f in found if f["organization"] == "large" and f["period"] == "2020"]
    assert large["required"] == ["branch_assembly", "branch_committee", "party_group_meeting"]
    assert large["observed"] == ["branch_assembly", "party_group_meeting"]
