"""Our own stylesheets and scripts: what browsers of 2021 understand, and nothing from elsewhere."""

import re
from pathlib import Path

import pytest

from guiju.web import assets

STYLES = sorted(assets.STATIC.glob("*.css"))
SCRIPTS = sorted(assets.STATIC.glob("*.js"))
TEMPLATES = sorted((assets.STATIC.parent / "templates").rglob("*.html"))

VENDORS = assets.STATIC / "vendor"

#: The browser that the pages have to work in: Chromium of April 2021.
CHROMIUM = 90

#: What browsers learnt later: regular expressions, and Chromium's first version with it.
STYLES_SINCE = {
    # selectors
    r":has\(": 105,
    r":modal\b": 105,
    r":user-(?:in)?valid": 119,
    r":popover-open": 114,
    r":dir\(": 120,
    r":nth-(?:last-)?child\([^)]*\bof\b": 111,
    r":autofill": 110,
    r"::highlight|::view-transition|::backdrop\s*\{[^}]*var\(": 105,
    # rules
    r"@container": 105,
    r"@layer": 99,
    r"@scope": 118,
    r"@starting-style": 117,
    r"@counter-style": 91,
    r"@media[^{]*[<>]=?": 104,
    r"@media[^{]*\b(?:update|overflow-block|overflow-inline|scripting|dynamic-range)\b": 98,
    r"@media[^{]*prefers-(?:contrast|reduced-transparency)": 96,
    # values
    r"\b(?:color-mix|oklch|oklab|lab|lch|hwb|light-dark|color)\(": 101,
    r"\b(?:sin|cos|tan|pow|sqrt|round|mod|rem|abs|sign)\(": 111,
    r"\d[sld]v(?:h|w|b|i|min|max)\b": 108,
    r"\dcq(?:w|h|i|b|min|max)\b": 105,
    r"\d(?:lh|rlh|cap|ic|rcap|ric)\b": 109,
    r"\b(?:subgrid|revert-layer|masonry)\b": 99,
    r"[(,\s]from\s+(?:var\(|#|rgb|hsl)": 119,
    r"(?<=:)\s*(?:inline|block)\s+(?:flow|flex|grid|table)\b": 115,
    # properties
    r"(?<=[{;\s])(?:translate|rotate|scale)\s*:": 104,
    r"(?<=[{;\s])accent-color\s*:": 93,
    r"(?<=[{;\s])text-wrap(?:-\w+)?\s*:": 114,
    r"(?<=[{;\s])text-box(?:-\w+)?\s*:": 133,
    r"(?<=[{;\s])white-space-collapse\s*:": 114,
    r"(?<=[{;\s])scrollbar-(?:gutter|color|width)\s*:": 94,
    r"(?<=[{;\s])field-sizing\s*:": 123,
    r"(?<=[{;\s])interpolate-size\s*:": 129,
    r"(?<=[{;\s])(?:container|container-type|container-name)\s*:": 105,
    r"(?<=[{;\s])(?:anchor-name|position-anchor|position-area|inset-area)\s*:": 125,
    r"(?<=[{;\s])(?:view-transition-name|animation-timeline|offset-anchor)\s*:": 111,
    r"(?<=[{;\s])(?:hyphenate-character|hyphenate-limit-chars|initial-letter)\s*:": 106,
    r"(?<=[{;\s])(?:contain-intrinsic-\w+(?:-size)?)\s*:\s*auto": 98,
    r"(?<=[{;\s])(?:mask|mask-image|mask-size|mask-position|mask-composite)\s*:": 120,
    r"(?<=[{;\s])font-(?:palette|size-adjust)\s*:": 101,
}
SCRIPTS_SINCE = {
    # the language
    r"\bstatic\s*\{": 94,
    r"#\w+ in\b": 91,
    r"/[dgimsuy]*v[dgimsuy]*\.(?:test|exec)": 112,
    r"\bimport\s+\w+\s+(?:with|assert)\b": 91,
    # its objects
    r"\bstructuredClone\b": 98,
    r"\.at\(": 92,
    r"\bObject\.hasOwn\b": 93,
    r"\.findLast(?:Index)?\b": 97,
    r"\.to(?:Sorted|Reversed|Spliced)\b": 110,
    r"\b(?:groupBy|groupToMap)\b": 117,
    r"\b(?:fromAsync|withResolvers)\b": 119,
    r"\.(?:isWellFormed|toWellFormed)\b": 111,
    r"\bSet\b[^;]*\.(?:union|intersection|difference|isSubsetOf)\(": 122,
    r"\.(?:values|keys|entries)\(\)\.(?:map|filter|some|find|toArray|forEach|reduce)\(": 122,
    r"\bnew Error\([^)]*,\s*\{\s*cause": 93,
    r"\bIntl\.(?:DurationFormat|Segmenter|supportedValuesOf)\b": 99,
    # pages
    r"\bAbortSignal\.(?:timeout|any|abort)\b|\.throwIfAborted\b": 93,
    r"\brandomUUID\b": 92,
    r"\b(?:showPopover|hidePopover|togglePopover|popover(?:Target)?)\b": 114,
    r"\bstartViewTransition\b": 111,
    r"\bshowPicker\b": 99,
    r"\bcheckVisibility\b": 105,
    r"\binert\b": 102,
    r"\bmoveBefore\b": 133,
    r"\b(?:setHTML|setHTMLUnsafe|parseHTMLUnsafe|getHTML)\b": 124,
    r"\bCSS\.(?:highlights|registerProperty)\b|\bnew Highlight\b": 105,
    r"\bURLPattern\b": 95,
    r"\bscheduler\.(?:yield|postTask)\b": 94,
    r"\bself\.navigation\b|\bwindow\.navigation\b": 102,
    r"\bURL\.(?:canParse|parse)\b": 120,
    r"\breportError\b": 95,
    r"\bscrollend\b": 114,
    r"\bonbeforetoggle\b|\bbeforetoggle\b": 114,
}
#: In templates: attributes and elements.
MARKUP_SINCE = {
    r"\sinert(?=[\s=>])": 102,
    r"\spopover(?:target)?\b": 114,
    r"<dialog[^>]*\sclosedby=": 134,
    r"<details[^>]*\sname=": 120,
    r"\sfetchpriority=": 101,
    r"<search\b": 118,
    r"<selectedcontent\b": 135,
    r"\scommandfor=": 135,
    r"\sshadowrootmode=": 111,
    r'\shidden="until-found"': 102,
}
#: What is used only where the browser has it, or without which nothing is lost, by file.
GUARDED = {
    "guiju.css": {"accent-color:"},
    "bootstrap.min.css": {"mask-image:", "mask-position:", "mask-size:"},
    "htmx.min.js": {
        "startViewTransition",
        "moveBefore",
        "parseHTMLUnsafe",
        "window.navigation",
    },
}


def too_new(text: str, since: dict[str, int], file: str = "") -> list[str]:
    """What a text uses that the browser has not learnt yet."""
    return [
        found[0].strip()
        for pattern, version in since.items()
        if version > CHROMIUM
        for found in re.finditer(pattern, text)
        if found[0].strip() not in GUARDED.get(file, ())
    ]


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("file", [*STYLES, *VENDORS.rglob("*.css")], ids=lambda file: file.name)
def test_styles_are_old_enough(file: Path):
    text = without_comments(file.read_text(encoding="utf-8"))
    assert too_new(text, STYLES_SINCE, file.name) == []


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


@pytest.mark.parametrize("file", [*SCRIPTS, *VENDORS.rglob("*.js")], ids=lambda file: file.name)
def test_scripts_are_old_enough(file: Path):
    text = without_comments(file.read_text(encoding="utf-8"))
    assert too_new(text, SCRIPTS_SINCE, file.name) == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_markup_is_old_enough(file: Path):
    assert too_new(file.read_text(encoding="utf-8"), MARKUP_SINCE) == []


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("a { color: red } main:has(p) { gap: 0 }", STYLES_SINCE),
        ("p { translate: 1px }", STYLES_SINCE),
        ("p { height: 100dvh }", STYLES_SINCE),
        ("@media (width >= 40em) { p { gap: 0 } }", STYLES_SINCE),
        ("const last = rows.at(-1);", SCRIPTS_SINCE),
        ("element.inert = true;", SCRIPTS_SINCE),
        ('<div class="x" popover>', MARKUP_SINCE),
    ],
)
def test_what_is_too_new_is_noticed(text: str, since: dict[str, int]):
    assert len(too_new(text, since)) == 1


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
