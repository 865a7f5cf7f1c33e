"""Who is asking, and whose data they may see: opened for each request, closed after it.

Every page but the few listed in :data:`PUBLIC` needs a signed-in visitor.  Loading the
visitor opens the tenant's scope for the rest of the request; where nobody signed in there
is no scope, and any use of the database raises.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import structlog
from flask import (
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from guiju.accounts.signing_in import SignedIn, begin_session, end_session, touch_session
from guiju.accounts.support import note_request
from guiju.accounts.visitors import Visitor, find_visitor, parse_id
from guiju.audit.operations import record_reading
from guiju.db import db, tenant_scope, transaction
from guiju.language import gettext as _

#: Endpoints that need nobody signed in.
PUBLIC = {
    "static",
    "health.alive",
    "health.ready",
    "metrics.scrape",
    "sign_in.form",
    "sign_in.submit",
    "sign_in.code",
    "sign_in.submit_code",
    "provider_sign_in.choose",
    "provider_sign_in.go",
    "provider_sign_in.back",
    "links.ask",
    "links.forgotten",
    "links.page",
    "links.choose",
    "support_visits.offer",
    "support_visits.enter",
    "languages.choose",
}

#: Blueprints whose pages the platform's support reads, as far as its role goes.
SUPPORT_READS = {
    "attention",
    "findings",
    "front",
    "heat",
    "library",
    "members",
    "months",
    "organization",
    "overview",
    "plans",
    "profiles",
    "records",
    "search",
    "standing",
    "workbench",
}
#: What it may do besides reading: leave, and choose the language it reads in.
_SUPPORT_DOES = {"sign_in.sign_out", "languages.choose"}

#: Where somebody goes who owes their tenant a second factor, or a new password.
OWED_SECOND_FACTOR = "second_factor.page"
OWED_PASSWORD = "own_password.page"  # noqa: S105 - an endpoint

#: Endpoints that are open to them meanwhile.
_WHILE_OWING = {
    "second_factor.page",
    "second_factor.confirm",
    "own_password.page",
    "own_password.change",
    "sign_in.sign_out",
}

#: What the endpoints of the API begin with, which lets programs in by itself, by their tokens.
PROGRAMS = "api_"

#: Endpoints that a page asks by itself: they do not count as somebody working.
UNATTENDED = {
    "standing.fragment",
    "reports.listing",
    "jobs.listing",
    "jobs.state",
    "profiles.progress",
}

_BEGUN, _SEEN = "begun", "seen"

#: So much of an address is kept of what support asked for.
_LONGEST_ADDRESS = 1000

login_manager = LoginManager()


def init_app(app: Flask) -> None:
    """Know the visitor of each request, and turn away who is not signed in."""
    login_manager.init_app(app)
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(_ask_to_sign_in)
    app.before_request(_require_visitor)
    app.teardown_request(_close_scope)


def begin(signed_in: SignedIn) -> Visitor | None:
    """Open a session for somebody who signed in, and their tenant's scope for this request.

    Nothing of an earlier visit, the form's token included, is carried into it.  None where the
    tenant or the user was shut out this very moment.
    """
    session.clear()
    visitor = load(signed_in.tenant_id, signed_in.user_id)
    if visitor is None:
        return None
    number = begin_session(
        db.session,
        visitor.user_id,
        address=request.remote_addr,
        agent=request.headers.get("User-Agent"),
    )
    visitor = replace(visitor, session_id=number)
    login_user(visitor)
    session[_BEGUN] = session[_SEEN] = int(time.time())
    return visitor


def renew(visitor: Visitor) -> None:
    """Let the visitor's session go on after their password changed, others end."""
    fresh = find_visitor(
        db.session,
        visitor.tenant_id,
        visitor.user_id,
        visitor.address,
        session_id=visitor.session_id,
    )
    if fresh is None:
        abort(500)
    login_user(fresh)


def end() -> None:
    """End the visitor's session in this browser."""
    if current_user.is_authenticated and current_user.session_id is not None:
        end_session(db.session, current_user.actor(), current_user.user_id, current_user.session_id)
    logout_user()
    session.clear()


def load(tenant_id: int, user_id: int, session_id: int | None = None) -> Visitor | None:
    """The visitor, whose tenant's scope is open from now to the end of the request.

    None where the user, the tenant or the session may not come in any more; then no scope is
    open.
    """
    _close_scope(None)
    # Known to the request before anything can fail, so that it is closed with it.
    g.scope = ExitStack()
    g.scope.enter_context(tenant_scope(tenant_id))
    visitor = find_visitor(
        db.session, tenant_id, user_id, request.remote_addr, session_id=session_id
    )
    if visitor is None:
        _close_scope(None)
        return None
    structlog.contextvars.bind_contextvars(tenant=tenant_id)
    return visitor


@contextmanager
def about_people(what: str) -> Iterator[None]:
    """Open findings about single members, once it is written down that the visitor looks.

    Whether the visitor may is the caller's to know.  Nothing read before is used inside, nor
    anything but plain values from inside afterwards.
    """
    with transaction(db.session):
        record_reading(db.session, current_user.actor(), "member_findings", what)
    db.session.remove()
    with tenant_scope(current_user.tenant_id, restricted=True):
        try:
            yield
        finally:
            db.session.remove()


def _load(identity: str) -> Visitor | None:
    """The visitor of a session; None where the session no longer holds.

    None too where the database turned out to be away: a page has to say so.
    """
    numbers = parse_id(identity)
    if numbers is None or g.get("database_is_away"):
        return None
    visitor = load(*numbers)
    if visitor is not None and visitor.get_id() != identity:
        _close_scope(None)
        return None
    return visitor


def _close_scope(_error: BaseException | None) -> None:
    if "scope" in g:
        # Nothing of this request may be sent in another scope.
        db.session.remove()
        g.pop("scope").close()


def _require_visitor() -> BaseResponse | None:
    if request.endpoint is None:
        # No such address: the same answer whether or not somebody is signed in.
        return None
    if request.endpoint in PUBLIC or request.endpoint.startswith(PROGRAMS):
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    now, seen, policy = int(time.time()), session.get(_SEEN, 0), current_user.policy
    if (
        now - seen > policy.idle_minutes * 60
        or now - session.get(_BEGUN, 0) > policy.longest_hours * 3600
    ):
        logout_user()
        session.clear()
        flash(_("您有一段时间没有操作，为安全起见已退出。请重新登录。"))
        return _ask_to_sign_in()
    if request.endpoint not in UNATTENDED:
        session[_SEEN] = now
        if now // 60 != seen // 60:
            touch_session(db.session, current_user.session_id)
    if current_user.support is not None:
        _hold_to_reading()
    return _see_to_what_is_owed()


def _hold_to_reading() -> None:
    """Let support read, each request written down first, and do nothing else."""
    address = request.full_path.rstrip("?")[:_LONGEST_ADDRESS]
    note_request(db.session, current_user, request.method, address)
    if request.endpoint in _SUPPORT_DOES:
        return
    if request.method not in {"GET", "HEAD"}:
        abort(403)
    if request.blueprint not in SUPPORT_READS:
        abort(404)


def _see_to_what_is_owed() -> BaseResponse | None:
    """Send somebody who owes a second factor or a new password there, whatever they asked for."""
    if request.endpoint in _WHILE_OWING:
        return None
    if current_user.password_is_old:
        return _elsewhere(OWED_PASSWORD)
    if current_user.owes_second_factor:
        return _elsewhere(OWED_SECOND_FACTOR)
    return None


def _ask_to_sign_in() -> BaseResponse:
    if "HX-Request" in request.headers:
        return _elsewhere("sign_in.form", 401)
    if request.method != "GET":
        # Whoever filled in a form is told why they stand here, and that it was not taken.
        return redirect(url_for("sign_in.form", expired=1, next=_handed_in_from()))
    wanted = request.full_path.removesuffix("?")
    return redirect(url_for("sign_in.form", next=None if wanted == "/" else wanted))


def _handed_in_from() -> str | None:
    """The page of this site that a form was handed in from, where it can be asked for again."""
    came = urlsplit(request.referrer or "")
    if came.netloc != request.host:
        return None
    try:
        current_app.url_map.bind(request.host).match(came.path, method="GET")
    except HTTPException:
        return None
    return f"{came.path}?{came.query}" if came.query else came.path


def _elsewhere(endpoint: str, status: int = 403) -> BaseResponse:
    """Send the browser to another page; from a part of a page, the whole page."""
    if "HX-Request" in request.headers:
        response = Response(status=status)
        response.headers["HX-Redirect"] = url_for(endpoint)
        return response
    return redirect(url_for(endpoint))


def safe_target(target: str | None) -> str:
    """``target`` if it is an address within this site, else the front page."""
    if not target:
        return url_for("front.page")
    # Browsers read a backslash as a slash, and two of them begin another host.
    parts = urlsplit(target.replace("\\", "/"))
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        return url_for("front.page")
    return target


def not_found_unless(condition: object) -> None:
    """404 unless ``condition``: what is not yours looks as if it were not there."""
    if not condition:
        abort(404)
