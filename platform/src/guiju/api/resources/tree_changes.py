"""Changes of the tree: rehearsed, made, looked at and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from marshmallow import Schema, fields, validate

from guiju.api.admission import visitor
from guiju.api.blueprint import Blueprint, ListQuery
from guiju.api.cursors import Page, sliced
from guiju.api.problems import Refused, not_found
from guiju.api.reach import demand, known_organization, organization
from guiju.api.resources.organizations import OrganizationSchema, representation
from guiju.api.schemas import id_field, number_field, plain
from guiju.api.tags import check_match
from guiju.db import current_tenant_id, db
from guiju.language import gettext as _
from guiju.organizations import history, operations
from guiju.organizations.changes import Effects
from guiju.organizations.history import Change
from guiju.organizations.models import Organization
from guiju.organizations.restructuring import NewUnit, merge_organizations, split_organization
from guiju.organizations.rights import PERMISSION, may_change, may_undo
from guiju.organizations.undoing import undo_change
from guiju.rules import vocabulary as v

blueprint = Blueprint(
    "tree_changes",
    "组织变动",
    "更名、调整上级、撤销、恢复、合并、拆分。各可先预演（`rehearsal`），看会改变什么；已做的可以撤回。",
)

_REHEARSAL = "说明这项变动会改变什么，不作任何改动；不能做的，回答与真做时相同。"

#: Members named one by one in a change; more go whole.
_MOST_NAMED = 5000


def _posts_field(description: str) -> fields.List[Any]:
    return fields.List(
        number_field("任职的编号"),
        load_default=list,
        validate=validate.Length(max=_MOST_NAMED),
        metadata={"description": description},
    )


def _names_field(description: str) -> fields.List[Any]:
    return fields.List(
        fields.String(), required=True, metadata={"description": f"{description}的名称"}
    )


def _count_field(description: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": f"{description}的数目"})


class RenameSchema(Schema):
    """Another name from a day on."""

    name = fields.String(
        required=True, validate=validate.Length(1, 500), metadata={"description": "新名称"}
    )
    renamed_on = fields.Date(required=True, metadata={"description": "使用新名称的第一天"})


class MoveSchema(Schema):
    """Another superior from a day on."""

    parent = id_field("新的上级", required=True)
    moved_on = fields.Date(required=True, metadata={"description": "归新上级的第一天"})


class CloseSchema(Schema):
    """The end of an organization."""

    closed_on = fields.Date(required=True, metadata={"description": "存在的最后一天"})


class MergeSchema(Schema):
    """Organizations that become part of another."""

    sources = fields.List(id_field("并入的组织"), required=True, validate=validate.Length(1, 100))
    effective_on = fields.Date(required=True, metadata={"description": "并入的第一天"})
    members = fields.List(
        id_field("党员编号"),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=_MOST_NAMED),
        metadata={"description": "转入的党员；不填为全部，其余的党籍到前一天为止"},
    )
    posts = _posts_field("在本组织继续担任的任职（编号见任职列表）；其余到前一天为止")


class NewUnitSchema(Schema):
    """An organization that a split makes."""

    id = id_field("组织编号", required=True)
    name = fields.String(
        required=True, validate=validate.Length(1, 500), metadata={"description": "名称"}
    )
    kind = fields.String(
        validate=validate.OneOf(list(v.ORGANIZATION_KINDS)),
        metadata={"description": "组织类型；不填与被拆分的相同"},
    )
    sector = fields.String(
        validate=validate.OneOf(list(v.SECTORS)),
        metadata={"description": "领域；不填与被拆分的相同"},
    )
    members = fields.List(
        id_field("党员编号"),
        load_default=list,
        validate=validate.Length(max=_MOST_NAMED),
        metadata={"description": "转入的党员"},
    )
    posts = _posts_field("在新组织继续担任的任职（编号见任职列表）")


class SplitSchema(Schema):
    """Organizations that are made of one."""

    made = fields.List(
        fields.Nested(NewUnitSchema),
        required=True,
        validate=validate.Length(1, 50),
        metadata={"description": "新组织，上级与被拆分的相同"},
    )
    effective_on = fields.Date(required=True, metadata={"description": "拆分的第一天"})
    close = fields.Boolean(
        load_default=False, metadata={"description": "被拆分的组织到前一天为止（true）"}
    )


class RenamingSchema(Schema):
    """A name and the one after it."""

    from_ = fields.String(required=True, data_key="from")
    to = fields.String(required=True)


class EffectsSchema(Schema):
    """What a change would do; nothing is done yet."""

    made = _names_field("新设的组织")
    closed = _names_field("撤销的组织")
    moved = _names_field("调整上级的组织")
    renamed = fields.Nested(RenamingSchema, required=True, allow_none=True)
    relocated = _count_field("位置改变的组织，连同下级")
    members = _count_field("转到新的组织的党员")
    members_ended = _count_field("在原组织的党籍到此为止的党员")
    posts = _count_field("在新的组织继续的任职")
    posts_ended = _count_field("到此为止的任职")
    records = _count_field("仍留在原组织的活动记录")


class ChangeSchema(Schema):
    """Something done to the tree."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    effective_on = fields.Date(required=True)
    made_at = fields.DateTime(required=True)
    made_by = fields.String(required=True)
    undone_at = fields.DateTime(required=True, allow_none=True)
    units = fields.List(
        fields.String(), required=True, metadata={"description": "所涉及的组织，您可见的"}
    )


#: Does a change to the organization of a number, as the body says, or only rehearses it.
Act: TypeAlias = Callable[..., Effects]


def _offered(
    action: str,
    summary: str,
    description: str,
    schema: type[Schema] | None = None,
    *,
    needs: str | None = None,
    example: Mapping[str, Any] | None = None,
) -> Callable[[Act], Act]:
    """Offer a change of an organization at ``…/action``, and its rehearsal below that.

    Whoever may do what ``needs`` names (by default the action itself) may do both; the body is of
    the ``schema``, or there is none.
    """
    address = f"/organizations/<id:organization_id>/{action}"

    def decorate(act: Act) -> Act:
        def change(*body: Mapping[str, Any], organization_id: str) -> dict[str, Any]:
            number = _to_change(organization_id, needs or action)
            act(number, *body)
            return _again(number)

        def rehearse(*body: Mapping[str, Any], organization_id: str) -> dict[str, Any]:
            number = _to_rehearse(organization_id, needs or action)
            return _effects(act(number, *body, rehearse=True))

        change.__name__, rehearse.__name__ = action, f"rehearse_{action}"
        for place, view, says, answers in (
            (address, change, (summary, description), blueprint.changes(OrganizationSchema)),
            (
                f"{address}/rehearsal",
                rehearse,
                (f"{summary}（预演）", _REHEARSAL),
                blueprint.shows(EffectsSchema),
            ),
        ):
            answering = answers(view)
            if schema is not None:
                answering = blueprint.takes(schema, example=example)(answering)
            blueprint.post(place)(blueprint.says(*says)(answering))
        return act

    return decorate


@_offered(
    "rename",
    "更改名称",
    "从某一天起使用新名称；以前的日子仍是原来的名称。",
    RenameSchema,
)
def _rename(number: int, body: Mapping[str, Any], *, rehearse: bool = False) -> Effects:
    """Another name from a day on."""
    return operations.rename_organization(
        db.session,
        visitor().actor(),
        number,
        body["name"],
        body["renamed_on"],
        rehearse=rehearse,
    )


@_offered(
    "move",
    "调整上级",
    "连同下级一起，从某一天起归另一个上级；此前的结果仍归原处。",
    MoveSchema,
)
def _move(number: int, body: Mapping[str, Any], *, rehearse: bool = False) -> Effects:
    """Another superior from a day on."""
    parent = known_organization(body["parent"], "/parent", PERMISSION)
    assert parent is not None
    return operations.move_organization(
        db.session, visitor().actor(), number, parent.id, body["moved_on"], rehearse=rehearse
    )


@_offered("close", "撤销组织", "那一天是最后一天；党员和任职也到那一天为止。", CloseSchema)
def _close(number: int, body: Mapping[str, Any], *, rehearse: bool = False) -> Effects:
    """An organization ends."""
    return operations.close_organization(
        db.session, visitor().actor(), number, body["closed_on"], rehearse=rehearse
    )


@_offered("reopen", "恢复组织", "如同没有撤销过；党员须重新登记。")
def _reopen(number: int, *, rehearse: bool = False) -> Effects:
    """A closed organization exists on."""
    return operations.reopen_organization(db.session, visitor().actor(), number, rehearse=rehearse)


# What comes to an organization changes what is its own.
@_offered(
    "merge",
    "并入其他组织",
    "`sources` 从那一天起成为本组织的一部分，党员随之转入。",
    MergeSchema,
    needs="create",
)
def _merge(number: int, body: Mapping[str, Any], *, rehearse: bool = False) -> Effects:
    """Organizations become part of another from a day on."""
    sources = []
    for place, code in enumerate(body["sources"]):
        source = known_organization(code, f"/sources/{place}", "organization.read")
        assert source is not None
        _demand("merge", source.path)
        sources.append(source.id)
    return merge_organizations(
        db.session,
        visitor().actor(),
        sources,
        number,
        body["effective_on"],
        members=body["members"],
        posts=body["posts"],
        rehearse=rehearse,
    )


@_offered(
    "split",
    "拆分",
    "从那一天起由本组织分设新组织；点名的党员和任职随之转入。回答是本组织现在的样子。",
    SplitSchema,
    example={
        "made": [{"id": "finance-5", "name": "市财政局第五党支部", "members": ["finance-1-2"]}],
        "effective_on": "2021-11-01",
    },
)
def _split(number: int, body: Mapping[str, Any], *, rehearse: bool = False) -> Effects:
    """New organizations are made out of one from a day on."""
    made = [
        NewUnit(
            {name: value for name, value in unit.items() if name not in {"members", "posts"}},
            unit["members"],
            unit["posts"],
        )
        for unit in body["made"]
    ]
    return split_organization(
        db.session,
        visitor().actor(),
        number,
        made,
        body["effective_on"],
        close=body["close"],
        rehearse=rehearse,
    )


@blueprint.get("/organizations/<id:organization_id>/changes")
@blueprint.says("列出组织的变动", "新的在前。")
@blueprint.asks(ListQuery)
@blueprint.lists(ChangeSchema)
def changes(query: Mapping[str, Any], organization_id: str) -> Page:
    """What was done to an organization."""
    found = organization(organization_id, "organization.read")
    return sliced(
        [_change(change) for change in history.changes(db.session, found.id, limit=1000)], query
    )


@blueprint.get("/organization-changes/<number:change_id>")
@blueprint.says("读取一项变动")
@blueprint.shows(ChangeSchema)
def show_change(change_id: int) -> dict[str, Any]:
    """Something done to the tree."""
    return _change(_visible(change_id))


@blueprint.post("/organization-changes/<number:change_id>/undo")
@blueprint.says(
    "撤回一项变动", "一切如同没有变动过；其后又有改动、转入的党员已参加活动的，不能撤回。"
)
@blueprint.changes(ChangeSchema)
def undo(change_id: int) -> dict[str, Any]:
    """Take a change to the tree back."""
    found = _visible(change_id)
    if not may_undo(visitor(), found):
        raise Refused(403)
    check_match(_change(found))
    undo_change(db.session, visitor().actor(), change_id)
    again = history.change(db.session, change_id)
    assert again is not None
    # What the change made is gone with it, and so is what it could be seen by.
    return _change(replace(again, units=found.units))


def _visible(change_id: int) -> Change:
    """A change of a unit that the visitor sees."""
    found = history.change(db.session, change_id)
    if found is None or not any(visitor().sees(unit.path) for unit in found.units):
        raise not_found()
    demand("organization.read")
    return found


def _change(change: Change) -> dict[str, Any]:
    shown: dict[str, Any] = plain(
        {
            "id": change.id,
            "kind": change.kind,
            "effective_on": change.effective_on,
            "made_at": change.made_at,
            "made_by": change.made_by,
            "undone_at": change.undone_at,
            "units": [unit.code for unit in change.units if visitor().sees(unit.path)],
        }
    )
    return shown


def _demand(action: str, path: str) -> None:
    if not may_change(visitor(), action, path):
        raise Refused(403, _("需要“{permission}”的权限").format(permission=PERMISSION))


def _to_change(code: str, action: str) -> int:
    """The number of an organization that is locked and as the caller has read it."""
    found = organization(code, "organization.read", lock=True)
    _demand(action, found.path)
    check_match(representation(found))
    return found.id


def _to_rehearse(code: str, action: str) -> int:
    """The number of an organization that the caller could change."""
    found = organization(code, "organization.read")
    _demand(action, found.path)
    return found.id


def _effects(effects: Effects) -> dict[str, Any]:
    shown = asdict(effects)
    # A rehearsal leaves nothing behind that could be named.
    del shown["change_id"]
    if effects.renamed is not None:
        shown["renamed"] = dict(zip(("from", "to"), effects.renamed, strict=True))
    return shown


def _again(number: int) -> dict[str, Any]:
    db.session.expire_all()
    return representation(
        db.session.scalars(
            sa.select(Organization).where(
                Organization.tenant_id == current_tenant_id(), Organization.id == number
            )
        ).one()
    )
