"""What logs keep to themselves: what an error of the database quotes."""

import json
import os
import subprocess
import sys

import pytest

#: Provokes two errors that quote what was typed, and lets a library tell of one.
SCRIPT = """
import logging
import sqlalchemy as sa
import structlog
from guiju import logs
from guiju.config import load_settings
from guiju.db import create_engine, operator_scope

settings = load_settings()
logs.configure(settings)
engine = create_engine(settings.database_url)
statements = (
    "SELECT CAST(CAST(:name AS text) AS integer)",
    "INSERT INTO operator_entries (id, reason) SELECT n, :name FROM unnest(ARRAY[1, 1]) n",
)
for statement in statements:
    try:
        with operator_scope("test"), engine.begin() as connection:
            connection.execute(sa.text(statement), {"name": "某甲"})
    except sa.exc.SQLAlchemyError as error:
        structlog.get_logger().error("request_failed", exc_info=error)
        logging.getLogger("rq.worker").error("job failed", exc_info=True)
"""


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_error_of_the_database_quotes_nobody(environment, form):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment, "GUIJU_LOG_FORMAT": form},
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert "某甲" not in done.stderr
    assert "\\u67d0" not in done.stderr
    assert "Traceback" in done.stderr
    assert "psycopg.errors.InvalidTextRepresentation" in done.stderr
    if form == "json":
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert [line["event"] for line in lines] == ["request_failed", "job failed"] * 2
        assert all("exception" in line for line in lines)
