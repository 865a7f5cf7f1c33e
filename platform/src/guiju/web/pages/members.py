"""The members of a unit: the list, and what happens to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations import memberships, operations, roster
from guiju.organizations.portrait import Portrait
from guiju.organizations.roster import ORDERS, Entry, Spell
from guiju.rules.problems import BadInput
from guiju.rules.vocabulary import MEMBER_CLASSES, POSTS
from guiju.web import exports
from guiju.web.forms import Form
from guiju.web.lists import asked_order
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import not_found_unless
from guiju.web.unit_choice import choose_unit, offered_units
from guiju.web.wording import label

blueprint = Blueprint("members", __name__)

_MANAGE = "members.manage"
_PAGE = 50
#: By what those may sort who see no names.
_UNNAMED = ("class", "from")


@blueprint.get("/organizations/<number:organization_id>/members")
def page(organization_id: int) -> str | Response:
    """The list, with its filters in the address; names only for whose business they are."""
    portrait = visible_portrait(organization_id, today())
    named = current_user.may_see_people(portrait.place.path)
    order = asked_order(ORDERS, "name") if named else asked_order(_UNNAMED, "-from")
    classes = [code for code in request.args.getlist("class") if code in MEMBER_CLASSES]
    ended = bool(request.args.get("ended"))
    # Who may not see names could find them out by searching.
    text = request.args.get("q", "").strip() if named else ""
    first = min(max(request.args.get("from", 0, type=int), 0), 10**6)
    export = exports.wanted_format() is not None
    found = roster.roster(
        db.session,
        organization_id,
        today(),
        ended=ended,
        text=text,
        classes=classes,
        order_by=order.key,
        falling=order.falling,
        offset=0 if export else first,
        limit=None if export else _PAGE,
    )
    if export:
        return _export(portrait, found.entries, named=named)
    return render_template(
        "members/page.html",
        portrait=portrait,
        trail=trail(portrait),
        found=found,
        named=named,
        manages=named and current_user.may(_MANAGE, portrait.place.path),
        order=order,
        chosen=classes,
        ended=ended,
        text=text,
        first=first,
        page_size=_PAGE,
        classes=MEMBER_CLASSES,
        orders=_order_titles(named=named),
    )


def _order_titles(*, named: bool) -> list[tuple[str, str]]:
    titles = [("class", _("党员类别")), ("from", _("开始日期"))]
    return [("name", _("姓名")), ("code", _("编号")), *titles] if named else titles


def _export(portrait: Portrait, entries: Sequence[Entry], *, named: bool) -> Response:
    headings = [
        *([_("姓名"), _("编号")] if named else []),
        _("党员类别"),
        _("职务"),
        _("党小组"),
        _("开始日期"),
        _("结束日期"),
    ]
    rows = [
        [
            *([entry.name, entry.code] if named else []),
            label(entry.membership_class, "member_class"),
            _("、").join(label(held.post, "post") for held in entry.posts),
            entry.group,
            entry.from_on,
            entry.until_on,
        ]
        for entry in entries
    ]
    name = _("党员-{unit}").format(unit=portrait.place.name)
    return exports.send(name, _("党员"), headings, rows, portrait.place.code)


@blueprint.get("/organizations/<number:organization_id>/members/new")
def newcomer(organization_id: int) -> str:
    """The form for a member who is new, or comes from elsewhere."""
    return _new(_managed(organization_id), Form({"membership_class": "full"}))


@blueprint.post("/organizations/<number:organization_id>/members/new")
def add(organization_id: int) -> Response | tuple[str, int]:
    """Record a new member."""
    portrait = _managed(organization_id)
    form = Form(typed=request.form)
    row = {
        "id": str(form.value("code")).strip(),
        "name": str(form.value("name")).strip(),
        "organization": portrait.place.code,
        "membership_class": form.value("membership_class"),
        "from_on": _day(form, "from_on"),
    }
    if form.value("joined_on"):
        row["joined_on"] = _day(form, "joined_on")
    for name, column, most in (("code", "id", 100), ("name", "name", 100)):
        if not 0 < len(str(row[column])) <= most:
            form.refuse(name, _("应为 1 至 {most} 个字").format(most=most))
    if row["membership_class"] not in MEMBER_CLASSES:
        form.refuse("membership_class", _("请选择类别"))
    if not form.errors:
        try:
            operations.add_member(db.session, current_user.actor(), row)
        except BadInput as refused:
            for problem in refused.problems:
                # What the database finds is about the day.
                name = "code" if problem.place.endswith("/id") else "from_on"
                form.refuse(name, problem.wanted)
    if form.errors:
        return _new(portrait, form), 422
    flash(_("已登记。"))
    return redirect(url_for("members.page", organization_id=organization_id))


@blueprint.get("/members/<number:member_id>")
def one(member_id: int) -> str:
    """A membership, with what can be done about it."""
    spell, portrait = _spell(member_id)
    return _one(spell, portrait, "", Form({"first_day": today(), "last_day": today()}))


@blueprint.post("/members/<number:member_id>/<action>")
def change(member_id: int, action: str) -> Response | tuple[str, int]:
    """Change class or branch, end the membership, or record a post."""
    spell, portrait = _spell(member_id)
    not_found_unless(action in _CHANGES)
    form = Form(typed=request.form)
    try:
        _CHANGES[action](spell, portrait, form)
    except BadInput as refused:
        for problem in refused.problems:
            place = problem.place.strip("/").split("/")[0]
            # What the database finds is about the day of the only field with one.
            name = place if place in _FIELDS else "first_day"
            form.refuse(name, f"{problem.found}：{problem.wanted}")
    if form.errors:
        return _one(spell, portrait, action, form), 422
    flash(_("已保存。"))
    return redirect(url_for("members.page", organization_id=spell.organization_id))


@blueprint.post("/posts/<number:post_id>/end")
def end_post(post_id: int) -> Response:
    """Let somebody hold a post for the last time."""
    held = roster.post(db.session, post_id)
    not_found_unless(held is not None and current_user.sees(held.path))
    assert held is not None
    if not current_user.may(_MANAGE, held.path):
        abort(403)
    form = Form(typed=request.form)
    day = _day(form, "last_day")
    try:
        if day is not None:
            memberships.end_post(db.session, current_user.actor(), post_id, day)
    except BadInput as refused:
        form.refuse("last_day", refused.problems[0].wanted)
    flash("；".join(form.errors.get("last_day", [])) or _("已保存。"))
    return redirect(url_for("members.page", organization_id=held.organization_id))


def _managed(organization_id: int) -> Portrait:
    portrait = visible_portrait(organization_id, today())
    if not current_user.may(_MANAGE, portrait.place.path):
        abort(403)
    return portrait


def _spell(member_id: int) -> tuple[Spell, Portrait]:
    spell = roster.member(db.session, member_id)
    not_found_unless(spell is not None and current_user.sees(spell.path))
    assert spell is not None
    return spell, _managed(spell.organization_id)


def _entry(spell: Spell) -> Entry | None:
    listed = roster.roster(
        db.session, spell.organization_id, today(), ended=True, text=spell.person
    )
    return next((entry for entry in listed.entries if entry.member_id == spell.id), None)


def _new(portrait: Portrait, form: Form) -> str:
    return render_template(
        "members/new.html",
        portrait=portrait,
        trail=trail(portrait),
        form=form,
        classes=MEMBER_CLASSES,
    )


def _one(spell: Spell, portrait: Portrait, action: str, form: Form) -> str:
    empty = Form({"first_day": today(), "last_day": today()})
    return render_template(
        "members/one.html",
        spell=spell,
        entry=_entry(spell),
        portrait=portrait,
        trail=trail(portrait),
        forms={name: form if name == action else empty for name in _CHANGES},
        classes=MEMBER_CLASSES,
        posts=POSTS,
        units=offered_units(current_user.roots(_MANAGE)),
        opened=action,
    )


def _day(form: Form, name: str) -> date | None:
    try:
        return date.fromisoformat(str(form.value(name)))
    except ValueError:
        form.refuse(name, _("请填写日期"))
        return None


# -- what is done -------------------------------------------------------------------------


def _change_class(spell: Spell, portrait: Portrait, form: Form) -> None:
    day = _day(form, "first_day")
    if day is not None:
        memberships.change_class(
            db.session, current_user.actor(), spell.id, str(form.value("membership_class")), day
        )


def _transfer(spell: Spell, portrait: Portrait, form: Form) -> None:
    day = _day(form, "first_day")
    target = choose_unit(form, str(form.value("unit")), current_user.roots(_MANAGE))
    if day is not None and target is not None:
        memberships.transfer(db.session, current_user.actor(), spell.id, target, day)


def _end(spell: Spell, portrait: Portrait, form: Form) -> None:
    day = _day(form, "last_day")
    if day is not None:
        memberships.end_membership(
            db.session,
            current_user.actor(),
            spell.id,
            day,
            reason=str(form.value("reason")).strip()[:200] or None,
            destination=str(form.value("destination")).strip()[:200] or None,
        )


def _appoint(spell: Spell, portrait: Portrait, form: Form) -> None:
    day = _day(form, "first_day")
    if form.value("post") not in POSTS:
        form.refuse("post", _("请选择职务"))
    if not form.errors:
        post = {
            "person": spell.person,
            "organization": portrait.place.code,
            "post": form.value("post"),
            "from_on": day,
        }
        operations.appoint(db.session, current_user.actor(), post)


_CHANGES = {"class": _change_class, "transfer": _transfer, "end": _end, "post": _appoint}
_FIELDS = {"first_day", "last_day", "membership_class", "unit", "post"}
