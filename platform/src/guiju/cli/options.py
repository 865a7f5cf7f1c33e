"""Options that several commands share, and how they collect what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from types import TracebackType
from typing import Any, Final, Self

import click

from guiju.language import gettext as _
from guiju.rules import tables
from guiju.rules.pack import Pack
from guiju.rules.problems import BadInput, Problem


class Day(click.ParamType[date]):
    """A day, YYYY-MM-DD, within the calendar that records may have."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day itself."""
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = None
        if found is None or not tables.FIRST_DAY <= found <= tables.LAST_DAY:
            wanted = _("{value} 不是日期；应为 {first} 至 {last} 之间的年-月-日，如 2021-06-30")
            self.fail(
                wanted.format(value=value, first=tables.FIRST_DAY, last=tables.LAST_DAY), param, ctx
            )
        return found


AS_OF: Final = Day()


class Refusals:
    """What is wrong with several inputs, told at once: a ``with`` goes on after BadInput."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.omitted = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, BadInput):
            return False
        self.problems += error.problems
        self.omitted += error.omitted
        return True

    def settle(self) -> None:
        """Raise BadInput if anything was refused."""
        if self.problems:
            raise BadInput(self.problems, self.omitted)


def unknown(what: str, given: Iterable[str], known: Iterable[Any], wanted: str) -> list[Problem]:
    """A problem for each name in ``given`` that is not ``known``."""
    there = set(known)
    return [
        Problem(f"{what} {name}", _("不存在"), wanted, "unknown")
        for name in given
        if name not in there
    ]


def packs_of(packs: Mapping[str, Pack], *profiles: str) -> list[Pack]:
    """The packs of profiles; BadInput names each that is not installed, and those that are."""
    wanted = _("已安装 {known}").format(known=_("、").join(packs) or "—")
    if problems := unknown(_("规则包"), dict.fromkeys(profiles), packs, wanted):
        raise BadInput(problems)
    return [packs[profile] for profile in profiles]


def unknown_variant(pack: Pack, variant: str | None) -> list[Problem]:
    """A problem where the pack has no such variant."""
    known = [entry.id for entry in pack.variants]
    wanted = _("可用 {known}").format(known=_("、").join(known) or "—")
    return unknown(_("变体"), () if variant is None else (variant,), known, wanted)
