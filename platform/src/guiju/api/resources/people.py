"""Members and posts: who belongs where, and who holds which office, since when and until when.

Who may not see people sees the dates and classes, and nobody's name or id.  Whoever is shown
people is written down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask import url_for
from marshmallow import Schema, fields, validate

from guiju.api import keyset
from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page
from guiju.api.problems import in_body, not_found
from guiju.api.reach import at_or_below, below, demand, known_organization
from guiju.api.schemas import WithinQuery, id_field, plain
from guiju.api.tags import check_match
from guiju.audit.operations import record_reading
from guiju.db import current_tenant_id, db, transaction
from guiju.db.authored import authored, select_authored
from guiju.db.session import AnySession
from guiju.organizations import memberships, operations, roster
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.organizations.roster import Spell
from guiju.rules import tables
from guiju.rules import vocabulary as v

blueprint = Blueprint("people", "党员和职务", "党员名册和任职，都带起止日期。")

_MANAGE = "members.manage"

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


class NewMemberSchema(tables.Members):
    """A membership to be recorded."""


class NewPostSchema(tables.Posts):
    """A post to be recorded."""


class MemberSchema(tables.Members):
    """A membership: one person in one branch, with one class, for a time."""

    number = fields.Integer(
        required=True, metadata={"description": "这段党籍的编号，用在地址中；不是党员编号"}
    )
    id = id_field("党员编号；无权查看姓名时为 null", required=True, allow_none=True)


class PostSchema(tables.Posts):
    """A post held by one person for a time."""

    number = fields.Integer(required=True, metadata={"description": "这段任职的编号，用在地址中"})
    person = id_field("人员编号；无权查看姓名时为 null", required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True, metadata={"description": "姓名"})


class TransferSchema(Schema):
    """Going on in another organization."""

    organization = id_field("转入的组织", required=True)
    first_day = fields.Date(required=True, metadata={"description": "属于那里的第一天"})


class ClassSchema(Schema):
    """Another class."""

    membership_class = fields.String(
        required=True,
        validate=validate.OneOf(list(v.MEMBER_CLASSES)),
        metadata={"description": "党员类别"},
    )
    first_day = fields.Date(required=True, metadata={"description": "这一类别的第一天"})
    voting = fields.Boolean(
        load_default=None, allow_none=True, metadata={"description": "有表决权；不填按类别"}
    )


class EndSchema(Schema):
    """The end of a membership, or going to another tenant."""

    last_day = fields.Date(required=True, metadata={"description": "最后一天"})
    reason = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=200),
        metadata={"description": "原因"},
    )
    destination = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=200),
        metadata={"description": "转往本单位以外的何处"},
    )


class EndPostSchema(Schema):
    """The end of a post."""

    last_day = fields.Date(required=True, metadata={"description": "任职的最后一天"})


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
    return Page(_read("members", rows), after)


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
    return Page(_read("posts", rows), after)


@blueprint.post("/members")
@blueprint.says(
    "登记党员",
    "新发展的，或从别处转入的；同一人同日开始的一段即为更正。编号已是别处的人的，须写对姓名。",
)
@blueprint.takes(
    NewMemberSchema,
    example={
        "id": "finance-1-20",
        "name": "某某",
        "organization": "finance-1",
        "membership_class": "probationary",
        "from_on": "2021-07-01",
    },
)
@blueprint.creates(MemberSchema)
def add(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Record a membership."""
    known_organization(body["organization"], "/organization", _MANAGE)
    known_organization(body["group"], "/group", _MANAGE)
    with in_body("/members/0"):
        number = operations.add_member(
            db.session, visitor().actor(), body, known_in=visitor().roots("people.read")
        )
    return _shown("members", number), url_for(".show_member", member_id=number)


@blueprint.get("/members/<number:member_id>")
@blueprint.says("读取一段党籍", "显示了姓名的查看都记入审计。")
@blueprint.shows(MemberSchema)
def show_member(member_id: int) -> dict[str, Any]:
    """One membership."""
    _spell(roster.member, member_id, "records.read")
    return _shown("members", member_id)


@blueprint.post("/members/<number:member_id>/transfer")
@blueprint.says(
    "转接组织关系", "在原支部到前一天为止，同时免去在那里的职务；回答是在新支部的一段。"
)
@blueprint.takes(TransferSchema)
@blueprint.changes(MemberSchema)
def transfer(body: Mapping[str, Any], member_id: int) -> dict[str, Any]:
    """Let a member go on in another organization."""
    _to_change("members", member_id)
    target = known_organization(body["organization"], "/organization", _MANAGE)
    assert target is not None
    number = memberships.transfer(
        db.session, visitor().actor(), member_id, target.id, body["first_day"]
    )
    return _shown("members", number)


@blueprint.post("/members/<number:member_id>/class")
@blueprint.says("改变党员类别", "如预备党员转正；回答是新的一段。")
@blueprint.takes(ClassSchema)
@blueprint.changes(MemberSchema)
def change_class(body: Mapping[str, Any], member_id: int) -> dict[str, Any]:
    """Let a member be of another class."""
    _to_change("members", member_id)
    number = memberships.change_class(
        db.session,
        visitor().actor(),
        member_id,
        body["membership_class"],
        body["first_day"],
        voting=body["voting"],
    )
    return _shown("members", number)


@blueprint.post("/members/<number:member_id>/end")
@blueprint.says("结束党籍或转出", "转往本单位以外、去世、出党等；同时免去在那里的职务。")
@blueprint.takes(EndSchema)
@blueprint.changes(MemberSchema)
def end(body: Mapping[str, Any], member_id: int) -> dict[str, Any]:
    """End a membership."""
    _to_change("members", member_id)
    memberships.end_membership(
        db.session,
        visitor().actor(),
        member_id,
        body["last_day"],
        reason=body["reason"],
        destination=body["destination"],
    )
    return _shown("members", member_id)


@blueprint.post("/posts")
@blueprint.says("登记任职", "同一人、同一职务同日开始的即为更正。")
@blueprint.takes(NewPostSchema)
@blueprint.creates(PostSchema)
def appoint(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Record who holds a post."""
    known_organization(body["organization"], "/organization", _MANAGE)
    known_organization(body["oversees"], "/oversees", _MANAGE)
    with in_body("/posts/0"):
        number = operations.appoint(
            db.session, visitor().actor(), body, known_in=visitor().roots("people.read")
        )
    return _shown("posts", number), url_for(".show_post", post_id=number)


@blueprint.get("/posts/<number:post_id>")
@blueprint.says("读取一段任职", "显示了姓名的查看都记入审计。")
@blueprint.shows(PostSchema)
def show_post(post_id: int) -> dict[str, Any]:
    """One holding of a post."""
    _spell(roster.post, post_id, "records.read")
    return _shown("posts", post_id)


@blueprint.post("/posts/<number:post_id>/end")
@blueprint.says("免去职务")
@blueprint.takes(EndPostSchema)
@blueprint.changes(PostSchema)
def end_post(body: Mapping[str, Any], post_id: int) -> dict[str, Any]:
    """Let somebody hold a post for the last time."""
    _to_change("posts", post_id)
    memberships.end_post(db.session, visitor().actor(), post_id, body["last_day"])
    return _shown("posts", post_id)


def _spell(find: Callable[[AnySession, int], Spell | None], number: int, permission: str) -> Spell:
    """A membership or a post of an organization that the visitor sees; 404 or 403."""
    found = find(db.session, number)
    if found is None or not visitor().sees(found.path):
        raise not_found()
    demand(permission, found.path)
    return found


def _to_change(name: str, number: int) -> None:
    """Hold a membership or a post that is as the caller has read it."""
    _spell(roster.member if name == "members" else roster.post, number, _MANAGE)
    model = Member if name == "members" else Post
    db.session.execute(
        sa.select(model.id)
        .where(model.tenant_id == current_tenant_id(), model.id == number)
        .with_for_update()
    )
    shown, _named = _masked(name, _rows(name, number))
    check_match(shown[0])


def _rows(name: str, number: int) -> Sequence[sa.RowMapping]:
    """The row of a membership or a post, as lists have it."""
    table = _members if name == "members" else _posts
    select = _placed(name, table).where(table.c.id == number)
    return db.session.execute(select.add_columns(table.c.id.label("_number"))).mappings().all()


def _shown(name: str, number: int) -> dict[str, Any]:
    return _read(name, _rows(name, number))[0]


def _in_tree(
    name: str, table: sa.FromClause, query: Mapping[str, Any], permission: str
) -> sa.Select[Any]:
    """Rows of people in the part of the tree that is asked for, with path and name."""
    select = _placed(name, table).where(at_or_below(below(query, permission)))
    if "on" in query:
        select = select.where(
            sa.func.coalesce(table.c.from_on, query["on"]) <= query["on"],
            sa.func.coalesce(table.c.until_on, query["on"]) >= query["on"],
        )
    return select


def _placed(name: str, table: sa.FromClause) -> sa.Select[Any]:
    """Rows of people with their organization's path and the person's name."""
    return (
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
        .where(_organizations.c.tenant_id == current_tenant_id())
        .add_columns(_organizations.c.path.label("_path"), _people.c.name.label("_name"))
    )


def _masked(name: str, rows: Any) -> tuple[list[dict[str, Any]], set[str]]:
    """Rows as they are shown, and the organizations of which people are named in them."""
    person = "id" if name == "members" else "person"
    shown, named = [], set()
    for row in authored(db.session, name, rows):
        row["number"] = row["_number"]
        if visitor().may("people.read", row["_path"]):
            row["name"] = row["_name"]
            named.add(row["organization"])
        else:
            row["name"] = row[person] = None
        shown.append(
            plain({column: value for column, value in row.items() if not column.startswith("_")})
        )
    return shown, named


def _read(name: str, rows: Any) -> list[dict[str, Any]]:
    """Rows as they are shown; that people were shown is written down."""
    shown, named = _masked(name, rows)
    if named:
        with transaction(db.session):
            record_reading(db.session, visitor().actor(), name, "、".join(sorted(named)))
    return shown
