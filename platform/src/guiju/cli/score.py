"""``guiju score``: judge a whole tenant here and now."""

from __future__ import annotations

import time
from datetime import date

import click
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from guiju import clock, plugins
from guiju.cli import environment
from guiju.cli.options import AS_OF
from guiju.db import tenant_scope
from guiju.db.locks import Busy
from guiju.language import gettext as _
from guiju.scoring import operations
from guiju.scoring.operations import Outcome

_PATIENCE_SECONDS = 600


@click.command(help=_("对租户 TENANT 全面判定一次。"))
@click.argument("tenant")
@click.option(
    "--as-of",
    type=AS_OF,
    help=_("以哪一天为准（默认为租户设定的日期，否则为今天）。"),
)
def score(tenant: str, as_of: date | None) -> None:
    """Judge everything, and print what came of it."""
    with environment.session() as session:
        found = environment.tenant(session, tenant)
        with tenant_scope(found.id):
            fixed = operations.fixed_as_of(session)
            session.rollback()
        engine = session.get_bind()
        assert isinstance(engine, sa.Engine)
        day = as_of or fixed or clock.today()
        began = time.perf_counter()
        outcome = _patiently(engine, found.id, day)
    click.echo(
        _("以 {day} 为准，判定 {judged} 个组织，{changed} 个有变化，用时 {seconds:.1f} 秒").format(
            day=day.isoformat(),
            judged=outcome.judged,
            changed=outcome.changed,
            seconds=time.perf_counter() - began,
        )
    )


def _patiently(engine: sa.Engine, tenant_id: int, day: date) -> Outcome:
    """Score, once whoever is scoring the tenant now has finished."""
    columns = (TextColumn(_("判定")), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return operations.drain(
                    engine,
                    plugins.load().packs,
                    tenant_id,
                    day,
                    reason=environment.operator().name,
                    complete=True,
                    report=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except Busy:
                if time.monotonic() > deadline:
                    raise click.ClickException(_("另一个进程正在判定这个租户")) from None
                time.sleep(0.5)
