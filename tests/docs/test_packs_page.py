"""The page about packs: a plugin and a pack put together from its examples work."""

import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from guiju import plugins
from guiju.rules.loader import load
from guiju.testing import cases

PAGE = (Path(__file__).parents[2] / "docs" / "packs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(toml|python)\n(.*?)```", PAGE, re.DOTALL)
#: What the reading of the page changes, and the page has no room for.
QUOTA = """
[[requirement]]
id = "xian.member_appraisal.quota"
kind = "QUOTA"
title = "优秀比例"
clause = "附件2·16"
strictness = "bare"
automation = "full"
check = "cap"
parameters = { subject = "member", grade = "优秀", ratio = [1, 3], denominator = "full_members" }
"""


def block(language: str, start: str) -> str:
    (found,) = [text for kind, text in BLOCKS if kind == language and start in text]
    return found


@pytest.fixture
def pack_file(tmp_path):
    """The blocks of the page in its order, as one file."""
    starts = ("[pack]", "[[requirement]]\n", "[[requirement.in_force]]")
    text = "\n".join([*(block("toml", start) for start in starts), QUOTA])
    file = tmp_path / "pack.toml"
    file.write_text(text + block("toml", "[[reading]]"), encoding="utf-8")
    return file


def test_the_examples_are_a_pack(pack_file):
    pack = load(pack_file)
    assert [one.id for one in pack.requirements] == [
        "xian.branch_assembly.quarterly",
        "xian.member_appraisal.quota",
    ]
    assert "quota_denominator" in [reading.id for reading in pack.readings]


def test_the_worked_case_holds(pack_file, tmp_path):
    file = tmp_path / "case.toml"
    file.write_text(block("toml", "[[case]]"), encoding="utf-8")
    pack = load(pack_file)
    (case,) = cases.read(file)
    cases.run(case, pack)


def test_the_plugin_brings_its_pack(pack_file):
    module = ModuleType("guiju_city.plugin")
    module.__file__ = str(pack_file.with_name("plugin.py"))
    exec(block("python", "@hookimpl"), vars(module))  # noqa: S102 - the page's own example
    assert list(plugins.load({"city": module}).packs) == ["xian"]


def test_the_distribution_names_its_module_as_entry_point():
    project = tomllib.loads(block("toml", "[build-system]"))
    assert project["project"]["entry-points"]["guiju"] == {"city": "guiju_city.plugin"}
