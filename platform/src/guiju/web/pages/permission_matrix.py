"""The permission matrix, to read and to take along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from flask import Blueprint, Response, render_template
from flask_login import current_user

from guiju.accounts.matrix import Holding, holdings, permissions_by_role
from guiju.accounts.permissions import ROLES, permission_label, role_label
from guiju.accounts.reach import NotVisible, managed_paths
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.web import exports, refusals
from guiju.web.account_words import user_state
from guiju.web.workbooks import Cell, send_lists

blueprint = Blueprint("permission_matrix", __name__, url_prefix="/people/permissions")
refusals.init_blueprint(blueprint)

_SHOWN = 500


@blueprint.before_request
def _only_account_managers() -> None:
    if current_user.is_authenticated and not managed_paths(current_user):
        raise NotVisible


@blueprint.get("")
def page() -> str:
    """Roles and what they allow; below, who holds them."""
    every = list(holdings(db.session, current_user))
    return render_template(
        "accounts/matrix.html",
        roles=ROLES,
        permissions=permissions_by_role(separated=current_user.separated),
        holders=list(islice(every, _SHOWN)),
        total=len(every),
    )


@blueprint.get("/export.xlsx")
def workbook() -> Response:
    """Both as a workbook of two sheets."""
    _note("xlsx")
    return send_lists(
        _("权限一览-{day}.xlsx").format(day=today()),
        [
            (_("角色权限"), _role_headings(), _role_rows()),
            (_("人员角色"), _holder_headings(), _holder_rows()),
        ],
    )


@blueprint.get("/roles.csv")
def roles_csv() -> Response:
    """Roles and what they allow."""
    _note("csv")
    name = _("角色权限-{day}.csv").format(day=today())
    return exports.send_text(name, _role_headings(), _role_rows())


@blueprint.get("/holders.csv")
def holders_csv() -> Response:
    """Who holds what."""
    _note("csv")
    name = _("人员角色-{day}.csv").format(day=today())
    return exports.send_text(name, _holder_headings(), _holder_rows())


def _note(file_format: str) -> None:
    exports.note(_("权限一览"), file_format, None)


def _role_headings() -> list[str]:
    return [_("权限"), *(role_label(role) for role in ROLES)]


def _role_rows() -> Iterable[Sequence[Cell]]:
    for permission, marks in permissions_by_role(separated=current_user.separated):
        yield [permission_label(permission), *("√" if allowed else "" for allowed in marks)]


def _holder_headings() -> list[str]:
    return [
        *(_("单位"), _("单位编号"), _("姓名"), _("用户名"), _("状态")),
        *(_("角色"), _("代谁"), _("自"), _("至")),
    ]


def _holder_rows() -> Iterable[Sequence[Cell]]:
    return (_holder_row(held) for held in holdings(db.session, current_user))


def _holder_row(held: Holding) -> Sequence[Cell]:
    return [
        *(held.organization, held.code, held.name, held.username, user_state(held.state)),
        *(role_label(held.role), held.instead_of, held.since, held.until_on),
    ]
