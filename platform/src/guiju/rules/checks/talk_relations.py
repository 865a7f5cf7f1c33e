"""Talks by relation: among the team, between team and members, among members, with the masses.

Each relation should be there; how often the notice does not say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings, periods
from guiju.rules.checks import rosters, streams, stretches
from guiju.rules.checks.base import ParameterSchema, PeriodCheck, unit_field
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import Unit
from guiju.rules.vocabulary import COMMITTEE_POSTS, TEAM_POSTS, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

#: Relations in the order of their bits.
RELATIONS = {
    "team": "班子成员之间",
    "team_member": "班子成员与党员之间",
    "members": "党员之间",
    "masses": "党员与群众之间",
}


class TalkRelationsSchema(ParameterSchema):
    """The relations in which somebody talks in each period: all of them, or any."""

    relations = fields.List(
        fields.String(validate=validate.OneOf(list(RELATIONS))),
        required=True,
        validate=validate.Length(min=1),
    )
    per = unit_field(load_default="year")
    require = fields.String(load_default="all", validate=validate.OneOf(("all", "any")))
    days = stretches.days_field()


class TalkRelations(PeriodCheck):
    """Which relations the talks of each branch cover; what is missing is a question."""

    name = "talk_relations"
    schema = TalkRelationsSchema
    summary = "谈心谈话涉及的各类关系"

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        columns = ("id", "organization", "held_on", "person", "partner", "partner_class")
        talks = {("talks", column) for column in columns}
        return talks | rosters.READS["posts"] | rosters.READS["members"]

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        grid = context.grid(rule, unit, low, high)
        stream = streams.of({"source": "talks", "kinds": []}, context)
        relation = context.shared("talk relations", lambda: _relations(stream, context))
        place = grid.place(stream.organization, periods.indices(stream.day, unit))
        wanted = sum(1 << list(RELATIONS).index(name) for name in rule.parameters["relations"])
        bit = np.where(relation >= 0, np.left_shift(1, np.maximum(relation, 0)), 0) & wanted
        inside = (place >= 0) & (bit != 0)
        found = np.zeros(len(grid), dtype=np.int64)
        np.bitwise_or.at(found, place[inside], bit[inside])
        every = rule.parameters["require"] == "all"
        enough = (found & wanted) == wanted if every else found != 0
        observed = found
        if "days" in rule.parameters:
            days = stretches.longest(place[inside], stream.day[inside], grid, unit, context)
            observed = stretches.packed(found, days)
            enough &= ~stretches.exceed(rule, days)
        over = context.closed_periods(grid.period, unit)
        attested = context.attested(grid.organization, grid.period, unit)
        asked = np.where(attested, findings.NEEDS_JUDGEMENT, findings.NO_DATA)
        verdict = np.where(enough, findings.MET, np.where(over, asked, findings.PENDING))
        verdict = np.where(grid.judged, verdict, findings.NOT_APPLICABLE).astype(np.int8)
        return Block(
            rule=rule,
            subject_type=grid.subject_type,
            subject=grid.organization,
            organization=context.answerable[grid.organization],
            verdict=verdict,
            required=np.full(len(grid), wanted, dtype=np.int64),
            observed=observed,
            evidence=Evidence.grouped("talks", stream.rows[inside], place[inside], len(grid)),
            unit=unit,
            period=grid.period,
        )

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _names(value)

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        return _names(value)

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{finding.period_text}“{rule.title}”"
        missing = [name for name in finding.required if name not in finding.observed]
        enough = not missing or (rule.parameters["require"] == "any" and finding.observed)
        stretch = ""
        if "days" in rule.parameters:
            days = stretches.unpacked(int(finding.block.observed[finding.row]))[1]
            stretch = f"，{stretches.said(rule, days, silent=not finding.observed)}"
        had = f"有{_labels(finding.observed)}的谈话记录{stretch}"
        found = had if enough else f"没有{_labels(missing)}的谈话记录{stretch}"
        match finding.verdict:
            case Verdict.MET:
                return f"{about}{had}，符合。"
            case Verdict.NOT_APPLICABLE:
                return f"{about}不适用：本期间不完整。"
            case Verdict.PENDING if not enough:
                return f"{about}尚无{_labels(missing)}的谈话记录{stretch}，文件没有规定次数。"
            case Verdict.PENDING:
                return f"{about}{found}；文件没有规定次数，请及时开展并记录。"
            case Verdict.NO_DATA:
                return f"{about}{found}；本期记录尚未确认完整，暂不判定。"
            case _ if enough:
                return f"{about}{found}；文件没有规定次数，是否落实请由人认定。"
            case _:
                return f"{about}{found}，是否开展请由人认定。"


def _names(value: int) -> list[str]:
    return [name for bit, name in enumerate(RELATIONS) if value >> bit & 1]


def _labels(names: Sequence[str]) -> str:
    return "、".join(RELATIONS[name] for name in names)


def _relations(stream: streams.Stream, context: Context) -> NDArray[np.int64]:
    """The relation of each talk; -1 where it is between people of whom nothing is known."""
    talks, facts = context.facts["talks"], context.facts
    branch = context.answerable[stream.organization]
    one, other = talks["person"][stream.rows], talks["partner"][stream.rows]
    leads, belongs = [], []
    posts = tuple(dict.fromkeys((*COMMITTEE_POSTS, *TEAM_POSTS)))
    for person in (one, other):
        known = person >= 0
        leads.append(known & facts.posts.held_by(posts, person, branch, stream.day))
        belongs.append(known & facts.roster.includes("party", person, branch, stream.day))
    inside = [belongs[0] | leads[0], belongs[1] | leads[1]]
    by_class = talks["partner_class"][stream.rows] >= 0
    outside = [(one >= 0) & ~inside[0], by_class | ((other >= 0) & ~inside[1])]
    found = np.select(
        [
            leads[0] & leads[1],
            (leads[0] & inside[1]) | (leads[1] & inside[0]),
            inside[0] & inside[1],
            (inside[0] & outside[1]) | (inside[1] & outside[0]),
        ],
        [0, 1, 2, 3],
        -1,
    )
    return found.astype(np.int64)
