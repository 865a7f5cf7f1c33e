"""``guiju demo``: from nothing to scored tenants in a browser, on servers of its own.

The plugins bring invented tenants; each is written as a workbook, imported the way an
office would import it, given a profile, and scored by a worker process.  A second start
finds everything there.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from guiju import config, plugins, queue
from guiju.cli import environment
from guiju.config import Settings
from guiju.db import ScopedSession, tenant_scope, upgrade
from guiju.demo import office
from guiju.demo.tenants import make_tenant
from guiju.hookspecs import DemoTenant
from guiju.language import gettext as _
from guiju.organizations import queries as organizations
from guiju.organizations.models import Organization
from guiju.scoring import bells, results
from guiju.scoring import queries as findings
from guiju.tenancy.queries import all_tenants

_PATIENCE_SECONDS = 900


@dataclass
class Steps:
    """How long each step took, shown as it goes."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """Time one step under a stable name."""
        began = time.perf_counter()
        self.console.print(f"{title} …", end=" ")
        yield
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - began
        self.console.print(f"{time.perf_counter() - began:.1f} s")


@click.command(help=_("用内置的数据库和队列演示：建租户、导入、判定，然后在浏览器中查看。"))
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help=_("数据文件夹（默认在用户数据文件夹下）。"),
)
@click.option("--once", is_flag=True, help=_("打印摘要后退出，不提供网页。"))
@click.option(
    "--credentials-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=_("把网址和账号写入这个只有本人可读的文件。"),
)
def demo(port: int, data_dir: Path | None, *, once: bool, credentials_file: Path | None) -> None:
    """Run the demonstration."""
    # Ended politely, it stops what it started.
    signal.signal(signal.SIGTERM, lambda *_received: sys.exit(0))
    steps = Steps(Console(stderr=True, highlight=False))
    with ExitStack() as running:
        folder, settings = _servers(running, steps, data_dir)
        with steps.step("schema", _("准备数据库")):
            upgrade(settings.admin_database_url, codes=plugins.load().codes)
        accounts = _Accounts(folder / "demo-accounts.json")
        tenants = plugins.load().demo_tenants
        made = _tenants(settings, steps, folder, accounts, tenants)
        worker = running.enter_context(_process(settings, "worker"))
        with environment.session(settings, rings=True) as session:
            _score(session, settings, steps, made, worker)
            worked = _work(session, steps, tenants, made)
            if worked:
                _score(session, settings, steps, worked, worker)
            summary = _summary(session, steps, tenants)
        url = f"http://127.0.0.1:{port}/"
        if credentials_file is not None:
            _write_private(credentials_file, {"url": url, "accounts": accounts.entries})
        click.echo(json.dumps(summary, ensure_ascii=False, indent=2))
        if once:
            return
        server = running.enter_context(_process(settings, "serve", "--port", str(port)))
        _until_answering(server, port)
        _announce(steps.console, url, accounts)
        _wait(server)


# -- servers -------------------------------------------------------------------


def _servers(running: ExitStack, steps: Steps, data_dir: Path | None) -> tuple[Path, Settings]:
    """Settings of the environment, and an embedded server for each that it does not name."""
    given = config.given()
    folder = (data_dir or _default_folder()).expanduser().resolve()
    if "DATABASE_URL" not in given or "REDIS_URL" not in given:
        from guiju import embedded  # noqa: PLC0415 - an extra that production does without

        with steps.step("servers", _("启动内置数据库和队列")):
            try:
                services = running.enter_context(embedded.start(folder))
            except embedded.EmbeddedError as error:
                raise click.UsageError(str(error)) from None
        if "DATABASE_URL" not in given:
            given["DATABASE_URL"] = services.database_url
            given["GUIJU_ADMIN_DATABASE_URL"] = services.admin_database_url
        given.setdefault("REDIS_URL", services.redis_url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(
            _("建不了数据文件夹 {folder}：{reason}。").format(folder=folder, reason=error.strerror)
        ) from None
    given.setdefault("SECRET_KEY", _secret(folder / "secret-key"))
    given.setdefault("GUIJU_SECURE_COOKIES", "false")
    given.setdefault("GUIJU_LOG_FORMAT", "console")
    given.setdefault("GUIJU_FILES_URL", (folder / "files").as_uri())
    given.setdefault("GUIJU_LOG_LEVEL", "WARNING")
    return folder, config.load_settings(given)


def _default_folder() -> Path:
    from guiju import embedded  # noqa: PLC0415 - as above

    return embedded.default_data_dir() / "demo"


def _secret(file: Path) -> str:
    if not file.exists():
        _write_private(file, secrets.token_hex(32))
    found: str = json.loads(file.read_text("utf-8"))
    return found


def _write_private(file: Path, value: Any) -> None:
    """Write JSON that only its owner can read."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(value, out, ensure_ascii=False, indent=2)


@contextmanager
def _process(settings: Settings, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Guiju process under these settings, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "guiju", *arguments], env=config.as_environment(settings)
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_answering(server: subprocess.Popen[bytes], port: int) -> None:
    """An address that is shown is one that answers, unless the server has ended."""
    while server.poll() is None:
        # Without the proxy that the environment may name.
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as asked:
            try:
                asked.request("GET", "/healthz")
                asked.getresponse()
            except (OSError, HTTPException):
                time.sleep(0.1)
            else:
                return


def _wait(server: subprocess.Popen[bytes]) -> None:
    """Serve until Ctrl-C, a polite signal, or the server's end."""
    try:
        code = server.wait()
    except KeyboardInterrupt:
        return
    if code:
        raise click.ClickException(_("网页服务意外结束（代码 {code}）").format(code=code))


# -- tenants -------------------------------------------------------------------


class _Accounts:
    """Sign-in names and the passwords made on the spot, kept for the next start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.entries: list[dict[str, str]] = (
            json.loads(file.read_text("utf-8")) if file.exists() else []
        )

    def add(self, **entry: str) -> None:
        self.entries.append(entry)
        _write_private(self._file, self.entries)


def _tenants(
    settings: Settings,
    steps: Steps,
    folder: Path,
    accounts: _Accounts,
    tenants: list[DemoTenant],
) -> list[int]:
    """Make the tenants that are not there yet; the ids of all of them."""
    with environment.session(settings) as session:
        there = {tenant.code: tenant.id for tenant in all_tenants(session, "demo")}
    found = []
    for tenant in tenants:
        if tenant.id in there:
            found.append(there[tenant.id])
            continue
        workbook = folder / f"{tenant.id}.xlsx"
        with steps.step("workbook", _("{name}：生成工作簿").format(name=tenant.name)):
            tenant.write(workbook)
        with (
            steps.step("import", _("{name}：导入").format(name=tenant.name)),
            environment.session(settings) as session,
        ):
            made = make_tenant(session, plugins.load(), tenant, workbook)
        for account in made.accounts:
            accounts.add(tenant=tenant.id, **asdict(account))
        found.append(made.tenant_id)
    return found


def _work(
    session: ScopedSession, steps: Steps, tenants: list[DemoTenant], made: list[int]
) -> list[int]:
    """Let people work in the tenants where they have not yet; the ids of these tenants."""
    worked = []
    for tenant, tenant_id in zip(tenants, made, strict=True):
        with tenant_scope(tenant_id):
            if not office.has_worked(session):
                with steps.step("work", _("{name}：填报、审核、认定").format(name=tenant.name)):
                    office.work(session, plugins.load(), tenant)
                worked.append(tenant_id)
        session.close()
    return worked


# -- scoring -------------------------------------------------------------------


def _score(
    session: ScopedSession,
    settings: Settings,
    steps: Steps,
    tenants: list[int],
    worker: subprocess.Popen[bytes],
) -> None:
    """Ring for every tenant and watch the worker until nothing waits."""
    began = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with (
        queue.connect(settings.redis_url) as connection,
        Progress(*columns, TimeElapsedColumn(), console=steps.console) as bar,
    ):
        for tenant_id in tenants:
            with tenant_scope(tenant_id):
                before = findings.standing(session, within=None).progress
                # A bell of its own: one that failed a moment ago still holds the usual name.
                again = f"demo{time.time_ns()}"
                bells.ring_for(connection, tenant_id, again=again, settle=True)
                _watch(session, bar, worker, before)
            session.close()
    steps.seconds["score"] = steps.seconds.get("score", 0) + time.perf_counter() - began


def _watch(
    session: ScopedSession,
    bar: Progress,
    worker: subprocess.Popen[bytes],
    before: results.Progress | None,
) -> None:
    """Show one tenant's progress until its findings are up to date."""
    name = organizations.root(session).name
    task = bar.add_task(_("判定 {name}").format(name=name), total=None)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        session.rollback()
        standing = findings.standing(session, within=None)
        progress = standing.progress
        if progress is not None and progress != before:
            if progress.error is not None:
                raise click.ClickException(_("判定出错：{e}").format(e=progress.error))
            bar.update(task, completed=progress.done, total=progress.total)
        if standing.waiting == 0 and standing.scored_at is not None:
            bar.update(task, completed=1, total=1)
            return
        if worker.poll() is not None:
            raise click.ClickException(_("后台进程意外结束"))
        time.sleep(0.1)
    raise click.ClickException(_("判定没有在 {n} 秒内完成").format(n=_PATIENCE_SECONDS))


def _summary(session: ScopedSession, steps: Steps, tenants: list[DemoTenant]) -> dict[str, Any]:
    """What there is now: tenants with their organizations and findings by verdict, and times."""
    packs = plugins.load().packs
    known = {tenant.code: tenant for tenant in all_tenants(session, "demo")}
    found = []
    for tenant in tenants:
        with tenant_scope(known[tenant.id].id):
            root = organizations.root(session)
            number = session.scalar(sa.select(sa.func.count()).select_from(Organization))
            overview = findings.overview(session, packs, root.id, within=[root.path])
            found.append(
                {
                    "tenant": tenant.id,
                    "name": tenant.name,
                    "profile": tenant.profile,
                    "as_of": tenant.as_of.isoformat(),
                    "organizations": number,
                    "findings": _plain(overview.counts),
                }
            )
        session.close()
    seconds = {name: round(value, 2) for name, value in steps.seconds.items()}
    return {"tenants": found, "seconds": seconds}


def _plain(totals: Mapping[Any, int]) -> dict[str, int]:
    return {str(verdict): number for verdict, number in totals.items()}


def _announce(console: Console, url: str, accounts: _Accounts) -> None:
    console.print(f"\n{_('网址')}：{url}")
    for entry in accounts.entries:
        console.print(f"{entry['username']}　{_('密码')} {entry['password']}　（{entry['role']}）")
    console.print(_("按 Ctrl-C 结束；数据保留，下次启动只需几秒。"))
