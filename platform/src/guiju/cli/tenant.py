"""``guiju tenant``: the operator's work on tenants; what is in them stays theirs."""

from __future__ import annotations

import click

from guiju.cli import environment
from guiju.cli.output import echo_table
from guiju.language import gettext as _
from guiju.rules import vocabulary as v
from guiju.tenancy.operations import create_tenant, set_tenant_state
from guiju.tenancy.queries import all_tenants


@click.group(help=_("租户。"))
def tenant() -> None:
    """Tenants."""


@tenant.command(help=_("新建租户 CODE，名称 NAME，连同其顶层组织和管理员。"))
@click.argument("code")
@click.argument("name")
@click.option("--root", "root_id", help=_("顶层组织编号（默认与租户代号相同）。"))
@click.option(
    "--kind",
    type=click.Choice(list(v.ORGANIZATION_KINDS)),
    default="committee",
    help=_("顶层组织类型。"),
)
@click.option("--sector", type=click.Choice(list(v.SECTORS)), help=_("顶层组织领域。"))
def create(code: str, name: str, root_id: str | None, kind: str, sector: str | None) -> None:
    """Make a tenant and print its administrator's password, once."""
    root = {"id": root_id or code, "name": name, "kind": kind, "sector": sector}
    with environment.session() as session:
        made = create_tenant(session, environment.operator(), code, name, root)
    click.echo(_("用户名：{name}").format(name=made.sign_in_name))
    click.echo(_("密码（只显示一次）：{password}").format(password=made.password))


@tenant.command("list", help=_("列出租户。"))
def list_() -> None:
    """List the tenants."""
    with environment.session() as session:
        found = all_tenants(session, f"{environment.operator().name}: list")
    echo_table([_("代号"), _("名称"), _("状态")], [[t.code, t.name, t.state] for t in found])


@tenant.command(help=_("停用租户：任何人都不能登录，数据保留。"))
@click.argument("code")
def disable(code: str) -> None:
    """Suspend a tenant."""
    _set(code, "suspended")


@tenant.command(help=_("恢复租户。"))
@click.argument("code")
def enable(code: str) -> None:
    """Let a tenant work again."""
    _set(code, "active")


def _set(code: str, state: str) -> None:
    with environment.session() as session:
        environment.tenant(session, code)
        set_tenant_state(session, environment.operator(), code, state)
    click.echo(f"{code}: {state}")
