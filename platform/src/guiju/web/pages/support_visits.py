"""Where the link of the platform's support leads: what it is let in to, and in."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from guiju.accounts import support
from guiju.accounts.support import SupportRefused
from guiju.db import db
from guiju.web import sessions

blueprint = Blueprint("support_visits", __name__, url_prefix="/support")


@blueprint.get("/<secret>")
def offer(secret: str) -> str | tuple[str, int]:
    """What the link lets in to; looking at it does not use it up."""
    found = support.find_offer(db.session, secret)
    if found is None:
        return _refused()
    return render_template("accounts/support_offer.html", offer=found, secret=secret)


@blueprint.post("/<secret>")
def enter(secret: str) -> Response | tuple[str, int]:
    """Open the session."""
    try:
        signed_in = support.enter(db.session, secret, address=request.remote_addr)
    except SupportRefused:
        return _refused()
    finally:
        db.session.remove()
    if sessions.begin(signed_in) is None:
        abort(404)
    return redirect(url_for("front.page"))


def _refused() -> tuple[str, int]:
    return render_template("accounts/link_refused.html"), 404
