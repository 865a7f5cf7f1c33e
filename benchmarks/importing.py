"""Importing 100,000 rows from one workbook, against reading the file alone; and an onboarding.

``python -m benchmarks.importing`` makes a workbook of organizations, members, posts, occasions
and attendance, as the template has them, and measures: python-calamine reading it, the whole
import (inspected, read, validated, stored, noted for undoing), the same file again, a preview,
and taking the import back.  ``--onboard`` runs the commands of ``docs/operations/onboarding.md``
for 5,000 units and 100,000 members instead, ``--onboard-api`` the requests of the same page.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from psycopg import sql
from python_calamine import CalamineWorkbook

from benchmarks.measuring import Report, milliseconds, timed
from guiju import embedded, facts, plugins
from guiju.accounts.models import User
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.audit.operations import Actor
from guiju.config import APP_ROLE
from guiju.db import ScopedSession, create_engine, tenant_scope, upgrade
from guiju.embedded.postgres import ADMIN_ROLE, SUPERUSER
from guiju.facts.workbook_writer import write_xlsx
from guiju.importing.reach import Reach, reach_of
from guiju.importing.storing import Source, preview_import, run_import
from guiju.importing.undoing import undo_import
from guiju.tenancy.operations import create_tenant
from guiju.tenancy.queries import all_tenants

ACTOR = Actor(name="benchmark")
FIRST = date(2021, 1, 1)
#: The import may take so many times what reading the file alone takes.
FACTOR = 5


def rows(units: int, members: int, occasions: int, attendance: int) -> dict[str, pa.Table]:
    """A city: committees of twenty branches each, everybody in a branch with its meetings."""
    branches = units - max(1, units // 20)
    above = units - branches
    return {
        "organizations": _table(
            "organizations",
            units,
            id=lambda row: f"c{row}" if row < above else f"b{row - above}",
            name=lambda row: f"第{row}党委" if row < above else f"第{row - above}党支部",
            kind=lambda row: "committee" if row < above else "branch",
            sector=lambda _row: "agency",
            parent=lambda row: None if row < above else f"c{row % above}",
            opened_on=lambda row: date(2010, 1, 1) + timedelta(row % 3000),
        ),
        "members": _table(
            "members",
            members,
            id=lambda row: f"p{row}",
            organization=lambda row: f"b{row % branches}",
            name=lambda row: f"党员{row}",
            membership_class=lambda row: "probationary" if row % 50 == 0 else "full",
            from_on=lambda row: date(2015, 1, 1) + timedelta(row % 1800),
            joined_on=lambda row: date(2000, 1, 1) + timedelta(row % 5000),
        ),
        "posts": _table(
            "posts",
            branches,
            person=lambda row: f"p{row}",
            organization=lambda row: f"b{row}",
            post=lambda _row: "secretary",
            from_on=lambda _row: date(2020, 1, 1),
        ),
        "occasions": _table(
            "occasions",
            occasions,
            id=lambda row: f"o{row}",
            organization=lambda row: f"b{row % branches}",
            kinds=lambda row: ["theme_day", "branch_assembly"] if row % 3 else ["party_lecture"],
            held_on=lambda row: FIRST + timedelta(row % 365),
            start_minute=lambda _row: 870,
            title_text=lambda row: f"主题党日{row}",
            chair=lambda row: f"p{row % branches}",
            recorded_on=lambda row: FIRST + timedelta(row % 365 + 2),
        ),
        "attendance": _table(
            "attendance",
            attendance,
            occasion=lambda row: f"o{row % occasions}",
            # The same branch as the occasion's, somebody else each time round.
            person=lambda row: f"p{row % occasions % branches + branches * (row // occasions)}",
            status=lambda row: "excused" if row % 10 == 0 else "present",
        ),
    }


def _table(name: str, number: int, /, **cells: Callable[[int], Any]) -> pa.Table:
    schema = facts.schema(name)
    made = {
        column: pa.array([make(row) for row in range(number)], schema.field(column).type)
        for column, make in cells.items()
    }
    return pa.table({n: made.get(n, pa.nulls(number, schema.field(n).type)) for n in schema.names})


@contextmanager
def empty_database(services: embedded.Services) -> Iterator[str]:
    """The name of a database with all tables and no tenants, dropped in the end."""
    name = f"importing_{secrets.token_hex(4)}"
    maintenance = services.postgres.url(SUPERUSER, "postgres")
    identifier = sql.Identifier(name)
    with psycopg.connect(maintenance, autocommit=True) as server:
        owner = sql.Identifier(ADMIN_ROLE)
        server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(identifier, owner))
    try:
        upgrade(services.postgres.url(ADMIN_ROLE, name), codes=plugins.load().codes)
        yield name
    finally:
        with psycopg.connect(maintenance, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def read_alone(path: Path) -> None:
    """What any reader of the workbook has to do at the least."""
    workbook = CalamineWorkbook.from_path(path)
    for name in workbook.sheet_names:
        workbook.get_sheet_by_name(name).to_python()


def measure(report: Report, folder: Path, repeat: int) -> None:
    """Import the same rows into tenants of their own, one after the other."""
    path = folder / "city.xlsx"
    document = rows(1_000, 25_000, 8_000, 65_050)
    write_xlsx(document, path)
    total = sum(table.num_rows for table in document.values())
    installed = plugins.load()
    with embedded.start(folder) as services, empty_database(services) as name:
        engine = create_engine(services.postgres.url(APP_ROLE, name))
        alone, stored, again, seen, undone = [], [], [], [], []
        # The first fills caches and is not counted.
        for number in range(repeat + 1):
            alone.append(timed(lambda: read_alone(path))[0])
            with ScopedSession(engine) as session:
                root = {"id": "root", "name": "某市", "kind": "working_committee"}
                made = create_tenant(session, ACTOR, f"city-{number}", "某市", root)
                with tenant_scope(made.tenant_id, restricted=True):
                    reach = reach_of(session, made.root_id)
                    session.rollback()
                    bring = _bring(session, path, reach, installed)
                    seconds, _ = timed(
                        lambda s=session, r=reach: preview_import(s, Source.of(path), r, installed)
                    )
                    seen.append(seconds)
                    seconds, import_id = timed(bring)
                    stored.append(seconds)
                    again.append(timed(bring)[0])
                    undo = timed(lambda s=session, n=import_id: undo_import(s, ACTOR, n))
                    undone.append(undo[0])
        engine.dispose()
    base = report.add("h", f"python-calamine reads {total:,} rows", milliseconds(alone[1:]))
    limit = {"limit": FACTOR * base, "against": f"{FACTOR} × calamine"}
    report.add("h", "… validated and stored", milliseconds(stored[1:]), **limit)
    report.add("h", "… previewed", milliseconds(seen[1:]), **limit)
    report.add("h", "… the same file again", milliseconds(again[1:]), **limit)
    report.add("h", "… taken back", milliseconds(undone[1:]))


def _bring(
    session: ScopedSession, path: Path, reach: Reach, installed: plugins.Plugins
) -> Callable[[], int | None]:
    def bring() -> int | None:
        made = run_import(session, ACTOR, Source.of(path), reach, installed)
        return None if made is None else made.id

    return bring


def onboard(report: Report, folder: Path) -> None:
    """A department of 5,000 units and 100,000 members, by its commands, to first findings."""
    path = folder / "roster.xlsx"
    document = rows(5_000, 100_000, 20_000, 0)
    write_xlsx({name: table for name, table in document.items() if table.num_rows}, path)
    with embedded.start(folder) as services, empty_database(services) as name:
        environment = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "DATABASE_URL": services.postgres.url(APP_ROLE, name),
            "GUIJU_ADMIN_DATABASE_URL": services.postgres.url(ADMIN_ROLE, name),
            "REDIS_URL": services.redis_url,
            "SECRET_KEY": secrets.token_hex(32),
        }
        for what, arguments in (
            ("tenant create", ["tenant", "create", "city", "某市"]),
            ("facts template", ["facts", "template", str(folder / "template.xlsx"), "--force"]),
            ("import --preview", ["import", "city", str(path), "--preview"]),
            ("import", ["import", "city", str(path)]),
            ("tenant enable", ["tenant", "enable", "city", "xian", "--from", "2021-01-01"]),
            ("score", ["score", "city", "--as-of", "2021-12-31"]),
            (
                "report",
                [
                    *("report", "city", "xian.standard_ledger", "--as-of", "2021-12-31"),
                    *("--organization", "b0", "--output", str(folder / "ledger.xlsx")),
                ],
            ),
        ):
            report.add("onboarding", f"guiju {what}", _command(arguments, environment), unit="s")


def onboard_by_api(report: Report, folder: Path) -> None:
    """The same department, by the requests of the page, against a server with a worker."""
    document = rows(5_000, 100_000, 20_000, 0)
    tables = {name: table for name, table in document.items() if table.num_rows}
    write_xlsx(tables, folder / "名册.xlsx")
    with embedded.start(folder) as services, empty_database(services) as name:
        environment = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "DATABASE_URL": services.postgres.url(APP_ROLE, name),
            "GUIJU_ADMIN_DATABASE_URL": services.postgres.url(ADMIN_ROLE, name),
            "REDIS_URL": services.redis_url,
            "SECRET_KEY": secrets.token_hex(32),
            "GUIJU_FILES_URL": (folder / "files").as_uri(),
        }
        _command(["tenant", "create", "city", "某市"], environment)
        token = _token(environment["DATABASE_URL"])
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with (
            _running(["serve", "--port", str(port), "--workers", "1"], environment),
            _running(["worker"], environment),
        ):
            _answering(f"http://127.0.0.1:{port}/readyz")
            asking = {
                **environment,
                "GUIJU": f"http://127.0.0.1:{port}/api/v1",
                "TOKEN": token,
                "no_proxy": "127.0.0.1",
            }
            _requests(report, folder, asking)


def _requests(report: Report, folder: Path, environment: dict[str, str]) -> None:
    """Run the page's blocks in one shell, which says when each is done."""
    page = Path(__file__).parents[1] / "docs" / "operations" / "onboarding.md"
    found = re.findall(r"\n([^\n]+)\n\n```bash\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    script = "".join(f"{block}\necho; echo '@@' $(date +%s.%N)\n" for _title, block in found)
    began = time.time()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}")
    ends = [float(line[3:]) for line in done.stdout.splitlines() if line.startswith("@@ ")]
    for (title, _block), first, last in zip(found, [began, *ends], ends, strict=False):
        report.add("onboarding", title[:30], last - first, unit="s")
    report.add("onboarding", "all requests", ends[-1] - began, unit="s")


def _token(url: str) -> str:
    """A token of the administrator, which a person would make in a browser."""
    engine = create_engine(url)
    with ScopedSession(engine) as session:
        tenant_id = all_tenants(session, "benchmark")[0].id
    with tenant_scope(tenant_id), ScopedSession(engine) as session:
        owner = find_visitor(session, tenant_id, session.scalars(sa.select(User.id)).one())
        assert owner is not None
        held = [permission for permission in PERMISSIONS if owner.may(permission)]
        token = create_token(session, owner, "benchmark", held, 1)[1]
    engine.dispose()
    return token


@contextmanager
def _running(arguments: Sequence[str], environment: dict[str, str]) -> Iterator[None]:
    program = Path(sys.executable).with_name("guiju")
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        [program, *arguments], env=environment, stdout=quiet, stderr=quiet
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def _answering(address: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(address):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)


def _command(arguments: Sequence[str], environment: dict[str, str]) -> float:
    program = Path(sys.executable).with_name("guiju")
    began = time.perf_counter()
    done = subprocess.run(
        [program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"guiju {' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="runs to take the median of")
    parser.add_argument("--onboard", action="store_true", help="the onboarding, by commands")
    parser.add_argument("--onboard-api", action="store_true", help="the onboarding, by requests")
    options = parser.parse_args(arguments)
    report = Report()
    print(f"{platform.python_version()} on {os.cpu_count()} processors, {platform.machine()}")
    # Not in a home folder: root's is closed to the servers' account.
    with tempfile.TemporaryDirectory(prefix="guiju-importing-") as folder:
        Path(folder).chmod(0o755)
        if options.onboard:
            onboard(report, Path(folder))
        elif options.onboard_api:
            onboard_by_api(report, Path(folder))
        else:
            measure(report, Path(folder), options.repeat)
    print()
    print(report.table())


if __name__ == "__main__":
    main()
