"""The library: the installed notices, what they ask, and how they compare."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.plugins import plugins
from guiju.api.problems import not_found
from guiju.api.reach import demand
from guiju.api.schemas import id_field, plain, text_field
from guiju.rules import library
from guiju.rules.pack import Pack
from guiju.rules.registry import CHECKS

blueprint = Blueprint(
    "library", "文件库", "已安装的各地文件：要求、等次、理解和报表，逐条的核对办法，两地对照。"
)

_RELATIONS = ("same", "tighter", "looser", "only_a", "only_b", "not_comparable")


class CountsByAutomationSchema(Schema):
    """Statements by how much of them records can settle."""

    total = fields.Integer(required=True)
    full = fields.Integer(required=True)
    partly = fields.Integer(required=True, data_key="partial")
    manual = fields.Integer(required=True)


class ProfileSchema(Schema):
    """An installed notice in one line."""

    id = fields.String(required=True)
    title = fields.String(required=True)
    issuer = fields.String(required=True, metadata={"description": "发文机关"})
    document = fields.String(required=True, metadata={"description": "文号"})
    in_force_from = fields.Date(required=True)
    variants = fields.List(fields.String(), required=True)
    statements = fields.Nested(CountsByAutomationSchema, required=True)


class ProfileDetailSchema(ProfileSchema):
    """An installed notice with everything that applies on a day."""

    requirements = fields.List(fields.Dict(), required=True, metadata={"description": "各项要求"})
    scales = fields.List(fields.Dict(), required=True, metadata={"description": "等次"})
    conventions = fields.List(
        fields.Dict(), required=True, metadata={"description": "通知没有写明时的通用约定"}
    )
    readings = fields.List(
        fields.Dict(), required=True, metadata={"description": "条文可有几种理解之处"}
    )
    settings = fields.List(fields.Dict(), required=True, metadata={"description": "设置"})
    report_formats = fields.List(fields.Dict(), required=True, metadata={"description": "报表"})


class DayQuery(Schema):
    """Which day's law is shown."""

    as_of = fields.Date(metadata={"description": "按哪一天有效的规定"})
    variant = text_field("只看一个变体", 50)


class StatementSchema(Schema):
    """One statement of a notice, with how it is checked or why it is not."""

    id = fields.String(required=True)
    clause = fields.String(required=True)
    automation = fields.String(
        required=True, validate=validate.OneOf(["full", "partial", "manual"])
    )
    how = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class ComparisonQuery(ListQuery):
    """Which two notices are compared."""

    a = id_field("一个文件的编号", required=True)
    b = id_field("另一个文件的编号", required=True)
    as_of = fields.Date(metadata={"description": "按哪一天有效的规定"})


class MatterSchema(Schema):
    """One matter in two notices; the relation is that of ``a`` to ``b``."""

    matter = fields.String(required=True)
    relation = fields.String(required=True, validate=validate.OneOf(_RELATIONS))
    a = fields.List(fields.Dict(), required=True)
    b = fields.List(fields.Dict(), required=True)


@blueprint.get("/profiles")
@blueprint.says("列出已安装的文件")
@blueprint.asks(ListQuery)
@blueprint.lists(ProfileSchema)
def listing(query: Mapping[str, Any]) -> Page:
    """The installed profiles."""
    demand("organization.read")
    return sliced([library.summary(pack) for pack in plugins().packs.values()], query)


@blueprint.get("/profiles/<profile>")
@blueprint.says("读取一个文件的全部要求")
@blueprint.asks(DayQuery)
@blueprint.shows(ProfileDetailSchema)
def show(query: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """One profile with every requirement, scale and report format."""
    pack = _pack(profile)
    variant = query.get("variant")
    if variant is not None and variant not in {known.id for known in pack.variants}:
        raise not_found()
    formats = [
        {
            "id": known.id,
            "title": known.title,
            "clause": known.clause,
            "media_type": known.media_type,
        }
        for known in plugins().formats_of(pack.id)
    ]
    as_of: date | None = query.get("as_of")
    shown: dict[str, Any] = plain(
        {
            **library.summary(pack),
            "requirements": library.requirements(pack, variant, as_of),
            "scales": library.scales(pack),
            "conventions": library.conventions(pack),
            "readings": library.readings(pack),
            "settings": library.settings(pack),
            "report_formats": formats,
        }
    )
    return shown


@blueprint.get("/profiles/<profile>/coverage")
@blueprint.says("逐条说明怎样核对", "文件的每一条：怎样由记录核对，或为何不能。")
@blueprint.asks(ListQuery)
@blueprint.lists(StatementSchema)
def coverage(query: Mapping[str, Any], profile: str) -> Page:
    """One row for each statement of the notice."""
    rows = library.coverage(_pack(profile), {name: check.summary for name, check in CHECKS.items()})
    return sliced(rows, query)


@blueprint.get("/comparison")
@blueprint.says("对照两个文件", "按事项对照；`relation` 是 `a` 对 `b` 的关系。")
@blueprint.asks(ComparisonQuery)
@blueprint.lists(MatterSchema)
def comparison(query: Mapping[str, Any]) -> Page:
    """Two profiles side by side."""
    rows = library.diff(_pack(query["a"]), _pack(query["b"]), query.get("as_of"))
    names = ("matter", "relation", "a", "b")
    return sliced([plain({name: row[name] for name in names}) for row in rows], query)


def _pack(profile: str) -> Pack:
    demand("organization.read")
    found = plugins().packs.get(profile)
    if found is None:
        raise not_found()
    return found
