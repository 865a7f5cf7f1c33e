"""Runs the migrations; see ``guiju.db.migrate``.

Called by ``guiju db upgrade``, and by Alembic's own command while developing::

    alembic -c migrations/alembic.ini -x url=postgresql://… revision --autogenerate -m "…"
"""

import importlib
import pkgutil

import sqlalchemy as sa
from alembic import context

import guiju
from guiju.db.engine import sqlalchemy_url
from guiju.db.models import metadata
from guiju.db.row_level_security import secure_new_tables


def load_models() -> None:
    """Import every feature's models, so that the metadata are whole."""
    importlib.import_module("guiju.db.codes")
    for feature in pkgutil.iter_modules(guiju.__path__, "guiju."):
        if feature.ispkg and importlib.util.find_spec(f"{feature.name}.models"):
            importlib.import_module(f"{feature.name}.models")


def address() -> sa.URL:
    """The owner's address: from the caller, or from the command line's ``-x url=``."""
    given = context.config.attributes.get("url")
    return given or sqlalchemy_url(context.get_x_argument(as_dictionary=True)["url"])


def run() -> None:
    """Migrate in one transaction; a second process waits until the first is done."""
    engine = sa.create_engine(address(), poolclass=sa.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            process_revision_directives=secure_new_tables,
        )
        with context.begin_transaction():
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('alembic'))"))
            # While a change waits for a table that is in use, everybody else waits behind it.
            timeout = context.config.attributes.get("lock_timeout", "0")
            connection.execute(
                sa.text("SELECT set_config('lock_timeout', :timeout, true)"), {"timeout": timeout}
            )
            context.run_migrations()


load_models()
run()
