"""Creating once, however often it is asked: the ``Idempotency-Key`` header.

A caller that got no answer repeats its request under the same key and gets the answer of the
first.  The key is written down in the very transaction that creates: whatever dies, and
whenever, either both are there or neither.  Only what was done is remembered; after an error
the same key may be tried again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask import Response, g, has_request_context, request
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import insert

from guiju.api.admission import visitor
from guiju.api.models import IdempotencyKey
from guiju.api.problems import Refused
from guiju.api.reading import body_digest_source
from guiju.db import db, transaction
from guiju.language import gettext as _

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEPT = timedelta(days=1)
#: Between creating and answering lies less than this: an answer that is not there then was lost.
_ANSWERED_WITHIN = timedelta(seconds=10)
_KEPT_HEADERS = ("ETag", "Location", "Content-Type")


def once(produce: Callable[[], Response], *, secret: bool = False) -> Response:
    """What ``produce`` answers, or what it answered when this was first asked.

    An answer with a ``secret`` in it is not kept: asked again, it is refused with 409.
    Raises :class:`Refused`: 422 for a key used for something else; 409 while the first request
    under it is still being answered (with ``Retry-After``), and where the answer was lost with
    the process that should have given it.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return produce()
    if not re.fullmatch(r"[\x21-\x7e]{1,128}", key):
        raise _refused(422, "malformed", _("应为 1 至 128 个可见的 ASCII 字符"))
    if (known := _answered(key)) is not None:
        return known
    db.session.rollback()
    g.idempotency = pending = _Pending(key)
    try:
        response = produce()
    except _Taken:
        known = _answered(key)
        if known is None:
            raise _busy() from None
        return known
    except BaseException:
        db.session.rollback()
        _forget(pending)
        raise
    finally:
        del g.idempotency
    _keep(pending, response, secret=secret)
    return response


# -- the key, in the transaction that creates --------------------------------------------------


@dataclass
class _Pending:
    """The key of a request that is being answered."""

    key: str
    #: The row with the key, written with the first transaction.
    row_id: int | None = None
    committed: bool = False


class _Taken(Exception):
    """Another request under the same key has been done meanwhile."""


def _pending() -> _Pending | None:
    return g.get("idempotency") if has_request_context() else None


@sa.event.listens_for(db.session, "before_commit")
def _before_commit(session: orm.Session) -> None:
    """Write the key down; raises :class:`_Taken`, which undoes the transaction."""
    pending = _pending()
    if pending is None or pending.row_id is not None or session.in_nested_transaction():
        return
    statement = insert(IdempotencyKey).values(
        user_id=visitor().user_id, route=_route(), key=pending.key, digest=_digest()
    )
    # Waits for another request under the key, if there is one, until that has ended.
    pending.row_id = session.scalar(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "user_id", "route", "key"],
            set_={
                "digest": statement.excluded.digest,
                "created_at": sa.func.now(),
                **dict.fromkeys(("status", "headers", "body"), sa.null()),
            },
            where=IdempotencyKey.created_at <= sa.func.now() - _KEPT,
        ).returning(IdempotencyKey.id)
    )
    if pending.row_id is None:
        raise _Taken


@sa.event.listens_for(db.session, "after_commit")
def _after_commit(_session: orm.Session) -> None:
    pending = _pending()
    if pending is not None:
        pending.committed = pending.row_id is not None


@sa.event.listens_for(db.session, "after_rollback")
def _after_rollback(_session: orm.Session) -> None:
    pending = _pending()
    if pending is not None and not pending.committed:
        pending.row_id = None


# -- the answer --------------------------------------------------------------------------------


def _route() -> str:
    return f"{request.method} {request.path}"


def _digest() -> bytes:
    return hashlib.sha256(body_digest_source()).digest()


def _answered(key: str) -> Response | None:
    """The answer given under a key; None where nothing was done under it."""
    found = db.session.scalars(
        sa.select(IdempotencyKey).where(
            IdempotencyKey.user_id == visitor().user_id,
            IdempotencyKey.route == _route(),
            IdempotencyKey.key == key,
            IdempotencyKey.created_at > sa.func.now() - _KEPT,
        )
    ).one_or_none()
    if found is None:
        return None
    if found.digest != _digest():
        raise _refused(422, "reused", _("这个键已用于另一内容不同的请求，请换一个"))
    if found.status is None:
        if datetime.now(UTC) - found.created_at < _ANSWERED_WITHIN:
            raise _busy()
        raise _refused(409, "answer_lost", _("这项请求已经处理，但回答没有送到；请查询所建的内容"))
    if found.body is None:
        raise Refused(409, _("这项请求已经完成，其结果含有只显示一次的内容"))
    return Response(
        found.body, status=found.status, headers={**(found.headers or {}), REPLAYED: "true"}
    )


def _refused(status: int, code: str, detail: str) -> Refused:
    return Refused(status, errors=[{"header": HEADER, "code": code, "detail": detail}])


def _busy() -> Refused:
    return Refused(409, _("同一 Idempotency-Key 的请求正在处理"), headers={"Retry-After": "1"})


def _forget(pending: _Pending) -> None:
    if pending.committed:
        with transaction(db.session):
            db.session.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.id == pending.row_id))


def _keep(pending: _Pending, response: Response, *, secret: bool) -> None:
    """Keep the answer, and let go of what was kept long enough."""
    if not pending.committed:
        return
    old = (
        sa.select(IdempotencyKey.id)
        .where(IdempotencyKey.created_at < sa.func.now() - _KEPT)
        # Others do the same at the same time.
        .with_for_update(skip_locked=True)
    )
    with transaction(db.session):
        db.session.execute(
            sa.update(IdempotencyKey)
            .where(IdempotencyKey.id == pending.row_id)
            .values(
                status=response.status_code,
                headers={
                    name: response.headers[name]
                    for name in _KEPT_HEADERS
                    if name in response.headers
                },
                body=None if secret else response.get_data(),
            )
        )
        db.session.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.id.in_(old)))
