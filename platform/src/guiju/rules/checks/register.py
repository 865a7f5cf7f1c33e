"""Register: what should stand entered, put up or set up, stands so on the day judged.

Programmes in use, plans and task lists, the things to be shown in a Party room, contact
points: entries of the register with a first and a last day.  A rule names the entries
it asks for, all of them or any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import fields, validate
from numpy.typing import NDArray

from guiju.rules import findings
from guiju.rules import vocabulary as v
from guiju.rules.arrays import among
from guiju.rules.checks import states, wording
from guiju.rules.checks.base import INCOMPLETE, Footprint, ParameterSchema, code_list
from guiju.rules.findings import Block, Evidence, Finding
from guiju.rules.periods import NULL_DAY
from guiju.rules.spells import bounds
from guiju.rules.vocabulary import Strictness, Verdict

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts

Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]

#: What not finding an entry may mean.
ABSENT = ("shortfall", "pending", "needs_judgement", "not_applicable")


class RegisterSchema(ParameterSchema):
    """Which entries are asked for, and what their absence means."""

    items = code_list(v.REGISTER_ITEMS, required=True)
    #: Whether each of the items is asked for, or any one of them.
    all = fields.Boolean(load_default=True)
    #: An entry that names a person counts only while the person holds one of these posts.
    holder_posts = code_list(v.POSTS)
    #: An entry counts only if it names the organization it points to.
    targeted = fields.Boolean(load_default=False)
    #: Only organizations with a current entry of one of these items are bound.
    when = code_list(v.REGISTER_ITEMS)
    #: Entries of organizations below count for those above.
    below = fields.Boolean(load_default=False)
    #: ``shortfall``: short once attested complete; ``pending``: no time limit is given.
    absent = fields.String(load_default="pending", validate=validate.OneOf(ABSENT))


class Register(states.StateCheck):
    """Entries of the register that hold on the day judged."""

    name = "register"
    schema = RegisterSchema
    footprint = Footprint.OWN | Footprint.SUBORDINATES
    summary = "是否有有效的事项登记"
    rests_on = frozenset({INCOMPLETE})

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        names = {"organization", "item", "since_on", "until_on"}
        found = {("register", name) for name in names}
        if parameters["targeted"]:
            found.add(("register", "target"))
        if parameters["holder_posts"]:
            found.add(("register", "person"))
            found |= {
                ("posts", c) for c in ("person", "organization", "post", "from_on", "until_on")
            }
        return found

    def _judge(self, rule: Rule, context: Context, subjects: states.Subjects) -> Block:
        rows = _rows(rule, context)
        entry, place = _placed(rule, context, subjects, rows)
        items = rule.parameters["items"]
        wanted = [context.facts.position("register_item", item) for item in items]
        there = np.zeros((len(subjects), len(items)), dtype=np.bool_)
        number = np.searchsorted(
            np.sort(wanted), context.facts["register"]["item"][entry], side="left"
        )
        there[place, number] = True
        found = there.sum(axis=1)
        asked = len(items) if rule.parameters["all"] else 1
        verdict = np.where(found >= asked, findings.MET, _missing(rule, context, subjects))
        if rule.parameters["when"]:
            there_is = np.zeros(context.size, dtype=np.bool_)
            there_is[_entered(rule.parameters["when"], context)] = True
            bound = there_is[subjects.organization]
            verdict = np.where(bound, verdict, findings.NOT_APPLICABLE)
        return subjects.block(
            rule,
            verdict,
            np.full(len(subjects), asked, dtype=np.int64),
            found.astype(np.int64),
            evidence=Evidence.grouped("register", entry, place, len(subjects)),
        )

    def message(self, finding: Finding) -> str:
        rule, title = finding.rule, finding.rule.title
        items = wording.labels(rule, "register_item", rule.parameters["items"])
        target = "和对应的组织" if rule.parameters["targeted"] else ""
        said = f"“{title}”：要求登记{items}{target}"
        if len(rule.parameters["items"]) > 1:
            kind = "各项" if rule.parameters["all"] else "之一"
            said = f"{said}{kind}，现有 {finding.observed} 项"
        match finding.verdict:
            case Verdict.MET:
                return f"{said}，已登记并有效。" if finding.required == 1 else f"{said}，齐全。"
            case Verdict.NOT_APPLICABLE:
                return f"“{title}”不适用：本组织目前没有需要登记的情形。"
            case Verdict.PENDING:
                return f"{said}，尚未登记齐全；文件没有规定时限，请尽快落实并登记。"
            case Verdict.NO_DATA:
                return f"{said}，尚未登记齐全；近期记录尚未确认完整，暂不判定。"
            case Verdict.NEEDS_JUDGEMENT:
                return f"{said}，没有登记；是否落实请由人认定。"
            case _:
                return f"{said}，没有登记齐全。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Entries of the subject about these items that do not hold today."""
        rule, register = finding.rule, context.facts["register"]
        subject = int(finding.block.subject[finding.row])
        wanted = [context.facts.position("register_item", i) for i in rule.parameters["items"]]
        own = among(register["item"], wanted) & (register["organization"] == subject)
        counted = set(_rows(rule, context).tolist())
        return [
            (context.facts.record_id("register", row), _reason(context, row))
            for row in np.flatnonzero(own).tolist()
            if row not in counted
        ]

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        return value


def _current(items: Sequence[str], context: Context) -> Bools:
    """Rows of the register about these items that hold today."""
    register = context.facts["register"]
    wanted = [context.facts.position("register_item", item) for item in items]
    first, last = bounds(register, "since_on", "until_on")
    keep = among(register["item"], wanted) & (register["organization"] >= 0)
    return np.asarray(keep & (first <= context.as_of) & (last >= context.as_of))


def _entered(items: Sequence[str], context: Context) -> Codes:
    """Organizations with a current entry of one of the items."""
    owner: Codes = context.facts["register"]["organization"][_current(items, context)]
    return owner


def _rows(rule: Rule, context: Context) -> Codes:
    """Rows of the register that hold today and pass the rule's filters."""
    facts, register = context.facts, context.facts["register"]
    organization = register["organization"]
    keep = _current(rule.parameters["items"], context)
    if rule.parameters["targeted"]:
        keep &= register.stated("target")
    posts = rule.parameters["holder_posts"]
    if posts:
        person = register["person"]
        today = np.full(len(person), context.as_of, dtype=np.int32)
        keep &= (person < 0) | facts.posts.held_by(posts, person, organization, today)
    return np.flatnonzero(keep).astype(np.int32)


def _placed(
    rule: Rule, context: Context, subjects: states.Subjects, rows: Codes
) -> tuple[Codes, Codes]:
    """Each entry with the position of the subject it counts for, superiors included."""
    current = context.facts["register"]["organization"][rows]
    entries, places = [], []
    while bool((current >= 0).any()):
        place = subjects.place(current)
        entries.append(rows[place >= 0])
        places.append(place[place >= 0])
        if not rule.parameters["below"]:
            break
        current = np.where(current >= 0, context.parent[current], -1).astype(np.int32)
    if not entries:
        return rows[:0], rows[:0]
    return np.concatenate(entries), np.concatenate(places)


def _missing(rule: Rule, context: Context, subjects: states.Subjects) -> NDArray[np.int8]:
    absent = rule.parameters["absent"]
    if rule.strictness is Strictness.MAY:
        absent = "not_applicable"
    if absent == "shortfall":
        return states.absent(rule, context, subjects.organization)
    return np.full(len(subjects), findings.CODE_OF[Verdict(absent)], dtype=np.int8)


def _reason(context: Context, row: int) -> str:
    register = context.facts["register"]
    if int(register["since_on"][row]) > context.as_of:
        return "尚未生效"
    until = int(register["until_on"][row])
    if until != NULL_DAY and until < context.as_of:
        return "已终止"
    return "登记的人员已不担任规定职务，或没有写明对应组织"
