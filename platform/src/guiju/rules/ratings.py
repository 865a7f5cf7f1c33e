"""A proposed allocation of grades, checked before anybody decides.

Guiju explains what an allocation may look like ("2 of 13 exceeds 15 %: at most 1").  It
never ranks people to fill a cap, and zero is always allowed.  Numbers are compared as
integers, without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guiju.rules.checks.cap import DENOMINATORS, largest
from guiju.rules.engine import Rule, compile_rules
from guiju.rules.pack import Choices, Pack, Scale
from guiju.rules.vocabulary import Verdict


@dataclass(frozen=True)
class Entry:
    """One proposed grade: whose it is, and what decides whether there may be one.

    ``grade`` is None for those who take part without one; ``exempt`` are those whom the
    notice lets stay out of the review.
    """

    subject: str
    grade: str | None
    membership_class: str | None = None
    exempt: bool = False


@dataclass(frozen=True)
class Limit:
    """A cap applied: how many have the grade, of how many, and the most there may be."""

    requirement: str
    clause: str
    grade: str
    count: int
    of: int
    denominator: str
    most: int
    verdict: Verdict
    message: str


@dataclass(frozen=True)
class Objection:
    """A grade that one subject may not have, with the requirement that says so."""

    subject: str
    requirement: str
    verdict: Verdict
    message: str


@dataclass(frozen=True)
class Review:
    """What there is to say about a proposed allocation."""

    limits: tuple[Limit, ...]
    objections: tuple[Objection, ...]

    @property
    def acceptable(self) -> bool:
        """Nothing is against the notice; deviations from 一般 still want a reason."""
        return not self.objections and all(
            limit.verdict is not Verdict.NOT_MET for limit in self.limits
        )


def denominators(pack: Pack, scale: Scale, choices: Choices) -> tuple[str, ...]:
    """The numbers that :func:`check` needs for a scale, by name (without ``rated``)."""
    found = (rule.parameters["denominator"] for rule in _rules(pack, scale, choices, "cap"))
    return tuple(dict.fromkeys(name for name in found if name != "rated"))


def check(
    pack: Pack,
    scale: Scale,
    entries: Sequence[Entry],
    numbers: Mapping[str, int],
    choices: Choices | None = None,
) -> Review:
    """Check proposed grades against a scale and its caps, as the tenant reads the notice.

    ``numbers`` gives the denominators named by :func:`denominators`, each counted on the
    day of the review.  Raises KeyError if one is missing.
    """
    chosen = pack.choices({}) if choices is None else choices
    objections = [
        objection
        for rule in _rules(pack, scale, chosen, "scale")
        for objection in _outside(rule, entries)
    ]
    if scale.subject == "member":
        for rule in _rules(pack, scale, chosen, "ungraded"):
            objections += _ungraded(rule, entries)
    rated = sum(1 for entry in entries if entry.grade is not None)
    known = {**numbers, "rated": rated}
    limits = [_limit(rule, entries, known) for rule in _rules(pack, scale, chosen, "cap")]
    return Review(tuple(limits), tuple(objections))


def _rules(pack: Pack, scale: Scale, choices: Choices, check: str) -> list[Rule]:
    """The rules of one shape that are about the subject of a scale."""
    return [
        rule
        for rule in compile_rules(pack, choices)
        if rule.check.name == check and rule.parameters.get("subject", "member") == scale.subject
    ]


def _outside(rule: Rule, entries: Sequence[Entry]) -> list[Objection]:
    grades = rule.parameters["grades"]
    if rule.parameters["open"]:
        return []
    allowed = "、".join(f"“{grade}”" for grade in grades)
    return [
        Objection(
            entry.subject,
            rule.id,
            rule.shortfall,
            f"等次“{entry.grade}”不在规定的{allowed}之中。",
        )
        for entry in entries
        if entry.grade is not None and entry.grade not in grades
    ]


def _ungraded(rule: Rule, entries: Sequence[Entry]) -> list[Objection]:
    classes = rule.parameters["classes"]
    return [
        Objection(entry.subject, rule.id, rule.shortfall, "参加评议，但不评定等次。")
        for entry in entries
        if entry.grade is not None and entry.membership_class in classes
    ]


def _limit(rule: Rule, entries: Sequence[Entry], numbers: Mapping[str, int]) -> Limit:
    grade, name = rule.parameters["grade"], rule.parameters["denominator"]
    count = sum(1 for entry in entries if entry.grade == grade)
    of = numbers[name]
    most = int(largest(rule.parameters["ratio"], of))
    within = count <= most
    noun = DENOMINATORS[name][0]
    said = f"“{grade}”{count} 个，{noun} {of}，最多 {most} 个"
    if within:
        message = f"{said}，没有超出。"
    else:
        message = f"{said}，超出 {count - most} 个。"
        if rule.shortfall is Verdict.DEVIATION:
            message += "这是一般要求，须说明理由。"
    return Limit(
        requirement=rule.id,
        clause=rule.citation.clause,
        grade=grade,
        count=count,
        of=of,
        denominator=name,
        most=most,
        verdict=Verdict.MET if within else rule.shortfall,
        message=message,
    )
