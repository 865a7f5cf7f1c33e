"""``guiju backup`` and ``guiju restore``: database and files, and the key in a file of its own."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from guiju import plugins
from guiju.accounts.sealing import fingerprint
from guiju.cli import environment
from guiju.cli.files import lenient, tell_missing, writing
from guiju.config import load_settings
from guiju.db import backup as backups
from guiju.files import FileStore
from guiju.language import gettext as _

_ADMIN = "GUIJU_ADMIN_DATABASE_URL"


@click.command(help=_("把数据库和附件写入文件 FILE，不必停机。"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    help=_("把 SECRET_KEY 写入另一个文件。它能解开备份中的密钥，请与备份分开保管。"),
)
@lenient
def backup(file: Path, keys: Path | None, *, lenient: bool) -> None:
    """Write a backup, readable by its owner alone, to a file that was not there before."""
    settings = load_settings()
    environment.reach(settings.admin_database_url, _ADMIN)
    with ExitStack() as files:
        out = files.enter_context(writing(file))
        beside = None if keys is None else files.enter_context(writing(keys))
        made = backups.backup(
            settings.admin_database_url,
            FileStore(settings.files_url),
            out,
            key=fingerprint(settings.secret_key),
            lenient=lenient,
        )
        if beside is not None:
            beside.write(f"SECRET_KEY={settings.secret_key}\n".encode())
    tell_missing(made.missing)
    told = _("{file}：{rows} 行，{files} 个附件")
    click.echo(told.format(file=file, rows=made.rows, files=made.files))
    if keys is None:
        click.echo(_("SECRET_KEY 不在其中，请另行保管（或用 --keys 写入另一个文件）。"))
    else:
        click.echo(_("{file}：SECRET_KEY，请与备份分开保管。").format(file=keys))


@click.command(help=_("由备份 FILE 恢复到空的数据库，附件恢复到 GUIJU_FILES_URL。"))
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Fill an empty database, and the place of files."""
    settings = load_settings()
    url = settings.admin_database_url
    environment.reach(url, _ADMIN, current=False)
    store = FileStore(settings.files_url)
    made = backups.restore(url, store, file, codes=plugins.load().codes)
    if made.password is not None:
        text = _("已建立应用角色 guiju_app，密码（只显示一次）：{p}")
        click.echo(text.format(p=made.password))
    for name in made.missing:
        click.echo(_("{name}：备份时内容已缺失").format(name=name), err=True)
    if made.key not in {None, fingerprint(settings.secret_key)}:
        click.echo(
            _("SECRET_KEY 与备份时的不同：两步验证和统一身份认证的密钥打不开，须重新设置。"),
            err=True,
        )
    click.echo(_("已恢复 {rows} 行，{files} 个附件。").format(rows=made.rows, files=made.files))
