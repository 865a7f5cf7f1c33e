"""Occasions: meetings and activities, from the draft through review to the archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flask import url_for
from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from guiju.accounts.visitors import Visitor
from guiju.activities import payloads, queries, records
from guiju.activities.access import find_occasion
from guiju.activities.queries import STATES, RecordSummary, RecordView
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened, sliced
from guiju.api.plugins import plugins
from guiju.api.problems import fault
from guiju.api.reach import known_organization, top
from guiju.api.schemas import WithinQuery, id_field, is_period, plain, text_field
from guiju.api.tags import check_match
from guiju.db import db
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.rules import periods
from guiju.scoring.naming import Names

blueprint = Blueprint(
    "occasions", "活动", "会议和活动的记录，以及审核、退回、更正、作废。历次版本都保留。"
)

#: Longest comment or reason.
_MOST_WORDS = 2000

_PARTS = {
    part: fields.List(
        fields.Nested(
            Schema.from_dict(payloads.part_columns(part), name=f"Occasion{part.title()}Schema")
        ),
        validate=validate.Length(max=payloads.MOST_ROWS),
        metadata={"description": title},
    )
    for part, title in {
        "attendance": "出席；无权查看姓名时只列出不涉及个人的",
        "agenda": "议程",
        "documents": "材料",
        "steps": "步骤",
        "votes": "表决",
    }.items()
}

#: What is typed of an occasion, with its parts.
_TYPED: dict[str, Any] = {
    **payloads.columns(),
    **_PARTS,
    "content": text_field("活动内容", payloads.MOST_CONTENT),
    "extra": fields.Dict(metadata={"description": "本地规则插件所加的字段"}),
}

_EXAMPLE = {
    "organization": "finance-1",
    "kinds": ["theme_day"],
    "held_on": "2021-03-05",
    "place": "三楼会议室",
    "attendance": [{"person": "finance-1-1", "status": "present"}],
    "agenda": [{"item": "1", "topic": "study"}],
}

NewOccasionSchema = Schema.from_dict(
    {
        "id": id_field("自取的编号；不填则由系统给出"),
        "organization": id_field("组织编号", required=True),
        **_TYPED,
    },
    name="NewOccasionSchema",
)

CorrectionSchema = Schema.from_dict(
    {**_TYPED, "reason": text_field("更正原因；该月已声明齐全时必填", _MOST_WORDS)},
    name="OccasionCorrectionSchema",
)


class CommentSchema(Schema):
    """What is said to a record that is passed on."""

    comment = text_field("审核意见", _MOST_WORDS)


class ReturnSchema(Schema):
    """What is to be put right."""

    comment = text_field("退回原因", _MOST_WORDS, required=True)


class ReasonSchema(Schema):
    """Why something is done."""

    reason = text_field("原因", _MOST_WORDS, required=True)


class OccasionCountsSchema(Schema):
    """Who should have come and came, as stated or derived."""

    expected = fields.Integer(required=True, allow_none=True)
    present = fields.Integer(required=True, allow_none=True)


class OccasionSummarySchema(Schema):
    """An occasion as lists show it."""

    id = fields.String(required=True)
    organization = fields.String(required=True)
    kinds = fields.List(fields.String(), required=True, metadata={"description": "活动类型"})
    held_on = fields.Date(required=True)
    title_text = fields.String(required=True, allow_none=True)
    counts = fields.Nested(OccasionCountsSchema, required=True)
    documents = fields.List(fields.String(), required=True, metadata={"description": "留存材料"})
    state = fields.String(
        required=True,
        validate=validate.OneOf(STATES),
        metadata={"description": "审核中的位置；导入而未经更正的为 recorded"},
    )
    revision = fields.Integer(required=True, metadata={"description": "版本号"})
    station = fields.String(
        required=True, allow_none=True, metadata={"description": "正在审核的组织的名称"}
    )
    late = fields.Boolean(required=True, metadata={"description": "补录"})
    changed = fields.Boolean(required=True, metadata={"description": "归档后更正过"})
    author = fields.String(required=True, allow_none=True)
    recorded_on = fields.Date(required=True, allow_none=True)


class OccasionStepSchema(Schema):
    """Something done to a record on its way."""

    action = fields.String(required=True)
    revision = fields.Integer(required=True)
    state = fields.String(required=True)
    organization = fields.String(required=True)
    actor = fields.String(required=True)
    comment = fields.String(required=True, allow_none=True)
    made_at = fields.DateTime(required=True)


class OccasionSchema(OccasionSummarySchema):
    """An occasion with everything that the visitor may see of it."""

    recorded = fields.Dict(
        required=True, metadata={"description": "所记内容，写法与提交时相同；空的不列"}
    )
    people = fields.Boolean(
        required=True, metadata={"description": "recorded 是否包含涉及个人的内容"}
    )
    levels = fields.Integer(required=True, metadata={"description": "须经几级审核"})
    history = fields.List(fields.Nested(OccasionStepSchema), required=True)
    may = fields.List(fields.String(), required=True, metadata={"description": "您现在可以做的"})


class OccasionVersionSchema(Schema):
    """A record as it stood after a saving."""

    number = fields.Integer(required=True, metadata={"description": "0 为导入时的内容"})
    author = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    made_at = fields.DateTime(required=True)
    recorded = fields.Dict(required=True)


class OccasionQuery(ListQuery, WithinQuery):
    """Which occasions are listed."""

    own = fields.Boolean(
        load_default=False, metadata={"description": "只看 within 所指的组织，不看下级"}
    )
    period = fields.String(
        validate=is_period, metadata={"description": "只看这个期间的，如 2021-Q1"}
    )
    since = fields.Date(metadata={"description": "只看这一天及以后的"})
    until = fields.Date(metadata={"description": "只看这一天及以前的"})
    kind = text_field("活动类型", 100)
    state = DelimitedList(
        fields.String(validate=validate.OneOf(STATES)),
        load_default=[],
        metadata={"description": "审核中的位置，可用逗号分隔几个"},
    )


@blueprint.get("/occasions")
@blueprint.says("列出活动", "日期新的在前。`within` 不填为您管辖的最上级组织。")
@blueprint.asks(OccasionQuery)
@blueprint.lists(OccasionSummarySchema)
def listing(query: Mapping[str, Any]) -> Page:
    """Occasions of a part of the tree, the latest day first."""
    number, _path = top(query, "records.read")
    since, until = _days(query)
    after = opened(query)
    try:
        found = queries.records_of(
            db.session,
            visitor(),
            number,
            below=not query["own"],
            since=since,
            until=until,
            states=query["state"],
            kind=query.get("kind"),
            cursor=None if after is None else after[0],
            limit=query["limit"],
        )
    except ValueError:
        raise fault("kind", "choice", _("没有这种活动"), query["kind"], at="parameter") from None
    return Page(_summaries(found.items), None if found.cursor is None else [found.cursor])


@blueprint.get("/reviews")
@blueprint.says("列出等待审核的活动", "等待您审核的，等得久的在前；您自己填报的不在其中。")
@blueprint.asks(ListQuery)
@blueprint.lists(OccasionSummarySchema)
def reviews(query: Mapping[str, Any]) -> Page:
    """Records that wait for the visitor's review."""
    found = queries.awaiting_review(db.session, visitor())
    return sliced(_summaries(found), query)


@blueprint.post("/occasions")
@blueprint.says("填报活动", "提交后即计入评判；设有审核的，同时送审。")
@blueprint.takes(NewOccasionSchema, example=_EXAMPLE)
@blueprint.creates(OccasionSchema)
def create(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Record an occasion."""
    unit = known_organization(body.pop("organization"), "/organization", "records.write")
    assert unit is not None
    code = body.pop("id", None)
    made = records.create_record(
        db.session, visitor(), plugins(), unit.id, _payload(body), code=code
    )
    shown = _shown(queries.find_record(db.session, visitor(), made.occasion_id))
    return shown, url_for(".show", occasion_id=shown["id"])


@blueprint.get("/occasions/<id:occasion_id>")
@blueprint.says("读取一次活动")
@blueprint.shows(OccasionSchema)
def show(occasion_id: str) -> dict[str, Any]:
    """One occasion."""
    return _shown(queries.record_with_code(db.session, visitor(), occasion_id))


@blueprint.put("/occasions/<id:occasion_id>")
@blueprint.says(
    "更正活动",
    "须给出全部内容：没有给出的栏目成为空白，没有给出的部分（出席、议程等）不变。"
    "原来的版本保留；须审核的重新送审。",
)
@blueprint.takes(CorrectionSchema)
@blueprint.changes(OccasionSchema)
def correct(body: dict[str, Any], occasion_id: str) -> dict[str, Any]:
    """Correct a record, or record what was planned."""
    reason = body.pop("reason", None)

    def apply(session: AnySession, asking: Visitor, number: int) -> None:
        records.correct_record(session, asking, plugins(), number, _payload(body), reason=reason)

    return _changed(occasion_id, "records.write", apply)


@blueprint.post("/occasions/<id:occasion_id>/approve")
@blueprint.says("审核通过")
@blueprint.takes(CommentSchema)
@blueprint.changes(OccasionSchema)
def approve(body: dict[str, Any], occasion_id: str) -> dict[str, Any]:
    """Pass a record on, or archive it."""

    def apply(session: AnySession, asking: Visitor, number: int) -> None:
        records.approve_record(session, asking, number, comment=body.get("comment"))

    return _changed(occasion_id, "records.read", apply)


@blueprint.post("/occasions/<id:occasion_id>/return")
@blueprint.says("退回更正")
@blueprint.takes(ReturnSchema)
@blueprint.changes(OccasionSchema)
def give_back(body: dict[str, Any], occasion_id: str) -> dict[str, Any]:
    """Send a record back to its unit."""

    def apply(session: AnySession, asking: Visitor, number: int) -> None:
        records.return_record(session, asking, number, body["comment"])

    return _changed(occasion_id, "records.read", apply)


@blueprint.post("/occasions/<id:occasion_id>/void")
@blueprint.says("作废", "说明所记并未发生：不再计入，但仍可查看。")
@blueprint.takes(ReasonSchema)
@blueprint.changes(OccasionSchema)
def void(body: dict[str, Any], occasion_id: str) -> dict[str, Any]:
    """Declare that what is recorded was not so."""

    def apply(session: AnySession, asking: Visitor, number: int) -> None:
        records.void_record(session, asking, number, body["reason"])

    return _changed(occasion_id, "records.write", apply)


@blueprint.get("/occasions/<id:occasion_id>/versions")
@blueprint.says("列出活动的各个版本")
@blueprint.asks(ListQuery)
@blueprint.lists(OccasionVersionSchema)
def versions(query: Mapping[str, Any], occasion_id: str) -> Page:
    """Every version of a record, the first first."""
    found = queries.record_with_code(db.session, visitor(), occasion_id)
    rows = [
        plain(
            {
                "number": version.number,
                "author": version.author,
                "reason": version.reason,
                "made_at": version.made_at,
                "recorded": version.payload,
            }
        )
        for version in queries.versions(db.session, visitor(), found.summary.occasion_id)
    ]
    return sliced(rows, query)


def _changed(
    code: str, permission: str, apply: Callable[[AnySession, Visitor, int], None]
) -> dict[str, Any]:
    """The record after ``apply``, which is done to what the caller has read."""
    number = queries.record_with_code(db.session, visitor(), code).summary.occasion_id
    find_occasion(db.session, visitor(), number, permission, lock=True)
    check_match(_shown(queries.find_record(db.session, visitor(), number)))
    apply(db.session, visitor(), number)
    return _shown(queries.find_record(db.session, visitor(), number))


def _payload(body: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed as :mod:`guiju.activities.payloads` reads it: blanks left out."""
    return {name: _without_blanks(value) for name, value in body.items() if value is not None}


def _without_blanks(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_blanks(one) for one in value]
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items() if inner is not None}
    return plain(value)


def _days(query: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """The first and the last day that a list shows."""
    bounds = [query.get("since")], [query.get("until")]
    if "period" in query:
        found, unit = periods.parse(query["period"])
        bounds[0].append(periods.to_date(periods.first_day(found, unit)))
        bounds[1].append(periods.to_date(periods.last_day(found, unit)))
    first = [day for day in bounds[0] if day is not None]
    last = [day for day in bounds[1] if day is not None]
    return max(first, default=None), min(last, default=None)


def _summaries(found: Sequence[RecordSummary]) -> list[dict[str, Any]]:
    units = Names(db.session).units({one.organization_id for one in found})
    return [_summary(one, units[one.organization_id].code) for one in found]


def _summary(found: RecordSummary, unit: str) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": found.code,
            "organization": unit,
            "kinds": list(found.kinds),
            "held_on": found.held_on,
            "title_text": found.title,
            "counts": {"expected": found.expected, "present": found.present},
            "documents": list(found.documents),
            "state": found.state,
            "revision": found.revision,
            "station": found.station,
            "late": found.late,
            "changed": found.changed,
            "author": found.author,
            "recorded_on": found.recorded_on,
        }
    )
    return shown


def _shown(found: RecordView) -> dict[str, Any]:
    steps = [
        {
            "action": step.action,
            "revision": step.revision,
            "state": step.state,
            "organization": step.organization,
            "actor": step.actor,
            "comment": step.comment,
            "made_at": step.made_at,
        }
        for step in found.steps
    ]
    return {
        **_summaries([found.summary])[0],
        "recorded": plain(found.payload),
        "people": found.people,
        "levels": found.levels,
        "history": plain(steps),
        "may": sorted(found.may),
    }
