"""How fresh the findings are, asked again and again while scoring is under way."""

from flask import Blueprint, render_template, request
from flask_login import current_user

from guiju.db import db
from guiju.scoring import queries

blueprint = Blueprint("standing", __name__)


@blueprint.get("/standing")
def fragment() -> str:
    """The line about freshness; ``seen`` is when the findings on the page were made."""
    return render_template(
        "parts/standing.html",
        standing=queries.standing(db.session, current_user.within),
        seen=request.args.get("seen", ""),
    )
