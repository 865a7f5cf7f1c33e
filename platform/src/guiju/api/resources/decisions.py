"""Decisions upon findings: settling what records leave open, reasons, objections, answers.

A finding is named as where it is explained; what was decided about it is one resource below
it, whose tag changes with the facts as well as with every step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from flask import url_for
from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from guiju.api.admission import about_people, visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.plugins import packs
from guiju.api.reach import demand, known_organization, organization, top
from guiju.api.resources.findings import PEOPLE, AttentionSchema, ExplanationQuery, open_point
from guiju.api.schemas import (
    WithinQuery,
    id_field,
    part_field,
    period_field,
    plain,
    text_field,
)
from guiju.api.tags import check_match
from guiju.db import db
from guiju.decisions import matters, queries
from guiju.decisions.matters import MOST_AT_ONCE, About, Shown
from guiju.decisions.models import MATTER_STATES, STEP_ACTIONS
from guiju.decisions.queries import DESK_VERDICTS, MatterRow
from guiju.decisions.refusals import LONGEST
from guiju.rules.vocabulary import JUDGED_VERDICTS
from guiju.scoring.attending import ORDERS

blueprint = Blueprint(
    "decisions",
    "认定",
    "记录不能说明的，由人认定；对一般要求的偏离可以说明理由；对认定可以提出异议，由他人答复。"
    "每一步都保留。",
)

_FINDING = "/organizations/<id:organization_id>/findings/<requirement>/decision"


class DecisionStepSchema(Schema):
    """Something that was done about a finding."""

    action = fields.String(required=True, validate=validate.OneOf(STEP_ACTIONS))
    verdict = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    actor = fields.String(required=True)
    made_at = fields.DateTime(required=True)


class DecisionSchema(Schema):
    """What was done about a finding, and what the caller may do about it now."""

    matter = fields.Integer(
        required=True, allow_none=True, metadata={"description": "编号；还没有人处理的为 null"}
    )
    state = fields.String(required=True, validate=validate.OneOf(MATTER_STATES))
    finding = fields.String(required=True, metadata={"description": "此刻的评判结果"})
    verdict = fields.String(
        required=True, allow_none=True, metadata={"description": "认定为；没有认定的为 null"}
    )
    explanation = fields.String(
        required=True, allow_none=True, metadata={"description": "单位说明的理由"}
    )
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "认定或答复的理由"}
    )
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.DateTime(required=True, allow_none=True)
    changed = fields.Boolean(
        required=True, metadata={"description": "事实与认定时不同，须重新核对"}
    )
    basis = fields.String(required=True, metadata={"description": "所依据事实的标记"})
    revision = fields.Integer(required=True)
    may = fields.List(
        fields.String(validate=validate.OneOf(STEP_ACTIONS)),
        required=True,
        metadata={"description": "您现在可以做的"},
    )
    steps = fields.List(fields.Nested(DecisionStepSchema), required=True)


class DecidingSchema(Schema):
    """A decision."""

    verdict = fields.String(
        required=True,
        validate=validate.OneOf(list(JUDGED_VERDICTS)),
        metadata={"description": "认定为"},
    )
    reason = text_field("认定的理由", LONGEST, required=True)


class StatedReasonSchema(Schema):
    """Why."""

    reason = text_field("理由", LONGEST, required=True)


class ReasonAnswerSchema(StatedReasonSchema):
    """The answer to a unit's reason."""

    accepted = fields.Boolean(required=True, metadata={"description": "接受（true）或不接受"})


class AppealAnswerSchema(StatedReasonSchema):
    """The answer to an objection."""

    upheld = fields.Boolean(
        required=True, metadata={"description": "异议成立（true），撤回认定；或不成立"}
    )


class DecidedItemSchema(Schema):
    """One of several findings that are settled at once."""

    organization = id_field("组织编号", required=True)
    period = period_field()


class DecidingManySchema(DecidingSchema):
    """One decision upon the same requirement of several organizations or periods."""

    requirement = text_field("要求的编号", 200, required=True)
    part = part_field()
    items = fields.List(
        fields.Nested(DecidedItemSchema),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE),
        metadata={"description": "所认定的事项"},
    )


class DecidedManySchema(Schema):
    """What was decided."""

    matters = fields.List(
        fields.Integer(), required=True, metadata={"description": "各事项认定的编号"}
    )


class MatterRowSchema(Schema):
    """A finding that somebody acted upon."""

    matter = fields.Integer(required=True)
    organization = fields.String(required=True)
    requirement = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, metadata={"description": "要求的名称"})
    period = fields.String(required=True, allow_none=True)
    subject_type = fields.String(required=True)
    subject = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(MATTER_STATES))
    verdict = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    decided_by = fields.String(required=True, allow_none=True)
    decided_at = fields.DateTime(required=True, allow_none=True)
    changed = fields.Boolean(required=True)
    updated_at = fields.DateTime(required=True)


class MatterQuery(ListQuery, WithinQuery):
    """Which decisions are listed."""

    waiting = fields.Boolean(
        load_default=False, metadata={"description": "只看等待答复或事实已有变化的"}
    )
    requirement = text_field("要求的编号", 200)
    people = fields.Boolean(
        load_default=False,
        metadata={"description": "也列出关于个人的。需要相应权限，每次查看都记入审计"},
    )


class DeskItemSchema(AttentionSchema):
    """What waits for a person."""

    state = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "对组织本身已做的处理；没有的为 null"},
    )
    others = fields.Integer(
        required=True, metadata={"description": "同一要求中对单次活动等的处理数"}
    )


class DeskQuery(ListQuery, WithinQuery):
    """Which of them are listed."""

    verdict = DelimitedList(
        fields.String(validate=validate.OneOf(DESK_VERDICTS)),
        load_default=[],
        metadata={"description": "结果，可用逗号分隔几个"},
    )
    requirement = text_field("要求的编号", 200)
    due_until = fields.Date(metadata={"description": "应在这一天以前完成的"})
    sort = fields.String(
        load_default="due",
        validate=validate.OneOf(list(ORDERS)),
        metadata={"description": "先到期的在前（due），或逐个组织（unit）"},
    )


@blueprint.get("/desk")
@blueprint.says("列出等待认定的事项", "须人工判断、须采取措施的，和没有答复的偏离。")
@blueprint.asks(DeskQuery)
@blueprint.lists(DeskItemSchema)
def desk(query: Mapping[str, Any]) -> Page:
    """What waits for a decision."""
    number, _path = top(query, "findings.read")
    after = opened(query)
    items, found = queries.desk(
        db.session,
        packs(),
        visitor(),
        number,
        verdicts=query["verdict"],
        requirement=query.get("requirement"),
        due_until=query.get("due_until"),
        order_by=query["sort"],
        cursor=None if after is None else after[0],
        limit=query["limit"],
    )
    rows = [{**open_point(one.item), "state": one.state, "others": one.others} for one in items]
    return Page(rows, None if found.cursor is None else [found.cursor])


@blueprint.get("/decisions")
@blueprint.says("列出认定、理由和异议", "新的在前。")
@blueprint.asks(MatterQuery)
@blueprint.lists(MatterRowSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """What was decided, reasoned and objected to."""
    number, path = top(query, "findings.read")
    if not query["people"]:
        return _made(number, query)
    demand("people.read", path)
    with about_people(f"{path} decisions"):
        return _made(number, query)


@blueprint.post("/decisions")
@blueprint.says(
    "认定几个事项", "同一项要求在几个组织或期间的，以同一理由认定；全部成立，或全部不成立。"
)
@blueprint.takes(DecidingManySchema)
@blueprint.creates(DecidedManySchema)
def decide_many(body: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Settle several findings at once."""
    abouts = []
    for number, item in enumerate(body["items"]):
        place = f"/items/{number}/organization"
        unit = known_organization(item["organization"], place, "findings.read")
        assert unit is not None
        abouts.append(About(unit.id, body["requirement"], body["part"], None, item["period"]))
    made = matters.decide_many(
        db.session, packs(), visitor(), abouts, body["verdict"], body["reason"]
    )
    return {"matters": made}, url_for(".listing")


@blueprint.get(_FINDING)
@blueprint.says("查看对一个评判结果的处理", "对象是个人时需要相应权限，每次查看都记入审计。")
@blueprint.asks(ExplanationQuery)
@blueprint.shows(DecisionSchema)
def show(query: Mapping[str, Any], organization_id: str, requirement: str) -> dict[str, Any]:
    """What was done about a finding."""
    with _about(organization_id, requirement, query) as about:
        return _shown(about)


#: Does something about a finding that the caller has read, as the body says.
Step: TypeAlias = Callable[[About, Shown, Mapping[str, Any]], object]


def _offered(
    name: str, summary: str, description: str, schema: type[Schema], *, example: Any = None
) -> Callable[[Step], Step]:
    """Offer a step at ``…/decision/name``, with a body of the ``schema``."""

    def decorate(step: Step) -> Step:
        def view(
            query: Mapping[str, Any],
            body: Mapping[str, Any],
            organization_id: str,
            requirement: str,
        ) -> dict[str, Any]:
            with _about(organization_id, requirement, query) as about:
                found = matters.show(db.session, packs(), visitor(), about)
                check_match(_plain(found))
                step(about, found, body)
                return _shown(about)

        view.__name__ = name.replace("/", "_")
        answering = blueprint.takes(schema, example=example)(
            blueprint.changes(DecisionSchema)(view)
        )
        asking = blueprint.asks(ExplanationQuery)(answering)
        blueprint.post(f"{_FINDING}/{name}")(blueprint.says(summary, description)(asking))
        return step

    return decorate


@_offered(
    "decide",
    "认定",
    "记录不能说明的，由上级认定；记录已经说明的不能改变。",
    DecidingSchema,
    example={"verdict": "met", "reason": "已核对原始记录"},
)
def _decide(about: About, found: Shown, body: Mapping[str, Any]) -> None:
    """Settle what the records leave open."""
    matters.decide(
        db.session,
        packs(),
        visitor(),
        about,
        body["verdict"],
        body["reason"],
        shown=found.basis,
        revision=found.revision,
    )


@_offered("explain", "说明偏离的理由", "由单位说明；上级接受或不接受。", StatedReasonSchema)
def _explain(about: About, found: Shown, body: Mapping[str, Any]) -> None:
    """Say why the unit deviated."""
    reason, revision = body["reason"], found.revision
    matters.give_reason(db.session, packs(), visitor(), about, reason, revision=revision)


@_offered("answer", "答复偏离的理由", "单位没有说明的，也可直接接受或不接受。", ReasonAnswerSchema)
def _answer(about: About, found: Shown, body: Mapping[str, Any]) -> None:
    """Accept a deviation, or decline it."""
    matters.answer_reason(
        db.session,
        packs(),
        visitor(),
        about,
        body["reason"],
        accepted=body["accepted"],
        revision=found.revision,
    )


@_offered("reopen", "撤回认定或答复", "结果重新由记录决定。", StatedReasonSchema)
def _reopen(_about: About, found: Shown, body: Mapping[str, Any]) -> None:
    """Undo a decision or an answer."""
    matters.reopen(db.session, visitor(), _matter(found), body["reason"], revision=found.revision)


@_offered("appeal", "提出异议", "由单位提出；在他人答复之前，认定仍然有效。", StatedReasonSchema)
def _appeal(_about: About, found: Shown, body: Mapping[str, Any]) -> None:
    """Object to a decision."""
    matters.appeal(db.session, visitor(), _matter(found), body["reason"], revision=found.revision)


@_offered(
    "appeal/answer",
    "答复异议",
    "由认定人以外的人答复；异议成立的，撤回认定。",
    AppealAnswerSchema,
)
def _answer_appeal(_about: About, found: Shown, body: Mapping[str, Any]) -> None:
    """Answer an objection."""
    matters.answer_appeal(
        db.session,
        visitor(),
        _matter(found),
        body["reason"],
        upheld=body["upheld"],
        revision=found.revision,
    )


@contextmanager
def _about(code: str, requirement: str, query: Mapping[str, Any]) -> Iterator[About]:
    """The finding that is meant, in the scope that findings of its kind are kept in."""
    found = organization(code, "findings.read")
    kind, subject = query.get("subject_type"), query.get("subject")
    named = (kind, subject) if kind and subject else None
    about = About(found.id, requirement, query.get("part"), named, query.get("period"))
    if kind not in PEOPLE:
        yield about
        return
    demand("people.read", found.path)
    with about_people(f"{code} {requirement}"):
        yield about


def _matter(found: Shown) -> int:
    """The number of the matter; 0, which there never is, where nothing was done yet."""
    return 0 if found.matter is None else found.matter.id


def _shown(about: About) -> dict[str, Any]:
    return _plain(matters.show(db.session, packs(), visitor(), about))


def _plain(found: Shown) -> dict[str, Any]:
    matter = found.matter
    shown: dict[str, Any] = plain(
        {
            "matter": None if matter is None else matter.id,
            "state": "open" if matter is None else matter.state,
            "finding": found.explanation.view.verdict,
            "verdict": None if matter is None else matter.verdict,
            "explanation": None if matter is None else matter.explanation,
            "reason": None if matter is None else matter.reason,
            "decided_by": None if matter is None else matter.decided_by,
            "decided_at": None if matter is None else matter.decided_at,
            "changed": found.changed,
            "basis": found.basis,
            "revision": found.revision,
            "may": sorted(found.actions),
            "steps": [
                {
                    "action": step.action,
                    "verdict": step.verdict,
                    "reason": step.text,
                    "actor": step.actor,
                    "made_at": step.made_at,
                }
                for step in found.steps
            ],
        }
    )
    return shown


def _made(number: int, query: Mapping[str, Any]) -> Page:
    after = opened(query)
    found = queries.matters(
        db.session,
        packs(),
        visitor(),
        number,
        waiting=query["waiting"],
        requirement=query.get("requirement"),
        before=None if after is None else after[0],
        limit=query["limit"],
    )
    rows = [_row(row) for row in found.rows]
    return Page(rows, None if found.before is None else [found.before])


def _row(row: MatterRow) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "matter": row.id,
            "organization": row.unit.code,
            "requirement": row.requirement,
            "part": row.part,
            "title": row.title,
            "period": row.period,
            "subject_type": row.subject_type,
            "subject": row.subject,
            "state": row.state,
            "verdict": row.verdict,
            "reason": row.reason,
            "decided_by": row.decided_by,
            "decided_at": row.decided_at,
            "changed": row.changed,
            "updated_at": row.updated_at,
        }
    )
    return shown
