"""``guiju tenant``: the operator's work on tenants; what is in them stays theirs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from guiju.accounts.links import find_recoverable
from guiju.accounts.links import recover as recover_user
from guiju.cli import enabling, environment
from guiju.cli.files import lenient, tell_missing, writing
from guiju.cli.output import echo_table
from guiju.clock import ZONE
from guiju.config import load_settings
from guiju.db import tenant_scope
from guiju.files import FileStore
from guiju.language import gettext as _
from guiju.mail import link as public_link
from guiju.rules import vocabulary as v
from guiju.scoring import bells
from guiju.tenancy.archive import export_tenant, import_tenant
from guiju.tenancy.leaving import mark_for_deletion
from guiju.tenancy.operations import create_tenant
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
    headings = [_("代号"), _("名称"), _("状态"), _("删除时间")]
    echo_table(headings, [[t.code, t.name, t.state, _moment(t.delete_on)] for t in found])


def _moment(moment: datetime | None) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}" if moment else ""


tenant.add_command(enabling.enable)
tenant.add_command(enabling.disable)


@tenant.command(
    help=_("为租户 CODE 的顶层管理员恢复登录：输出一个一次性链接，并记入该租户的审计。")
)
@click.argument("code")
@click.option("--user", "username", default="admin", help=_("恢复哪个用户（默认 admin）。"))
def recover(code: str, username: str) -> None:
    """Print a link by which the tenant's administrator chooses a password."""
    settings = load_settings()
    with environment.tenant_session(code, settings) as session:
        user_id = find_recoverable(session, username)
        link = recover_user(session, environment.operator(), user_id)
    path = f"/links/{link.secret}"
    address = public_link(settings, path) if settings.public_url else path
    click.echo(_("链接（只显示一次，一天内有效，只能用一次）：{address}").format(address=address))
    click.echo(_("用它设置新密码后，原来的密码和两步验证都不再有效。"))


@tenant.command(help=_("把租户 CODE 的全部数据写入文件 FILE（zip），可导入别处。"))
@click.argument("code")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@lenient
def export(code: str, file: Path, *, lenient: bool) -> None:
    """Write a tenant to a file that was not there before."""
    settings = load_settings()
    store = FileStore(settings.files_url)
    with environment.session(settings) as session:
        found = environment.tenant(session, code)
        with tenant_scope(found.id, restricted=True), writing(file) as out:
            made = export_tenant(session, environment.operator(), store, out, lenient=lenient)
    tell_missing(made.missing)
    told = _("{file}：{rows} 行，{files} 个附件")
    click.echo(told.format(file=file, rows=made.rows, files=made.files))


@tenant.command("import", help=_("由导出的文件 FILE 建立租户；全部成功，否则什么也不写。"))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--code", help=_("新代号（默认与导出时相同）。"))
def import_(file: Path, code: str | None) -> None:
    """Make a tenant of a file, and print how its administrator signs in, once."""
    settings = load_settings()
    store = FileStore(settings.files_url)
    with environment.session(settings) as session:
        made, sign_in = import_tenant(session, environment.operator(), store, file, code)
        with tenant_scope(environment.tenant(session, made).id):
            bells.ring(session)
    click.echo(_("已建立租户 {code}").format(code=made))
    if sign_in is not None:
        name, password = sign_in.split(" ")
        click.echo(_("用户名：{name}").format(name=name))
        click.echo(_("密码（只显示一次）：{password}").format(password=password))


@tenant.command(help=_("停用租户 CODE，并在若干天后删除其全部数据；此前可用 enable 撤回。"))
@click.argument("code")
@click.option("--after", "days", type=int, required=True, help=_("等待多少天（1 至 365）。"))
def delete(code: str, days: int) -> None:
    """Mark a tenant; the scheduler deletes it when the time has come."""
    with environment.session() as session:
        environment.tenant(session, code)
        due = mark_for_deletion(session, environment.operator(), code, days)
    click.echo(_("{code}：已停用，{moment} 删除").format(code=code, moment=_moment(due)))
