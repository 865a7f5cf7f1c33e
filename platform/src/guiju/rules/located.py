"""Where a fault in nested data lies, what was found there and what to write, in Chinese.

Schemas speak English and of keys; an author of a pack reads which requirement it is about,
what stands there and what should.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from guiju.rules.problems import Problem

#: Longest text of what was found that a problem quotes.
_QUOTED = 40


def floats(node: Any, place: str) -> Iterator[Problem]:
    """Thresholds are compared as integers; a float anywhere is refused by name."""
    if isinstance(node, float):
        yield Problem(place, f"小数 {node}", "应写成整数，比例写成 [分子, 分母]", "float")
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from floats(value, f"{place} {key}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from floats(value, f"{place} {entry(value, number)}")


def entry(value: Any, number: int) -> str:
    """How an entry of a list is called: by its id, or by its number from 1."""
    if isinstance(value, dict):
        for name in ("id", "value", "setting"):
            if isinstance(value.get(name), str):
                return f"“{value[name]}”"
    return f"第 {number + 1} 项"


def located(messages: Any, raw: Any, place: str) -> Iterator[Problem]:
    """Marshmallow's nested ``messages`` about ``raw`` as problems with places.

    Floats are passed over: :func:`floats` has named them already.
    """
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            below, step = _step(raw, key)
            yield from located(inner, below, f"{place} {step}" if step else place)
        return
    if isinstance(raw, float):
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield Problem(place, found(raw), wanted(str(message), raw))


def _step(raw: Any, key: Any) -> tuple[Any, str]:
    """What lies one step below ``raw`` and how the step is called."""
    if key == "_schema":
        return raw, ""
    if isinstance(raw, Mapping):
        # Of a table with free keys marshmallow says whether the key or the value is wrong.
        inner = key if key == "key" and key not in raw else None
        return (raw, "") if inner else (raw.get(key), str(key))
    if isinstance(raw, list) and isinstance(key, int) and key < len(raw):
        return raw[key], entry(raw[key], key)
    return raw, "" if key in {"key", "value"} else str(key)


def found(raw: Any) -> str:
    """What stands at the place of a fault."""
    if raw is None or raw == "":
        return "没有填写"
    text = str(raw)
    return f"写的是 {text if len(text) <= _QUOTED else text[:_QUOTED] + '…'}"


def nearest(word: Any, known: Iterable[str]) -> str:
    """The known words that ``word`` may have been meant to be, as a hint; empty for none."""
    close = get_close_matches(str(word), list(known))
    return f"，相近的有 {'、'.join(close)}" if close else ""


_SAYINGS: Mapping[str, str] = {
    "Unknown field.": "没有这个键，请检查拼写",
    "Missing data for required field.": "必须填写",
    "Field may not be null.": "必须填写",
    "Not a valid string.": "应为文字",
    "Not a valid integer.": "应为整数",
    "Not a valid list.": "应为列表",
    "Not a valid mapping type.": "应为表",
    "Invalid input type.": "应为表",
    "Not a valid boolean.": "应为 true 或 false",
}


#: What marshmallow says, with numbers, and what an author reads.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"Shorter than minimum length 1\.", "必须填写"),
    (r"Shorter than minimum length (\d+)\.", "应不少于 {0} {measure}"),
    (r"Longer than maximum length (\d+)\.", "应不多于 {0} {measure}"),
    (r"Length must be (\d+)\.", "应为 {0} {measure}"),
    (r"Length must be between (\d+) and (\d+)\.", "应为 {0} 至 {1} {measure}"),
    (
        r"Must be greater than or equal to (\d+) and less than or equal to (\d+)\.",
        "应在 {0} 与 {1} 之间",
    ),
    (r"Must be greater than or equal to (\d+)\.", "应不小于 {0}"),
)
#: Choices beyond this number are not listed; the nearest ones are.
_FEW = 24


def wanted(message: str, raw: Any) -> str:
    """What to write instead, from what marshmallow says of ``raw``."""
    if message in _SAYINGS:
        return _SAYINGS[message]
    choices = re.fullmatch(r"Must be one of: (.*)\.", message)
    if choices:
        known = choices[1].split(", ")
        few = f"应为 {'、'.join(known)} 之一"
        return few if len(known) <= _FEW else f"没有这一项{nearest(raw, known)}"
    for pattern, saying in _PATTERNS:
        match = re.fullmatch(pattern, message)
        if match:
            measure = "字" if isinstance(raw, str) else "项"
            return saying.format(*match.groups(), measure=measure)
    return message
