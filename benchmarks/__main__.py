"""``make bench``: what judging a province costs, as ratios to what it could cost at the least."""

from __future__ import annotations

import argparse
import os
import platform
import secrets
from collections.abc import Sequence
from pathlib import Path

from benchmarks import counting, editing, fisca, judging, loading, peak, serving, storing
from benchmarks.measuring import Report
from guiju import embedded
from guiju.db.codes import bits
from guiju.db.engine import arrow_connection, beside
from guiju.embedded.postgres import SUPERUSER

_ITEMS = "abcdefgh"


def main(arguments: Sequence[str] | None = None) -> None:
    """Load the province unless it is there, measure, print the table."""
    options = _options(arguments)
    report = Report()
    print(f"{platform.python_version()} on {os.cpu_count()} processors, {platform.machine()}")
    with (
        loading.province(options.data_dir, options.scale) as (services, place),
        loading.session(services, place) as session,
    ):
        print(", ".join(f"{rows:,} {table}" for table, rows in place.rows.items()))
        url = loading.application_url(services, place)
        law = judging.law_of(session)
        kinds = bits(session, "occasion_kind")
        session.rollback()
        wanted = set(options.only)
        seconds = 0.0
        if wanted & set("abe"):
            seconds = judging.measure(report, url, law, options.repeat)
        if "c" in wanted:
            text = counting.statement(place.tenant_id, kinds)
            counting.measure(report, url, law, text, options.repeat)
        if wanted & set("de"):
            with arrow_connection(url) as connection, beside(connection) as second:
                snapshot, judged = judging.read_and_judge(connection, second, law)
            if "d" in wanted:
                fisca.measure(report, law, snapshot, options.repeat)
            if "e" in wanted:
                superuser = services.postgres.url(SUPERUSER, place.database)
                storage = storing.Storage(url, superuser, session, law, snapshot)
                storing.measure(
                    report, storage, judged, snapshot.facts.count("organizations"), seconds
                )
            del snapshot, judged
        if wanted & set("fgh"):
            # Also what an edit's job and the pages need to have gone before.
            peak.measure(report, url, place.tenant_id)
        if "f" in wanted:
            editing.measure(report, url, session, law, options.repeat)
        if "h" in wanted:
            environment = {
                "DATABASE_URL": url,
                "REDIS_URL": services.redis_url,
                "SECRET_KEY": secrets.token_hex(32),
                "GUIJU_SECURE_COOKIES": "false",
            }
            serving.measure(report, environment, session)
    print()
    print(report.table())


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="1 is 20,000 branches (the default)"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs to take the median of")
    parser.add_argument("--only", default=_ITEMS, help="which of the items, e.g. bc (default: all)")
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=embedded.default_data_dir() / "bench",
        help="where the province is kept between runs",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
