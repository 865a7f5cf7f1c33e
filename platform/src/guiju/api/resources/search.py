"""Search: units, people and records by what is known of them.

Whoever may not see people finds none; whoever is shown people is written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from guiju.activities.queries import RecordSummary, search_records
from guiju.api.blueprint import Blueprint
from guiju.api.reach import demand
from guiju.api.schemas import id_field, plain
from guiju.db import db
from guiju.organizations.search import FoundPerson, find, read_people, words_of
from guiju.rules import vocabulary as v

blueprint = Blueprint("search", "查找", "按名称、编号、类型、日期或地点查找单位、党员和活动记录。")

_GROUPS = ("organizations", "people", "records")
_MOST = 50


class SearchQuery(Schema):
    """What is looked for."""

    q = fields.String(
        required=True,
        validate=validate.Length(1, 100),
        metadata={"description": "要查找的文字；几个词用空格隔开，须都找到"},
    )
    # "in" is no name of an argument in Python.
    group = fields.String(
        data_key="in",
        validate=validate.OneOf(_GROUPS),
        metadata={"description": "只在这一类中查找"},
    )
    limit = fields.Integer(
        load_default=10,
        validate=validate.Range(1, _MOST),
        metadata={"description": "每一类最多几项"},
    )


class FoundOrganizationSchema(Schema):
    """A unit that was found."""

    id = id_field("组织编号", required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(list(v.ORGANIZATION_KINDS)))
    superior = fields.String(required=True, allow_none=True, metadata={"description": "上级的名称"})


class FoundPersonSchema(Schema):
    """Somebody who was found, with the latest membership in a unit."""

    id = id_field("党员编号", required=True)
    name = fields.String(required=True, allow_none=True)
    organization = id_field("组织编号", required=True)
    membership_class = fields.String(required=True, validate=validate.OneOf(list(v.MEMBER_CLASSES)))
    until_on = fields.Date(
        required=True, allow_none=True, metadata={"description": "结束日期；null 表示至今"}
    )


class FoundRecordSchema(Schema):
    """A record that was found."""

    id = id_field("活动编号", required=True)
    organization = fields.String(required=True, metadata={"description": "组织的名称"})
    kinds = fields.List(fields.String(), required=True)
    held_on = fields.Date(required=True)
    title = fields.String(required=True, allow_none=True)
    theme = fields.String(required=True, allow_none=True)
    place = fields.String(required=True, allow_none=True)
    state = fields.String(required=True)


class ResultsSchema(Schema):
    """What was found of each kind."""

    organizations = fields.List(fields.Nested(FoundOrganizationSchema), required=True)
    people = fields.List(fields.Nested(FoundPersonSchema), required=True)
    records = fields.List(fields.Nested(FoundRecordSchema), required=True)


@blueprint.get("/search")
@blueprint.says(
    "查找",
    "在您管辖范围内查找。无权查看姓名处查不到人；显示了姓名的查找都记入审计。"
    "日期可写作 2021、2021-10 或 2021-10-08。",
)
@blueprint.asks(SearchQuery)
@blueprint.shows(ResultsSchema)
def search(query: Mapping[str, Any]) -> dict[str, Any]:
    """What contains every word, of all that the visitor may see."""
    asking = demand("organization.read")
    text, limit = str(query["q"]).strip(), int(query["limit"])
    groups = {query["group"]} if "group" in query else set(_GROUPS)
    words = words_of(text)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in _GROUPS}
    if "organizations" in groups and words:
        found["organizations"] = [
            {"id": unit.code, "name": unit.name, "kind": unit.kind, "superior": unit.superior}
            for unit in find(db.session, text, asking.within, limit=limit)
        ]
    if "records" in groups:
        records = search_records(db.session, asking, words, _kinds_named, limit=limit)
        found["records"] = [_record(row) for row in records]
    if "people" in groups:
        people = read_people(db.session, asking, text, limit=limit)
        found["people"] = [_person(person) for person in people]
    return found


def _kinds_named(word: str) -> list[str]:
    return [kind for kind, name in v.OCCASION_KINDS.items() if word in {kind, name}]


def _person(person: FoundPerson) -> dict[str, Any]:
    return {
        "id": person.code,
        "name": person.name,
        "organization": person.organization_code,
        "membership_class": person.membership_class,
        "until_on": plain(person.until_on),
    }


def _record(row: RecordSummary) -> dict[str, Any]:
    return {
        "id": row.code,
        "organization": row.organization,
        "kinds": list(row.kinds),
        "held_on": plain(row.held_on),
        "title": row.title,
        "theme": row.theme,
        "place": row.place,
        "state": row.state,
    }
