"""Users and their rights, for who manages accounts: the list, invitations, one user."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju import mail
from guiju.accounts import people, tokens
from guiju.accounts.delegations import delegations_of
from guiju.accounts.directory import (
    ORDERS,
    STATES,
    ListedUser,
    held_roles,
    list_users,
    state_of,
)
from guiju.accounts.links import NewLink, invite, links_of, send_anew
from guiju.accounts.mailing import mail_link
from guiju.accounts.people import Newcomer
from guiju.accounts.permissions import ROLES, role_label
from guiju.accounts.reach import (
    NotVisible,
    entirely_managed,
    managed_paths,
    managed_user,
    manages_everything,
)
from guiju.accounts.roles import (
    Grant,
    grant_role,
    grantable_roles,
    managed_role,
    revoke_role,
)
from guiju.accounts.tokens import TokenSummary
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import exports, refusals
from guiju.web.account_words import user_state
from guiju.web.forms import Form
from guiju.web.lists import asked_order
from guiju.web.sessions import not_found_unless
from guiju.web.unit_choice import choose_unit, offered_units

blueprint = Blueprint("people", __name__, url_prefix="/people")
refusals.init_blueprint(blueprint)

_PAGE = 50


@blueprint.before_request
def _only_account_managers() -> None:
    if current_user.is_authenticated and not managed_paths(current_user):
        raise NotVisible


@blueprint.get("")
def index() -> str | Response:
    """The list, with its filters in the address; as a file where the address asks for one."""
    text = request.args.get("q", "").strip()
    role = _one_of("role", ROLES)
    state = _one_of("state", STATES)
    order = asked_order(ORDERS, "name")
    first = max(request.args.get("from", 0, type=int), 0)
    export = exports.wanted_format() is not None
    found = list_users(
        db.session,
        current_user,
        text=text,
        role=role,
        state=state,
        order_by=order.key,
        falling=order.falling,
        offset=0 if export else min(first, 10**6),
        limit=None if export else _PAGE,
    )
    if export:
        return _export(found.items)
    return render_template(
        "accounts/people.html",
        found=found,
        text=text,
        role=role,
        state=state,
        order=order,
        first=first,
        page_size=_PAGE,
        roles=ROLES,
        states=STATES,
        everything=manages_everything(current_user),
        orders=_order_titles(),
    )


def _order_titles() -> list[tuple[str, str]]:
    return [
        ("name", _("姓名")),
        ("username", _("用户名")),
        ("last_sign_in", _("最近登录")),
        ("created", _("建立日期")),
    ]


def _export(users: Sequence[ListedUser]) -> Response:
    headings = [
        _("姓名"),
        _("用户名"),
        _("邮箱"),
        _("状态"),
        _("角色"),
        _("最近登录"),
        _("建立日期"),
    ]
    rows = [
        [
            user.name,
            user.username,
            user.email,
            user_state(user.state),
            "；".join(f"{held.organization} {role_label(held.role)}" for held in user.roles),
            user.last_sign_in.date() if user.last_sign_in else None,
            user.created_at.date(),
        ]
        for user in users
    ]
    return exports.send(_("人员"), _("人员"), headings, rows, None)


@blueprint.get("/invite")
def invitation() -> str:
    """The form for somebody new."""
    return _invitation(Form({"unit": request.args.get("unit", "")}))


@blueprint.post("/invite")
def send_invitation() -> str | tuple[str, int]:
    """Invite somebody and show the link, once."""
    form = Form(typed=request.form)
    unit = choose_unit(form, request.form.get("unit", ""), managed_paths(current_user))
    until_on = _until(form)
    if unit is None or form.errors:
        return _invitation(form), 422
    grants = [Grant(role, unit, until_on) for role in request.form.getlist("roles")]
    try:
        link = invite(
            db.session,
            current_user,
            request.form.get("username", "").partition("@")[0],
            request.form.get("name", ""),
            grants,
            email=request.form.get("email"),
        )
    except BadInput as refused:
        return _invitation(Form(typed=request.form, refused=refused)), 422
    return _link_page(link, "invitation")


@blueprint.get("/<number:user_id>")
def page(user_id: int) -> str:
    """One user: roles, how they sign in, what can be done."""
    return _page(user_id)


@blueprint.post("/<number:user_id>")
def edit(user_id: int) -> Response | tuple[str, int]:
    """Correct name and e-mail address."""
    try:
        people.edit_user(
            db.session,
            current_user,
            user_id,
            request.form.get("name", ""),
            request.form.get("email"),
        )
    except BadInput as refused:
        return _page(user_id, profile=Form(typed=request.form, refused=refused)), 422
    return _back(user_id, _("已保存。"))


@blueprint.post("/<number:user_id>/roles")
def grant(user_id: int) -> Response | tuple[str, int]:
    """Give a role."""
    form = Form(typed=request.form)
    unit = choose_unit(form, request.form.get("unit", ""), managed_paths(current_user))
    until_on = _until(form)
    if unit is None or form.errors:
        return _page(user_id, granting=form), 422
    wanted = Grant(request.form.get("roles", ""), unit, until_on)
    try:
        grant_role(db.session, current_user, user_id, wanted)
    except BadInput as refused:
        return _page(user_id, granting=Form(typed=request.form, refused=refused)), 422
    return _back(user_id, _("已授予角色。"))


@blueprint.post("/<number:user_id>/roles/<number:role_id>/revoke")
def revoke(user_id: int, role_id: int) -> Response | tuple[str, int]:
    """Take a role away."""
    _role, holder = managed_role(db.session, current_user, role_id)
    not_found_unless(holder.id == user_id)
    try:
        revoke_role(db.session, current_user, role_id)
    except BadInput as refused:
        return _page(user_id, granting=Form(refused=refused)), 422
    flash(_("已收回角色。"))
    return redirect(url_for("people.index"))


@blueprint.post("/<number:user_id>/link")
def send_link(user_id: int) -> str:
    """Make a new link for choosing a password, and show it once."""
    link = send_anew(db.session, current_user, user_id)
    return _link_page(link, "reset")


@blueprint.post("/<number:user_id>/active")
def activate(user_id: int) -> Response | tuple[str, int]:
    """Let the user in, or not any more."""
    if request.form.get("active") == "yes":
        people.reactivate(db.session, current_user, user_id)
        return _back(user_id, _("账号已恢复。"))
    try:
        people.deactivate(db.session, current_user, user_id)
    except BadInput as refused:
        return _page(user_id, granting=Form(refused=refused)), 422
    return _back(user_id, _("账号已停用，已登录的设备都已退出。"))


@blueprint.post("/<number:user_id>/second-factor")
def reset_second_factor(user_id: int) -> Response:
    """Take the second factor away from who lost it."""
    people.reset_second_factor(db.session, current_user, user_id)
    return _back(user_id, _("两步验证已清除。"))


@blueprint.post("/<number:user_id>/tokens/revoke")
def revoke_tokens(user_id: int) -> Response:
    """End the user's tokens: programs act for them no more."""
    tokens.revoke_tokens(db.session, current_user, user_id)
    return _back(user_id, _("令牌已全部作废。"))


@blueprint.get("/<number:user_id>/handover/<number:organization_id>")
def handover(user_id: int, organization_id: int) -> str:
    """The form by which a successor takes over what a user is on an organization."""
    return _handover(user_id, organization_id, Form({"who": "new"}))


@blueprint.post("/<number:user_id>/handover/<number:organization_id>")
def hand_over(user_id: int, organization_id: int) -> Response | str | tuple[str, int]:
    """Hand over; a successor who is invited gets a link, shown once."""
    form = Form(typed=request.form)
    successor: int | Newcomer | None
    if request.form.get("who") == "known":
        successor = _known(form)
    else:
        successor = Newcomer(
            request.form.get("username", "").partition("@")[0],
            request.form.get("name", ""),
            request.form.get("email"),
        )
    if successor is None:
        return _handover(user_id, organization_id, form), 422
    try:
        done = people.hand_over(
            db.session,
            current_user,
            user_id,
            organization_id,
            successor,
            request.form.get("reason", ""),
        )
    except BadInput as refused:
        form = Form(typed=request.form, refused=refused)
        return _handover(user_id, organization_id, form), 422
    if done.link is not None:
        return _link_page(done.link, "invitation")
    return _back(done.user_id, _("交接已完成。"))


def _page(user_id: int, profile: Form | None = None, granting: Form | None = None) -> str:
    user = managed_user(db.session, current_user, user_id)
    return render_template(
        "accounts/person.html",
        user=user,
        state=state_of(user),
        roles=list(held_roles(db.session, current_user, [user_id])),
        whole=entirely_managed(db.session, current_user, user),
        own=user.id == current_user.user_id,
        links=links_of(db.session, user_id),
        tokens=_working_tokens(user_id),
        delegations=delegations_of(db.session, user_id),
        profile=profile or Form({"name": user.name, "email": user.email}),
        granting=granting or Form(),
        units=offered_units(managed_paths(current_user)),
        grantable=grantable_roles(current_user),
    )


def _working_tokens(user_id: int) -> list[TokenSummary]:
    now = datetime.now(UTC)
    return [token for token in tokens.tokens_of(db.session, user_id) if token.works(now)]


def _invitation(form: Form) -> str:
    return render_template(
        "accounts/invite.html",
        form=form,
        units=offered_units(managed_paths(current_user)),
        grantable=grantable_roles(current_user),
    )


def _handover(user_id: int, organization_id: int, form: Form) -> str:
    user = managed_user(db.session, current_user, user_id)
    roles = [
        held
        for held in held_roles(db.session, current_user, [user_id])
        if held.organization_id == organization_id
    ]
    if not roles:
        raise NotVisible
    return render_template("accounts/handover.html", user=user, roles=roles, form=form)


def _link_page(link: NewLink, purpose: str) -> str:
    user = managed_user(db.session, current_user, link.user_id)
    settings = current_app.extensions["guiju_settings"]
    path = url_for("links.page", secret=link.secret)
    whole = mail.link(settings, path) if settings.public_url else request.host_url[:-1] + path
    return render_template(
        "accounts/new_link.html",
        user=user,
        link=link,
        address=whole,
        purpose=purpose,
        mailed=mail_link(settings, link, user.name, user.email),
    )


def _known(form: Form) -> int | None:
    """The number of the user whose name was typed, among those the visitor knows of."""
    text = request.form.get("successor", "").strip().partition("@")[0]
    found = list_users(db.session, current_user, text=text, limit=20).items if text else []
    exact = [user.id for user in found if text in {user.username, user.name}]
    if len(exact) == 1:
        return exact[0]
    form.refuse("successor", _("没有找到唯一的这个人；请填写完整的用户名"))
    return None


def _until(form: Form) -> date | None:
    text = request.form.get("until_on", "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        form.refuse("until_on", _("请填写日期"))
        return None


def _one_of(name: str, known: tuple[str, ...]) -> str | None:
    value = request.args.get(name)
    return value if value in known else None


def _back(user_id: int, message: str) -> Response:
    flash(message)
    return redirect(url_for("people.page", user_id=user_id))
