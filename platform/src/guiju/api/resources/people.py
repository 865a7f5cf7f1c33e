"""Members and posts: who belongs where, and who holds which office, since when and until when.

Who may not see people sees the dates and classes, and nobody's name or id.  Whoever is shown
people is written down.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from marshmallow import fields, validate

from guiju.api import keyset
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page
from guiju.api.reach import at_or_below, below
from guiju.api.schemas import WithinQuery, id_field, plain
from guiju.audit.operations import record_reading
from guiju.db import current_tenant_id, db, transaction
from guiju.db.authored import authored, select_authored
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.rules import tables
from guiju.rules import vocabulary as v

blueprint = Blueprint("people", "党员和职务", "党员名册和任职，都带起止日期。")

_members, _posts = Member.__table__, Post.__table__
_organizations, _people = Organization.__table__, Person.__table__

_MEMBER_ORDERS = {
    "organization": keyset.Order(_organizations.c.path),
    "number": keyset.Order(_members.c.id),
}
_POST_ORDERS = {
    "organization": keyset.Order(_organizations.c.path),
    "number": keyset.Order(_posts.c.id),
}


class MemberSchema(tables.Members):
    """A membership: one person in one branch, with one class, for a time."""

    id = id_field("党员编号；无权查看姓名时为 null", required=True, allow_none=True)


class PostSchema(tables.Posts):
    """A post held by one person for a time."""

    person = id_field("人员编号；无权查看姓名时为 null", required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True, metadata={"description": "姓名"})


class _PeopleQuery(ListQuery, WithinQuery):
    on = fields.Date(metadata={"description": "只看这一天有效的"})


class MemberQuery(_PeopleQuery):
    """Which memberships are listed."""

    membership_class = fields.String(
        validate=validate.OneOf(list(v.MEMBER_CLASSES)), metadata={"description": "党员类别"}
    )
    person = id_field("只看这个人的；需要查看姓名的权限")
    sort = keyset.sort_field(_MEMBER_ORDERS, "organization")


class PostQuery(_PeopleQuery):
    """Which posts are listed."""

    post = fields.String(validate=validate.OneOf(list(v.POSTS)), metadata={"description": "职务"})
    sort = keyset.sort_field(_POST_ORDERS, "organization")


@blueprint.get("/members")
@blueprint.says("列出党员", "无权查看姓名处，编号和姓名为 null。显示了姓名的查看都记入审计。")
@blueprint.asks(MemberQuery)
@blueprint.lists(MemberSchema)
def members(query: Mapping[str, Any]) -> Page:
    """Memberships of the organizations that the visitor may see."""
    permission = "people.read" if "person" in query else "records.read"
    select = _in_tree("members", _members, query, permission)
    if "membership_class" in query:
        select = select.where(_members.c.membership_class == query["membership_class"])
    if "person" in query:
        select = select.where(_people.c.code == query["person"])
    rows, after = keyset.page(select, _MEMBER_ORDERS, _members.c.id, query)
    return Page(_masked("members", rows, "id"), after)


@blueprint.get("/posts")
@blueprint.says("列出任职", "无权查看姓名处，编号和姓名为 null。显示了姓名的查看都记入审计。")
@blueprint.asks(PostQuery)
@blueprint.lists(PostSchema)
def posts(query: Mapping[str, Any]) -> Page:
    """Posts in the organizations that the visitor may see."""
    select = _in_tree("posts", _posts, query, "records.read")
    if "post" in query:
        select = select.where(_posts.c.post == query["post"])
    rows, after = keyset.page(select, _POST_ORDERS, _posts.c.id, query)
    return Page(_masked("posts", rows, "person"), after)


def _in_tree(
    name: str, table: sa.FromClause, query: Mapping[str, Any], permission: str
) -> sa.Select[Any]:
    """Rows of people in the part of the tree that is asked for, with path and name."""
    select = (
        select_authored(name)
        .join(
            _organizations,
            sa.and_(
                _organizations.c.tenant_id == table.c.tenant_id,
                _organizations.c.id == table.c.organization_id,
            ),
        )
        .join(
            _people,
            sa.and_(_people.c.tenant_id == table.c.tenant_id, _people.c.id == table.c.person_id),
        )
        .where(
            _organizations.c.tenant_id == current_tenant_id(), at_or_below(below(query, permission))
        )
        .add_columns(_organizations.c.path.label("_path"), _people.c.name.label("_name"))
    )
    if "on" in query:
        select = select.where(
            sa.func.coalesce(table.c.from_on, query["on"]) <= query["on"],
            sa.func.coalesce(table.c.until_on, query["on"]) >= query["on"],
        )
    return select


def _masked(name: str, rows: Any, person: str) -> list[dict[str, Any]]:
    """Rows as they are shown, people only where the visitor may see them; written down."""
    shown, named = [], set()
    for row in authored(db.session, name, rows):
        if visitor().may("people.read", row["_path"]):
            row["name"] = row["_name"]
            named.add(row["organization"])
        else:
            row["name"] = row[person] = None
        shown.append(
            plain({column: value for column, value in row.items() if not column.startswith("_")})
        )
    if named:
        with transaction(db.session):
            record_reading(db.session, visitor().actor(), name, "、".join(sorted(named)))
    return shown
