"""Changing the language of the pages."""

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from guiju.web.languages import COOKIE, LOCALES
from guiju.web.sessions import not_found_unless, safe_target

blueprint = Blueprint("languages", __name__)

_YEAR = 365 * 24 * 3600


@blueprint.post("/language/<code>")
def choose(code: str) -> Response:
    """Keep the choice in this browser and go back to the page."""
    not_found_unless(code in LOCALES)
    response = redirect(safe_target(request.form.get("next")))
    response.set_cookie(
        COOKIE,
        code,
        max_age=_YEAR,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response
