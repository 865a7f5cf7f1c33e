"""Keeping other processes out for a while; the database lets go when this process dies."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession

_NAME = "hashtextextended(:name, 0)"


class Busy(RuntimeError):
    """Another process is at it."""


@contextmanager
def alone(engine: sa.Engine, *what: str | int) -> Iterator[None]:
    """Keep other processes from ``what`` (a kind of work, and numbers) inside the block.

    Raises ``Busy`` where one is at it.  The caller is in a scope.
    """
    key = {"name": " ".join(map(str, what))}
    with engine.connect() as connection:
        if not connection.scalar(sa.text(f"SELECT pg_try_advisory_lock({_NAME})"), key):
            raise Busy(key["name"])
        connection.commit()
        try:
            yield
        finally:
            connection.execute(sa.text(f"SELECT pg_advisory_unlock({_NAME})"), key)
            connection.commit()


def hold(session: AnySession, what: str) -> None:
    """Wait until nobody else holds ``what`` of this tenant; hold it until the transaction ends.

    For what may have no row yet that could be locked.
    """
    key = {"name": f"{what} {current_tenant_id()}"}
    session.execute(sa.select(sa.text(f"pg_advisory_xact_lock({_NAME})")), key)
