"""``guiju profiles``: what it refuses, and that its JSON is stable."""

import json

import pytest

from guiju import plugins
from guiju.cli.options import packs_of
from guiju.language import speaking
from guiju.rules.problems import BadInput

COMMANDS = [
    [],
    ["show", "xian"],
    ["show", "xian", "--variant", "agency", "--as-of", "2021-01-01"],
    ["diff", "xian", "jiaozuo"],
    ["coverage", "xian"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_is_stable(guiju, command):
    first, again = (guiju("profiles", *command, "--format", "json") for _ in range(2))
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == again.stdout
    assert json.loads(first.stdout)
    assert "\\u" not in first.stdout


@pytest.mark.parametrize(
    ("language", "listed"), [("zh", "已安装 xian、jiaozuo"), ("en", "xian, jiaozuo")]
)
def test_what_there_is_instead_is_listed_as_the_language_lists(language, listed):
    packs = plugins.load().packs
    known = {name: packs[name] for name in ("xian", "jiaozuo")}
    with speaking(language), pytest.raises(BadInput) as refused:
        packs_of(known, "nowhere")
    assert refused.value.problems[0].wanted.endswith(listed)


@pytest.mark.parametrize("command", COMMANDS[1:], ids=" ".join)
def test_tables(guiju, command):
    assert guiju("profiles", *command).exit_code == 0


def test_nothing_is_in_force_before_the_notice(guiju):
    shown = guiju("profiles", "show", "xian", "--as-of", "2019-01-01", "--format", "json")
    assert json.loads(shown.stdout)["requirements"] == []


@pytest.mark.parametrize(
    ("command", "places"),
    [
        (["show", "nowhere"], ["规则包 nowhere"]),
        (["diff", "nowhere", "neverland"], ["规则包 nowhere", "规则包 neverland"]),
        (["coverage", "nowhere"], ["规则包 nowhere"]),
        (["show", "xian", "--variant", "navy"], ["变体 navy"]),
        (["show", "jiaxing", "--variant", "agency"], ["变体 agency"]),
    ],
)
def test_unknown_names(refused, command, places):
    lines = refused("profiles", *command)
    assert [line.split("：")[0] for line in lines[:-1]] == places


@pytest.mark.parametrize("wrong", [["--format", "xml"], ["--as-of", "2021-02-30"]])
def test_wrong_options(refused, wrong):
    assert wrong[1] in refused("profiles", "show", "xian", *wrong)[-1]


@pytest.mark.parametrize("profile", ["jiaozuo", "jiaxing", "jiyuan", "shendingshan", "xian"])
def test_every_convention_is_told_with_what_may_be_chosen(guiju, profile):
    shown = json.loads(guiju("profiles", "show", profile, "--format", "json").stdout)
    assert [found["id"] for found in shown["conventions"]] == [f"D{n}" for n in range(1, 15)]
    chosen = {found["id"]: found["readings"] for found in shown["conventions"]}
    for convention, reading in (
        *(("D2", "carry_over"), ("D3", "incomplete"), ("D4", "first_period")),
        ("D9", "shared_occasions"),
    ):
        assert reading in chosen[convention]
    assert shown["conventions"][2]["tenant_setting"] == "complete_after_days"
    assert chosen["D13"] == []
    table = guiju("profiles", "show", profile).stdout
    assert all(found["says"] in table for found in shown["conventions"])
    assert "原则，不可选" in table
