"""Findings in columns, and one finding as people and programs see it.

A :class:`Block` holds what one rule concluded about many subjects; nothing in it is
text.  Messages and explanations are rendered when somebody reads a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules.periods import NULL_DAY, Unit
from guiju.rules.vocabulary import JUDGED_VERDICTS, Strictness, Verdict

if TYPE_CHECKING:
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Verdicts = NDArray[np.int8]

#: Verdicts in the order of their codes.
VERDICT_CODES: Final = tuple(Verdict)
CODE_OF: Final = {verdict: number for number, verdict in enumerate(VERDICT_CODES)}

MET: Final = CODE_OF[Verdict.MET]
NOT_MET: Final = CODE_OF[Verdict.NOT_MET]
DEVIATION: Final = CODE_OF[Verdict.DEVIATION]
PENDING: Final = CODE_OF[Verdict.PENDING]
ACTION_DUE: Final = CODE_OF[Verdict.ACTION_DUE]
NEEDS_JUDGEMENT: Final = CODE_OF[Verdict.NEEDS_JUDGEMENT]
NO_DATA: Final = CODE_OF[Verdict.NO_DATA]
NOT_APPLICABLE: Final = CODE_OF[Verdict.NOT_APPLICABLE]

#: Bits of a note; checks use lower ones.  A person's recorded judgement decided the verdict.
SETTLED: Final = 1 << 6
#: The period had begun when the notice was issued, so nothing is judged (D4).
EARLY: Final = 1 << 5


@dataclass(frozen=True)
class Evidence:
    """Records behind each row: rows ``start[i]:stop[i]`` of ``rows``, codes in ``table``.

    ``rows`` may hold -1 where an external record has no code.
    """

    table: str
    rows: Codes
    start: NDArray[np.integer[Any]]
    stop: NDArray[np.integer[Any]]

    @classmethod
    def none(cls, count: int) -> Evidence:
        zero = np.zeros(count, dtype=np.int32)
        return cls("occasions", np.zeros(0, dtype=np.int32), zero, zero)

    @classmethod
    def single(cls, table: str, rows: Codes) -> Evidence:
        """One record each; -1 for none."""
        place = np.arange(len(rows), dtype=np.int32)
        return cls(table, rows, place, place + (rows >= 0))

    @classmethod
    def grouped(cls, table: str, rows: Codes, groups: NDArray[Any], count: int) -> Evidence:
        """``rows[i]`` belongs to group ``groups[i]`` of ``count``."""
        order = (
            slice(None)
            if bool(np.all(groups[1:] >= groups[:-1]))
            else np.argsort(groups, kind="stable")
        )
        stop = np.cumsum(np.bincount(groups, minlength=count)).astype(np.int32)
        start = np.concatenate([np.zeros(1, dtype=np.int32), stop[:-1]])
        return cls(table, rows[order].astype(np.int32), start, stop)

    def take(self, keep: NDArray[Any]) -> Evidence:
        return Evidence(self.table, self.rows, self.start[keep], self.stop[keep])


@dataclass(frozen=True)
class Other:
    """Verdicts under another reading, for the rows where it makes a difference."""

    reading: str
    option: str
    rows: NDArray[np.int64]
    verdict: Verdicts


@dataclass
class Block:
    """What one rule says of many subjects; all arrays have one length.

    ``subject`` and ``organization`` are codes (subject in the table that
    ``subject_type`` implies), ``period`` an index in ``unit`` or absent, ``due`` a day
    or NULL_DAY, ``required`` and ``observed`` integers that the rule's check can name.
    """

    rule: Rule
    subject_type: str
    subject: Codes
    organization: Codes
    verdict: Verdicts
    required: NDArray[np.int64]
    observed: NDArray[np.int64]
    evidence: Evidence
    unit: Unit | None = None
    period: Codes | None = None
    due: Codes | None = None
    note: NDArray[np.int8] | None = None
    others: list[Other] = field(default_factory=list)
    #: The verdicts as they would be if nothing had begun too early to be judged.
    judged: Verdicts | None = None

    def __len__(self) -> int:
        return len(self.verdict)

    def take(self, keep: NDArray[Any]) -> Block:
        """The rows that ``keep`` (a mask or row numbers) selects, without alternatives."""
        return Block(
            rule=self.rule,
            subject_type=self.subject_type,
            subject=self.subject[keep],
            organization=self.organization[keep],
            verdict=self.verdict[keep],
            required=self.required[keep],
            observed=self.observed[keep],
            evidence=self.evidence.take(keep),
            unit=self.unit,
            period=None if self.period is None else self.period[keep],
            due=None if self.due is None else self.due[keep],
            note=None if self.note is None else self.note[keep],
            judged=None if self.judged is None else self.judged[keep],
        )


CASE: Final = "case"

#: The table that a subject's code belongs to.
SUBJECT_TABLES: Final = {
    "organization": "organizations",
    "group": "organizations",
    "team": "organizations",
    "city": "organizations",
    "member": "people",
    "person": "people",
    "occasion": "occasions",
    "talk": "talks",
    "report": "reports",
    "rectification": "rectifications",
    "inspection": "inspections",
    # A case of nobody named is told apart by its first paper.
    CASE: "documents",
}


@dataclass(frozen=True)
class Finding:
    """One finding, decoded; keys and meanings as in the public contract."""

    block: Block
    row: int
    facts: Facts

    @property
    def rule(self) -> Rule:
        return self.block.rule

    @property
    def verdict(self) -> Verdict:
        return VERDICT_CODES[int(self.block.verdict[self.row])]

    @property
    def period(self) -> str | None:
        if self.block.period is None or self.block.unit is None:
            return None
        return periods.label(int(self.block.period[self.row]), self.block.unit)

    @property
    def period_text(self) -> str | None:
        """The period as a Chinese reader says it."""
        if self.block.period is None or self.block.unit is None:
            return None
        return periods.describe(int(self.block.period[self.row]), self.block.unit)

    @property
    def organization(self) -> str:
        return self.facts.external("organizations", int(self.block.organization[self.row]))

    @property
    def subject(self) -> dict[str, str]:
        type_, code = self.block.subject_type, int(self.block.subject[self.row])
        if type_ == CASE:
            return {"type": type_, "id": self.facts.case_of(code)}
        return {"type": type_, "id": self.facts.external(SUBJECT_TABLES[type_], code)}

    @property
    def due(self) -> str | None:
        if self.early or self.block.due is None or int(self.block.due[self.row]) == NULL_DAY:
            return None
        return periods.to_date(int(self.block.due[self.row])).isoformat()

    @property
    def silent(self) -> bool:
        """Whether the requirement says nothing of the organization: nothing was compared."""
        return (
            self.verdict is Verdict.NOT_APPLICABLE
            and self.block.period is None
            and self.block.subject_type == "organization"
        )

    @property
    def required(self) -> Any:
        """As the check compares it; None where the requirement is silent."""
        if self.silent:
            return None
        return self.rule.check.required(self.rule, int(self.block.required[self.row]), self.facts)

    @property
    def observed(self) -> Any:
        """As the check compares it; None where the requirement is silent."""
        if self.silent:
            return None
        return self.rule.check.observed(self.rule, int(self.block.observed[self.row]), self.facts)

    @property
    def note(self) -> int:
        return 0 if self.block.note is None else int(self.block.note[self.row])

    @property
    def evidence(self) -> list[str]:
        found = self.block.evidence
        rows = found.rows[int(found.start[self.row]) : int(found.stop[self.row])]
        return [self.facts.record_id(found.table, int(row)) for row in rows]

    @property
    def alternatives(self) -> list[dict[str, str]]:
        found = []
        for other in self.block.others:
            place = int(np.searchsorted(other.rows, self.row))
            if place < len(other.rows) and int(other.rows[place]) == self.row:
                found.append(
                    {
                        "reading": f"{other.reading}={other.option}",
                        "verdict": str(VERDICT_CODES[int(other.verdict[place])]),
                    }
                )
        return found

    @property
    def settled(self) -> bool:
        """Whether a person's recorded judgement decided the verdict."""
        return bool(self.note & SETTLED)

    @property
    def early(self) -> bool:
        """Whether the period had begun when the notice was issued: shown, but not judged."""
        return bool(self.note & EARLY)

    @property
    def message(self) -> str:
        if self.settled:
            about = f"{self.period_text or ''}“{self.rule.title}”"
            return f"{about}：已由人认定为“{JUDGED_VERDICTS[self.verdict]}”，理由见认定记录。"
        if self.silent:
            return f"“{self.rule.title}”不适用于本组织。"
        if self.early:
            return self._for_information()
        if self.verdict is Verdict.NOT_APPLICABLE and self.block.period is None:
            return self.rule.check.not_reached(self)
        said = self.rule.check.message(self)
        return self._asking_why(said) if self.verdict is Verdict.DEVIATION else said

    def _for_information(self) -> str:
        """What the records show of a period that had begun when the notice was issued."""
        block = self.block
        assert block.judged is not None and block.note is not None
        judged = replace(block, verdict=block.judged, note=block.note & ~EARLY, judged=None)
        said = self.rule.check.message(replace(self, block=judged)).removesuffix("。")
        begun = periods.to_date(self.rule.valid_from).isoformat()
        why = f"规定施行（{begun}）时这一期间已经开始，不作判定"
        # What is never judged does not wait for records to be complete either.
        return f"{said.removesuffix('，暂不判定')}；{why}。"

    def _asking_why(self, said: str) -> str:
        """A deviation is never a breach: what is wanted is the reason."""
        softened = self.rule.strictness is Strictness.GENERAL
        return said.removesuffix("。") + (
            "；属于一般要求，请说明原因。" if softened else "；请说明原因。"
        )

    def as_dict(self) -> dict[str, Any]:
        """The finding with the keys of the public contract."""
        rule = self.rule
        return {
            "requirement": rule.requirement.id,
            "subject": self.subject,
            "organization": self.organization,
            "period": self.period,
            "verdict": str(self.verdict),
            "strictness": str(rule.strictness),
            "part": rule.part.id,
            "required": self.required,
            "observed": self.observed,
            "due": self.due,
            "evidence": self.evidence,
            "citation": {
                "document": rule.citation.document,
                "clause": rule.citation.clause,
            },
            "alternatives": self.alternatives,
            "message": self.message,
            "readings": dict(self.rule.readings),
        }


@dataclass
class Findings:
    """The blocks of one evaluation, in order of the pack."""

    facts: Facts
    blocks: list[Block]
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def __iter__(self) -> Iterator[Finding]:
        for block in self.blocks:
            for row in range(len(block)):
                yield Finding(block, row, self.facts)

    def counts(self) -> dict[str, int]:
        """How many findings each verdict has."""
        total = np.zeros(len(VERDICT_CODES), dtype=np.int64)
        for block in self.blocks:
            total += np.bincount(block.verdict, minlength=len(VERDICT_CODES))
        return {
            str(verdict): int(number) for verdict, number in zip(VERDICT_CODES, total, strict=True)
        }
