"""``guiju backup`` and ``guiju restore``: everything but the keys."""

from __future__ import annotations

from pathlib import Path

import click

from guiju import plugins
from guiju.cli import environment
from guiju.cli.files import refuse_existing, unwritable
from guiju.config import load_settings
from guiju.db import backup as backups
from guiju.language import gettext as _
from guiju.rules.problems import BadInput

_ADMIN = "GUIJU_ADMIN_DATABASE_URL"


@click.command(help=_("把整个数据库写入文件 FILE，不必停机。密钥和附件须另行保管。"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write a backup, readable by its owner alone, to a file that was not there before."""
    url = load_settings().admin_database_url
    refuse_existing(file)
    environment.reach(url, _ADMIN)
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.touch(0o600)
        with partial.open("wb") as out:
            rows = backups.backup(url, out)
        partial.rename(file)
    except OSError as error:
        raise BadInput([unwritable(file, error)]) from None
    finally:
        partial.unlink(missing_ok=True)
    click.echo(_("{file}：{rows} 行").format(file=file, rows=rows))
    click.echo(_("SECRET_KEY 和附件所在的文件夹或存储桶不在其中，请另行保管。"))


@click.command(help=_("由备份 FILE 恢复到空的数据库。"))
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database."""
    url = load_settings().admin_database_url
    environment.reach(url, _ADMIN, current=False)
    rows, generated = backups.restore(url, file, codes=plugins.load().codes)
    if generated is not None:
        click.echo(_("已建立应用角色 guiju_app，密码（只显示一次）：{p}").format(p=generated))
    click.echo(_("已恢复 {rows} 行。").format(rows=rows))
