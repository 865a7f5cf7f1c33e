"""Packs as reading matter: versions on a day, and two notices side by side."""

from datetime import date

import pytest

from guiju.rules import library
from guiju.rules.loader import loads

HEAD = """
[pack]
id = "{id}"
title = "示例"
issuer = "示例"
document = "示例〔2020〕1号"
issued_on = 2020-01-01
checked_on = 2020-01-01
"""
RULE = """
[[requirement]]
id = "{id}.{name}"
kind = "REQ"
title = "示例要求"
clause = "一"
strictness = "{strictness}"
automation = "full"
matter = "{matter}"
check = "count"
parameters = {{ kinds = ["{kind}"], per = "{per}", min = {min} }}
"""


def pack(id, *rules):
    text = HEAD.format(id=id)
    for number, rule in enumerate(rules):
        text += RULE.format(
            **{
                "id": id,
                "name": f"subject.name{number}",
                "strictness": "bare",
                "matter": "lecture",
                "kind": "party_lecture",
                "per": "quarter",
                "min": 1,
                **rule,
            }
        )
    return loads(text)


def relation(one, other):
    (row,) = library.diff(pack("a", one), pack("b", other))
    return row["relation"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, "same"),
        ({"strictness": "hard"}, {"strictness": "bare"}, "same"),
        ({}, {"strictness": "general"}, "tighter"),
        ({"strictness": "general"}, {}, "looser"),
        ({"per": "month"}, {}, "tighter"),
        ({"per": "year", "min": 4}, {}, "looser"),
        ({"per": "year", "min": 6}, {}, "not_comparable"),
        ({"per": "month", "strictness": "general"}, {}, "not_comparable"),
        ({"kind": "branch_assembly"}, {}, "not_comparable"),
    ],
)
def test_relation_of_two_rules_on_one_matter(one, other, expected):
    assert relation(one, other) == expected


def test_what_only_one_notice_says():
    rows = library.diff(pack("a", {"matter": "x"}), pack("b", {"matter": "y"}))
    assert [(row["matter"], row["relation"]) for row in rows] == [("x", "only_a"), ("y", "only_b")]


def test_looking_a_rule_up_outside_its_validity_says_why():
    text = (
        HEAD.format(id="a")
        + """
[[requirement]]
id = "a.subject.name"
kind = "CAMP"
title = "示例要求"
clause = "一"
strictness = "bare"
automation = "full"
until = 2020-05-31
check = "count"
parameters = { kinds = ["party_lecture"], per = "month" }
"""
    )
    (requirement,) = loads(text).requirements
    (part,) = requirement.parts
    said = [
        library.status(part, day)
        for day in (date(2019, 12, 31), date(2020, 1, 1), date(2020, 5, 31), date(2020, 6, 1))
    ]
    assert said == ["not_yet", "in_force", "in_force", "expired"]
