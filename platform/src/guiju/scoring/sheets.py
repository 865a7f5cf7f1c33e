"""Findings laid out by the stored row that they go to, with a digest of each row.

A digest is the sum of a hash of each thing a row says, so it does not depend on order, and
rows whose digest is what is stored need not even be packed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.rules import findings, tables
from guiju.rules.engine import Rule
from guiju.rules.facts import Facts
from guiju.rules.findings import SUBJECT_TABLES, VERDICT_CODES, Block, Evidence, Findings
from guiju.rules.periods import NULL_DAY, last_days
from guiju.scoring import punctuality
from guiju.scoring.hashes import Hashes, combine, mixed
from guiju.scoring.numbering import Numbering, ReadingKey, RuleKey
from guiju.scoring.payload import COUNT, EVIDENCE_TABLES, LATE, NO_PERIOD, Columns, pack
from guiju.scoring.places import Slices

Groups = NDArray[np.int64]

VERDICTS = len(VERDICT_CODES)
#: The day of a record that is judged by itself.
_DAYS = {
    "occasions": "held_on",
    "talks": "held_on",
    "reports": "filed_on",
    "rectifications": "opened_on",
    "inspections": "done_on",
}
#: A finding that is not settled: rule times 16 plus place, verdict, day due or NULL_DAY.
OPEN = np.dtype([("cell", "i4"), ("verdict", "u1"), ("due", "i4")])
#: Verdicts that need nobody's attention.
_SETTLED = np.zeros(VERDICTS, dtype=np.bool_)
_SETTLED[[findings.MET, findings.NOT_APPLICABLE]] = True


def rule_key(profile: str, block: Block) -> RuleKey:
    """What the block's findings are numbered by."""
    rule = block.rule
    return RuleKey(
        profile,
        rule.id,
        rule.part.id,
        rule.version.from_on,
        block.subject_type,
        None if block.unit is None else block.unit.name.lower(),
    )


def is_restricted(rule: Rule) -> bool:
    """Whether a rule rests on restricted records."""
    read = {table for table, _ in rule.check.reads(rule.parameters)}
    return any(tables.TABLES[table].restricted for table in read)


def table_of(block: Block) -> str:
    """The table that keeps the block's findings."""
    if is_restricted(block.rule):
        return "member_findings"
    subjects = SUBJECT_TABLES[block.subject_type]
    if subjects == "people":
        return "member_findings"
    return "organization_findings" if subjects == "organizations" else "record_findings"


def days_of(block: Block, facts: Facts) -> list[int]:
    """The first and last day that decide which years the block's findings belong to."""
    if not len(block):
        return []
    if block.unit is not None and block.period is not None:
        ends = last_days(np.array([block.period.min(), block.period.max()]), block.unit)
        return [int(day) for day in ends]
    table = SUBJECT_TABLES[block.subject_type]
    if table not in _DAYS:
        return []
    days = facts[table][_DAYS[table]][block.subject]
    days = days[days != NULL_DAY]
    return [int(days.min()), int(days.max())] if len(days) else []


@dataclass
class _Leaf:
    """Rows of one block, each with the group it goes to."""

    rule: int
    block: Block
    #: Positions in the block; None for all.
    rows: NDArray[np.int64] | None
    group: Groups
    place: NDArray[np.uint8]
    subject: NDArray[np.int64]
    observed: NDArray[np.int64]
    others: list[tuple[int, NDArray[np.int64], NDArray[np.int8]]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.group)


@dataclass
class _Counts:
    """How many findings of each group, period and verdict one block has."""

    rule: int
    group: Groups
    place: NDArray[np.uint8]
    verdict: NDArray[np.uint8]
    number: NDArray[np.int64]


class Sheet:
    """What goes to one table: findings, or exceptions and counts."""

    def __init__(self, facts: Facts, slices: Slices, size: int, *, exceptions: bool) -> None:
        """``size`` is the number of groups; ``exceptions`` keeps only what is not settled."""
        self._facts = facts
        self._slices = slices
        self.exceptions = exceptions
        self.digests: Hashes = np.zeros(size, dtype=np.uint64)
        #: Groups that have a row.
        self.present: NDArray[np.bool_] = np.zeros(size, dtype=np.bool_)
        self._leaves: list[_Leaf] = []
        self._counts: list[_Counts] = []

    def add(
        self,
        rule: int,
        block: Block,
        readings: Mapping[tuple[str, str], int],
        *,
        counted: bool = True,
    ) -> None:
        """Lay out a block under its rule's number.

        ``readings`` are the numbers of (reading, option); ``counted`` counts exceptions here.
        """
        if not len(block):
            return
        leaf = self._whole(rule, block)
        for other in block.others:
            leaf.others.append((readings[other.reading, other.option], other.rows, other.verdict))
        if self.exceptions:
            if counted:
                self._count(leaf)
            leaf = _taken(leaf, np.flatnonzero(~_SETTLED[block.verdict]))
        self.present[leaf.group] = True
        self._leaves.append(leaf)
        self._digest(leaf)

    def count(self, rule: int, block: Block) -> None:
        """Only count the findings of a block, whose exceptions are kept elsewhere."""
        if len(block):
            self._count(self._whole(rule, block))

    def _whole(self, rule: int, block: Block) -> _Leaf:
        size = len(block)
        if block.unit is None or block.period is None:
            slices = self._slices_of_records(block)
            place = np.full(size, NO_PERIOD, dtype=np.uint8)
        else:
            low = int(block.period.min())
            span = np.arange(low, int(block.period.max()) + 1, dtype=np.int32)
            by_period = self._slices.of_days(last_days(span, block.unit))
            slices = by_period[block.period - low]
            place = (block.period % (12 // block.unit.value)).astype(np.uint8)
        codes = block.organization if self.exceptions else block.subject
        subject = np.zeros(size, dtype=np.int64)
        if self.exceptions:
            subject = self._facts.numbers(SUBJECT_TABLES[block.subject_type])[block.subject]
        group = self._slices.groups(codes, slices)
        return _Leaf(rule, block, None, group, place, subject, self._observed(block))

    def _observed(self, block: Block) -> NDArray[np.int64]:
        """What was observed; the number of a record where it is a row of the facts."""
        table = block.rule.check.observed_table
        if table is None:
            return block.observed
        return np.append(self._facts.numbers(table), -1)[block.observed]

    def _slices_of_records(self, block: Block) -> NDArray[np.int64]:
        """Where a record has a day, the slice of that day; a state is in none of the years."""
        table = SUBJECT_TABLES[block.subject_type]
        found = np.zeros(len(block), dtype=np.int64)
        if table in _DAYS:
            days = self._facts[table][_DAYS[table]][block.subject]
            known = days != NULL_DAY
            found[known] = self._slices.of_days(days[known])
        return found

    def _count(self, leaf: _Leaf) -> None:
        verdict = leaf.block.verdict
        keep = verdict != findings.NOT_APPLICABLE
        single = leaf.block.unit is None
        places = 1 if single else 12 // leaf.block.unit.value  # type: ignore[union-attr]
        place = 0 if single else leaf.place[keep]
        key = (leaf.group[keep] * places + place) * VERDICTS + verdict[keep]
        numbers = np.bincount(key)
        occurring = np.flatnonzero(numbers)
        rest, verdicts = np.divmod(occurring, VERDICTS)
        group, place = np.divmod(rest, places)
        counts = _Counts(
            leaf.rule,
            group,
            np.full(len(group), NO_PERIOD, dtype=np.uint8) if single else place.astype(np.uint8),
            verdicts.astype(np.uint8),
            numbers[occurring],
        )
        self.count_also(counts)

    def met_late(self, late: NDArray[np.bool_]) -> Iterator[_Counts]:
        """How many findings of each group and period are met by records made late."""
        for leaf in self._leaves:
            found = punctuality.met_late(leaf.block, late)
            if found is None or not bool(found.any()):
                continue
            cells, numbers = np.unique(
                leaf.group[found] * 16 + leaf.place[found], return_counts=True
            )
            group, place = np.divmod(cells, 16)
            verdict = np.full(len(cells), LATE, dtype=np.uint8)
            yield _Counts(leaf.rule, group, place.astype(np.uint8), verdict, numbers)

    def count_also(self, counts: _Counts) -> None:
        """Keep counts among those of this sheet."""
        self._counts.append(counts)
        self.present[counts.group] = True
        said = combine(counts.rule, counts.place, counts.verdict, counts.number)
        np.add.at(self.digests, counts.group, mixed(said ^ np.uint64(0x5851F42D4C957F2D)))

    # -- digests -----------------------------------------------------------------

    def _digest(self, leaf: _Leaf) -> None:
        block, rows = leaf.block, leaf.rows
        take: Any = slice(None) if rows is None else rows
        due = 0 if block.due is None else block.due[take]
        note = 0 if block.note is None else block.note[take]
        hashes = mixed(
            combine(
                leaf.rule,
                leaf.place,
                block.verdict[take],
                block.required[take],
                leaf.observed,
                due,
                note,
                leaf.subject,
            )
            + self._evidence_hashes(block.evidence.take(take))
        )
        np.add.at(self.digests, leaf.group, hashes)
        for reading, at, verdict in leaf.others:
            said = hashes[at] + combine(reading, verdict)
            np.add.at(self.digests, leaf.group[at], mixed(said))

    def _evidence_hashes(self, evidence: Evidence) -> Hashes | np.uint64:
        """A sum over the records behind each row."""
        if not len(evidence.rows):
            return np.uint64(0)
        # An unknown record, -1, is the zero at the end: it adds nothing.
        known = np.append(self._facts.numbers(evidence.table), 0)
        numbers = known[evidence.rows]
        running = np.zeros(len(numbers) + 1, dtype=np.uint64)
        np.cumsum(mixed(numbers.view(np.uint64)), out=running[1:])
        found: Hashes = running[evidence.stop] - running[evidence.start]
        return found

    # -- what is to be written --------------------------------------------------

    def packed(self, groups: Groups) -> dict[str, pa.Array]:
        """The stored columns (all but the key) of the rows of ``groups``, in their order."""
        rank = np.full(len(self.digests), -1, dtype=np.int64)
        rank[groups] = np.arange(len(groups))
        columns = self._columns(rank)
        found = {"digest": pa.array(self.digests[groups].view(np.int64))}
        if not self.exceptions:
            totals = np.bincount(
                columns.row * VERDICTS + columns.verdict, minlength=len(groups) * VERDICTS
            )
            found["totals"] = as_lists(totals.astype(np.int32))
        else:
            found |= self._packed_counts(rank, len(groups))
        return found | pack(columns, len(groups), subjects=self.exceptions)

    def _columns(self, rank: Groups) -> Columns:
        parts = [_taken(leaf, np.flatnonzero(rank[leaf.group] >= 0)) for leaf in self._leaves]
        parts = [leaf for leaf in parts if len(leaf)]
        row = _joined([rank[leaf.group] for leaf in parts], np.int64)
        leaf_number = np.repeat(np.arange(len(parts)), [len(leaf) for leaf in parts])
        place = _joined([leaf.place for leaf in parts], np.uint8)
        subject = _joined([leaf.subject for leaf in parts], np.int64)
        if self.exceptions:
            order = np.lexsort((subject, place, leaf_number, row))
        else:
            order = np.argsort(row, kind="stable")
        evidence = [self._evidence(leaf) for leaf in parts]
        count = _joined([count for count, _ in evidence], np.int64)
        numbers = _joined([numbers for _, numbers in evidence], np.int64)
        return Columns(
            row=row[order],
            rule=np.array([leaf.rule for leaf in parts], dtype=np.uint16)[leaf_number][order],
            place=place[order],
            verdict=_joined([_values(leaf, "verdict") for leaf in parts], np.uint8)[order],
            required=_joined([_values(leaf, "required") for leaf in parts], np.int64)[order],
            observed=_joined([leaf.observed for leaf in parts], np.int64)[order],
            due=_joined([_values(leaf, "due", NULL_DAY) for leaf in parts], np.int32)[order],
            note=_joined([_values(leaf, "note", 0) for leaf in parts], np.int8)[order],
            subject=subject[order],
            table=np.array(
                [EVIDENCE_TABLES.index(leaf.block.evidence.table) + 1 for leaf in parts],
                dtype=np.uint8,
            )[leaf_number][order]
            * (count[order] > 0),
            evidence_count=count[order],
            evidence=_reordered(numbers, count, order),
            **self._others(parts, order),
        )

    def _evidence(self, leaf: _Leaf) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Number of records of each row, and their numbers one after the other."""
        evidence = leaf.block.evidence
        if leaf.rows is not None:
            evidence = evidence.take(leaf.rows)
        count = evidence.stop - evidence.start
        at = _ranges(evidence.start, count)
        rows = evidence.rows[at]
        known = rows >= 0
        if not bool(known.all()):
            owner = np.repeat(np.arange(len(count)), count)
            count = np.bincount(owner[known], minlength=len(count))
            rows = rows[known]
        if not len(rows):
            return count, np.zeros(0, dtype=np.int64)
        return count, self._facts.numbers(evidence.table)[rows]

    def _others(self, parts: Sequence[_Leaf], order: NDArray[np.int64]) -> dict[str, Any]:
        final = np.empty(len(order), dtype=np.int64)
        final[order] = np.arange(len(order))
        at, reading, verdict = [], [], []
        begin = 0
        for leaf in parts:
            for number, rows, verdicts in leaf.others:
                at.append(final[begin + rows])
                reading.append(np.full(len(rows), number, dtype=np.int64))
                verdict.append(verdicts)
            begin += len(leaf)
        found = _joined(at, np.int64)
        sort = np.argsort(found, kind="stable")
        return {
            "other_at": found[sort],
            "other_reading": _joined(reading, np.int64)[sort],
            "other_verdict": _joined(verdict, np.uint8)[sort],
        }

    def _packed_counts(self, rank: Groups, rows: int) -> dict[str, pa.Array]:
        row, records = [], []
        for counts in self._counts:
            keep = np.flatnonzero(rank[counts.group] >= 0)
            found = np.empty(len(keep), dtype=COUNT)
            found["rule"], found["place"] = counts.rule, counts.place[keep]
            found["verdict"], found["number"] = counts.verdict[keep], counts.number[keep]
            row.append(rank[counts.group[keep]])
            records.append(found)
        rows_of = _joined(row, np.int64)
        order = np.argsort(rows_of, kind="stable")
        rows_of, joined = rows_of[order], _joined(records, COUNT)[order]
        totals, late = row_sums(rows_of, joined, rows)
        return {
            "totals": totals,
            "late": late,
            "counts": counts_bytes(rows_of, joined, rows),
        }

    def open_findings(self) -> Iterator[tuple[Groups, NDArray[Any]]]:
        """Groups of what is not settled, and records of :data:`OPEN`."""
        for leaf in self._leaves:
            if is_restricted(leaf.block.rule):
                continue
            verdict = _values(leaf, "verdict")
            keep = np.flatnonzero(~_SETTLED[verdict])
            found = np.empty(len(keep), dtype=OPEN)
            found["cell"] = leaf.rule * 16 + leaf.place[keep].astype(np.int32)
            found["verdict"] = verdict[keep]
            found["due"] = _values(leaf, "due", NULL_DAY)[keep]
            yield leaf.group[keep], found


def tables_of(judged: Iterable[tuple[str, Findings]]) -> set[str]:
    """The facts tables whose records findings name."""
    found = {"organizations"}
    for _, findings_ in judged:
        for block in findings_.blocks:
            found |= {SUBJECT_TABLES[block.subject_type], block.evidence.table}
            if block.rule.check.observed_table is not None:
                found.add(block.rule.check.observed_table)
    return found


def lay_out(
    judged: Iterable[tuple[str, Findings]],
    numbering: Numbering,
    facts: Facts,
    slices: Slices,
) -> dict[str, Sheet]:
    """The sheets of each table from findings by profile."""
    size = facts.count("organizations") * len(slices)
    sheets = {
        "organization_findings": Sheet(facts, slices, size, exceptions=False),
        "record_findings": Sheet(facts, slices, size, exceptions=True),
        "member_findings": Sheet(facts, slices, size, exceptions=True),
    }
    for profile, found in judged:
        readings = {
            (key.reading, key.option): number
            for key, number in numbering.readings.items()
            if key.profile == profile
        }
        for block in found.blocks:
            number, table = numbering.rules[rule_key(profile, block)], table_of(block)
            # How many members fall short is no secret, who they are is.
            apart = table == "member_findings" and not is_restricted(block.rule)
            if apart:
                sheets["record_findings"].count(number, block)
            sheets[table].add(number, block, readings, counted=not apart)
    return sheets


def keys_of(judged: Iterable[tuple[str, Findings]]) -> tuple[list[RuleKey], list[ReadingKey]]:
    """What has to be numbered before findings can be laid out."""
    rules: list[RuleKey] = []
    readings: list[ReadingKey] = []
    for profile, found in judged:
        for block in found.blocks:
            rules.append(rule_key(profile, block))
            readings += [ReadingKey(profile, other.reading, other.option) for other in block.others]
    return rules, readings


def as_lists(totals: NDArray[np.int32]) -> pa.Array:
    """Counts by verdict as one list a row."""
    return pa.FixedSizeListArray.from_arrays(pa.array(totals), VERDICTS).cast(pa.list_(pa.int32()))


def row_sums(row: Groups, records: NDArray[Any], rows: int) -> tuple[pa.Array, pa.Array]:
    """Of each row's records (:data:`~guiju.scoring.payload.COUNT`) totals by verdict, and late."""
    found = np.zeros((rows, LATE + 1), dtype=np.int64)
    np.add.at(found, (row, records["verdict"]), records["number"])
    totals = np.ascontiguousarray(found[:, :VERDICTS], dtype=np.int32)
    return as_lists(totals.reshape(-1)), pa.array(found[:, LATE].astype(np.int32))


def counts_bytes(row: Groups, records: NDArray[Any], rows: int) -> pa.Array:
    """The records (:data:`~guiju.scoring.payload.COUNT`) of each row; ``row`` is not decreasing."""
    starts = np.searchsorted(row, np.arange(rows + 1)) * COUNT.itemsize
    buffers = [None, pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(records.view(np.uint8))]
    return pa.Array.from_buffers(pa.binary(), rows, buffers)


# -- columns ------------------------------------------------------------------------


def _values(leaf: _Leaf, name: str, missing: int | None = None) -> NDArray[Any]:
    column = getattr(leaf.block, name)
    if column is None:
        return np.full(len(leaf), missing, dtype=np.int32)
    found: NDArray[Any] = column if leaf.rows is None else column[leaf.rows]
    return found


def _taken(leaf: _Leaf, keep: NDArray[np.int64]) -> _Leaf:
    """The leaf's rows at ``keep`` (ascending positions)."""
    if len(keep) == len(leaf):
        return leaf
    rows = keep if leaf.rows is None else leaf.rows[keep]
    taken = _Leaf(
        leaf.rule,
        leaf.block,
        rows,
        leaf.group[keep],
        leaf.place[keep],
        leaf.subject[keep],
        leaf.observed[keep],
    )
    place = np.full(len(leaf), -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    for number, at, verdict in leaf.others:
        kept = place[at] >= 0
        if bool(kept.any()):
            taken.others.append((number, place[at[kept]], verdict[kept]))
    return taken


def _joined(parts: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype=dtype), *parts]).astype(dtype, copy=False)


def _ranges(start: NDArray[np.integer[Any]], count: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """``start[i], start[i] + 1, …`` for ``count[i]`` steps, one after the other."""
    before = np.cumsum(count) - count
    return np.repeat(start - before, count) + np.arange(int(count.sum()))


def _reordered(
    values: NDArray[np.int64], count: NDArray[np.int64], order: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Runs of ``count`` values each, put in another order."""
    before = np.cumsum(count) - count
    return values[_ranges(before[order], count[order])]
