"""What a verdict rests on is what its check declares, and more records do no harm.

What a reading cannot change is known without judging again.
"""

from collections import Counter
from datetime import date, timedelta
from functools import cache
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiju import plugins
from guiju.demo import Habits, People, Scenario
from guiju.rules import doubts, engine
from guiju.rules.engine import evaluate
from guiju.rules.facts import Facts
from guiju.rules.footprints import needed, part
from guiju.rules.vocabulary import OCCASION_KINDS

AS_OF = date(2021, 11, 20)
JUDGE_FROM = date(2021, 1, 1)
SEEDS = st.integers(0, 2**32)


@cache
def packs():
    return plugins.load().packs


def town(seed):
    """Facts of a small town: two committees with a few branches, one with groups."""
    random = Random(seed)  # noqa: S311 - invented, not secret
    habits = Habits(
        components=("study", "dues"),
        documents={"branch_assembly": ("minutes",), "party_lecture": ("lecture_record",)},
        agenda={"branch_assembly": ("superior_decisions",)},
        steps={"branch_assembly": (("notified", -3),)},
        reviews=("organization_appraisal",),
        register=("activity_room",),
        monthly_dues=random.random() < 0.5,
        birthdays=True,
        points=random.random() < 0.5,
        prepared_talks=True,
    )
    made = Scenario(random, AS_OF, habits, People(random, "p", AS_OF))
    root = made.unit("root", "工委", "working_committee", None, sector="agency")
    for name, sector in (("a", "agency"), ("b", "university")):
        committee = made.unit(name, f"{name}党委", "committee", root, sector=sector)
        for place in range(random.choice((1, 2, 3))):
            size = random.choice((3, 6, 12))
            made.branch(f"{name}{place}", f"{name}{place}党支部", committee, size)
    made.live(AS_OF.year)
    return {name: rows for name, rows in made.tables().items() if rows.num_rows}


def judged(pack, facts, scope, **options):
    return evaluate(
        pack,
        facts,
        AS_OF,
        scope=scope,
        judge_from=JUDGE_FROM,
        not_applicable=False,
        complete_after=10,
        **options,
    )


def findings_of(pack, source, codes, **options):
    """Findings about the organizations with these codes, as comparable texts."""
    facts = Facts(source)
    scope = np.isin(facts.ids("organizations").to_pylist(), codes)
    found = Counter()
    for finding in judged(pack, facts, scope, **options):
        said = finding.as_dict()
        # Records without an id are called by their row.
        said["evidence"] = sorted("#" if "#" in e else e for e in said["evidence"])
        found[repr(sorted(said.items()))] += 1
    return found


@pytest.mark.parametrize("profile", ["jiaozuo", "xian", "jiaxing", "jiyuan", "shendingshan"])
@settings(max_examples=4)
@given(seed=SEEDS)
def test_judging_one_with_its_footprint_equals_judging_it_among_all(profile, seed):
    pack, source = packs()[profile], town(seed)
    whole = Facts(source)
    rules = engine.rules_under_all_readings(pack, pack.choices({}))
    codes = whole.ids("organizations").to_pylist()
    one = Random(seed).choice(codes)  # noqa: S311
    which = np.array([code == one for code in codes])
    reach = needed(whole, which, engine.footprint(rules))
    alone = part(source, pa.array([c for c, near in zip(codes, reach, strict=True) if near]))
    among_all, by_itself = findings_of(pack, source, [one]), findings_of(pack, alone, [one])
    assert list((among_all - by_itself).elements())[:2] == []
    assert list((by_itself - among_all).elements())[:2] == []


@pytest.mark.parametrize("profile", ["jiaozuo", "xian", "jiaxing", "jiyuan", "shendingshan"])
@settings(max_examples=4)
@given(
    seed=SEEDS,
    kinds=st.lists(st.sampled_from(list(OCCASION_KINDS)), min_size=1, max_size=3, unique=True),
    day=st.integers(0, (AS_OF - JUDGE_FROM).days),
)
def test_one_record_more_never_turns_a_met_minimum_unmet(profile, seed, kinds, day):
    pack, source = packs()[profile], town(seed)
    minimums = {
        rule.id
        for rule in engine.compile_rules(pack, pack.choices({}))
        if rule.check.name == "count" and rule.parameters["max"] is None
    }
    branch = source["organizations"].filter(
        pa.compute.equal(source["organizations"]["kind"], "branch")
    )["id"][0]
    more = source["occasions"].slice(0, 1).to_pylist()[0]
    more = dict.fromkeys(more) | {
        "id": "one-more",
        "organization": branch.as_py(),
        "kinds": kinds,
        "held_on": JUDGE_FROM + timedelta(days=day),
    }
    schema = source["occasions"].schema
    added = pa.concat_tables([source["occasions"], pa.Table.from_pylist([more], schema)])

    def met(facts):
        found = judged(pack, Facts(facts), None, only=minimums)
        return {
            (f.rule.id, f.rule.part.id, f.subject["id"], f.period)
            for f in found
            if f.verdict == "met"
        }

    assert met(source) <= met({**source, "occasions": added})


@pytest.mark.parametrize("profile", ["jiaozuo", "xian", "jiaxing", "jiyuan", "shendingshan"])
@settings(max_examples=3)
@given(seed=SEEDS)
def test_no_other_verdict_is_missed_where_no_doubt_is_seen(profile, seed):
    pack, source, random = packs()[profile], town(seed), Random(seed)  # noqa: S311
    rows = {name: source[name].to_pylist() for name in ("occasions", "posts")}
    for row in rows["occasions"]:
        row["status"] = random.choice(("held", "held", "cancelled"))
        if random.random() < 0.3:
            row["kinds"] = sorted({*row["kinds"], random.choice(list(OCCASION_KINDS))})
    for row in rows["posts"]:
        if random.random() < 0.3:
            row["until_on"] = date(2021, 6, 30)
    changed = {name: pa.Table.from_pylist(rows[name], source[name].schema) for name in rows}
    facts = Facts({**source, **changed})

    def told():
        found = evaluate(pack, facts, AS_OF, judge_from=JUDGE_FROM, not_applicable=False)
        return [finding.as_dict() for finding in found]

    found = told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(doubts, "of", lambda *_asked: True)
        assert told() == found
