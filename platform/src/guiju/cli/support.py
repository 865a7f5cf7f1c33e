"""``guiju support``: what a tenant let the platform's support read, opened by the operator."""

from __future__ import annotations

import click

from guiju.accounts.support import LINK_LASTS, SupportRefused, redeem
from guiju.cli import environment
from guiju.config import load_settings
from guiju.language import gettext as _
from guiju.mail import link as public_link
from guiju.rules.problems import BadInput, Problem


@click.group(help=_("平台支持：查看租户限时授予的内容。"))
def support() -> None:
    """What tenants let support read."""


@support.command("open", help=_("用租户给的代码换一个一次性链接；记入该租户的审计。"))
@click.option("--name", required=True, help=_("由谁查看（姓名或工号），租户看得到。"))
@click.option(
    "--code",
    # Typed where it is in no history and no list of processes.
    prompt=_("租户给的代码"),
    hide_input=True,
    help=_("租户给的代码（默认询问）。"),
)
def open_(name: str, code: str) -> None:
    """Print a link by which support reads what the tenant granted."""
    settings = load_settings()
    with environment.session(settings) as session:
        try:
            secret = redeem(session, environment.operator(), code, name)
        except SupportRefused:
            wanted = _("请向租户要一个新的")
            raise BadInput(
                [Problem("--code", _("没有这个代码，或已到期、已收回"), wanted, "refused")]
            ) from None
    path = f"/support/{secret}"
    address = public_link(settings, path) if settings.public_url else path
    minutes = int(LINK_LASTS.total_seconds()) // 60
    click.echo(
        _("链接（{minutes} 分钟内有效，只能用一次）：{address}").format(
            minutes=minutes, address=address
        )
    )
