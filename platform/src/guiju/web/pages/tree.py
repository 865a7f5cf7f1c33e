"""The tree of organizations: looked at by who sees it, changed by who manages it.

Every change is shown in words before it is made; what was done can be taken back from the
unit's history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations import history, operations, restructuring, roster
from guiju.organizations.changes import Effects
from guiju.organizations.children import children
from guiju.organizations.portrait import Portrait
from guiju.organizations.rights import PERMISSION as _MANAGE
from guiju.organizations.rights import may_change, may_undo
from guiju.organizations.undoing import undo_change
from guiju.rules.problems import BadInput
from guiju.rules.vocabulary import ORGANIZATION_KINDS, SECTORS
from guiju.web.forms import Form
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import not_found_unless
from guiju.web.unit_choice import choose_unit, offered_units

blueprint = Blueprint("tree", __name__)

#: Members offered one by one when a unit is split or merged; a larger unit is merged whole.
_MOST_CHOICES = 400


@blueprint.get("/organizations/<number:organization_id>/tree")
def page(organization_id: int) -> str:
    """A unit, what is directly below it, and what became of it."""
    portrait = visible_portrait(organization_id, today())
    closed = bool(request.args.get("closed"))
    found = [(change, _may_undo(change)) for change in history.changes(db.session, organization_id)]
    return render_template(
        "tree/page.html",
        portrait=portrait,
        trail=trail(portrait),
        children=children(db.session, organization_id, today(), closed=closed),
        closed=closed,
        actions=[name for name in _ACTIONS if _may(name, portrait)],
        action_label=action_label,
        change_label=history.kind_label,
        changes=found,
        earlier=history.earlier_names(db.session, organization_id),
        successors=[
            found
            for found in history.successors(db.session, organization_id)
            if current_user.sees(found.path)
        ],
    )


@blueprint.get("/organizations/<number:organization_id>/tree/children")
def branches(organization_id: int) -> str:
    """What is directly below a unit, for opening it in place."""
    visible_portrait(organization_id, today())
    return render_template(
        "tree/children.html", children=children(db.session, organization_id, today())
    )


@blueprint.get("/organizations/<number:organization_id>/tree/<action>")
def ask(organization_id: int, action: str) -> str:
    """The form of a change."""
    portrait = _portrait(organization_id, action)
    return _form(portrait, action, Form({"day": today().isoformat(), "kind": "branch"}))


@blueprint.post("/organizations/<number:organization_id>/tree/<action>")
def change(organization_id: int, action: str) -> Response | str | tuple[str, int]:
    """Say what a change would do, or, once that has been seen, make it."""
    portrait = _portrait(organization_id, action)
    form = Form(typed=request.form)
    rehearse = request.form.get("seen") != _what_was_asked() or "again" in request.form
    try:
        effects = _ACTIONS[action](portrait, form, rehearse=rehearse)
    except BadInput as refused:
        _place(form, refused)
        effects = None
    if effects is None or form.errors:
        return _form(portrait, action, form), 422
    if rehearse:
        return _form(portrait, action, form, consequences(effects))
    flash(_("已保存。如有误，可在“变更记录”中撤回。"))
    return redirect(url_for("tree.page", organization_id=organization_id))


@blueprint.post("/organizations/<number:organization_id>/tree/changes/<number:change_id>/undo")
def undo(organization_id: int, change_id: int) -> Response:
    """Take a change back, if nothing was built on it."""
    visible_portrait(organization_id, today())
    found = history.change(db.session, change_id)
    concerned = {unit.organization_id for unit in found.units} if found else set()
    not_found_unless(organization_id in concerned)
    assert found is not None
    if not _may_undo(found):
        abort(403)
    try:
        undo_change(db.session, current_user.actor(), change_id)
    except BadInput as refused:
        flash("；".join(f"{problem.found}。{problem.wanted}" for problem in refused.problems))
    else:
        flash(_("已撤回。"))
    there = history.changes(db.session, organization_id, limit=1)
    target = organization_id if there else current_user.home.organization_id
    return redirect(url_for("tree.page", organization_id=target))


def _what_was_asked() -> str:
    """Stands for what the form says: only what somebody has seen the effects of is done."""
    hidden = {"csrf_token", "seen", "again"}
    said = sorted(item for item in request.form.items(multi=True) if item[0] not in hidden)
    return hashlib.sha256(repr(said).encode()).hexdigest()


def action_label(action: str) -> str:
    """What a change is called on its button."""
    return {
        "create": _("新设下级"),
        "rename": _("更名"),
        "move": _("调整上级"),
        "close": _("撤销单位"),
        "reopen": _("恢复"),
        "merge": _("并入另一单位"),
        "split": _("拆分"),
    }[action]


def consequences(effects: Effects) -> list[str]:
    """What a change does, in sentences."""
    told = []
    if effects.made:
        told.append(_("新设：{names}。").format(names=_("、").join(effects.made)))
    if effects.renamed:
        told.append(
            _("更名：{old} → {new}。").format(old=effects.renamed[0], new=effects.renamed[1])
        )
    if effects.closed:
        told.append(_("撤销：{names}。").format(names=_("、").join(effects.closed)))
    if effects.moved:
        told.append(
            _("调整上级：{names}，连同下级共 {count} 个单位。").format(
                names=_("、").join(effects.moved), count=effects.relocated
            )
        )
    for count, text in (
        (effects.members, _("{count} 名党员转到新的单位。")),
        (effects.members_ended, _("{count} 名党员在原单位的关系结束。")),
        (effects.posts, _("{count} 个职务在新的单位继续。")),
        (effects.posts_ended, _("{count} 个职务随之结束。")),
        (effects.records, _("{count} 次活动的记录仍留在原单位。")),
    ):
        if count:
            told.append(text.format(count=count))
    told.append(_("此前日期的结论仍归原来的名称和上级；有关单位将重新评定。"))
    return told


# -- who may ------------------------------------------------------------------------------


def _may(action: str, portrait: Portrait) -> bool:
    """Whether the visitor may do something to a unit, and it fits the unit as it is."""
    closed = portrait.closed_on is not None
    fits = action == "rename" or (action == "reopen") == closed
    return fits and may_change(current_user, action, portrait.place.path)


def _may_undo(change: history.Change) -> bool:
    return change.undone_at is None and may_undo(current_user, change)


def _portrait(organization_id: int, action: str) -> Portrait:
    portrait = visible_portrait(organization_id, today())
    not_found_unless(action in _ACTIONS)
    if not _may(action, portrait):
        abort(403)
    return portrait


# -- forms --------------------------------------------------------------------------------


def _form(portrait: Portrait, action: str, form: Form, told: list[str] | None = None) -> str:
    people = []
    if action in {"merge", "split"} and current_user.may_see_people(portrait.place.path):
        people = list(
            roster.roster(
                db.session, portrait.place.organization_id, today(), limit=_MOST_CHOICES
            ).entries
        )
    return render_template(
        "tree/form.html",
        portrait=portrait,
        trail=trail(portrait),
        action=action,
        title=action_label(action),
        form=form,
        consequences=told,
        seen=_what_was_asked() if told else None,
        people=people,
        kinds=ORGANIZATION_KINDS,
        sectors=SECTORS,
        units=offered_units(current_user.roots(_MANAGE)) if action in {"move", "merge"} else [],
    )


#: Fields of forms by what operations call them.
_FIELDS = {
    "closed_on": "day",
    "renamed_on": "day",
    "moved_on": "day",
    "effective_on": "day",
    "opened_on": "day",
    "parent": "unit",
    "target": "unit",
    "sources": "unit",
    "organizations": "code",
    "made": "code",
}


def _place(form: Form, refused: BadInput) -> None:
    """Say at the field what an operation says at its place."""
    for problem in refused.problems:
        steps = problem.place.strip("/").split("/")
        name = _FIELDS.get(steps[0], steps[0])
        if steps[-1] in {"name", "kind", "sector", "members"}:
            name = steps[-1]
        form.refuse(name, f"{problem.found}：{problem.wanted}")


def _day(form: Form) -> date | None:
    try:
        return date.fromisoformat(str(form.value("day")))
    except ValueError:
        form.refuse("day", _("请填写日期"))
        return None


def _unit(form: Form) -> int | None:
    """The other unit, one of those that the visitor manages."""
    return choose_unit(form, str(form.value("unit")), current_user.roots(_MANAGE))


# -- what is done -------------------------------------------------------------------------


def _create(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    day = _day(form) if form.value("day") else None
    row = {
        "id": str(form.value("code")).strip(),
        "name": str(form.value("name")).strip(),
        "kind": str(form.value("kind")),
        "sector": str(form.value("sector")) or None,
        "parent": portrait.place.code,
        "opened_on": day,
    }
    for name, column, most in (("code", "id", 100), ("name", "name", 200)):
        if not 0 < len(str(row[column])) <= most:
            form.refuse(name, _("应为 1 至 {most} 个字").format(most=most))
    if row["kind"] not in ORGANIZATION_KINDS:
        form.refuse("kind", _("请选择类别"))
    if row["sector"] not in {None, *SECTORS}:
        form.refuse("sector", _("请选择领域"))
    if form.errors:
        return None
    if not rehearse:
        operations.create_organization(db.session, current_user.actor(), row)
    return Effects(made=[str(row["name"])])


def _rename(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    day = _day(form)
    if day is None:
        return None
    return operations.rename_organization(
        db.session,
        current_user.actor(),
        portrait.place.organization_id,
        str(form.value("name")),
        day,
        rehearse=rehearse,
    )


def _move(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    day, parent = _day(form), _unit(form)
    if day is None or parent is None:
        return None
    return operations.move_organization(
        db.session,
        current_user.actor(),
        portrait.place.organization_id,
        parent,
        day,
        rehearse=rehearse,
    )


def _close(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    day = _day(form)
    if day is None:
        return None
    return operations.close_organization(
        db.session,
        current_user.actor(),
        portrait.place.organization_id,
        day,
        rehearse=rehearse,
    )


def _reopen(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    return operations.reopen_organization(
        db.session, current_user.actor(), portrait.place.organization_id, rehearse=rehearse
    )


def _merge(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    day, target = _day(form), _unit(form)
    if day is None or target is None:
        return None
    chosen = form.value("who") == "some"
    return restructuring.merge_organizations(
        db.session,
        current_user.actor(),
        [portrait.place.organization_id],
        target,
        day,
        members=request.form.getlist("members") if chosen else None,
        rehearse=rehearse,
    )


def _split(portrait: Portrait, form: Form, *, rehearse: bool) -> Effects | None:
    day = _day(form)
    row = {"id": str(form.value("code")).strip(), "name": str(form.value("name")).strip()}
    for name, column, most in (("code", "id", 100), ("name", "name", 200)):
        if not 0 < len(row[column]) <= most:
            form.refuse(name, _("应为 1 至 {most} 个字").format(most=most))
    if day is None or form.errors:
        return None
    return restructuring.split_organization(
        db.session,
        current_user.actor(),
        portrait.place.organization_id,
        [restructuring.NewUnit(row, members=request.form.getlist("members"))],
        day,
        rehearse=rehearse,
    )


_ACTIONS: dict[str, Callable[..., Effects | None]] = {
    "create": _create,
    "rename": _rename,
    "move": _move,
    "merge": _merge,
    "split": _split,
    "close": _close,
    "reopen": _reopen,
}
