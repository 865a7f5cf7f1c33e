"""Findings: what is met and what is not, with why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import sqlalchemy as sa
from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from guiju.api.admission import about_people, visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, opened
from guiju.api.plugins import packs
from guiju.api.reach import at_or_below, below, demand, organization, top
from guiju.api.schemas import WithinQuery, id_field, is_period, plain, text_field
from guiju.db import current_tenant_id, db
from guiju.organizations.models import Organization
from guiju.rules import vocabulary as v
from guiju.rules.findings import SUBJECT_TABLES
from guiju.scoring import queries
from guiju.scoring.attending import ORDERS
from guiju.scoring.models import MemberFindings, OrganizationFindings, RecordFindings
from guiju.scoring.results import AttentionItem

blueprint = Blueprint("findings", "评判结果", "各组织对照本地文件的评判结果，及其依据和补正办法。")

#: Organizations looked at for one page, so that a filter that hits little ends in time; a
#: page may therefore be short, or even empty, and still not be the last.
_MOST_LOOKED_AT = 40

#: What sets one finding of an organization apart from the others.
Key: TypeAlias = tuple[str, ...]

#: Kinds of subjects that are somebody.
PEOPLE = {"member", "person"}

_VERDICTS = [str(verdict) for verdict in v.Verdict]
_STRICTNESS = [str(level) for level in v.Strictness]

_EXAMPLE: dict[str, Any] = {
    "requirement": "xian.branch_assembly.quarterly",
    "subject": {"type": "organization", "id": "finance-2"},
    "organization": "finance-2",
    "period": "2021-Q2",
    "verdict": "not_met",
    "strictness": "hard",
    "part": None,
    "required": 1,
    "observed": 0,
    "due": None,
    "evidence": [],
    "citation": {"document": "市组通字〔2020〕45号", "clause": "附件1·12; 附件2·12"},
    "alternatives": [],
    "message": "2021年第二季度没有召开支部党员大会。",
    "readings": {},
}


class SubjectSchema(Schema):
    """Who or what a finding is about."""

    type = fields.String(
        required=True,
        validate=validate.OneOf(sorted(SUBJECT_TABLES)),
        metadata={"description": "对象类型"},
    )
    id = fields.String(required=True, metadata={"description": "对象编号"})


class CitationSchema(Schema):
    """Where a requirement stands."""

    document = fields.String(required=True, metadata={"description": "文号"})
    clause = fields.String(required=True, metadata={"description": "条款"})


class AlternativeSchema(Schema):
    """Another defensible reading, and its verdict."""

    reading = fields.String(required=True, metadata={"description": "理解及其取值"})
    verdict = fields.String(required=True, validate=validate.OneOf(_VERDICTS))


class FindingSchema(Schema):
    """One finding, with the keys that ``guiju evaluate`` prints."""

    requirement = fields.String(required=True, metadata={"description": "要求的编号"})
    subject = fields.Nested(SubjectSchema, required=True)
    organization = fields.String(required=True, metadata={"description": "负责的组织"})
    period = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "期间：2021、2021-H1、2021-Q1、2021-B1、2021-03，或 null"},
    )
    verdict = fields.String(required=True, validate=validate.OneOf(_VERDICTS))
    strictness = fields.String(required=True, validate=validate.OneOf(_STRICTNESS))
    part = fields.String(
        required=True, allow_none=True, metadata={"description": "分开评判的部分，或 null"}
    )
    required = fields.Raw(required=True, allow_none=True, metadata={"description": "要求的数值"})
    observed = fields.Raw(required=True, allow_none=True, metadata={"description": "实际的数值"})
    due = fields.Date(required=True, allow_none=True, metadata={"description": "应完成的日期"})
    evidence = fields.List(
        fields.String(), required=True, metadata={"description": "所计入记录的编号"}
    )
    citation = fields.Nested(CitationSchema, required=True)
    alternatives = fields.List(
        fields.Nested(AlternativeSchema),
        required=True,
        metadata={"description": "按另一种说得通的理解会得到的结果"},
    )
    message = fields.String(required=True, metadata={"description": "一句话说明"})
    readings = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "判定时所用的理解，按名称"},
    )


class FindingQuery(ListQuery, WithinQuery):
    """Which findings are listed."""

    requirement = text_field("要求的编号", 200)
    verdict = DelimitedList(
        fields.String(validate=validate.OneOf(_VERDICTS)),
        metadata={"description": "结果，可用逗号分隔几个"},
    )
    period = fields.String(
        validate=is_period, metadata={"description": "只看这个期间，写法与结果中相同"}
    )
    year = fields.Integer(
        validate=validate.Range(1921, 2199),
        metadata={"description": "只看这一年；不属于任何期间的状态总会列出"},
    )
    people = fields.Boolean(
        load_default=False,
        metadata={"description": "也列出逐人的结果。需要相应权限，每次查看都记入审计"},
    )


class RecordSchema(Schema):
    """A record that was looked at."""

    table = fields.String(required=True)
    id = fields.String(required=True)
    title = fields.String(required=True)
    day = fields.Date(required=True, allow_none=True)
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "没有计入的原因"}
    )


class ReadingSchema(Schema):
    """Another reading in full."""

    reading = fields.String(required=True)
    title = fields.String(required=True)
    option = fields.String(required=True)
    option_title = fields.String(required=True)
    verdict = fields.String(required=True, validate=validate.OneOf(_VERDICTS))


class ExplanationSchema(Schema):
    """Why a finding is what it is, judged afresh from the records of this moment."""

    finding = fields.Nested(FindingSchema, required=True)
    title = fields.String(required=True, metadata={"description": "要求的名称"})
    check = fields.String(required=True, metadata={"description": "怎样核对"})
    parameters = fields.Dict(required=True, metadata={"description": "核对所用的数值"})
    counted = fields.List(fields.Nested(RecordSchema), required=True)
    uncounted = fields.List(fields.Nested(RecordSchema), required=True)
    remedy = fields.String(required=True, allow_none=True, metadata={"description": "怎样补正"})
    by = fields.Date(required=True, allow_none=True)
    readings = fields.List(fields.Nested(ReadingSchema), required=True)
    as_of = fields.Date(required=True, allow_none=True, metadata={"description": "评判截止日期"})


class ExplanationQuery(Schema):
    """Which finding is explained."""

    part = text_field("分开评判的部分", 10)
    period = fields.String(validate=is_period, metadata={"description": "期间"})
    subject_type = fields.String(
        validate=validate.OneOf(sorted(SUBJECT_TABLES)),
        metadata={"description": "对象类型；不填为组织本身"},
    )
    subject = id_field("对象编号")


class AttentionSchema(Schema):
    """What is not simply met: one requirement of one organization in one period."""

    organization = fields.String(required=True, metadata={"description": "组织编号"})
    name = fields.String(required=True, metadata={"description": "组织名称"})
    profile = fields.String(required=True)
    requirement = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    title = fields.String(required=True, metadata={"description": "要求的名称"})
    subject_type = fields.String(required=True)
    period = fields.String(required=True, allow_none=True)
    verdict = fields.String(required=True, validate=validate.OneOf(_VERDICTS))
    due = fields.Date(required=True, allow_none=True)


class AttentionQuery(ListQuery, WithinQuery):
    """Which open points are listed."""

    verdict = DelimitedList(
        fields.String(validate=validate.OneOf(_VERDICTS)),
        load_default=[],
        metadata={"description": "结果，可用逗号分隔几个"},
    )
    requirement = text_field("要求的编号", 200)
    due_until = fields.Date(metadata={"description": "应在这一天以前完成的"})
    own = fields.Boolean(
        load_default=False, metadata={"description": "只看 within 所指的组织，不看下级"}
    )
    sort = fields.String(
        load_default="due",
        validate=validate.OneOf(list(ORDERS)),
        metadata={"description": "先到期的在前（due），或逐个组织（unit）"},
    )


class CountsSchema(Schema):
    """Findings by verdict."""

    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={"description": "各种结果的数量，没有的不列；late 是符合的项中记录迟录的"},
    )


class ChildCountsSchema(CountsSchema):
    """Findings of one organization directly below, with all that is below it."""

    organization = fields.String(required=True)
    name = fields.String(required=True)


class RequirementCountsSchema(CountsSchema):
    """Findings on one part of a requirement."""

    profile = fields.String(required=True)
    requirement = fields.String(required=True)
    part = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)
    clause = fields.String(required=True)
    strictness = fields.String(required=True)


class OverviewSchema(CountsSchema):
    """The findings of an organization and everything below it in one year."""

    organization = fields.String(required=True)
    year = fields.Integer(required=True)
    years = fields.List(fields.Integer(), required=True, metadata={"description": "有结果的年度"})
    by_child = fields.List(fields.Nested(ChildCountsSchema), required=True)
    by_requirement = fields.List(fields.Nested(RequirementCountsSchema), required=True)


class OverviewQuery(Schema):
    """Which year is counted."""

    year = fields.Integer(
        validate=validate.Range(1921, 2199), metadata={"description": "年度；不填为最近一年"}
    )


class StandingSchema(Schema):
    """How fresh the findings are."""

    as_of = fields.Date(required=True, allow_none=True, metadata={"description": "评判截止日期"})
    scored_at = fields.DateTime(required=True, allow_none=True)
    waiting = fields.Integer(
        required=True, metadata={"description": "有改动而尚未重新评判的组织数"}
    )


@blueprint.get("/findings")
@blueprint.says(
    "列出评判结果",
    "逐个组织列出。对党员和活动的要求只列出未达到的；逐人的结果须另加 `people=true`。"
    "一页可能少于 `limit` 项，`next` 为 null 才是最后一页。",
)
@blueprint.asks(FindingQuery)
@blueprint.lists(FindingSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """Findings, organization by organization."""
    permission = "people.read" if query["people"] else "findings.read"
    demand("findings.read")
    paths = below(query, permission)
    units = _units(paths, opened(query), people=query["people"])
    if not query["people"]:
        return _page(units, query)
    with about_people(query.get("within") or "、".join(paths)):
        return _page(units, query)


@dataclass(frozen=True)
class _Unit:
    """An organization whose findings are listed, and the key after which they begin."""

    organization_id: int
    path: str
    begin: Key | None


def _units(paths: Sequence[str], after: Sequence[Any] | None, *, people: bool) -> list[_Unit]:
    """Organizations that findings are stored of, in order of the tree; one more than is shown.

    Findings about a Party group are its branch's.
    """
    table = Organization.__table__
    models = (OrganizationFindings, RecordFindings, *([MemberFindings] if people else []))
    stored = sa.union_all(
        *(
            sa.select(model.__table__.c.organization_id).where(
                model.__table__.c.tenant_id == current_tenant_id()
            )
            for model in models
        )
    ).subquery()
    select = sa.select(table.c.id, table.c.path).where(
        table.c.tenant_id == current_tenant_id(),
        at_or_below(paths),
        table.c.kind != "party_group",
        table.c.id.in_(sa.select(stored.c.organization_id)),
    )
    begin: Key | None = None
    if after is not None:
        path, key = after
        begin = None if key is None else tuple(key)
        select = select.where(table.c.path >= path if begin else table.c.path > path)
    rows = db.session.execute(select.order_by(table.c.path).limit(_MOST_LOOKED_AT + 1)).all()
    return [
        _Unit(*row, begin if after is not None and row.path == after[0] else None) for row in rows
    ]


def _page(units: Sequence[_Unit], query: Mapping[str, Any]) -> Page:
    found: list[tuple[str, Key, Mapping[str, Any]]] = []
    for unit in units[:_MOST_LOOKED_AT]:
        for key, finding in _of(unit, query):
            if len(found) == query["limit"]:
                return Page([entry[2] for entry in found], found[-1][:2])
            found.append((unit.path, key, finding))
    more = len(units) > _MOST_LOOKED_AT
    return Page(
        [entry[2] for entry in found], (units[_MOST_LOOKED_AT - 1].path, None) if more else None
    )


def _of(unit: _Unit, query: Mapping[str, Any]) -> list[tuple[Key, Mapping[str, Any]]]:
    """The findings of one organization that the query asks for, in order of their keys."""
    period = query.get("period")
    views = queries.findings(
        db.session,
        packs(),
        unit.organization_id,
        within=visitor().within,
        year=int(period[:4]) if period else query.get("year"),
    )
    keyed = sorted(((_key(view.finding), view.finding) for view in views), key=itemgetter(0))
    return [
        (key, finding)
        for key, finding in keyed
        if (unit.begin is None or key > unit.begin) and _is_asked(finding, query)
    ]


def _key(finding: Mapping[str, Any]) -> Key:
    subject = finding["subject"]
    parts = (finding["requirement"], finding["part"], finding["period"], *subject.values())
    return tuple(part or "" for part in parts)


def _is_asked(finding: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    if not query["people"] and finding["subject"]["type"] in PEOPLE:
        return False
    return (
        finding["requirement"] == query.get("requirement", finding["requirement"])
        and finding["verdict"] in query.get("verdict", [finding["verdict"]])
        and finding["period"] == query.get("period", finding["period"])
    )


@blueprint.get("/organizations/<id:organization_id>/findings/<requirement>")
@blueprint.says(
    "解释一个评判结果",
    "按此刻的记录重新评判一项要求，说明计入和未计入的记录。对象是个人时需要相应权限，"
    "每次查看都记入审计。",
)
@blueprint.asks(ExplanationQuery)
@blueprint.shows(ExplanationSchema)
def explain(query: Mapping[str, Any], organization_id: str, requirement: str) -> dict[str, Any]:
    """Why one finding is what it is."""
    found = organization(organization_id, "findings.read")
    number, path = found.id, found.path
    if query.get("subject_type") not in PEOPLE:
        return _explanation(number, requirement, query)
    demand("people.read", path)
    with about_people(f"{organization_id} {requirement}"):
        return _explanation(number, requirement, query)


def _explanation(number: int, requirement: str, query: Mapping[str, Any]) -> dict[str, Any]:
    kind, subject = query.get("subject_type"), query.get("subject")
    found = queries.explain(
        db.session,
        packs(),
        number,
        requirement,
        within=visitor().within,
        part=query.get("part"),
        subject=(kind, subject) if kind and subject else None,
        period=query.get("period"),
    )
    shown: dict[str, Any] = plain(
        {
            "finding": found.view.finding,
            "title": found.requirement_title,
            "check": found.check,
            "parameters": found.parameters,
            "counted": [asdict(record) for record in found.counted],
            "uncounted": [asdict(record) for record in found.uncounted],
            "remedy": found.remedy,
            "by": found.by,
            "readings": [asdict(reading) for reading in found.alternatives],
            "as_of": found.as_of,
        }
    )
    return shown


@blueprint.get("/attention")
@blueprint.says(
    "列出待办和不足", "尚未完成、有差距或须人工判断的要求。`within` 不填为您管辖的最上级组织。"
)
@blueprint.asks(AttentionQuery)
@blueprint.lists(AttentionSchema)
def attention(query: Mapping[str, Any]) -> Page:
    """What is not simply met."""
    number, _path = top(query, "findings.read")
    after = opened(query)
    found = queries.attention(
        db.session,
        packs(),
        number,
        within=visitor().within,
        verdicts=query["verdict"],
        requirement=query.get("requirement"),
        due_until=query.get("due_until"),
        cursor=None if after is None else after[0],
        limit=query["limit"],
        order_by=query["sort"],
        below=not query["own"],
    )
    items = [open_point(item) for item in found.items]
    return Page(items, None if found.cursor is None else [found.cursor])


def open_point(item: AttentionItem) -> dict[str, Any]:
    """An open point as lists show it."""
    shown: dict[str, Any] = plain(
        {
            "organization": item.unit.code,
            "name": item.unit.name,
            "profile": item.profile,
            "requirement": item.requirement,
            "part": item.part,
            "title": item.title,
            "subject_type": item.subject_type,
            "period": item.period,
            "verdict": item.verdict,
            "due": item.due,
        }
    )
    return shown


@blueprint.get("/organizations/<id:organization_id>/overview")
@blueprint.says("统计评判结果", "一个组织及其下级在一年中的评判结果，按下级组织和按要求统计。")
@blueprint.asks(OverviewQuery)
@blueprint.shows(OverviewSchema)
def overview(query: Mapping[str, Any], organization_id: str) -> dict[str, Any]:
    """Counts by verdict of an organization and all below it."""
    found = queries.overview(
        db.session,
        packs(),
        organization(organization_id, "findings.read").id,
        within=visitor().within,
        year=query.get("year"),
    )
    return {
        "organization": found.unit.code,
        "year": found.year,
        "years": list(found.years),
        "counts": dict(found.counts),
        "by_child": [
            {
                "organization": child.unit.code,
                "name": child.unit.name,
                "counts": dict(child.counts),
            }
            for child in found.by_child
        ],
        "by_requirement": [
            {
                "profile": one.profile,
                "requirement": one.requirement,
                "part": one.part,
                "title": one.title,
                "clause": one.clause,
                "strictness": one.strictness,
                "counts": dict(one.counts),
            }
            for one in found.by_requirement
        ],
    }


@blueprint.get("/standing")
@blueprint.says("评判结果的时效", "评判到哪一天，您看得到的组织中还有多少有改动尚未反映。")
@blueprint.shows(StandingSchema)
def standing() -> dict[str, Any]:
    """How fresh the findings are that the visitor sees."""
    demand("findings.read")
    found = queries.standing(db.session, visitor().within)
    shown: dict[str, Any] = plain(
        {"as_of": found.as_of, "scored_at": found.scored_at, "waiting": found.waiting}
    )
    return shown
