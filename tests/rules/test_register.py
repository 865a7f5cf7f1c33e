from datetime import date

import pytest

TREE = [
    {"id": "c", "name": "c", "kind": "committee"},
    {"id": "b", "name": "b", "kind": "branch", "parent": "c"},
]


def entry(item, since=date(2020, 2, 29), organization="b", **columns):
    return {"organization": organization, "item": item, "since_on": since, **columns}


def verdict(judge, parameters, entries, as_of=date(2021, 1, 1), **options):
    rows = {"organizations": TREE, "register": entries, **options.pop("more", {})}
    return judge("register", parameters, rows, as_of, **options).verdicts()


@pytest.mark.parametrize(
    ("as_of", "wanted"),
    [
        (date(2020, 2, 28), "pending"),
        (date(2020, 2, 29), "met"),
        (date(2020, 12, 31), "met"),
        (date(2021, 1, 1), "pending"),
    ],
)
def test_an_entry_holds_from_its_first_to_its_last_day(judge, as_of, wanted):
    entries = [entry("work_plan", until_on=date(2020, 12, 31))]
    assert verdict(judge, {"items": ["work_plan"]}, entries, as_of) == {"b": wanted}


def test_all_items_or_any(judge):
    both = {"items": ["work_plan", "task_list"]}
    assert verdict(judge, both, [entry("task_list")]) == {"b": "pending"}
    assert verdict(judge, {**both, "all": False}, [entry("task_list")]) == {"b": "met"}


def test_absence_is_short_once_the_last_month_is_attested(judge):
    parameters = {"items": ["work_plan"], "absent": "shortfall"}
    assert verdict(judge, parameters, []) == {"b": "no_data"}
    attested = [{"organization": "b", "period": "2020-12", "attested_on": date(2021, 1, 1)}]
    assert verdict(judge, parameters, [], more={"attestations": attested}) == {"b": "not_met"}
    # On the month's last day it is not yet over.
    assert verdict(judge, parameters, [], date(2020, 12, 31), more={"attestations": attested}) == {
        "b": "no_data"
    }


def test_what_may_be_is_never_missed(judge):
    assert verdict(judge, {"items": ["work_plan"]}, [], strictness="may") == {"b": "not_applicable"}


def test_a_person_counts_while_holding_the_post(judge):
    parameters = {"items": ["contact_point"], "holder_posts": ["secretary"], "targeted": True}
    entries = [entry("contact_point", organization="c", person="p", target="b")]
    held = {"person": "p", "organization": "c", "post": "secretary"}

    def found(**until):
        more = {"posts": [{**held, **until}]}
        return verdict(judge, parameters, entries, kinds=["committee"], more=more)["c"]

    assert found() == "met"
    assert found(until_on=date(2020, 12, 31)) == "pending"
    untargeted = [entry("contact_point", organization="c", person="p")]
    more = {"posts": [held]}
    assert verdict(judge, parameters, untargeted, kinds=["committee"], more=more)["c"] == "pending"


def test_entries_below_count_for_those_above(judge):
    parameters = {"items": ["demonstration"], "below": True}
    entries = [entry("demonstration")]
    assert verdict(judge, parameters, entries, kinds=["committee"]) == {"c": "met"}
    own = {**parameters, "below": False}
    assert verdict(judge, own, entries, kinds=["committee"]) == {"c": "pending"}


def test_only_where_something_else_is_entered(judge):
    parameters = {
        "items": ["joint_programme"],
        "when": ["joint_programme"],
        "targeted": True,
    }
    assert verdict(judge, parameters, []) == {"b": "not_applicable"}
    assert verdict(judge, parameters, [entry("joint_programme")]) == {"b": "pending"}
    assert verdict(judge, parameters, [entry("joint_programme", target="b")]) == {"b": "met"}


def test_what_was_not_counted_is_explained(judge):
    ended = entry("work_plan", until_on=date(2020, 12, 31))
    later = entry("work_plan", since=date(2021, 1, 2))
    rows = {"organizations": TREE, "register": [ended, later]}
    found = judge("register", {"items": ["work_plan"]}, rows, date(2021, 1, 1))
    assert [reason for _, reason in found.uncounted()] == ["已终止", "尚未生效"]
