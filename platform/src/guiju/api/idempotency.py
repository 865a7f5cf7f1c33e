"""Creating once, however often it is asked: the ``Idempotency-Key`` header.

A caller that got no answer repeats its request under the same key and gets the answer of the
first.  Only what was done is remembered; after an error the same key may be tried again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from flask import Response, request
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
#: No request takes so long: one that has no answer by then was cut short.
_ABANDONED = timedelta(minutes=5)
_KEPT_HEADERS = ("ETag", "Location", "Content-Type")


def once(produce: Callable[[], Response], *, secret: bool = False) -> Response:
    """What ``produce`` answers, or what it answered when this was first asked.

    An answer with a ``secret`` in it is not kept: asked again, it is refused with 409.
    Raises :class:`Refused`: 422 for a key used for something else, 409 while the first request
    under it is still being answered.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return produce()
    if not re.fullmatch(r"[\x21-\x7e]{1,128}", key):
        error = {
            "header": HEADER,
            "code": "malformed",
            "detail": _("应为 1 至 128 个可见的 ASCII 字符"),
        }
        raise Refused(422, errors=[error])
    row_id = _reserve(key)
    if row_id is None:
        return _replay(key)
    try:
        response = produce()
    except BaseException:
        db.session.rollback()
        _release(row_id)
        raise
    _keep(row_id, response, secret=secret)
    return response


def _route() -> str:
    return f"{request.method} {request.path}"


def _digest() -> bytes:
    return hashlib.sha256(body_digest_source()).digest()


def _reserve(key: str) -> int | None:
    """The number of the row that this request is to fill; None where another has the key."""
    table = IdempotencyKey
    now = sa.func.now()
    with transaction(db.session):
        db.session.execute(sa.delete(table).where(table.created_at < now - _KEPT))
        statement = insert(IdempotencyKey).values(
            user_id=visitor().user_id, route=_route(), key=key, digest=_digest()
        )
        row_id: int | None = db.session.scalar(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "user_id", "route", "key"],
                set_={"digest": statement.excluded.digest, "created_at": now},
                where=sa.and_(table.status.is_(None), table.created_at < now - _ABANDONED),
            ).returning(table.id)
        )
    return row_id


def _replay(key: str) -> Response:
    found = db.session.scalars(
        sa.select(IdempotencyKey).where(
            IdempotencyKey.user_id == visitor().user_id,
            IdempotencyKey.route == _route(),
            IdempotencyKey.key == key,
        )
    ).one_or_none()
    if found is None or (found.status is None and found.digest == _digest()):
        raise Refused(409, _("同一 Idempotency-Key 的请求正在处理"), headers={"Retry-After": "1"})
    if found.digest != _digest():
        error = {
            "header": HEADER,
            "code": "reused",
            "detail": _("这个键已用于另一内容不同的请求，请换一个"),
        }
        raise Refused(422, errors=[error])
    if found.body is None:
        raise Refused(409, _("这项请求已经完成，其结果含有只显示一次的内容"))
    return Response(
        found.body, status=found.status, headers={**(found.headers or {}), REPLAYED: "true"}
    )


def _release(row_id: int) -> None:
    with transaction(db.session):
        db.session.execute(sa.delete(IdempotencyKey).where(IdempotencyKey.id == row_id))


def _keep(row_id: int, response: Response, *, secret: bool) -> None:
    with transaction(db.session):
        db.session.execute(
            sa.update(IdempotencyKey)
            .where(IdempotencyKey.id == row_id)
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
