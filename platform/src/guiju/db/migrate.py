"""Bringing a database up to date: the application's role, then the migrations."""

import secrets
import time
from collections.abc import Iterable, Mapping

import psycopg
import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import orm

from guiju.config import APP_ROLE
from guiju.db.codes import masked_vocabularies, register_codes
from guiju.db.engine import sqlalchemy_url
from guiju.language import gettext as _
from guiju.locations import migrations_folder
from guiju.rules.problems import BadInput, Problem

log = structlog.get_logger()

#: How long a change may wait for a table that is in use: so long others wait behind it.
_LOCK_TIMEOUT = "2s"
#: Seconds between tries.
_PAUSES = (1, 2, 4, 8, 15, 30)


def upgrade(
    admin_url: str,
    *,
    app_password: str | None = None,
    codes: Mapping[str, Iterable[str]] | None = None,
) -> str | None:
    """Make the application's role if it is not there, run the migrations, register the codes.

    ``admin_url`` (as libpq reads it) belongs to the role that owns the tables.  ``codes``
    are those that profiles add (:attr:`guiju.plugins.Plugins.codes`); records that use a
    code can be stored once it is registered.  Returns the password generated for a role
    made here without ``app_password``, else None.

    Others may be at work meanwhile.  Raises ``BadInput`` where a table is in use all the time.
    """
    engine = sa.create_engine(sqlalchemy_url(admin_url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        generated = ensure_role(connection, app_password)
    _migrate(admin_url)
    with orm.Session(engine) as session, session.begin():
        # Two upgrades at once would meet at the same privilege.
        session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('alembic'))"))
        # For the readiness check.
        session.execute(sa.text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))
        known = masked_vocabularies()
        register_codes(session, known)
        register_codes(session, {name: (codes or {}).get(name, ()) for name in known})
    return generated


def _migrate(admin_url: str) -> None:
    """Run the migrations, all or none; again where a table was in use."""
    config = migrations_config(admin_url)
    config.attributes["lock_timeout"] = _LOCK_TIMEOUT
    for seconds in (*_PAUSES, None):
        try:
            command.upgrade(config, "head")
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise
            if seconds is None:
                found = _("有事务一直占用要改的表，没有升级")
                wanted = _("请在空闲时再试，或先停止 guiju worker")
                raise BadInput([Problem(_("数据库"), found, wanted, "busy")]) from error
            log.warning("table in use, migrating again", seconds=seconds)
            time.sleep(seconds)
        else:
            return


def migrations_config(admin_url: str) -> Config:
    """What Alembic's commands need."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["url"] = sqlalchemy_url(admin_url)
    return config


def current_revision(connection: sa.Connection) -> str:
    """The migration that the database is at; empty where it has none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def is_current(connection: sa.Connection) -> bool:
    """Whether the database has the newest migration of this installation."""
    script = ScriptDirectory(str(migrations_folder()))
    context = MigrationContext.configure(connection)
    return context.get_current_heads() == tuple(script.get_heads())


def ensure_role(connection: sa.Connection, password: str | None) -> str | None:
    """Make the application's role if it is not there; returns a password made up for it."""
    known = connection.scalar(
        sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": APP_ROLE}
    )
    if known:
        return None
    generated = None if password else secrets.token_urlsafe(24)
    statement = sql.SQL("CREATE ROLE {} LOGIN NOBYPASSRLS PASSWORD {}").format(
        sql.Identifier(APP_ROLE), sql.Literal(password or generated)
    )
    raw = connection.connection.driver_connection
    connection.exec_driver_sql(statement.as_string(raw).replace("%", "%%"))
    return generated
