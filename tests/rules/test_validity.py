"""A past period is judged by the law of its days.

The later notice in these packs is invented for this test and exists nowhere else.
"""

from datetime import date

import pytest

from guiju.rules import library
from guiju.rules.engine import evaluate
from guiju.rules.loader import loads

HEAD = """
[pack]
id = "demo"
title = "示例"
issuer = "示例市委组织部"
document = "示例〔2020〕1号"
issued_on = 2020-01-01
checked_on = 2020-01-01

[[requirement]]
id = "demo.party_lecture.quarterly"
kind = "REQ"
title = "党课每季度一次"
clause = "一·4"
strictness = "bare"
automation = "full"
applies_to = { kinds = ["branch"] }
check = "count"
parameters = { kinds = ["party_lecture"], per = "quarter", min = 1 }
"""
#: From this day two lessons a quarter, by a notice invented for the test.
CHANGED = """
[[requirement.in_force]]
from = 2020-01-01

[[requirement.in_force]]
from = {day}
{transition}
parameters = {{ min = 2 }}
strictness = "hard"
document = "（测试虚构）示例〔2021〕9号"
clause = "二"
"""
REPEALED = """
[[requirement.in_force]]
from = 2020-01-01

[[requirement.in_force]]
from = {day}
repealed = true
{transition}
document = "（测试虚构）示例〔2021〕9号"
"""


def pack(text, day, transition=""):
    return loads(HEAD + text.format(day=day, transition=transition))


@pytest.fixture
def judged(facts_of):
    """Period → (required, verdict, document) of a branch whose records are all attested."""
    return lambda found, as_of, lessons: {
        finding.period: (finding.required, finding.verdict, finding.rule.citation.document)
        for finding in evaluate(found, facts_of(recorded(lessons)), as_of)
    }


def recorded(lessons):
    return {
        "organizations": [{"id": "b", "kind": "branch"}],
        "occasions": [
            {"id": f"o{n}", "organization": "b", "kinds": ["party_lecture"], "held_on": day}
            for n, day in enumerate(lessons)
        ],
        "attestations": [
            {"organization": "b", "period": str(year), "attested_on": date(year + 1, 1, 1)}
            for year in (2020, 2021)
        ],
    }


OLD, NEW = "示例〔2020〕1号", "（测试虚构）示例〔2021〕9号"
#: One lesson in each quarter of two years.
ONE_EACH = [date(year, month, 10) for year in (2020, 2021) for month in (2, 5, 8, 11)]


def test_past_periods_keep_the_old_law_and_new_ones_take_the_new(judged):
    found = judged(pack(CHANGED, "2021-01-01"), date(2022, 1, 1), ONE_EACH)
    for quarter in ("2020-Q1", "2020-Q2", "2020-Q3", "2020-Q4"):
        assert found[quarter] == (1, "met", OLD)
    for quarter in ("2021-Q1", "2021-Q2", "2021-Q3", "2021-Q4"):
        assert found[quarter] == (2, "not_met", NEW)


def test_each_period_is_judged_once(facts_of):
    rules = pack(CHANGED, "2021-05-10", 'transition = "new"')
    rows = {"organizations": [{"id": "b", "kind": "branch"}]}
    periods = [f.period for f in evaluate(rules, facts_of(rows), date(2022, 1, 1))]
    assert sorted(periods) == sorted(set(periods))
    # The quarter that holds the day judged has begun as well.
    assert len(periods) == 9


@pytest.mark.parametrize(
    ("transition", "crossing"), [("old", (1, "met", OLD)), ("new", (2, "not_met", NEW))]
)
def test_a_period_that_crosses_the_change_is_judged_as_said(judged, transition, crossing):
    rules = pack(CHANGED, "2021-05-10", f'transition = "{transition}"')
    found = judged(rules, date(2022, 1, 1), ONE_EACH)
    assert found["2021-Q1"] == (1, "met", OLD)
    assert found["2021-Q2"] == crossing
    assert found["2021-Q3"] == (2, "not_met", NEW)


def test_before_the_change_nothing_is_known_of_it(judged):
    rules = pack(CHANGED, "2021-05-10", 'transition = "new"')
    found = judged(rules, date(2021, 3, 31), ONE_EACH[:5])
    assert found["2021-Q1"] == (1, "met", OLD)
    assert set(found) == {"2020-Q1", "2020-Q2", "2020-Q3", "2020-Q4", "2021-Q1"}


def test_the_strictness_of_a_version_is_its_own():
    [requirement] = pack(CHANGED, "2021-01-01").requirements
    assert [str(version.strictness) for version in requirement.parts[0].versions] == [
        "bare",
        "hard",
    ]


@pytest.mark.parametrize(("transition", "last"), [("", "2021-Q1"), ("old", "2021-Q2")])
def test_a_repealed_rule_judges_nothing_more(judged, transition, last):
    line = f'transition = "{transition}"' if transition else ""
    found = judged(pack(REPEALED, "2021-05-10", line), date(2022, 1, 1), ONE_EACH)
    assert max(found) == last
    assert found[last] == (1, "met", OLD)


def test_looking_up_a_repealed_rule_says_so():
    [requirement] = pack(REPEALED, "2021-05-10").requirements
    [part] = requirement.parts
    days = (date(2019, 12, 31), date(2020, 1, 1), date(2021, 5, 9), date(2021, 5, 10))
    said = [library.status(part, day) for day in days]
    assert said == ["not_yet", "in_force", "in_force", "repealed"]
    assert library.in_force(part, date(2021, 5, 10)) is None


def test_occasions_are_judged_by_the_law_of_their_day(facts_of):
    rules = loads(
        HEAD.replace(
            'check = "count"\nparameters = { kinds = ["party_lecture"], per = "quarter", min = 1 }',
            'check = "documents"\n'
            'parameters = { kinds = ["party_lecture"], documents = ["minutes"] }',
        )
        + """
[[requirement.in_force]]
from = 2020-01-01

[[requirement.in_force]]
from = 2021-05-10
parameters = { documents = ["minutes", "photos"] }
document = "（测试虚构）示例〔2021〕9号"
"""
    )
    rows = {
        "organizations": [{"id": "b", "kind": "branch"}],
        "occasions": [
            {"id": name, "organization": "b", "kinds": ["party_lecture"], "held_on": day}
            for name, day in (
                ("before", date(2019, 12, 31)),
                ("last_old", date(2021, 5, 9)),
                ("first_new", date(2021, 5, 10)),
            )
        ],
        "documents": [
            {"occasion": name, "kind": "minutes"} for name in ("before", "last_old", "first_new")
        ],
    }
    found = {
        finding.subject["id"]: (str(finding.verdict), finding.rule.citation.document)
        for finding in evaluate(rules, facts_of(rows), date(2022, 1, 1))
    }
    assert found == {"last_old": ("met", OLD), "first_new": ("not_met", NEW)}


def test_a_choice_between_readings_is_no_change_of_law(judged):
    text = HEAD + CHANGED.format(day="2021-01-01", transition="")
    text += """
[[reading]]
id = "guests"
title = "外请授课是否计入"
default = "counted"

[[reading.option]]
value = "counted"
title = "计入"

[[reading.option]]
value = "not_counted"
title = "不计入"
sets = { "demo.party_lecture.quarterly" = { lecturer_posts = ["secretary"] } }
"""
    found = judged(loads(text), date(2022, 1, 1), ONE_EACH)
    assert found["2020-Q1"] == (1, "met", OLD)
    assert found["2021-Q1"] == (2, "not_met", NEW)
