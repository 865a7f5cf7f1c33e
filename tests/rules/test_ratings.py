"""A proposed allocation, checked before anybody decides."""

from importlib.resources import files

import pytest

from guiju.rules import ratings
from guiju.rules.loader import load
from guiju.rules.ratings import Entry
from guiju.rules.vocabulary import Verdict


@pytest.fixture(scope="module")
def pack():
    return load(files("guiju_jiaozuo") / "pack.toml")


def scale(pack, name):
    return next(scale for scale in pack.scales if scale.id == name)


def entries(*grades):
    return [Entry(str(number), grade, "full") for number, grade in enumerate(grades)]


@pytest.mark.parametrize(
    ("top", "of", "verdict", "most"),
    [
        (2, 13, Verdict.DEVIATION, 1),
        (3, 20, Verdict.MET, 3),
        (1, 6, Verdict.DEVIATION, 0),
        (0, 6, Verdict.MET, 0),
    ],
)
def test_a_soft_cap(pack, top, of, verdict, most):
    proposed = entries(*["先进"] * top, *["一类"] * (of - top))
    review = ratings.check(pack, scale(pack, "organization"), proposed, {"branches": of})
    [limit] = review.limits
    assert (limit.verdict, limit.most, limit.count) == (verdict, most, top)
    assert review.acceptable


def test_what_it_says(pack):
    proposed = entries("先进", "先进", *["一类"] * 11)
    [limit] = ratings.check(pack, scale(pack, "organization"), proposed, {"branches": 13}).limits
    assert limit.message == (
        "“先进”2 个，下属党支部 13，最多 1 个，超出 1 个。这是一般要求，须说明理由。"
    )
    assert limit.requirement == "jiaozuo.organization_appraisal.quota"


def test_a_grade_outside_the_scale_and_one_for_a_probationary_member(pack):
    proposed = [Entry("a", "基本合格", "full"), Entry("b", "合格", "probationary")]
    member = scale(pack, "member")
    review = ratings.check(pack, member, proposed, {"full_members": 5})
    assert [(o.subject, o.requirement) for o in review.objections] == [
        ("a", "jiaozuo.member_appraisal.scale"),
        ("b", "jiaozuo.member_appraisal.probationary"),
    ]
    assert not review.acceptable


def test_the_tenants_reading_names_the_denominator(pack):
    member = scale(pack, "member")
    assert ratings.denominators(pack, member, pack.choices({})) == ("full_members",)
    rated = pack.choices({"excellent_denominator": "rated"})
    assert ratings.denominators(pack, member, rated) == ()
    proposed = entries("优秀", "优秀", "合格", "合格", "合格", None)
    [limit] = ratings.check(pack, member, proposed, {}, rated).limits
    assert (limit.of, limit.most, limit.verdict) == (5, 1, Verdict.DEVIATION)
    everyone = pack.choices({"excellent_denominator": "all_members"})
    [limit] = ratings.check(pack, member, proposed, {"all_members": 6}, everyone).limits
    assert (limit.most, limit.verdict) == (2, Verdict.MET)
