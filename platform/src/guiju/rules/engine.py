"""Judge facts by a pack, as of a day: pure, in columns, every argument explicit.

``evaluate`` turns (pack, facts, as_of, choices) into findings.  Rules of one shape are
judged together by one kernel; another reading is judged only for the rules it
touches, from the same shared intermediates, and kept where the verdict differs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from guiju.rules import calendars, doubts, findings, periods
from guiju.rules.arrays import among
from guiju.rules.calendars import Calendar
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE, SHORTFALLS, Check, Footprint
from guiju.rules.context import CONDITION_READS, Context
from guiju.rules.facts import Facts
from guiju.rules.findings import Block, Findings, Other
from guiju.rules.pack import (
    Choices,
    Citation,
    Pack,
    Parameters,
    Part,
    Requirement,
    Version,
)
from guiju.rules.periods import FIRST_DAY, LAST_DAY, NULL_DAY
from guiju.rules.recent import Recent
from guiju.rules.registry import CHECKS
from guiju.rules.vocabulary import Strictness, Verdict


@dataclass(frozen=True)
class Rule:
    """One part of a requirement in one version, under one set of readings."""

    requirement: Requirement
    part: Part
    version: Version
    check: Check
    parameters: Parameters
    strictness: Strictness
    shortfall: Verdict
    valid_from: int
    valid_until: int
    first: bool
    keeps_last: bool
    #: Labels of the codes that the pack adds, by vocabulary.
    vocabularies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: The readings that bear on it, each with the option it is judged by.
    readings: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.requirement.id

    @property
    def citation(self) -> Citation:
        return self.version.citation

    @property
    def title(self) -> str:
        return self.part.title or self.requirement.title

    @cached_property
    def shortfall_code(self) -> np.int8:
        """The verdict code of a shortfall."""
        return np.int8(findings.CODE_OF[self.shortfall])


def evaluate(
    pack: Pack,
    facts: Facts,
    as_of: date,
    *,
    choices: Choices | None = None,
    only: Collection[str] | None = None,
    scope: NDArray[np.bool_] | None = None,
    judge_from: date | None = None,
    calendar: Calendar | None = None,
    checks: Mapping[str, Check] = CHECKS,
    alternatives: bool = True,
    not_applicable: bool = True,
    complete_after: int | None = None,
) -> Findings:
    """Findings of ``pack`` about ``facts`` as of a day.

    ``only`` limits the requirements (ids); ``scope`` is a mask over organization codes;
    ``judge_from`` is the first day the tenant is judged from.  Records dated after
    ``as_of`` are not counted.  ``not_applicable`` keeps findings that say a requirement
    does not reach an organization.  ``complete_after`` is how many days after its end a
    month's records count as complete without being attested (None: never).
    """
    context = context_of(
        pack,
        facts,
        as_of,
        choices=choices,
        scope=scope,
        judge_from=judge_from,
        calendar=calendar,
        complete_after=complete_after,
    )
    return judge(
        context, only=only, checks=checks, alternatives=alternatives, not_applicable=not_applicable
    )


def context_of(
    pack: Pack,
    facts: Facts,
    as_of: date,
    *,
    choices: Choices | None = None,
    scope: NDArray[np.bool_] | None = None,
    judge_from: date | None = None,
    calendar: Calendar | None = None,
    complete_after: int | None = None,
) -> Context:
    """What one evaluation works with; the arguments are those of :func:`evaluate`."""
    return Context(
        pack,
        facts,
        periods.day(as_of),
        pack.choices({}) if choices is None else choices,
        calendars.load() if calendar is None else calendar,
        scope,
        FIRST_DAY if judge_from is None else periods.day(judge_from),
        complete_after,
    )


def judge(
    context: Context,
    *,
    only: Collection[str] | None = None,
    checks: Mapping[str, Check] = CHECKS,
    alternatives: bool = True,
    not_applicable: bool = True,
) -> Findings:
    """Findings in a context; the arguments are those of :func:`evaluate`."""
    program = _program(context.pack, context.choices, checks, only)
    blocks = _judge(program.rules, context)
    if not_applicable:
        blocks = _with_silence(program.rules, blocks, context)
    else:
        blocks = [_applicable(block) for block in blocks]
    if alternatives:
        _add_alternatives(program.others, blocks, context)
    blocks = _apply_judgements(blocks, context)
    return Findings(context.facts, blocks, tuple(dict.fromkeys(context.warnings)))


@dataclass(frozen=True)
class _Program:
    """The rules to judge by, in order of the pack, and those under each other option."""

    rules: Sequence[Rule]
    #: By reading and option, for what the reading touches.
    others: Sequence[tuple[str, str, Sequence[Rule]]]


def _program(
    pack: Pack, choices: Choices, checks: Mapping[str, Check], only: Collection[str] | None
) -> _Program:
    """What to judge by under the chosen readings; worked out once for each choice of them."""

    def program() -> _Program:
        rules = compile_rules(pack, choices, checks=checks, only=only)
        return _Program(rules, list(_others(pack, choices, checks, only)))

    if only is not None or checks is not CHECKS:
        return program()
    known: Recent[_Program] = pack.programs
    return known.get(repr(choices), program)


def _others(
    pack: Pack, choices: Choices, checks: Mapping[str, Check], only: Collection[str] | None
) -> Iterator[tuple[str, str, list[Rule]]]:
    """The rules that each reading touches under each option that is not chosen."""
    # What judges by other facts comes last: by then nobody asks for what these have given.
    for reading in sorted(pack.readings, key=lambda reading: reading.id == INCOMPLETE):
        if reading.id == FIRST_PERIOD:
            # Nothing is judged otherwise: what had begun is only shown otherwise.
            continue
        affected = set(reading.affects) if only is None else set(reading.affects) & set(only)
        for option in reading.options:
            if affected and option.value != choices.readings[reading.id]:
                other = replace(choices, readings={**choices.readings, reading.id: option.value})
                rules = compile_rules(pack, other, checks=checks, only=affected)
                yield reading.id, option.value, rules


def compile_rules(
    pack: Pack,
    choices: Choices,
    *,
    checks: Mapping[str, Check] = CHECKS,
    only: Collection[str] | None = None,
) -> list[Rule]:
    """The rules to judge by, in order of the pack, readings applied."""
    if only is not None or checks is not CHECKS:
        return _compiled(pack, choices, checks, only)
    # Pages ask for them, too.
    known: Recent[list[Rule]] = pack.compiled
    return list(known.get(repr(choices), lambda: _compiled(pack, choices, checks, only)))


def _compiled(
    pack: Pack, choices: Choices, checks: Mapping[str, Check], only: Collection[str] | None
) -> list[Rule]:
    settings = repr(sorted(choices.settings.items()))
    # Loading parameters takes longer than judging one organization by them.
    known: Recent[list[Rule]] = pack.compiled_parts if checks is CHECKS else Recent(0)
    found: list[Rule] = []
    for requirement in pack.requirements:
        if only is not None and requirement.id not in only:
            continue
        for part in requirement.parts:
            if part.check is None:
                continue
            chosen = {
                reading.id: choices.readings[reading.id]
                for reading in pack.readings
                if reading.bears_on(requirement.id, part.id)
            }
            key = (requirement.id, part.id, repr(chosen), settings)
            found += known.get(
                key, partial(_rules, pack, requirement, part, checks, chosen, choices)
            )
    return found


def rules_under_all_readings(
    pack: Pack,
    choices: Choices,
    *,
    checks: Mapping[str, Check] = CHECKS,
    only: Collection[str] | None = None,
) -> list[Rule]:
    """The rules by which ``evaluate`` judges, those of other readings included."""
    program = _program(pack, choices, checks, only)
    return [*program.rules, *(rule for _, _, rules in program.others for rule in rules)]


def _patch(pack: Pack, requirement: Requirement, chosen: Mapping[str, str]) -> dict[str, object]:
    """What the readings that bear on a part change in its parameters."""
    found: dict[str, object] = {}
    for reading in pack.readings:
        if reading.id in chosen:
            option = reading.option(chosen[reading.id])
            found |= {reading.id: option.value} if reading.borne_by else {}
            found |= option.sets.get(requirement.id, {})
    return found


def _rules(
    pack: Pack,
    requirement: Requirement,
    part: Part,
    checks: Mapping[str, Check],
    chosen: Mapping[str, str],
    choices: Choices,
) -> list[Rule]:
    """The rules of one part of a requirement, one for each version in force at some time."""
    assert part.check is not None
    check = checks[part.check]
    patch = _patch(pack, requirement, chosen)
    # What these two say is the engine's business, whatever the check.
    for name in (FIRST_PERIOD, INCOMPLETE):
        patch.pop(name, None)
    shortfall = patch.pop("shortfall", part.shortfall)
    found = []
    for number, version in enumerate(part.versions):
        if version.repealed:
            continue
        strictness = Strictness(str(patch.get("strictness", version.strictness)))
        settings = {
            name: choices.settings[str(value)[1:]]
            for name, value in version.parameters.items()
            if isinstance(value, str) and value.startswith("$")
        }
        merged = {**version.parameters, **settings, **patch}
        merged.pop("strictness", None)
        later = part.versions[number + 1 :]
        until = version.until_on or (later[0].from_on - timedelta(days=1) if later else None)
        found.append(
            Rule(
                requirement=requirement,
                part=part,
                version=version,
                check=check,
                parameters=check.schema().load(merged),
                strictness=strictness,
                shortfall=Verdict(str(shortfall)) if shortfall else SHORTFALLS[strictness],
                valid_from=periods.day(version.from_on),
                valid_until=LAST_DAY if until is None else periods.day(until),
                first=number == 0,
                keeps_last=bool(later) and later[0].transition == "old",
                vocabularies=pack.vocabularies,
                readings=chosen,
            )
        )
    return found


def _judge(rules: Sequence[Rule], context: Context) -> list[Block]:
    by_check: dict[tuple[str, bool], list[Rule]] = {}
    for rule in rules:
        # Of a single branch, a third of the rules are about somebody else.
        if context.reaches(rule):
            presumed = rule.readings.get(INCOMPLETE) == "judged"
            by_check.setdefault((rule.check.name, presumed), []).append(rule)
    blocks = [
        _begun(block)
        for (_name, presumed), group in by_check.items()
        for block in group[0].check.judge(group, context.presuming if presumed else context)
        if len(block)
    ]
    return _in_order(rules, blocks)


def _in_order(rules: Sequence[Rule], blocks: Iterable[Block]) -> list[Block]:
    order = {id(rule): number for number, rule in enumerate(rules)}
    return sorted(blocks, key=lambda block: order[id(block.rule)])


def _applicable(block: Block) -> Block:
    keep = block.verdict != findings.NOT_APPLICABLE
    return block if bool(keep.all()) else block.take(keep)


def _with_silence(rules: Sequence[Rule], blocks: list[Block], context: Context) -> list[Block]:
    """Say openly where a requirement does not reach an organization of the kind it is about."""
    silent = []
    for rule in rules:
        kinds = rule.requirement.applies_to.kinds
        about = context.scope & (context.of_kind(kinds) if kinds else True)
        outside = np.flatnonzero(about & ~context.applies(rule)).astype(np.int32)
        if len(outside) and rule.first:
            zero = np.zeros(len(outside), dtype=np.int64)
            silent.append(
                Block(
                    rule=rule,
                    subject_type="organization",
                    subject=outside,
                    organization=context.answerable[outside],
                    verdict=np.full(len(outside), findings.NOT_APPLICABLE, dtype=np.int8),
                    required=zero,
                    observed=zero,
                    evidence=findings.Evidence.none(len(outside)),
                )
            )
    return _in_order(rules, [*blocks, *silent])


# -- the period in which the notice was issued ---------------------------------------


def _begun(block: Block) -> Block:
    """The block with what had begun before the notice said so for information only (D4)."""
    found = _issue_period(block)
    if found is None:
        return block
    period, starts = found
    if starts[block.rule.readings[FIRST_PERIOD]] > period:
        early = (block.period == period) & (block.verdict != findings.NOT_APPLICABLE)
        block.judged = block.verdict
        block.verdict = np.where(early, findings.NOT_APPLICABLE, block.verdict).astype(np.int8)
        note = np.zeros(len(block), np.int8) if block.note is None else block.note
        block.note = (note | np.where(early, findings.EARLY, 0)).astype(np.int8)
    return block


def _if_begun(block: Block) -> Iterator[Other]:
    """The verdicts on the period in which the notice was issued, under the other options."""
    found = _issue_period(block)
    if found is None:
        return
    period, starts = found
    judged = block.verdict if block.judged is None else block.judged
    rows = np.flatnonzero((block.period == period) & (judged != findings.NOT_APPLICABLE))
    silent = np.full(len(rows), findings.NOT_APPLICABLE, dtype=np.int8)
    chosen = starts[block.rule.readings[FIRST_PERIOD]] > period
    for option, start in starts.items():
        if len(rows) and (start > period) != chosen:
            yield Other(FIRST_PERIOD, option, rows, silent if start > period else judged[rows])


def _issue_period(block: Block) -> tuple[int, Mapping[str, int]] | None:
    """The period in which the rule began, and the first one judged by each option of D4.

    None where every option judges the same.
    """
    rule = block.rule
    if FIRST_PERIOD not in rule.readings or block.unit is None or not rule.first:
        return None
    starts = periods.first_judged(rule.valid_from, block.unit)
    period = starts["touching"]
    return None if starts["whole"] == period else (period, starts)


# -- other readings --------------------------------------------------------------


def _add_alternatives(
    others: Iterable[tuple[str, str, Sequence[Rule]]],
    blocks: Sequence[Block],
    context: Context,
) -> None:
    """Judge what each reading touches under its other options, one at a time."""
    by_id: dict[str, list[Block]] = {}
    for block in blocks:
        by_id.setdefault(block.rule.id, []).append(block)
    for reading, option, rules in others:
        touched = [
            rule
            for rule in rules
            if any(doubts.of(reading, block, context) for block in by_id.get(rule.id, ()))
        ]
        if touched and reading == INCOMPLETE:
            context.forget()
        # Shape by shape: the blocks of all of them at once are as large as those there are.
        for group in _by_check(touched):
            ids = dict.fromkeys(rule.id for rule in group)
            mine = [block for id_ in ids for block in by_id[id_]]
            for block, other in _paired(mine, _judge(group, context)):
                rows, verdicts = _differences(block, other)
                if len(rows):
                    block.others.append(Other(reading, option, rows, verdicts))
    for block in blocks:
        block.others += _if_begun(block)


def _by_check(rules: Iterable[Rule]) -> Iterable[list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.check.name, []).append(rule)
    return found.values()


def _paired(blocks: Sequence[Block], others: Sequence[Block]) -> Iterable[tuple[Block, Block]]:
    def key(block: Block) -> tuple[object, ...]:
        rule = block.rule
        return (rule.id, rule.part.id, rule.valid_from, block.subject_type, block.unit)

    by_key = {key(block): block for block in others}
    for block in blocks:
        other = by_key.get(key(block))
        if other is not None:
            yield block, other


def _differences(block: Block, other: Block) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Rows of ``block`` whose verdict ``other`` gives differently, and that verdict."""
    mine, theirs = _row_keys(block), _row_keys(other)
    if np.array_equal(mine, theirs):
        rows = np.flatnonzero(block.verdict != other.verdict)
        return rows, other.verdict[rows]
    order = np.argsort(theirs, kind="stable")
    place = np.minimum(np.searchsorted(theirs[order], mine), len(theirs) - 1)
    found = theirs[order][place] == mine
    verdict = np.where(found, other.verdict[order][place], findings.NOT_APPLICABLE).astype(np.int8)
    rows = np.flatnonzero(verdict != block.verdict)
    return rows, verdict[rows]


def _row_keys(block: Block) -> NDArray[np.int64]:
    period = np.zeros(len(block), dtype=np.int64) if block.period is None else block.period
    organization = block.organization.astype(np.int64)
    return (organization << 42) ^ (block.subject.astype(np.int64) << 12) ^ period


# -- decisions of people ----------------------------------------------------------

#: Verdicts that a recorded judgement may settle.
_OPEN = np.array(
    [findings.NEEDS_JUDGEMENT, findings.ACTION_DUE, findings.NO_DATA, findings.PENDING],
    dtype=np.int8,
)


def _apply_judgements(blocks: list[Block], context: Context) -> list[Block]:
    """Let recorded judgements settle what records left open; computed results stand."""
    rows = context.facts["judgements"]
    if not len(rows):
        return blocks
    codes = context.facts.codes("judged_verdict")
    decided: dict[tuple[object, ...], Verdict] = {}
    columns = ("requirement", "part", "subject_type", "subject", "period")
    cases = (
        owner if kind == findings.CASE else None
        for kind, owner in zip(
            rows.strings("subject_type"), rows.strings("organization"), strict=True
        )
    )
    keys = zip(*(rows.strings(column) for column in columns), cases, strict=True)
    for key, verdict, on in zip(
        keys, rows["verdict"].tolist(), rows["judged_on"].tolist(), strict=True
    ):
        if on <= context.as_of:
            decided[key] = Verdict(codes[verdict])
    wanted = {key[0] for key in decided}
    for block in blocks:
        if block.rule.id not in wanted:
            continue
        block.verdict = block.verdict.copy()
        block.note = np.zeros(len(block), np.int8) if block.note is None else block.note.copy()
        block.due = None if block.due is None else block.due.copy()
        for row in np.flatnonzero(among(block.verdict, _OPEN)).tolist():
            finding = findings.Finding(block, row, context.facts)
            subject = finding.subject
            key = (
                block.rule.id,
                block.rule.part.id,
                subject["type"],
                subject["id"],
                finding.period,
                # Each branch gives its cases names of its own.
                finding.organization if subject["type"] == findings.CASE else None,
            )
            if key in decided:
                block.verdict[row] = findings.CODE_OF[decided[key]]
                block.note[row] |= findings.SETTLED
                if block.due is not None:
                    block.due[row] = NULL_DAY
    return blocks


# -- what judging needs -------------------------------------------------------------


def columns_read(rules: Iterable[Rule]) -> dict[str, set[str]]:
    """The facts columns that the rules' checks touch, by table."""
    found: dict[str, set[str]] = {}
    always = {
        ("organizations", column)
        for column in ("id", "kind", "sector", "parent", "opened_on", "closed_on", "has_committee")
    } | {("attestations", c) for c in ("organization", "period", "attested_on", "objected")}
    for rule in rules:
        always |= rule.check.reads(rule.parameters)
        for condition in rule.requirement.applies_to.conditions:
            always |= CONDITION_READS.get(condition, frozenset())
    for table, column in always:
        found.setdefault(table, set()).add(column)
    return found


def footprint(rules: Iterable[Rule]) -> Footprint:
    """Whose facts the rules rest on, together."""
    found = Footprint.OWN
    for rule in rules:
        found |= rule.check.footprint
    return found
