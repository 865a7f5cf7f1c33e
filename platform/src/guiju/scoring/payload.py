"""Findings of one organization and year in a few short byte strings.

Findings stand in the order of the packs, those of one rule by period (and subject).  The
columns of a row of ``organization_findings``, ``record_findings`` or ``member_findings``:

``sections``
    Four bytes for each run of findings: the rule's number (two bytes, low one first); the
    place of the first period in its year times 16 plus the length of the run (at most
    15); the table that its evidence is from (position in :data:`EVIDENCE_TABLES`, 0 where
    it has none).  Months have places 0–11, quarters 0–3 and so on; :data:`NO_PERIOD` is a
    state or record.  In ``organization_findings`` the run goes on to the next period with
    each finding; in the others it stays in one period, and the subjects differ.
``verdicts``
    One byte a finding, the verdict's code.
``required``, ``observed``
    The numbers that the check compared: one folded variable-length integer
    (:mod:`guiju.scoring.varints`) a finding.
``dues``, ``notes``
    Only findings that have one, two integers each: how many findings further than the
    one before (from -1), and the folded day since 1970-01-01, or note.
``evidence``
    For each finding the number of records, then the folded difference of each record's
    number from the one written before it.
``alternatives``
    Three integers for each other reading that changes a verdict: how many findings further
    than the one before (counted likewise), the reading's number, the verdict.
``subjects`` (not in ``organization_findings``)
    The folded difference of each subject's number from the one before.
``counts`` (not in ``organization_findings``; in ``rollups``)
    Eight bytes for each rule, period and verdict that occurs: the rule's number (two bytes),
    the place of the period, the verdict, how many (four bytes).  In the place of a verdict
    :data:`LATE` says how many of the organization's own findings are met by records that were
    made late.

The numbers of verdicts and of evidence tables are only ever added to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.rules.findings import VERDICT_CODES
from guiju.rules.periods import NULL_DAY
from guiju.scoring import varints
from guiju.scoring.varints import Signed, Unsigned

#: Stands beside the verdicts in counts; of what is met, what was recorded late.
LATE = len(VERDICT_CODES)
#: Place of what belongs to no period of the year.
NO_PERIOD = 15
_LONGEST_RUN = 15

SECTION = np.dtype([("rule", "<u2"), ("run", "u1"), ("table", "u1")])
COUNT = np.dtype([("rule", "<u2"), ("place", "u1"), ("verdict", "u1"), ("number", "<u4")])

#: Evidence tables by their number in a section, from 1.
EVIDENCE_TABLES = (
    "organizations", "members", "posts", "occasions", "attendance", "agenda", "documents",
    "steps", "votes", "talks", "appraisals", "rectifications", "reports", "disciplinary_steps",
    "dues_bases", "dues", "training", "inspections", "terms", "vacancies", "foundings",
    "register", "commitments", "attestations", "judgements", "people",
)  # fmt: skip


@dataclass
class Columns:
    """Findings in columns, one entry each; grouped by the stored row that they go to.

    ``row`` is not decreasing.  ``evidence`` holds ``evidence_count[i]`` record numbers for
    finding ``i``, one after the other.  ``other_at`` are positions of findings whose
    verdict would be ``other_verdict`` under the reading numbered ``other_reading``.
    """

    row: NDArray[np.int64]
    rule: NDArray[np.uint16]
    place: NDArray[np.uint8]
    verdict: NDArray[np.uint8]
    required: Signed
    observed: Signed
    due: NDArray[np.int32]
    note: NDArray[np.int8]
    subject: Signed
    table: NDArray[np.uint8]
    evidence_count: NDArray[np.int64]
    evidence: Signed
    other_at: NDArray[np.int64]
    other_reading: NDArray[np.int64]
    other_verdict: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.row)


def pack(columns: Columns, rows: int, *, subjects: bool) -> dict[str, pa.Array]:
    """The byte strings of ``rows`` stored rows, by column.

    ``subjects`` packs what a finding is about; without it, the row itself says so.
    """
    starts = np.searchsorted(columns.row, np.arange(rows + 1))
    packed = {
        "sections": _sections(columns, rows, same_period=subjects),
        "verdicts": _binary(columns.verdict, starts),
        "required": _integers(varints.fold(columns.required), starts),
        "observed": _integers(varints.fold(columns.observed), starts),
        "dues": _sparse(starts, columns.due != NULL_DAY, columns.due),
        "notes": _sparse(starts, columns.note != 0, columns.note),
        "evidence": _evidence(columns, starts),
        "alternatives": _alternatives(columns, starts),
    }
    if subjects:
        packed["subjects"] = _integers(varints.fold(_deltas(columns.subject, starts)), starts)
    return packed


def _sections(columns: Columns, rows: int, *, same_period: bool) -> pa.Array:
    size = len(columns)
    begins = np.ones(size, dtype=np.bool_)
    step = columns.place[1:] - columns.place[:-1]
    goes_on = (step == 0) if same_period else (step == 1) & (columns.place[1:] != NO_PERIOD)
    begins[1:] = ~goes_on
    begins[1:] |= columns.rule[1:] != columns.rule[:-1]
    begins[1:] |= columns.row[1:] != columns.row[:-1]
    begins[1:] |= columns.table[1:] != columns.table[:-1]
    first = np.flatnonzero(begins)
    length = np.diff(np.append(first, size))
    # Longer runs go on in further sections.
    parts = -(-length // _LONGEST_RUN)
    nth = np.arange(int(parts.sum())) - np.repeat(np.cumsum(parts) - parts, parts)
    at = np.repeat(first, parts) + nth * _LONGEST_RUN
    sections = np.empty(len(at), dtype=SECTION)
    sections["rule"] = columns.rule[at]
    run = np.minimum(np.repeat(length, parts) - nth * _LONGEST_RUN, _LONGEST_RUN)
    sections["run"] = columns.place[at] * np.uint8(16) + run.astype(np.uint8)
    sections["table"] = columns.table[at]
    starts = np.searchsorted(columns.row[at], np.arange(rows + 1))
    return _binary(sections.view(np.uint8), starts * SECTION.itemsize)


def _binary(data: NDArray[np.uint8], starts: NDArray[np.int64]) -> pa.Array:
    """Byte strings that lie one after the other."""
    buffers = [None, pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.binary(), len(starts) - 1, buffers)


def _integers(values: Unsigned, starts: NDArray[np.int64]) -> pa.Array:
    data, places = varints.encode(values)
    return _binary(data, places[starts])


def _deltas(values: Signed, starts: NDArray[np.int64]) -> Signed:
    """Differences from the value before, the first of each row from 0."""
    found = values.copy()
    found[1:] -= values[:-1]
    first = starts[:-1][starts[:-1] < starts[1:]]
    found[first] = values[first]
    return found


def _gaps(at: NDArray[np.int64], starts: NDArray[np.int64]) -> tuple[Unsigned, NDArray[np.int64]]:
    """How far each position is from the one before in its row, and where each row begins.

    The first of a row counts from the row's first finding.
    """
    low = np.searchsorted(at, starts)
    found = at.copy()
    found[1:] -= at[:-1]
    holding = np.flatnonzero(low[:-1] < low[1:])
    found[low[holding]] = at[low[holding]] - starts[holding]
    return found.astype(np.uint64), low


def _sparse(
    starts: NDArray[np.int64], has: NDArray[np.bool_], values: NDArray[np.signedinteger]
) -> pa.Array:
    at = np.flatnonzero(has)
    pairs = np.empty(2 * len(at), dtype=np.uint64)
    pairs[0::2], low = _gaps(at, starts)
    pairs[1::2] = varints.fold(values[at].astype(np.int64))
    return _integers(pairs, 2 * low)


def _evidence(columns: Columns, starts: NDArray[np.int64]) -> pa.Array:
    before = np.concatenate([[0], np.cumsum(columns.evidence_count)])
    counts_at = np.arange(len(columns)) + before[:-1]
    stream = np.empty(len(columns) + len(columns.evidence), dtype=np.uint64)
    is_record = np.ones(len(stream), dtype=np.bool_)
    is_record[counts_at] = False
    stream[counts_at] = columns.evidence_count.astype(np.uint64)
    stream[is_record] = varints.fold(_deltas(columns.evidence, before[starts]))
    return _integers(stream, starts + before[starts])


def _alternatives(columns: Columns, starts: NDArray[np.int64]) -> pa.Array:
    triples = np.empty(3 * len(columns.other_at), dtype=np.uint64)
    triples[0::3], low = _gaps(columns.other_at, starts)
    triples[1::3] = columns.other_reading.astype(np.uint64)
    triples[2::3] = columns.other_verdict
    return _integers(triples, 3 * low)


def unpack(stored: Mapping[str, bytes]) -> Columns:
    """The findings of one stored row, by column of the table; ``row`` is 0 throughout."""
    sections = np.frombuffer(stored["sections"], dtype=SECTION)
    length = (sections["run"] & 15).astype(np.int64)
    size = int(length.sum())
    place = np.repeat(sections["run"] >> 4, length)
    subjects = stored.get("subjects")
    if subjects is None:
        nth = np.arange(size) - np.repeat(np.cumsum(length) - length, length)
        place = np.where(place == NO_PERIOD, place, place + nth).astype(np.uint8)
    count, evidence = _unpack_evidence(stored["evidence"], size)
    gaps = varints.decode(stored["alternatives"]).astype(np.int64)
    return Columns(
        row=np.zeros(size, dtype=np.int64),
        rule=np.repeat(sections["rule"], length),
        place=place,
        verdict=np.frombuffer(stored["verdicts"], dtype=np.uint8),
        required=varints.unfold(varints.decode(stored["required"])),
        observed=varints.unfold(varints.decode(stored["observed"])),
        due=_unpack_sparse(stored["dues"], size, NULL_DAY).astype(np.int32),
        note=_unpack_sparse(stored["notes"], size, 0).astype(np.int8),
        subject=np.cumsum(varints.unfold(varints.decode(subjects or b""))),
        table=np.repeat(sections["table"], length),
        evidence_count=count,
        evidence=evidence,
        other_at=np.cumsum(gaps[0::3]),
        other_reading=gaps[1::3],
        other_verdict=gaps[2::3].astype(np.uint8),
    )


def _unpack_sparse(data: bytes, size: int, missing: int) -> Signed:
    pairs = varints.decode(data)
    found = np.full(size, missing, dtype=np.int64)
    found[np.cumsum(pairs[0::2].astype(np.int64))] = varints.unfold(pairs[1::2])
    return found


def _unpack_evidence(data: bytes, size: int) -> tuple[NDArray[np.int64], Signed]:
    stream = varints.decode(data)
    count = np.zeros(size, dtype=np.int64)
    is_record = np.ones(len(stream), dtype=np.bool_)
    at = 0
    for finding in range(size):
        is_record[at] = False
        count[finding] = int(stream[at])
        at += 1 + int(count[finding])
    return count, np.cumsum(varints.unfold(stream[is_record]))
