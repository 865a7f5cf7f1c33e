"""Papers of a case: an admission, a disciplinary matter, an unqualified member.

What has no frequency in the notice waits for a case; where there is none there is
nothing to keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import cases, streams, wording
from guiju.rules.checks.base import Check, Footprint, ParameterSchema, code_list
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts


class PapersSchema(ParameterSchema):
    """Which papers each case must have, and what makes a case.

    A case is made by a paper of the kinds in ``about``, or by one of ``steps``.  Until one
    of the papers in ``settled_by`` is there, missing ones are only outstanding.
    """

    papers = code_list(v.DOCUMENT_KINDS, required=True)
    about = code_list(v.DOCUMENT_KINDS)
    steps = code_list(v.DISCIPLINARY_STEPS)
    settled_by = code_list(v.DOCUMENT_KINDS)


class CasePapers(Check):
    """Papers of each case; where there is no case there is nothing to keep."""

    name = "case_papers"
    schema = PapersSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "个案材料齐全"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = {
            ("documents", c)
            for c in ("case", "organization", "occasion", "kind", "kept_on", "person")
        }
        found |= {("occasions", c) for c in ("id", "organization", "held_on")}
        return found | (set(cases.STEPS) if parameters["steps"] else set())

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            files = _files(rule, context)
            # Members' cases and cases of nobody named are two kinds of subject.
            for named in (True, False):
                block = self._judge(rule, context, [f for f in files if (f.person >= 0) == named])
                if block is not None:
                    yield block

    def _judge(self, rule: Rule, context: Context, files: list[_File]) -> Block | None:
        if not files:
            return None
        wanted = int(context.facts.mask("document_kind", rule.parameters["papers"]))
        settling = int(context.facts.mask("document_kind", rule.parameters["settled_by"]))
        verdict = [
            findings.MET
            if file.kinds & wanted == wanted
            else findings.PENDING
            if settling and not file.kinds & settling
            else rule.shortfall_code
            for file in files
        ]
        rows = np.array([row for file in files for row in file.rows], dtype=np.int32)
        place = np.repeat(np.arange(len(files)), [len(file.rows) for file in files])
        named = files[0].person >= 0
        # Only papers tell of a case without a person, so there is a first one.
        first = context.facts.first_of
        subject = [file.person if named else first("documents", file.rows) for file in files]
        return Block(
            rule=rule,
            subject_type="member" if named else findings.CASE,
            subject=np.array(subject, dtype=np.int32),
            organization=np.array([file.organization for file in files], dtype=np.int32),
            verdict=np.array(verdict, dtype=np.int8),
            required=np.full(len(files), wanted, dtype=np.int64),
            observed=np.array([file.kinds & wanted for file in files], dtype=np.int64),
            evidence=Evidence.grouped("documents", rows, place, len(files)),
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return facts.unmask("document_kind", value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return facts.unmask("document_kind", value)

    def message(self, finding: Finding) -> str:
        missing = [kind for kind in finding.required if kind not in finding.observed]
        named = wording.labels(finding.rule, "document_kind", missing)
        about = f"“{finding.rule.title}”"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}：该案要求的材料齐全，符合。"
            case Verdict.PENDING:
                return f"{about}：该案尚在进行，还缺{named}。"
            case _:
                return f"{about}：该案缺少{named}。"


@dataclass
class _File:
    """One case with the kinds (as a mask) and rows of its papers."""

    organization: int
    person: int
    kinds: int
    rows: list[int]


def _files(rule: Rule, context: Context) -> list[_File]:
    """The cases that papers or steps make, in the order in which they first appear.

    Cases are few, so they are gathered one by one.
    """
    files: dict[tuple[int, str], _File] = {}
    papers = context.facts["documents"]
    about = int(context.facts.mask("document_kind", rule.parameters["about"]))
    owner, day = streams.placed(streams.SOURCES["documents"], context)
    keep = (papers["case"] >= 0) & (owner >= 0) & (day <= context.as_of)
    branch = context.answerable[np.maximum(owner, 0)]
    keep &= context.applies(rule)[branch] & (papers["kind"] >= 0)
    making: dict[tuple[int, str], bool] = {}
    rows = np.flatnonzero(keep).tolist()
    # Papers are many, cases few: without one the column is not turned into text.
    names = papers.strings("case") if rows else []
    for row in rows:
        key = (int(branch[row]), str(names[row]))
        file = files.setdefault(key, _File(key[0], -1, 0, []))
        bit = 1 << int(papers["kind"][row])
        file.kinds |= bit
        file.rows.append(row)
        file.person = max(file.person, int(papers["person"][row]))
        recent = bool(context.in_validity(rule, day[[row]])[0])
        making[key] = making.get(key, False) or (bool(bit & about) and recent)
    for key, person in _stepped(rule, context).items():
        file = files.setdefault(key, _File(key[0], person, 0, []))
        file.person = max(file.person, person)
        making[key] = True
    return [file for key, file in files.items() if making.get(key)]


def _stepped(rule: Rule, context: Context) -> dict[tuple[int, str], int]:
    """Cases in which one of the rule's steps was taken, with the member of each."""
    table = context.facts["disciplinary_steps"]
    wanted = [
        context.facts.position("disciplinary_step", step) for step in rule.parameters["steps"]
    ]
    keep = among(table["step"], wanted) & context.in_validity(rule, table["taken_on"])
    keep &= (table["organization"] >= 0) & (table["case"] >= 0)
    branch = context.answerable[np.maximum(table["organization"], 0)]
    keep &= context.applies(rule)[branch]
    names = table.strings("case")
    return {
        (int(branch[row]), str(names[row])): int(table["person"][row])
        for row in np.flatnonzero(keep).tolist()
    }
