"""Packs as reading matter: what a profile asks on a day, and how two profiles differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from guiju.rules import conventions as common
from guiju.rules.pack import Pack, Part, Requirement, Version
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import Automation, Strictness


def summary(pack: Pack) -> dict[str, Any]:
    """One line about a profile, with the number of statements by automation."""
    counted = dict.fromkeys((str(kind) for kind in Automation), 0)
    for requirement in pack.requirements:
        counted[str(requirement.automation)] += 1
    return {
        "id": pack.id,
        "title": pack.title,
        "issuer": pack.issuer,
        "document": pack.document,
        "in_force_from": pack.issued_on.isoformat(),
        "variants": [variant.id for variant in pack.variants],
        "statements": {"total": len(pack.requirements), **counted},
    }


def in_force(part: Part, as_of: date) -> Version | None:
    """The version of a part that holds on a day; None before, after, or once repealed."""
    for version in reversed(part.versions):
        if version.from_on <= as_of:
            ended = version.until_on is not None and version.until_on < as_of
            return None if version.repealed or ended else version
    return None


def status(part: Part, as_of: date) -> str:
    """``in_force``, ``not_yet``, ``repealed`` or ``expired`` on a day: never just nothing."""
    begun = [version for version in part.versions if version.from_on <= as_of]
    if not begun:
        return "not_yet"
    if begun[-1].repealed:
        return "repealed"
    return "in_force" if in_force(part, as_of) else "expired"


def reaches(requirement: Requirement, variant: str | None) -> bool:
    """Whether a requirement belongs to a variant (None: to any)."""
    who = requirement.applies_to
    if variant is None or who.scope == "main":
        return True
    return not who.variants or variant in who.variants


def requirements(
    pack: Pack, variant: str | None = None, as_of: date | None = None
) -> list[dict[str, Any]]:
    """Every requirement with its parts as they stand on a day (default: the first in force)."""
    rows = []
    for requirement in pack.requirements:
        if not reaches(requirement, variant):
            continue
        for part in requirement.parts:
            version = part.versions[0] if as_of is None else in_force(part, as_of)
            if version is None:
                continue
            rows.append(
                {
                    "id": requirement.id,
                    "part": part.id,
                    "kind": requirement.kind,
                    "title": part.title or requirement.title,
                    "clause": version.citation.clause,
                    "document": version.citation.document,
                    "strictness": str(version.strictness),
                    "automation": str(requirement.automation),
                    "check": part.check,
                    "parameters": dict(version.parameters),
                    "from": version.from_on.isoformat(),
                    "until": None if version.until_on is None else version.until_on.isoformat(),
                    "reason": requirement.reason,
                }
            )
    return rows


def readings(pack: Pack) -> list[dict[str, Any]]:
    """Every reading with its default, its options and the requirements it touches."""
    return [
        {
            "id": reading.id,
            "title": reading.title,
            "trap": reading.trap,
            "convention": reading.convention,
            "common": bool(reading.borne_by),
            "default": reading.default,
            "options": [{"value": o.value, "title": o.title} for o in reading.options],
            "affects": list(reading.affects),
        }
        for reading in pack.readings
    ]


def conventions(pack: Pack) -> list[dict[str, Any]]:
    """How the notice is read where it does not say, and what may be chosen instead.

    A convention without readings or settings leaves nothing to choose in this notice.
    """
    return [
        {
            "id": convention.id,
            "title": convention.title,
            "says": convention.says,
            "principle": convention.principle,
            "readings": [r.id for r in pack.readings if r.convention == convention.id],
            "settings": [s.id for s in pack.settings if s.convention == convention.id],
            "tenant_setting": convention.tenant_setting,
        }
        for convention in common.conventions()
    ]


def settings(pack: Pack) -> list[dict[str, Any]]:
    """Every setting that the notice leaves to the tenant, and what it forbids to set."""
    found: list[dict[str, Any]] = [
        {
            "id": setting.id,
            "title": setting.title,
            "type": setting.type,
            "default": setting.default,
            "choices": list(setting.choices),
            "note": setting.note,
            "convention": setting.convention,
        }
        for setting in pack.settings
    ]
    found += [
        {"id": entry.setting, "forbidden_by": entry.requirement, "title": entry.message}
        for entry in pack.forbidden
    ]
    return found


def scales(pack: Pack) -> list[dict[str, Any]]:
    """Every scale, grades best first."""
    return [
        {
            "id": scale.id,
            "subject": scale.subject,
            "grades": list(scale.grades),
            "requirement": scale.requirement,
            "decided_by": scale.decided_by,
        }
        for scale in pack.scales
    ]


def coverage(pack: Pack, summaries: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row for each statement of the notice: how it is checked, or why it is not.

    ``summaries`` gives, by check name, what that shape compares.
    """
    return [
        {
            "id": requirement.id,
            "clause": requirement.clause,
            "automation": str(requirement.automation),
            "how": "；".join(
                dict.fromkeys(summaries[part.check] for part in requirement.parts if part.check)
            )
            or None,
            "reason": requirement.reason,
        }
        for requirement in pack.requirements
    ]


# -- two notices side by side ------------------------------------------------------

#: How firmly each strictness binds; a number and "must" bind alike.
_FIRMNESS = {
    Strictness.HARD: 3,
    Strictness.BARE: 3,
    Strictness.DUTY: 2,
    Strictness.GENERAL: 1,
    Strictness.MAY: 0,
    Strictness.PRINCIPLE: 0,
}


#: Checks that ask for so many in a period, by the same parameters.
_FREQUENCIES = {"count", "spacing"}


@dataclass(frozen=True)
class _Side:
    requirement: Requirement
    part: Part
    version: Version

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.requirement.id,
            "part": self.part.id,
            "title": self.part.title or self.requirement.title,
            "clause": self.version.citation.clause,
            "strictness": str(self.version.strictness),
            "parameters": dict(self.version.parameters),
        }


def diff(a: Pack, b: Pack, as_of: date | None = None) -> list[dict[str, Any]]:
    """The two notices by subject matter.

    ``relation`` says what ``a`` is compared with ``b``: same, tighter, looser, only_a,
    only_b or not_comparable.
    """
    left, right = _by_matter(a, as_of), _by_matter(b, as_of)
    rows = []
    for matter in sorted({*left, *right}):
        ones, others = left.get(matter, []), right.get(matter, [])
        rows.append(
            {
                "matter": matter,
                "relation": _relation(ones, others),
                "a": [side.as_dict() for side in ones],
                "b": [side.as_dict() for side in others],
            }
        )
    return rows


def _by_matter(pack: Pack, as_of: date | None) -> dict[str, list[_Side]]:
    found: dict[str, list[_Side]] = {}
    for requirement in pack.requirements:
        for part in requirement.parts:
            version = part.versions[0] if as_of is None else in_force(part, as_of)
            if version is not None:
                found.setdefault(requirement.matter, []).append(_Side(requirement, part, version))
    return found


def _relation(ones: list[_Side], others: list[_Side]) -> str:
    if not others:
        return "only_a"
    if not ones:
        return "only_b"
    if len(ones) != 1 or len(others) != 1:
        return "same" if _alike(ones, others) else "not_comparable"
    one, other = ones[0], others[0]
    firmer = _FIRMNESS[one.version.strictness] - _FIRMNESS[other.version.strictness]
    more = _more(one, other)
    if more is None:
        return "not_comparable"
    signs = {_sign(firmer), _sign(more)} - {0}
    if not signs:
        return "same"
    if len(signs) == 2:
        return "not_comparable"
    return "tighter" if signs == {1} else "looser"


def _alike(ones: Iterable[_Side], others: Iterable[_Side]) -> bool:
    def key(side: _Side) -> tuple[str | None, str, str]:
        return (side.part.check, repr(side.version.parameters), str(side.version.strictness))

    return sorted(map(repr, map(key, ones))) == sorted(map(repr, map(key, others)))


def _more(one: _Side, other: _Side) -> int | None:
    """How much more often ``one`` asks for it; 0 alike, None where they cannot be compared."""
    mine, theirs = dict(one.version.parameters), dict(other.version.parameters)
    if one.part.check == other.part.check and mine == theirs:
        return 0
    if not {one.part.check, other.part.check} <= _FREQUENCIES:
        return None
    keys = {"per", "min"}
    rest = [{k: v for k, v in side.items() if k not in keys} for side in (mine, theirs)]
    if rest[0] != rest[1]:
        return None
    # Per year, and spread: four in a year ask less than one in each quarter.
    yearly = [
        int(side.get("min", 1)) * 12 // Unit.named(side["per"]).value for side in (mine, theirs)
    ]
    spread = [-Unit.named(side["per"]).value for side in (mine, theirs)]
    order = (_sign(yearly[0] - yearly[1]), _sign(spread[0] - spread[1]))
    if 1 in order and -1 in order:
        return None
    return sum(order)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
