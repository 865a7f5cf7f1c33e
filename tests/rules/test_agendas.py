"""Agendas: topics, items, matters reserved for one meeting or discussed first at another."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
DAY = date(2021, 3, 10)


def meeting(id="o", kind="branch_assembly", day=DAY, **more):
    return {"id": id, "organization": "b", "kinds": [kind], "held_on": day, **more}


def item(topic, occasion="o", number="1", **more):
    return {"occasion": occasion, "item": number, "topic": topic, **more}


def run(judge, check, parameters, agenda, occasions=None, **more):
    rows = {
        "organizations": BRANCH,
        "occasions": [meeting()] if occasions is None else occasions,
        "agenda": agenda,
        **more,
    }
    return judge(check, {"kinds": ["branch_assembly"], **parameters}, rows)


@pytest.mark.parametrize(
    ("topics", "any_of", "all_of"),
    [
        (["study", "election"], "met", "met"),
        (["study"], "met", "not_met"),
        (["other"], "needs_judgement", "not_met"),
        ([], "no_data", "no_data"),
    ],
)
def test_topics(judge, topics, any_of, all_of):
    agenda = [item(topic, number=str(n)) for n, topic in enumerate(topics)]
    wanted = {"topics": ["study", "election"]}
    assert run(judge, "agenda", wanted, agenda)[0]["verdict"] == any_of
    assert run(judge, "agenda", {**wanted, "require": "all"}, agenda)[0]["verdict"] == all_of


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([{"resolution": True}, {"resolution": True}], "met"),
        ([{"resolution": True}, {"resolution": False}], "not_met"),
        ([{"resolution": True}, {}], "needs_judgement"),
        ([], "no_data"),
    ],
)
def test_every_item(judge, flags, expected):
    agenda = [item("study", number=str(n), **flag) for n, flag in enumerate(flags)]
    [finding] = run(judge, "items", {"flags": ["resolution"]}, agenda)
    assert finding["verdict"] == expected


def test_what_has_yet_to_be_carried_out_is_pending(judge):
    agenda = [item("study", owner=True, done_on=date(2021, 7, 1))]
    [finding] = run(judge, "items", {"flags": ["owner", "done"]}, agenda)
    assert finding["verdict"] == "pending"


def test_only_items_put_to_the_vote(judge):
    agenda = [item("study", discussed=False), item("commendation", number="2", discussed=True)]
    vote = {"occasion": "o", "item": "2", "should_attend": 3, "present": 3, "ayes": 3}
    parameters = {"flags": ["discussed"], "voted": True}
    [finding] = run(judge, "items", parameters, agenda, votes=[vote])
    assert (finding["verdict"], finding["required"]) == ("met", 1)
    [finding] = run(judge, "items", parameters, agenda, votes=[])
    assert finding["verdict"] == "not_applicable"


def test_matters_reserved_for_one_meeting(judge):
    held = [meeting("c", "branch_committee"), meeting("e", "branch_committee"), meeting()]
    agenda = [
        item("admission", "c", matter="m1", resolution=True),
        item("admission", "o", matter="m1", resolution=True),
        item("discipline", "e", resolution=True),
        item("study", "e", number="2", resolution=True),
    ]
    judged = run(judge, "reserved", {"topics": ["admission", "discipline"]}, agenda, held)
    assert judged.verdicts() == {"c": "met", "e": "not_met", "o": "met"}


def test_another_branchs_matter_of_the_same_number_is_another_matter(judge):
    held = [meeting("c", "branch_committee"), {**meeting("a"), "organization": "b2"}]
    agenda = [
        item("admission", "c", matter="m1", resolution=True),
        item("admission", "a", matter="m1", resolution=True),
    ]
    rows = {"organizations": [*BRANCH, {"id": "b2", "kind": "branch"}]}
    rows |= {"occasions": held, "agenda": agenda}
    wanted = {"kinds": ["branch_assembly"]}
    judged = judge("reserved", {**wanted, "topics": ["admission"]}, rows)
    assert judged.verdicts() == {"c": "not_met", "a": "met"}
    judged = judge("prior", {**wanted, "first": ["branch_committee"]}, rows)
    assert judged.verdicts() == {"a": "not_met"}


def test_a_cancelled_assembly_decides_nothing(judge):
    held = [meeting("c", "branch_committee"), meeting(status="cancelled")]
    agenda = [
        item("admission", "c", matter="m1", resolution=True),
        item("admission", "o", matter="m1", resolution=True),
    ]
    judged = run(judge, "reserved", {"topics": ["admission"]}, agenda, held)
    assert judged.verdicts() == {"c": "not_met"}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({"day": date(2021, 3, 9)}, "met"),
        ({"day": DAY}, "met"),
        ({"day": DAY, "start_minute": 600}, "not_met"),
        ({"day": date(2021, 3, 11)}, "not_met"),
    ],
)
def test_matters_discussed_first(judge, first, expected):
    held = [meeting("c", "branch_committee", **first), meeting(start_minute=540)]
    agenda = [item("major_matter", "c", matter="m1"), item("major_matter", "o", matter="m1")]
    [finding] = run(judge, "prior", {"first": ["branch_committee"]}, agenda, held)
    assert finding["verdict"] == expected


def test_a_matter_without_a_number_is_a_question(judge):
    held = [meeting("c", "branch_committee"), meeting()]
    agenda = [
        item("major_matter", "o", important=True),
        item("major_matter", "o", number="2", important=True),
        item("study", "o", number="3"),
    ]
    parameters = {"first": ["branch_committee"], "important": True}
    [finding] = run(judge, "prior", parameters, agenda, held)
    assert (finding["verdict"], finding["required"]) == ("needs_judgement", 2)


def test_prior_message(judge):
    held = [meeting("c", "branch_committee", day=date(2021, 3, 11)), meeting()]
    agenda = [item("major_matter", "c", matter="m1"), item("major_matter", "o", matter="m1")]
    [finding] = run(judge, "prior", {"first": ["branch_committee"]}, agenda, held)
    assert finding["message"] == (
        "2021年3月10日支部党员大会“示例要求”有 1 项应先经支部委员会会议讨论，"
        "其中 1 项未见先行讨论的记录。"
    )
