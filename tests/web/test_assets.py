"""Our own stylesheets and scripts: what browsers of 2021 understand, and nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from guiju.web import assets

STYLES = sorted(assets.STATIC.glob("*.css"))
SCRIPTS = sorted(assets.STATIC.glob("*.js"))
TEMPLATES = sorted((assets.STATIC.parent / "templates").rglob("*.html"))

#: What Chromium learnt after version 90, with the version.
TOO_NEW_IN_STYLES = {
    ":has(": 105,
    "@container": 105,
    "@layer": 99,
    "@scope": 118,
    "@starting-style": 117,
    "color-mix(": 111,
    "oklch(": 111,
    "subgrid": 117,
    "text-wrap": 114,
    "dvh": 108,
    "scrollbar-gutter": 94,
    "@property": 85 + 60,
    "anchor-name": 125,
}
TOO_NEW_IN_SCRIPTS = {
    "structuredClone": 98,
    ".at(": 92,
    "Object.hasOwn": 93,
    "findLast": 97,
    ".toSorted": 110,
    ".toReversed": 110,
    "groupBy": 117,
    "AbortSignal.timeout": 103,
    "static {": 94,
    "withResolvers": 119,
    "popover": 114,
    "startViewTransition": 111,
}


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("file", STYLES, ids=lambda file: file.name)
def test_styles_are_old_enough(file: Path):
    text = without_comments(file.read_text(encoding="utf-8"))
    assert [word for word in TOO_NEW_IN_STYLES if word in text] == []
    assert re.findall(r"\(\s*(?:width|height)\s*[<>]", text) == []


@pytest.mark.parametrize("file", STYLES, ids=lambda file: file.name)
def test_styles_are_not_nested(file: Path):
    depth = 0
    rules: list[bool] = []  # of each open block, whether it is a rule with a selector
    text = without_comments(file.read_text(encoding="utf-8"))
    for found in re.finditer(r"([^{};]*)\{|\}", text):
        if found[0] == "}":
            rules.pop()
            continue
        selector = not found[1].strip().startswith("@")
        assert not (selector and any(rules)), found[1]
        rules.append(selector)
        depth = max(depth, len(rules))
    assert (rules, depth) == ([], 2)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_scripts_are_old_enough(file: Path):
    text = without_comments(file.read_text(encoding="utf-8"))
    assert [word for word in TOO_NEW_IN_SCRIPTS if word in text] == []


@pytest.mark.parametrize("file", [*STYLES, *SCRIPTS, *TEMPLATES], ids=lambda file: file.name)
def test_nothing_comes_from_elsewhere(file: Path):
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", without_comments(text)) == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_templates_hold_no_script_and_no_style(file: Path):
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"\sstyle=|\son[a-z]+=|javascript:|<style|hx-on|\|\s*safe", text) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", text) == []


def test_missing_libraries_are_named(tmp_path):
    with pytest.raises(assets.MissingAssetsError, match=r"manifest\.json.*make assets"):
        assets.check(tmp_path)
