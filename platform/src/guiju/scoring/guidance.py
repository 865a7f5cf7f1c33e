"""What the notice in force asks of the occasions that an organization records.

A recorder is told before submitting what a finding would otherwise tell afterwards: which
kinds are asked for, and of each kind which contents, topics, papers and steps, with clauses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from guiju.db.session import AnySession
from guiju.organizations.portrait import Portrait
from guiju.rules import engine, periods
from guiju.rules.engine import Rule
from guiju.rules.pack import Pack, Requirement
from guiju.rules.vocabulary import OCCASION_KINDS, Strictness
from guiju.scoring.profiles import enabled_profiles

#: Facts tables that are entered by themselves, the one that decides first: of several that a
#: rule reads, the row that is missing is in this one.
_ENTERED = (
    "disciplinary_steps",
    "dues_bases",
    "dues",
    "training",
    "commitments",
    "terms",
    "vacancies",
    "foundings",
    "inspections",
    "talks",
    "register",
    "appraisals",
    "reports",
    "rectifications",
)
#: Checks of what an occasion's own record shows, whatever else they read.
_OF_THE_RECORD = frozenset({"steps", "documents", "each_person", "items", "order"})
#: Checks that ask for an occasion without counting those of a period.
_HELD = frozenset({"life_cycle", "birthdays", "joint"})
#: Checks of how a branch is made up, which the roster and the tree show.
_OF_THE_ROSTER = frozenset({"structure", "headship", "standing", "member_states"})
#: Checks of what is decided for a whole part of the tree.
_OF_THE_TREE = frozenset({"scheme", "layout", "single_unit", "response", "forbidden_settings"})

#: Wordings so weak that nothing is asked by them.
_NOT_ASKED = {Strictness.MAY, Strictness.PRINCIPLE}


@dataclass(frozen=True)
class Asked:
    """A code that some clause names; ``open`` where the list is one of examples."""

    code: str
    clause: str
    strictness: str
    open: bool = False


@dataclass(frozen=True)
class Steps:
    """Steps by when they belong: before the occasion, on its day, after it, or at any time."""

    before: Sequence[Asked] = ()
    on_day: Sequence[Asked] = ()
    after: Sequence[Asked] = ()
    any_time: Sequence[Asked] = ()


@dataclass(frozen=True)
class Wanted:
    """What is asked of an occasion of some kinds; columns of the occasion are in ``fields``."""

    components: Sequence[Asked] = ()
    topics: Sequence[Asked] = ()
    documents: Sequence[Asked] = ()
    fields: Sequence[Asked] = ()
    steps: Steps = Steps()


@dataclass(frozen=True)
class Place:
    """Where what a requirement lacks is recorded.

    ``where`` is ``occasion`` (a new record of one of ``kinds``), ``record`` (what is there of
    ``kinds`` is completed), ``entry`` (a row of ``table``), ``roster`` (members and posts),
    ``tree`` (the department keeps it) or ``person`` (somebody decides).
    """

    where: str
    kinds: Sequence[str] = ()
    table: str | None = None


@dataclass(frozen=True)
class Guidance:
    """The rules of one profile that reach one organization on a day."""

    pack: Pack | None
    rules: Sequence[Rule] = ()
    #: Kinds of occasions that some rule is about, in order of the pack.
    kinds: Sequence[str] = field(default_factory=list)

    @cached_property
    def _by_part(self) -> Mapping[tuple[str, str | None], Rule]:
        """The first rule of each part of a requirement."""
        return {(rule.id, rule.part.id): rule for rule in reversed(self.rules)}

    def kinds_for(self, requirement: str, part: str | None = None) -> Sequence[str]:
        """The kinds of which recording an occasion answers a requirement; mostly one.

        Empty where the requirement is not about having held something: what a single
        occasion lacks is put right in its own record.
        """
        rule = self._by_part.get((requirement, part))
        return tuple(_kinds(rule)) if rule is not None and rule.parameters.get("per") else ()

    def place_of(self, requirement: str, part: str | None = None) -> Place:
        """Where what a requirement of the profile lacks is recorded."""
        rule = self._by_part.get((requirement, part))
        return Place("person") if rule is None else place_of(rule)

    def wanted(self, kinds: Collection[str]) -> Wanted:
        """What is asked of an occasion that is of all these kinds."""
        return Wanted(
            components=_gathered(self._components(kinds)),
            topics=_gathered(self._topics(kinds)),
            documents=_gathered(self._listed(kinds, "documents", "one_of")),
            fields=_gathered(self._listed(kinds, "fields_")),
            steps=Steps(
                *(
                    _gathered(self._listed(kinds, when))
                    for when in ("before", "on_day", "after", "at_any_time")
                )
            ),
        )

    def requirement(self, id_: str) -> Requirement | None:
        """The requirement of this id; None where the profile does not have it."""
        return None if self.pack is None else self.pack.by_id.get(id_)

    def _about(self, kinds: Collection[str], *checks: str) -> Iterator[Rule]:
        for rule in self.rules:
            if checks and rule.check.name not in checks:
                continue
            if set(_kinds(rule)) & set(kinds):
                yield rule

    def _components(self, kinds: Collection[str]) -> Iterator[Asked]:
        for rule in self._about(kinds, "components"):
            # What a year's occasions have to hold together, none has to hold alone.
            together = rule.parameters["per"] in {"half", "year"}
            yield from _codes(rule, rule.parameters["all_"], open_=together)
            yield from _codes(rule, rule.parameters["menu"], open_=True)

    def _topics(self, kinds: Collection[str]) -> Iterator[Asked]:
        for rule in self._about(kinds, "agenda"):
            listed = rule.parameters["topics"]
            yield from _codes(rule, listed, open_=rule.parameters["require"] == "any")

    def _listed(self, kinds: Collection[str], *names: str) -> Iterator[Asked]:
        for rule in self._about(kinds, "steps", "documents", "fields"):
            if rule.strictness not in _NOT_ASKED:
                for name in names:
                    listed = rule.parameters.get(name) or ()
                    yield from _codes(rule, listed, open_=name == "one_of")


def place_of(rule: Rule) -> Place:
    """Where what a rule finds lacking is recorded."""
    kinds = tuple(_kinds(rule))
    if kinds and (rule.parameters.get("per") or rule.check.name in _HELD):
        return Place("occasion", kinds)
    read = {table for table, _column in rule.check.reads(rule.parameters)}
    if rule.check.name in _OF_THE_RECORD and "occasions" in read:
        return Place("record", kinds)
    table = next((name for name in _ENTERED if name in read), None)
    if table is not None and rule.check.name != "structure":
        return Place("entry", kinds, table)
    if rule.check.name in _OF_THE_ROSTER:
        return Place("roster")
    if rule.check.name in _OF_THE_TREE:
        return Place("tree")
    if "documents" in read and not kinds:
        return Place("entry", (), "documents")
    return Place("record", kinds) if "occasions" in read else Place("person")


def guidance(session: AnySession, packs: Mapping[str, Pack], unit: Portrait, on: date) -> Guidance:
    """What holds for ``unit`` on a day; nothing is asked where no profile is enabled."""
    pack = packs.get(unit.profile or "")
    line = {place.organization_id for place in [*unit.superiors, unit.place]}
    chosen = [
        enabled.choices
        for enabled in enabled_profiles(session, packs)
        if enabled.profile == unit.profile and enabled.organization_id in line
    ]
    if pack is None or not chosen:
        return Guidance(None)
    day = periods.day(on)
    rules = [
        rule
        for rule in engine.compile_rules(pack, chosen[-1])
        if rule.valid_from <= day <= rule.valid_until and _reaches(rule.requirement, unit, pack)
    ]
    kinds = dict.fromkeys(kind for rule in rules for kind in _kinds(rule))
    return Guidance(pack, rules, list(kinds))


def _reaches(requirement: Requirement, unit: Portrait, pack: Pack) -> bool:
    """Whether a requirement binds such an organization; states of a day are not asked here."""
    who = requirement.applies_to
    if who.kinds and unit.place.kind not in who.kinds:
        # What a group has to do, its branch may record.
        return "party_group" in who.kinds and unit.place.kind != "party_group"
    if who.sectors and unit.sector not in who.sectors:
        return False
    if not pack.variants or who.scope != "variants":
        return True
    variant = pack.variant_of(unit.sector)
    return variant is not None and (not who.variants or variant.id in who.variants)


def _kinds(rule: Rule) -> Sequence[str]:
    """The kinds of occasions that a rule names; none where its kinds are of something else."""
    about = rule.check.schema.vocabulary_of("kinds", rule.parameters)
    return (rule.parameters.get("kinds") or ()) if about == OCCASION_KINDS.name else ()


def _codes(rule: Rule, listed: Iterable[str], *, open_: bool = False) -> Iterator[Asked]:
    for code in listed:
        yield Asked(code, rule.citation.clause, str(rule.strictness), open_)


def _gathered(found: Iterable[Asked]) -> list[Asked]:
    """Each code once, as the first clause says it that asks for it outright; those first."""
    kept: dict[str, Asked] = {}
    for asked in found:
        known = kept.get(asked.code)
        if known is None or (known.open and not asked.open):
            kept[asked.code] = asked
    return sorted(kept.values(), key=lambda asked: asked.open)
