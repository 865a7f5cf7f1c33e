"""Why a requirement would be judged otherwise: what differs between two laws; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from guiju.language import gettext as _
from guiju.profiles.choosing import ORGANIZATION, questions, text_of
from guiju.profiles.comparing import Rule
from guiju.rules.pack import Choices, Pack, Requirement
from guiju.rules.vocabulary import STRICTNESS


@dataclass(frozen=True)
class Judging:
    """A profile as it judges: its pack with the readings and settings chosen."""

    pack: Pack
    choices: Choices


#: By profile; of one that is enabled several times, the last.
Law = Mapping[str, Judging]


def reasons(before: Law, after: Law, rule: Rule, *, begins: bool, ends: bool) -> list[str]:
    """Sentences for people; several things may differ.

    ``begins`` and ``ends`` say that findings on the rule only appear, or only vanish.
    """
    old, new = before.get(rule.profile), after.get(rule.profile)
    if new is None or (old is not None and ends and old == new):
        return [_("不再按这份文件评判")]
    if old is None or (begins and old == new):
        return [_("开始按这份文件评判")]
    was, becomes = (side.pack.by_id.get(rule.requirement) for side in (old, new))
    if was is None:
        return [_("新版本增加了这一条")]
    if becomes is None:
        return [_("新版本不再有这一条")]
    found = [*_choices(old, new, becomes), *_versions(was, becomes, rule.part)]
    return found or [_("评判的起止日期不同")]


def _choices(old: Judging, new: Judging, requirement: Requirement) -> Iterator[str]:
    for question in questions(new.pack):
        if requirement not in question.touches:
            continue
        was, becomes = (_value(side.choices, question.name) for side in (old, new))
        if was != becomes and question.type == ORGANIZATION:
            # Judging has numbers where people have names.
            yield _("“{title}”改为另一个组织").format(title=question.title)
        elif was != becomes:
            yield _("“{title}”由“{was}”改为“{becomes}”").format(
                title=question.title, was=question.worded(was), becomes=question.worded(becomes)
            )


def _value(choices: Choices, name: str) -> str:
    return choices.readings.get(name) or text_of(choices.settings.get(name))


def _versions(was: Requirement, becomes: Requirement, part: str | None) -> Iterator[str]:
    """What another version of the pack changed about a part of a requirement."""
    pairs = [
        next((found for found in requirement.parts if found.id == part), None)
        for requirement in (was, becomes)
    ]
    old, new = pairs
    if old is None or new is None or old == new:
        return
    if old.check != new.check:
        yield _("新版本换了判定方法")
    before, after = old.versions[-1], new.versions[-1]
    if before.strictness != after.strictness:
        yield _("严格程度由“{was}”改为“{becomes}”").format(
            was=STRICTNESS[before.strictness], becomes=STRICTNESS[after.strictness]
        )
    if before.from_on != after.from_on or before.until_on != after.until_on:
        yield _("新版本的有效期不同")
    names = dict.fromkeys([*before.parameters, *after.parameters])
    for name in names:
        values = before.parameters.get(name), after.parameters.get(name)
        if values[0] != values[1]:
            yield _("参数 {name} 由 {was} 改为 {becomes}").format(
                name=name, was=_shown(values[0]), becomes=_shown(values[1])
            )


def _shown(value: Any) -> str:
    return _("无") if value is None else str(value)
