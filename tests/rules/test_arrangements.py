"""How things are arranged: holders, themes, units, follow-up, and what may not be set."""

from datetime import date

import pytest

DAY = date(2020, 3, 10)
TREE = [
    {"id": "u", "kind": "unit"},
    {"id": "b", "kind": "branch", "parent": "u"},
    {"id": "g1", "kind": "party_group", "parent": "b"},
    {"id": "g2", "kind": "party_group", "parent": "b"},
    {"id": "other", "kind": "branch", "parent": "u"},
]
ATTESTED = [{"organization": "b", "period": "2020", "attested_on": date(2021, 1, 1)}]


def held(id, kind, day=DAY, organization="b", **more):
    return {"id": id, "organization": organization, "kinds": [kind], "held_on": day, **more}


def entry(person="p", value=None, since=date(2020, 1, 1), until=None, item="role_map"):
    return {
        "organization": "b",
        "person": person,
        "item": item,
        "since_on": since,
        "until_on": until,
        "value": value,
    }


MAP = {"item": "role_map", "things": ["会议", "党课"]}


@pytest.mark.parametrize(
    ("register", "parameters", "expected"),
    [
        ([entry("p", "会议"), entry("p", "党课")], MAP, "met"),
        ([entry("p", "会议"), entry("q", "会议"), entry("p", "党课")], MAP, "met"),
        ([entry("p", "会议"), entry("p", "主题党日")], MAP, "not_met"),
        ([entry("p", "会议"), entry(None, "党课")], MAP, "not_met"),
        ([entry(), entry("q")], {"item": "role_map"}, "met"),
        ([entry(), entry("q")], {"item": "role_map", "exactly_one": True}, "not_met"),
        ([entry(), entry()], {"item": "role_map", "exactly_one": True}, "met"),
        (
            [entry(until=date(2019, 12, 31), since=date(2019, 12, 21))],
            {"item": "role_map"},
            "not_met",
        ),
        ([], {"item": "role_map"}, "not_met"),
    ],
)
def test_each_thing_has_a_holder(judge, register, parameters, expected):
    rows = {"organizations": TREE, "register": register, "attestations": ATTESTED}
    found = judge("holders", parameters, rows, date(2021, 1, 1))
    assert found.verdicts()["b 2020"] == expected


@pytest.mark.parametrize(
    ("present", "expected"),
    [([], "met"), (["something"], "met"), (["quota"], "not_met"), (["quota", "ratio"], "not_met")],
)
def test_a_forbidden_setting_that_came_with_the_facts_is_shown(judge, present, expected):
    rows = {
        "organizations": TREE,
        "settings": [{"key": name, "value": "3"} for name in present],
    }
    parameters = {"settings": {"quota": "指标", "ratio": "比例"}}
    [found] = judge("forbidden_settings", parameters, rows, kinds=["unit"], strictness="hard")
    assert found["verdict"] == expected
    assert found["observed"] == [name for name in present if name in parameters["settings"]]


@pytest.mark.parametrize(
    ("closed_on", "expected"), [(None, "needs_judgement"), (date(2020, 12, 31), "met")]
)
def test_a_rule_of_one_unit_binds_one_branch(judge, closed_on, expected):
    tree = [*TREE[:4], {**TREE[4], "closed_on": closed_on}]
    found = judge("single_unit", {}, {"organizations": tree}, date(2021, 1, 1))
    assert found.verdicts()["b"] == expected


def test_a_form_is_what_its_columns_are(judge):
    rows = {"organizations": TREE}
    [found] = judge("layout", {"columns": ["序号", "项目"]}, rows, kinds=["unit"])
    assert (found["verdict"], found["observed"]) == ("met", ["序号", "项目"])


DISCUSS = {"kinds": ["party_lecture"], "by": ["discussion"]}


@pytest.mark.parametrize(
    ("discussions", "number", "expected"),
    [
        ([("g1", DAY, ["o"]), ("g2", date(2020, 9, 1), ["o"])], 2, "met"),
        ([("g1", DAY, ["o"]), ("g1", DAY, ["o"])], 1, "pending"),
        ([("g1", DAY, ["o"]), ("g2", date(2020, 3, 9), ["o"])], 1, "pending"),
        ([("g1", DAY, ["o"]), ("g2", DAY, [])], 1, "pending"),
        ([("g1", DAY, ["o"]), ("other", DAY, ["o"])], 1, "pending"),
    ],
)
def test_each_group_follows_up_on_a_lesson(judge, discussions, number, expected):
    occasions = [held("o", "party_lecture")] + [
        held(f"d{n}", "discussion", day, organization, merged_with=linked)
        for n, (organization, day, linked) in enumerate(discussions)
    ]
    rows = {"organizations": TREE, "occasions": occasions}
    [found] = judge("follow_up", DISCUSS, rows)
    assert (found["required"], found["observed"], found["verdict"]) == (2, number, expected)


def test_the_lesson_may_name_the_discussion_as_well(judge):
    occasions = [
        held("o", "party_lecture", merged_with=["d1", "d2"]),
        held("d1", "discussion", organization="g1"),
        held("d2", "discussion", organization="g2"),
    ]
    [found] = judge("follow_up", DISCUSS, {"organizations": TREE, "occasions": occasions})
    assert found["verdict"] == "met"


def test_without_groups_nobody_has_to_follow_up(judge):
    rows = {
        "organizations": TREE,
        "occasions": [held("o", "party_lecture", organization="other")],
    }
    [found] = judge("follow_up", DISCUSS, rows)
    assert found["verdict"] == "not_applicable"


THEME = {"kinds": ["organizational_life_meeting"], "models": ["democratic_life_meeting"]}


@pytest.mark.parametrize(
    ("models", "theme", "expected"),
    [
        ([("u", date(2020, 3, 1), "初心")], "初心", "same"),
        ([("u", DAY, "初心")], "初心", "same"),
        ([("u", date(2020, 3, 1), "初心")], "作风", "other"),
        ([("u", date(2020, 3, 1), "初心")], None, "no_theme"),
        ([("u", date(2020, 3, 11), "初心")], "作风", "no_model"),
        ([("u", date(2019, 12, 31), "初心")], "作风", "no_model"),
        ([("other", date(2020, 3, 1), "初心")], "作风", "no_model"),
        ([("u", date(2020, 3, 1), None)], "作风", "no_model"),
        ([("u", date(2020, 2, 1), "初心"), ("u", date(2020, 3, 1), "作风")], "作风", "same"),
    ],
)
def test_the_theme_is_that_of_the_last_model_above_in_the_year(judge, models, theme, expected):
    occasions = [held("o", "organizational_life_meeting", theme=theme)] + [
        held(f"m{n}", "democratic_life_meeting", day, organization, theme=words)
        for n, (organization, day, words) in enumerate(models)
    ]
    [found] = judge("same_theme", THEME, {"organizations": TREE, "occasions": occasions})
    assert found["observed"] == expected
    verdicts = {"same": "met", "no_model": "not_applicable"}
    assert found["verdict"] == verdicts.get(expected, "not_met")


@pytest.mark.parametrize(
    ("organization", "expected"), [("b", "met"), ("g1", "met"), ("u", "not_met")]
)
def test_the_unit_that_holds_an_occasion(judge, organization, expected):
    rows = {
        "organizations": TREE,
        "occasions": [held("o", "organizational_life_meeting", organization=organization)],
    }
    parameters = {
        "kinds": ["organizational_life_meeting"],
        "units": ["branch", "party_group"],
    }
    [found] = judge("held_by", parameters, rows, kinds=["branch", "party_group", "unit"])
    assert found["verdict"] == expected


@pytest.mark.parametrize(
    ("partner", "expected"),
    [
        ("other", "met"),
        ("b", "not_applicable"),
        ("g1", "not_applicable"),
        # Judged alone, a branch does not see what others hold.
        (None, "met"),
    ],
)
def test_joint_means_with_another_branch(judge, partner, expected):
    rows = {
        "organizations": TREE,
        "occasions": [held("o", "theme_day", merged_with=["x"])]
        + [held("x", "party_lecture", organization=unit) for unit in [partner] if unit]
        + [held("last", "party_lecture")],
    }
    [found] = judge("joint", {"kinds": ["theme_day"]}, rows, strictness="may")
    assert found["verdict"] == expected


@pytest.mark.parametrize(
    ("document", "expected"), [("上级文件", "needs_judgement"), (None, "not_applicable")]
)
def test_a_meeting_by_a_superiors_document_is_for_a_person(judge, document, expected):
    occasion = held("o", "democratic_life_meeting", campaign_document=document)
    rows = {"organizations": TREE, "occasions": [occasion]}
    [found] = judge("by_document", {"kinds": ["democratic_life_meeting"]}, rows)
    assert found["verdict"] == expected


@pytest.mark.parametrize(
    ("occasion", "grades", "expected"),
    [
        ("committee", [], ["met"]),
        ("group", [], ["not_met"]),
        (None, [], ["needs_judgement"]),
        ("group", ["不合格"], []),
        ("committee", ["优秀"], ["met"]),
    ],
)
def test_a_grade_is_decided_where_the_notice_says(judge, occasion, grades, expected):
    rows = {
        "organizations": TREE,
        "members": [{"id": "p", "organization": "b", "membership_class": "full"}],
        "occasions": [
            held("committee", "branch_committee"),
            held("group", "party_group_meeting", organization="g1"),
        ],
        "appraisals": [
            {
                "subject_type": "member",
                "organization": "b",
                "person": "p",
                "year": 2020,
                "grade": "优秀",
                "occasion": occasion,
                "decided_on": DAY,
            }
        ],
    }
    parameters = {"kinds": ["branch_committee"], "grades": grades}
    found = judge("decided_at", parameters, rows, date(2021, 1, 1))
    assert [finding["verdict"] for finding in found] == expected
