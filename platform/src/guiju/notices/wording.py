"""What notices say, in the language of the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from guiju.language import gettext as _
from guiju.rules.pack import Pack


@dataclass(frozen=True)
class Words:
    """A notice in words: one line, and perhaps some more about it."""

    title: str
    lines: tuple[str, ...] = ()


def worded(
    kind: str,
    unit: str,
    details: Mapping[str, Any],
    packs: Mapping[str, Pack],
    day: Callable[[date], str],
) -> Words:
    """The words of a notice about ``unit``; ``day`` writes a date."""
    if kind == "due":
        listed = details.get("items", [])
        title = _("{unit}：{number} 项要求将在 {days} 日内到期").format(
            unit=unit, number=details.get("number", len(listed)), days=details.get("days")
        )
        lines = [
            _("{day}前：{title}").format(
                day=day(date.fromisoformat(due)), title=title_of(packs, requirement, part)
            )
            for requirement, part, due in listed
        ]
        return Words(title, tuple(lines))
    about = title_of(packs, details.get("requirement", ""), details.get("part"))
    lines = [details["text"]] if details.get("text") else []
    if details.get("due_on"):
        lines.append(_("时限：{day}").format(day=day(date.fromisoformat(details["due_on"]))))
    return Words(_sentence(kind).format(unit=unit, about=about), tuple(lines))


def title_of(packs: Mapping[str, Pack], requirement: str, part: str | None) -> str:
    """The title of a requirement's part; its id where the installed packs do not know it."""
    for pack in packs.values():
        known = pack.by_id.get(requirement)
        if known is not None:
            titles = {one.id: one.title for one in known.parts}
            return titles.get(part) or known.title
    return requirement


def _sentence(kind: str) -> str:
    return {
        "remind": _("{unit}：上级提醒关注“{about}”"),
        "ask_reason": _("{unit}：上级请你单位说明“{about}”的情况"),
        "rectify": _("{unit}：上级下达整改事项“{about}”"),
        "answered": _("{unit}答复了“{about}”"),
        "closed": _("{unit}：“{about}”已办结"),
        "sent_back": _("{unit}：“{about}”的答复被退回，请补充"),
        "explained": _("{unit}对偏离“{about}”说明了理由，等待答复"),
        "accepted": _("{unit}：“{about}”的偏离理由已被接受"),
        "declined": _("{unit}：“{about}”的偏离理由未被接受"),
        "decided": _("{unit}：“{about}”已作出认定"),
        "reopened": _("{unit}：“{about}”的认定已撤回"),
        "appealed": _("{unit}对“{about}”的认定提出异议，等待复核"),
        "upheld": _("{unit}：对“{about}”的异议成立，原认定撤回"),
        "rejected": _("{unit}：对“{about}”的异议不成立，原认定不变"),
    }[kind]
