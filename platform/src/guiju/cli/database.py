"""``guiju db``: the schema."""

from __future__ import annotations

import click

from guiju import plugins
from guiju.cli import environment
from guiju.config import load_settings
from guiju.db import upgrade as upgrade_database
from guiju.language import gettext as _


@click.group(help=_("数据库。"))
def db() -> None:
    """The schema."""


@db.command(help=_("升级到本版本的表结构；应用所用角色不存在时一并建立。"))
def upgrade() -> None:
    """Bring the database up to date."""
    url = load_settings().admin_database_url
    codes = plugins.load().codes
    environment.reach(url, "GUIJU_ADMIN_DATABASE_URL", current=False)
    generated = upgrade_database(url, codes=codes)
    if generated is not None:
        click.echo(_("已建立应用角色 guiju_app，密码（只显示一次）：{p}").format(p=generated))
    click.echo(_("数据库已是最新。"))
