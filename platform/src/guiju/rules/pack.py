"""A pack: one notice as data, ready to be judged by.

These are plain values.  :mod:`guiju.rules.loader` reads them from ``pack.toml`` and
refuses what is wrong; nothing here knows of files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from guiju.rules.problems import BadInput, Problem
from guiju.rules.recent import Recent
from guiju.rules.vocabulary import Automation, Strictness, Verdict

Parameters = Mapping[str, Any]

#: No setting is a greater number: days are added to dates.
MOST: Final = 1_000_000


@dataclass(frozen=True)
class Citation:
    """Where a requirement stands: document number and clause."""

    document: str
    clause: str


@dataclass(frozen=True)
class AppliesTo:
    """Which organizations a requirement binds; empty means no restriction.

    ``scope`` is ``variants`` (only organizations whose sector has a variant in this
    pack) or ``main`` (every sector); ``conditions`` names states such as
    ``has_committee`` that must hold in the period or on the day judged.
    """

    kinds: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    scope: str = "variants"
    conditions: tuple[str, ...] = ()

    @cached_property
    def _hash(self) -> int:
        return hash((self.kinds, self.sectors, self.variants, self.scope, self.conditions))

    def __hash__(self) -> int:
        # Asked for hundreds of times while one organization is judged.
        return self._hash


@dataclass(frozen=True)
class Version:
    """What a requirement says from one day to another, both included.

    ``transition`` decides periods that cross ``from_on``: ``new`` judges them by this
    version, ``old`` by the one before, None where no period crosses.
    """

    from_on: date
    until_on: date | None
    parameters: Parameters
    strictness: Strictness
    citation: Citation
    repealed: bool = False
    transition: str | None = None


@dataclass(frozen=True)
class Part:
    """What is judged as one: a whole requirement, or one of its two strictness codes."""

    id: str | None
    check: str | None
    shortfall: Verdict | None
    versions: tuple[Version, ...]
    title: str | None = None


@dataclass(frozen=True)
class Requirement:
    """One statement of the notice, by the id of the catalogue."""

    id: str
    kind: str
    title: str
    clause: str
    automation: Automation
    reason: str | None
    applies_to: AppliesTo
    parts: tuple[Part, ...]
    matter: str
    remedy: str | None = None

    @property
    def strictness(self) -> Strictness:
        """Strictness of the first part as first in force."""
        return self.parts[0].versions[0].strictness


@dataclass(frozen=True)
class Option:
    """One way to read an ambiguous text; ``sets`` patches parameters by requirement id."""

    value: str
    title: str
    sets: Mapping[str, Parameters]


@dataclass(frozen=True)
class Reading:
    """An ambiguity with its default and the other defensible readings.

    ``convention`` is the id of the convention that it is an instance of.  A reading common
    to all notices patches nothing by requirement: ``borne_by`` are the parts (requirement
    and part id) that it bears on, in each of which it is a parameter of its own name.
    """

    id: str
    title: str
    default: str
    options: tuple[Option, ...]
    trap: str | None = None
    convention: str | None = None
    borne_by: tuple[tuple[str, str | None], ...] = ()

    @cached_property
    def affects(self) -> tuple[str, ...]:
        """Ids of the requirements that some option patches."""
        own = (name for option in self.options for name in option.sets)
        return tuple(dict.fromkeys([*own, *(name for name, _part in self.borne_by)]))

    def bears_on(self, requirement: str, part: str | None) -> bool:
        """Whether it matters for a part of a requirement."""
        if self.borne_by:
            return (requirement, part) in self.borne_by
        return requirement in self.affects

    def option(self, value: str) -> Option:
        for option in self.options:
            if option.value == value:
                return option
        raise KeyError(value)


@dataclass(frozen=True)
class Setting:
    """A number or choice that the notice leaves to the tenant.

    ``type`` is ``integer``, ``flag``, ``choice``, ``text`` or ``organization`` (the id of one).
    """

    id: str
    title: str
    type: str
    default: Any
    choices: tuple[str, ...] = ()
    #: Greatest value of an integer, where the notice sets a bound to the choice.
    max: int | None = None
    sets: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    #: Id of the convention that leaves this to the tenant.
    convention: str | None = None


@dataclass(frozen=True)
class Forbidden:
    """A configuration that the notice forbids, such as a quota of unqualified members."""

    setting: str
    requirement: str
    message: str


@dataclass(frozen=True)
class Scale:
    """Ordered grades (best first) for one kind of subject."""

    id: str
    subject: str
    grades: tuple[str, ...]
    requirement: str
    decided_by: str | None = None


@dataclass(frozen=True)
class Variant:
    """A part of the jurisdiction with rules of its own, chosen by sector."""

    id: str
    title: str
    sectors: tuple[str, ...]


@dataclass(frozen=True)
class Pack:
    """Everything one notice asks, with its readings, scales and settings."""

    id: str
    title: str
    issuer: str
    document: str
    issued_on: date
    checked_on: date
    requirements: tuple[Requirement, ...]
    variants: tuple[Variant, ...] = ()
    readings: tuple[Reading, ...] = ()
    settings: tuple[Setting, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    scales: tuple[Scale, ...] = ()
    valid_until: date | None = None
    superseded_by: str | None = None
    note: str | None = None
    vocabularies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def programs(self) -> Recent[Any]:
        """What to judge by under a choice of readings, as the engine compiled it."""
        # A third of a megabyte where a tenant's settings are its own.
        return Recent(64)

    @cached_property
    def compiled(self) -> Recent[Any]:
        """The rules under a choice of readings, without those of other readings."""
        return Recent(64)

    @cached_property
    def compiled_parts(self) -> Recent[Any]:
        """The rules of a requirement's part, shared by all choices that judge it alike."""
        # One choice has up to 300, those of its other readings included.
        return Recent(4096)

    @cached_property
    def by_id(self) -> Mapping[str, Requirement]:
        return {requirement.id: requirement for requirement in self.requirements}

    def variant_of(self, sector: str | None) -> Variant | None:
        """The variant that a sector belongs to, if any."""
        for variant in self.variants:
            if sector in variant.sectors:
                return variant
        return None

    @cached_property
    def choosable(self) -> frozenset[str]:
        """Names of readings and settings, those that the notice forbids to set included."""
        return frozenset(
            [
                *(reading.id for reading in self.readings),
                *(setting.id for setting in self.settings),
                *(entry.setting for entry in self.forbidden),
            ]
        )

    def choices(
        self, chosen: Mapping[str, str], places: Mapping[str, str] = MappingProxyType({})
    ) -> Choices:
        """The tenant's readings and settings, checked; ``places`` is where each was chosen.

        Raises BadInput naming every unknown name, impossible value and forbidden
        configuration.
        """
        return Choices.check(self, chosen, places)

    def strangers(
        self,
        chosen: Mapping[str, str],
        organizations: Collection[str],
        places: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Problem]:
        """Settings that name an organization which is not among ``organizations`` (ids)."""
        return [
            Problem(
                places.get(setting.id, f"设置 {setting.id}"),
                f"取值 {chosen[setting.id]}",
                "没有这个编号的组织",
                "unknown",
            )
            for setting in self.settings
            if setting.type == "organization"
            and chosen.get(setting.id)
            and chosen[setting.id] not in organizations
        ]


@dataclass(frozen=True)
class Choices:
    """Readings and settings as the tenant has them, defaults filled in."""

    readings: Mapping[str, str]
    settings: Mapping[str, Any]

    @classmethod
    def check(cls, pack: Pack, chosen: Mapping[str, str], places: Mapping[str, str]) -> Choices:
        readings = {reading.id: reading.default for reading in pack.readings}
        settings = {setting.id: setting.default for setting in pack.settings}
        known_settings = {setting.id: setting for setting in pack.settings}
        known_readings = {reading.id: reading for reading in pack.readings}
        forbidden = {entry.setting: entry for entry in pack.forbidden}
        problems: list[Problem] = []
        for name, value in chosen.items():
            place = places.get(name, f"设置 {name}")
            if name in forbidden:
                entry = forbidden[name]
                clause = pack.by_id[entry.requirement].clause
                problems.append(
                    Problem(
                        place,
                        f"取值 {value}",
                        f"{entry.message}（{pack.document} {clause}）",
                        "forbidden",
                    )
                )
            elif name in known_readings:
                values = [option.value for option in known_readings[name].options]
                if value in values:
                    readings[name] = value
                else:
                    problems.append(Problem(place, f"取值 {value}", f"应为 {_either(values)}"))
            elif name in known_settings:
                try:
                    settings[name] = _value(known_settings[name], value)
                except ValueError as error:
                    problems.append(Problem(place, f"取值 {value}", str(error)))
            else:
                wanted = _either([*known_readings, *known_settings]) or "本规则包没有可选设置"
                found = f"没有“{name}”这项设置"
                problems.append(Problem(place, found, f"可用的有 {wanted}", "unknown"))
        if problems:
            raise BadInput(problems)
        return cls(readings, settings)


def _either(values: Sequence[str]) -> str:
    return "、".join(values)


def _value(setting: Setting, text: str) -> Any:
    if setting.type == "integer":
        most = MOST if setting.max is None else setting.max
        if not re.fullmatch("[0-9]{1,12}", text.strip()):
            raise ValueError("应为不小于 0 的整数")
        if int(text) > most:
            raise ValueError(f"应不大于 {most}")
        return int(text)
    if setting.type == "flag":
        if text in {"true", "是"}:
            return True
        if text in {"false", "否"}:
            return False
        raise ValueError("应为 是 或 否")
    if setting.type == "choice" and text not in setting.choices:
        raise ValueError(f"应为 {_either(setting.choices)}")
    return text
