"""Finding an organization by a part of its name."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_login import current_user

from guiju.db import db
from guiju.organizations.search import find

blueprint = Blueprint("search", __name__)

#: Whoever finds more than this had better type more.
_MOST = 50


@blueprint.get("/organizations")
def page() -> str:
    """The organizations whose name or code contains ``q``, of those that the visitor sees."""
    wanted = request.args.get("q", "").strip()
    found = find(db.session, wanted, current_user.within, limit=_MOST + 1) if wanted else []
    return render_template(
        "search.html", wanted=wanted, found=found[:_MOST], more=len(found) > _MOST
    )
