"""What the tenant demands of signing in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.accounts.policies import BOUNDS, policy_of, set_policy
from guiju.accounts.reach import NotVisible
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web import refusals
from guiju.web.forms import Form

blueprint = Blueprint("account_policy", __name__, url_prefix="/people/policy")
refusals.init_blueprint(blueprint)

_SWITCHES = ("totp_required", "separated")


@blueprint.before_request
def _only_policy_managers() -> None:
    if current_user.is_authenticated and not current_user.may_everywhere("policy.manage"):
        raise NotVisible


@blueprint.get("")
def page() -> str:
    """The policy in force, as a form."""
    values: dict[str, Any] = asdict(policy_of(db.session))
    values.update({name: ["yes"] if values[name] else [] for name in _SWITCHES})
    return _page(Form(values))


@blueprint.post("")
def change() -> Response | tuple[str, int]:
    """Change it; it holds from everybody's next request."""
    form = Form(typed=request.form)
    changes: dict[str, Any] = {name: name in request.form for name in _SWITCHES}
    for name in BOUNDS:
        number = request.form.get(name, type=int)
        if number is None:
            form.refuse(name, _("应为整数"))
        else:
            changes[name] = number
    if form.errors:
        return _page(form), 422
    try:
        set_policy(db.session, current_user.actor(), **changes)
    except BadInput as refused:
        for problem in refused.problems:
            # Who stands in the way is part of the message.
            about = f"{problem.found}：" if problem.place == "/separated" else ""
            form.refuse(problem.place[1:], about + problem.wanted)
        return _page(form), 422
    flash(_("安全策略已保存。"))
    # Who keeps the three apart may have given their own right away with it.
    return redirect(url_for("front.page" if changes["separated"] else "account_policy.page"))


def _page(form: Form) -> str:
    return render_template("accounts/policy.html", form=form, bounds=BOUNDS)
