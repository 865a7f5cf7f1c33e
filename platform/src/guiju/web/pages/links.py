"""Where a one-time link leads: somebody chooses a password."""

from __future__ import annotations

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response

from guiju import mail
from guiju.accounts.links import LinkRefused, OpenLink, find_link, use_link
from guiju.accounts.mailing import ask_for_link
from guiju.config import Settings
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.problems import BadInput
from guiju.web.forms import Form
from guiju.web.sessions import not_found_unless

blueprint = Blueprint("links", __name__)


@blueprint.get("/links/<secret>")
def page(secret: str) -> str | tuple[str, int]:
    """The form, where the link works."""
    link = find_link(db.session, secret)
    return _refused() if link is None else _page(link, secret, Form())


@blueprint.get("/sign-in/forgotten")
def forgotten() -> str:
    """Ask for a link by mail, where there is a mail server."""
    not_found_unless(mail.configured(_settings()))
    return render_template("accounts/forgotten.html", asked=False)


@blueprint.post("/sign-in/forgotten")
def ask() -> str:
    """Have a link mailed; the answer is the same whoever asks for whom."""
    not_found_unless(mail.configured(_settings()))
    ask_for_link(_settings(), request.form.get("username", "").strip()[:200])
    return render_template("accounts/forgotten.html", asked=True)


@blueprint.app_template_global()
def mails_links() -> bool:
    """Whether a forgotten password can be replaced by mail."""
    return mail.configured(_settings())


@blueprint.post("/links/<secret>")
def choose(secret: str) -> Response | str | tuple[str, int]:
    """Set the password and go on to sign in with it."""
    password, again = request.form.get("password", ""), request.form.get("again", "")
    link = find_link(db.session, secret)
    if link is None:
        return _refused()
    form = Form()
    if password != again:
        form.refuse("again", _("两次输入的密码不一样"))
        return _page(link, secret, form), 422
    try:
        sign_in_name = use_link(db.session, secret, password, address=request.remote_addr)
    except LinkRefused:
        return _refused()
    except BadInput as refused:
        return _page(link, secret, Form(refused=refused)), 422
    finally:
        db.session.remove()
    # Whoever else was signed in here is not meant.
    session.clear()
    flash(_("密码已设置，请登录。"))
    return redirect(url_for("sign_in.form", username=sign_in_name))


def _settings() -> Settings:
    found: Settings = current_app.extensions["guiju_settings"]
    return found


def _page(link: OpenLink, secret: str, form: Form) -> str:
    return render_template("accounts/link.html", link=link, secret=secret, form=form)


def _refused() -> tuple[str, int]:
    return render_template("accounts/link_refused.html"), 404
