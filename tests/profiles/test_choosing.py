"""The form made of a pack's readings and settings, and what it refuses."""

import pytest

from guiju import plugins
from guiju.profiles.choosing import chosen, questions
from guiju.rules.problems import BadInput


@pytest.fixture(scope="module")
def packs():
    return plugins.load().packs


@pytest.fixture(scope="module")
def xian(packs):
    return packs["xian"]


def refused(pack, given) -> dict[str, tuple[str, str]]:
    with pytest.raises(BadInput) as caught:
        chosen(pack, given, ["gs"])
    return {problem.place: (problem.code, problem.wanted) for problem in caught.value.problems}


def test_every_reading_and_setting_of_every_pack_is_asked_with_what_it_touches(packs):
    for pack in packs.values():
        asked = {question.name: question for question in questions(pack)}
        assert set(asked) | {entry.setting for entry in pack.forbidden} == pack.choosable
        for reading in pack.readings:
            question = asked[reading.id]
            assert [value for value, _ in question.options] == [o.value for o in reading.options]
            assert tuple(found.id for found in question.touches) == reading.affects
            assert question.worded(question.default)


def test_a_setting_names_what_it_changes(xian):
    (city,) = [question for question in questions(xian) if question.name == "city_organization"]
    assert [found.id for found in city.touches] == ["xian.main.standardization.target_2021_06"]


def test_every_default_and_option_is_accepted(packs):
    for pack in packs.values():
        for question in questions(pack):
            for value, _title in question.options:
                assert chosen(pack, {question.name: value}, []) == {question.name: value}


def test_what_is_left_empty_is_inherited(xian):
    given = {"branch_size": "", "adjust_days": " 5 ", "city_organization": " gs "}
    assert chosen(xian, given, ["gs"]) == {"adjust_days": "5", "city_organization": "gs"}


def test_everything_wrong_is_named_at_its_place(xian):
    problems = refused(
        xian,
        {
            "branch_size": "some",
            "adjust_days": "-1",
            "record_weight": "50",
            "large_branch": "many",
            "city_organization": "nope",
            "weak_branch_quota": "2",
            "typo": "1",
        },
    )
    assert {place: code for place, (code, _) in problems.items()} == {
        "/settings/branch_size": "invalid",
        "/settings/adjust_days": "invalid",
        "/settings/record_weight": "invalid",
        "/settings/large_branch": "invalid",
        "/settings/city_organization": "invalid",
        "/settings/weak_branch_quota": "forbidden",
        "/settings/typo": "unknown",
    }
    assert "市组通字〔2020〕45号 四·4" in problems["/settings/weak_branch_quota"][1]
    assert "all_members" in problems["/settings/branch_size"][1]
    assert "49" in problems["/settings/record_weight"][1]


@pytest.mark.parametrize("value", ["9" * 40, "1.5", "²", "1e3", "0x1", "true"])
def test_numbers_are_whole_and_not_endless(xian, value):
    assert refused(xian, {"large_branch": value})


def test_quotas_are_refused_by_name_with_their_clause(packs):
    problems = refused(packs["jiaxing"], {"unqualified_ratio": "5"})
    code, wanted = problems["/settings/unqualified_ratio"]
    assert code == "forbidden"
    assert wanted.startswith("不得为不合格党员设定比例（")
