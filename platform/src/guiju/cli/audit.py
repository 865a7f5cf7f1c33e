"""``guiju audit``: whether a tenant's trail is what it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click

from guiju import logs
from guiju.audit import chain
from guiju.cli import environment
from guiju.config import load_settings
from guiju.language import gettext as _


class _Head(click.ParamType[chain.Head]):
    """Number and digest of a seal, as ``verify`` prints them."""

    name = "number:digest"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> chain.Head:
        """The head itself."""
        number, _colon, digest = str(value).partition(":")
        try:
            return chain.Head(int(number), bytes.fromhex(digest))
        except ValueError:
            wanted = _("{value} 不是封存：应为 编号:摘要，如校验时所打印").format(value=value)
            self.fail(wanted, param, ctx)


@click.group(help=_("审计记录。"))
def audit() -> None:
    """The audit trail."""


@audit.command(help=_("校验租户 TENANT 的审计记录：有改动、删除或插入时逐处列出，退出码为 1。"))
@click.argument("tenant")
@click.option("--expect", type=_Head(), help=_("以前记下的末端封存，编号:摘要。"))
@click.pass_context
def verify(ctx: click.Context, tenant: str, expect: chain.Head | None) -> None:
    """Check the chain, then seal what came after it."""
    # What is announced of new seals goes to the log, not between the lines printed here.
    settings = load_settings()
    logs.configure(settings)
    with environment.tenant_session(tenant, settings) as session:
        found = chain.verify(session, expected=expect)
        head = found.head if found.problems else chain.seal(session)
    for problem in found.problems:
        click.echo(str(problem))
    counts = _("{entries} 条记录，其中 {sealed} 条此前已封存。")
    click.echo(counts.format(entries=found.entries, sealed=found.sealed))
    if found.problems:
        click.echo(_("发现 {n} 处问题。").format(n=len(found.problems)))
        ctx.exit(1)
    click.echo(_("完好。末端封存：{head}").format(head=head))


@audit.command(help=_("删除租户 TENANT 在某日之前封存的审计记录；至少保留六个月，链仍可校验。"))
@click.argument("tenant")
@click.option(
    "--before", required=True, type=click.DateTime(["%Y-%m-%d"]), help=_("早于这一天的。")
)
def purge(tenant: str, before: datetime) -> None:
    """Delete old entries, as the owner of the tables: the application cannot."""
    settings = load_settings()
    logs.configure(settings)
    owner = replace(settings, database_url=settings.admin_database_url)
    with environment.tenant_session(tenant, owner) as session:
        count = chain.purge(session, environment.operator(), before.replace(tzinfo=UTC))
    click.echo(_("已删除 {n} 条。").format(n=count))
