"""One's own tokens, by which programs act in one's name."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.tokens import ALWAYS, LONGEST_DAYS, create_token, revoke_token, tokens_of
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web.forms import Form
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("own_tokens", __name__)

#: Lifetimes that the form offers, in days.
_LIFETIMES = (30, 90, 180, LONGEST_DAYS)


@blueprint.get("/account/tokens")
def page() -> str:
    """The tokens, and the form for a new one."""
    return _page(Form())


@blueprint.post("/account/tokens")
def create() -> str | tuple[str, int]:
    """Make a token and show it, once."""
    try:
        _number, token = create_token(
            db.session,
            current_user,
            request.form.get("name", ""),
            request.form.getlist("scopes"),
            request.form.get("days", 0, type=int),
        )
    except BadInput as refused:
        return _page(Form(typed=request.form, refused=refused)), 422
    return _page(Form(), token)


@blueprint.post("/account/tokens/<number:token_id>/revoke")
def revoke(token_id: int) -> Response:
    """End a token at once."""
    not_found_unless(revoke_token(db.session, current_user, token_id))
    flash(_("令牌已作废。"))
    return redirect(url_for("own_tokens.page"))


def _page(form: Form, token: str | None = None) -> str:
    return render_template(
        "accounts/own_tokens.html",
        form=form,
        token=token,
        tokens=tokens_of(db.session, current_user.user_id),
        now=datetime.now(UTC),
        lifetimes=_LIFETIMES,
        scopes=[
            permission
            for permission in PERMISSIONS
            if permission != ALWAYS and current_user.may(permission)
        ],
    )
