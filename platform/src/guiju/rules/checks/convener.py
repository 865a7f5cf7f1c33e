"""Who chairs or teaches: the holder of a post on the day, or someone entrusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.checks import occasions, turnout, wording
from guiju.rules.checks.base import ROSTER_DAY, Footprint, code_list, reading_field
from guiju.rules.checks.occasions import Meetings, OccasionCheck, OccasionSchema
from guiju.rules.findings import Block, Finding
from guiju.rules.vocabulary import Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Bools = NDArray[np.bool_]
Codes = NDArray[np.int32]

#: What was found, in the order of the observed numbers.
FOUND = (None, "by_post", "entrusted", "entrustment_unknown", "not_entrusted", "other")
UNKNOWN, BY_POST, ENTRUSTED, ENTRUSTMENT_UNKNOWN, NOT_ENTRUSTED, OTHER = range(6)


class ConvenerSchema(OccasionSchema):
    """Posts whose holder chairs (or lectures), and posts whose holder may be entrusted.

    ``above`` also accepts the posts in any organization above.
    """

    role = fields.String(load_default="chair", validate=validate.OneOf(("chair", "lecturer")))
    posts = code_list(v.POSTS, required=True)
    entrusted = code_list(v.POSTS)
    above = fields.Boolean(load_default=False)
    roster_day = reading_field(ROSTER_DAY)


class Convener(OccasionCheck):
    """The chair or lecturer on record, by the posts held on the day."""

    name = "convener"
    schema = ConvenerSchema
    footprint = Footprint.OWN | Footprint.GROUPS | Footprint.SUPERIORS
    summary = "召集主持人或授课人的职务"
    rests_on = frozenset({ROSTER_DAY})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        return {
            *occasions.READS,
            *turnout.POSTS,
            ("occasions", parameters["role"]),
            ("occasions", "chair_entrusted"),
        }

    def each(self, rule: Rule, meetings: Meetings, context: Context) -> Block:
        rows, posts = context.facts["occasions"], context.facts.posts
        person = rows[rule.parameters["role"]][meetings.rows]
        wanted = tuple(rule.parameters["posts"])
        if rule.parameters["roster_day"] == "today":
            meetings = replace(meetings, day=np.full_like(meetings.day, context.as_of))
        holds = _holds(wanted, person, meetings, context, above=rule.parameters["above"])
        stand_in = _holds(
            tuple(rule.parameters["entrusted"]), person, meetings, context, above=False
        )
        entrusted = rows["chair_entrusted"][meetings.rows]
        # Where nobody is on record in the post, nothing says that this person is not in it.
        vacant = posts.count(wanted, meetings.organization, meetings.day) == 0
        found = np.select(
            [
                person < 0,
                holds,
                stand_in & (entrusted == 1),
                stand_in & (entrusted < 0),
                vacant,
                stand_in,
            ],
            [UNKNOWN, BY_POST, ENTRUSTED, ENTRUSTMENT_UNKNOWN, UNKNOWN, NOT_ENTRUSTED],
            OTHER,
        ).astype(np.int64)
        verdicts = np.array(
            [
                findings.NO_DATA,
                findings.MET,
                findings.MET,
                findings.NEEDS_JUDGEMENT,
                rule.shortfall_code,
                rule.shortfall_code,
            ],
            dtype=np.int8,
        )
        wanted_ = np.zeros(len(meetings), dtype=np.int64)
        return meetings.block(rule, verdicts[found], wanted_, found)

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return list(rule.parameters["posts"])

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """How the person came to chair: ``by_post``, ``entrusted`` …; None where unknown."""
        return FOUND[value]

    def message(self, finding: Finding) -> str:
        rule = finding.rule
        about = f"{wording.occasion(finding)}“{rule.title}”"
        posts = wording.labels(rule, "post", rule.parameters["posts"])
        lecture = rule.parameters["role"] == "lecturer"
        who, did = ("授课人", "授课") if lecture else ("主持人", "主持")
        match finding.observed:
            case "by_post":
                return f"{about}由{posts}{did}，符合。"
            case "entrusted":
                return f"{about}由受委托的委员{did}，符合。"
            case "entrustment_unknown":
                return f"{about}由委员{did}，是否受书记委托没有记录，请由人认定。"
            case "not_entrusted":
                return f"{about}由委员{did}，但未受书记委托。"
            case None:
                return f"{about}没有记录{who}或当日的{posts}，暂不判定。"
        if finding.verdict is Verdict.NEEDS_JUDGEMENT:
            return f"{about}的{who}当日不是{posts}，可否代行文件没有规定，请由人认定。"
        return f"{about}的{who}当日不是{posts}，也不是可受委托的人。"


def _holds(
    posts: tuple[str, ...], person: Codes, meetings: Meetings, context: Context, *, above: bool
) -> Bools:
    """Whether each person held one of the posts in the organization (or above it) that day."""
    held = np.zeros(len(person), dtype=np.bool_)
    if not posts:
        return held
    current = meetings.organization
    while bool((current >= 0).any()):
        found = context.facts.posts.held_by(posts, person, current, meetings.day)
        held |= (current >= 0) & found
        if not above:
            break
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    return held & (person >= 0)
