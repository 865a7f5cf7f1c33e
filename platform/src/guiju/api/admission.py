"""Who asks: a personal token in ``Authorization: Bearer``, never a cookie.

The token's tenant is the scope of the whole request.  What the visitor may is asked of
:class:`~guiju.accounts.visitors.Visitor`, whose rights the token's scopes limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import cast

import structlog
from flask import g, request

from guiju.accounts.tokens import find_by_token
from guiju.accounts.visitors import Visitor
from guiju.api import rates
from guiju.api.problems import Refused
from guiju.audit.operations import record_reading
from guiju.db import db, tenant_scope, transaction

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="guiju"'}


def admit() -> None:
    """Open the scope of the token's tenant for this request, or refuse it with 401 or 429."""
    given = request.authorization
    token = given.token if given is not None and given.type == "bearer" else None
    if not token:
        raise Refused(401, headers=_CHALLENGE)
    rates.count_attempt(token)
    found = find_by_token(db.session, token, address=request.remote_addr)
    if found is None:
        rates.count_failure()
        raise Refused(
            401, headers={"WWW-Authenticate": 'Bearer realm="guiju", error="invalid_token"'}
        )
    tenant_id, g.api_visitor = found
    g.api_scope = ExitStack()
    g.api_scope.enter_context(tenant_scope(tenant_id))
    structlog.contextvars.bind_contextvars(tenant=tenant_id)


def leave(_error: BaseException | None) -> None:
    """Close the scope; nothing of this request is sent in another."""
    if "api_scope" in g:
        db.session.remove()
        g.pop("api_scope").close()


def visitor() -> Visitor:
    """Who asks."""
    return cast("Visitor", g.api_visitor)


@contextmanager
def about_people(what: str, table: str = "member_findings") -> Iterator[None]:
    """Open what is kept about single members, once it is written down that the visitor looks.

    ``table`` is the restricted one that is looked at.  Whether the visitor may is the caller's
    to know.  Nothing read before is used inside, nor anything but plain values from inside
    afterwards.
    """
    with transaction(db.session):
        record_reading(db.session, visitor().actor(), table, what)
    with restricted():
        yield


@contextmanager
def restricted() -> Iterator[None]:
    """Open restricted tables without a word, as :func:`about_people` does with one.

    For what is written down as it is done: entering a row shows only what the visitor brings.
    """
    db.session.remove()
    with tenant_scope(visitor().tenant_id, restricted=True):
        try:
            yield
        finally:
            db.session.remove()
