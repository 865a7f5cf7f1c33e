"""Each person's own part in a meeting: everyone of a team, committee or branch did a thing.

Each writes a paper beforehand, speaks in turn, evaluates himself.  What proves it is a step
or a paper that names the person; a paper without a name counts for one who has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import ValidationError, fields, validate, validates_schema
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import occasions, rosters, wording
from guiju.rules.checks.base import Footprint
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema, pack_pair
from guiju.rules.findings import Block, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Places = NDArray[np.int64]


class EachPersonSchema(OccasionSchema):
    """Whose part is looked for, and which step or paper shows it."""

    people = fields.String(required=True, validate=validate.OneOf(list(rosters.GROUPS)))
    step = fields.String(load_default=None, metadata={"vocabulary": v.STEPS.name})
    document = fields.String(load_default=None, metadata={"vocabulary": v.DOCUMENT_KINDS.name})
    #: A step counts only if it was taken by the day of the meeting.
    before = fields.Boolean(load_default=True)

    @validates_schema
    def _something(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data.get("step") and not data.get("document"):
            raise ValidationError("step 与 document 至少填写一项", "step")


class EachPerson(OccasionCheck):
    """Everyone's own step or paper at each meeting."""

    name = "each_person"
    schema = EachPersonSchema
    footprint = Footprint.OWN | Footprint.GROUPS
    summary = "每人都完成自己的一份"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        found = set(occasions.READS) | rosters.reads(parameters["people"])
        if parameters["step"]:
            found |= {("steps", c) for c in ("occasion", "step", "done_on", "person")}
        if parameters["document"]:
            found |= {("documents", c) for c in ("occasion", "kind", "kept_on", "person")}
        return found

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        group = rule.parameters["people"]
        place, person = rosters.people(context, group, meetings.organization, meetings.day)
        count = len(meetings)
        expected = np.bincount(place, minlength=count)
        did, nameless = _proofs(rule, meetings, context)
        done = np.bincount(place[among((place << 32) | person, did)], minlength=count)
        done = np.minimum(done + nameless, expected)
        verdict = np.select(
            [expected == 0, done < expected],
            [findings.NO_DATA, rule.shortfall_code],
            findings.MET,
        )
        return meetings.block(rule, verdict, expected, pack_pair(done, expected))

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value >> 32

    def message(self, finding: Finding) -> str:
        about = f"{wording.occasion(finding)}“{finding.rule.title}”"
        said = f"{about}应有 {finding.required} 人完成，已有 {finding.observed} 人"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，符合。"
            case Verdict.NO_DATA:
                return f"{about}没有当日的人员或任职记录，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}，是否落实请由人认定。"
            case _:
                return f"{said}，还差 {finding.required - finding.observed} 人。"


def _proofs(rule: Rule, meetings: Meetings, context: Context) -> tuple[Places, Places]:
    """Meeting and person of each proof as one number, and papers that name nobody."""
    facts, parameters = context.facts, rule.parameters
    found = []
    nameless = np.zeros(len(meetings), dtype=np.int64)
    if parameters["step"]:
        steps = facts["steps"]
        place = meetings.place(steps["occasion"])
        held = np.append(meetings.day, np.int32(NULL_DAY))[place]
        keep = (place >= 0) & (steps["person"] >= 0) & (steps["done_on"] <= context.as_of)
        keep &= steps["step"] == facts.position("step", parameters["step"])
        if parameters["before"]:
            keep &= steps["done_on"] <= held
        found.append((place[keep].astype(np.int64) << 32) | steps["person"][keep])
    if parameters["document"]:
        papers = facts["documents"]
        place = meetings.place(papers["occasion"])
        keep = (place >= 0) & (papers["kept_on"] <= context.as_of)
        keep &= papers["kind"] == facts.position("document_kind", parameters["document"])
        named = keep & (papers["person"] >= 0)
        found.append((place[named].astype(np.int64) << 32) | papers["person"][named])
        nameless += np.bincount(place[keep & ~named], minlength=len(meetings))
    return np.concatenate(found), nameless
