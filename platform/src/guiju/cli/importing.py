"""``guiju import``: a workbook (or any facts document) into a tenant, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from guiju import logs, plugins
from guiju.audit.operations import Actor, record_reading
from guiju.cli import environment
from guiju.cli.output import echo_json, echo_table
from guiju.config import load_settings
from guiju.db import ScopedSession, tenant_scope, transaction
from guiju.importing import queries
from guiju.importing.changes import RowChange, table_title
from guiju.importing.models import Import
from guiju.importing.reach import reach_of
from guiju.importing.storing import Preview, Source, preview_import, run_import
from guiju.importing.undoing import undo_import
from guiju.language import gettext as _
from guiju.organizations.queries import root
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import bells


def import_document(session: ScopedSession, actor: Actor, path: Path) -> Import | None:
    """Read, check and store a facts document in the session's tenant (in restricted scope).

    None where everything was there already.  Raises BadInput with every fault and its place;
    then nothing was stored.
    """
    reach = reach_of(session, root(session).id)
    session.rollback()
    return run_import(session, actor, Source.of(path), reach, plugins.load())


@click.command(
    "import",
    help=_(
        "把工作簿 FILE 导入租户 TENANT；有错则一条不改。"
        "先用 --preview 看会改什么；--list 列出导入过的，--undo 撤销其中一次。"
    ),
)
@click.argument("tenant")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--preview", is_flag=True, help=_("只看会改什么，不写入。"))
@click.option("--list", "list_", is_flag=True, help=_("列出导入过的文件。"))
@click.option("--undo", type=int, metavar="ID", help=_("撤销一次导入（此后没有别的改动时）。"))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    help=_("--preview 和 --list 的格式。"),
)
def import_(
    tenant: str,
    file: Path | None,
    undo: int | None,
    format_: str,
    *,
    preview: bool,
    list_: bool,
) -> None:
    """Import a workbook and print what changed."""
    chosen = [file is not None, list_, undo is not None]
    if sum(chosen) != 1 or (preview and file is None):
        raise click.UsageError(_("请给出 FILE（可加 --preview），或 --list，或 --undo ID"))
    settings = load_settings()
    logs.configure(settings)
    with environment.session(settings) as session:
        found = environment.tenant(session, tenant)
        session.rollback()
        with tenant_scope(found.id, restricted=True):
            if list_:
                _show_list(session, format_)
                return
            with transaction(session):
                record_reading(session, environment.operator(), "imports", "guiju import")
            if file is not None and preview:
                _show_preview(_preview(session, file), format_)
            elif file is not None:
                _import(session, file)
            elif undo is not None:
                _undo(session, undo)


def _preview(session: ScopedSession, file: Path) -> Preview:
    reach = reach_of(session, root(session).id)
    session.rollback()
    return preview_import(session, Source.of(file), reach, plugins.load())


def _import(session: ScopedSession, file: Path) -> None:
    made = import_document(session, environment.operator(), file)
    if made is None:
        click.echo(_("没有变化：文件中的内容都已在库中。"))
        return
    # Where nobody hears it, the marks stay: a sweep or ``guiju score`` finds them.
    bells.ring(session)
    inserted, updated = made.inserted, made.updated
    echo_table(
        [_("表"), _("新增"), _("更新")],
        [
            [table_title(name), inserted.get(name, 0), updated.get(name, 0)]
            for name in tables.TABLES
            if name in inserted or name in updated
        ],
    )
    click.echo(_("导入编号 {number}；撤销：--undo {number}").format(number=made.id), err=True)


def _undo(session: ScopedSession, number: int) -> None:
    known = queries.imports(session, ["/"], import_id=number)
    session.rollback()
    if not known:
        found, wanted = _("没有这次导入"), _("用 --list 查看编号")
        raise BadInput([Problem(f"--undo {number}", found, wanted, "unknown")])
    undo_import(session, environment.operator(), number)
    bells.ring(session)
    click.echo(_("已撤销 {file} 的导入。").format(file=known[0].name))


def _show_list(session: ScopedSession, format_: str) -> None:
    rows = queries.imports(session, ["/"], limit=1000)
    if format_ == "json":
        echo_json(
            [
                {
                    "id": row.id,
                    "file": row.name,
                    "sha256": row.digest,
                    "made_at": row.made_at.isoformat(),
                    "made_by": row.made_by,
                    "inserted": row.inserted,
                    "updated": row.updated,
                    "undone_at": row.undone_at and row.undone_at.isoformat(),
                }
                for row in rows
            ]
        )
        return
    echo_table(
        [_("编号"), _("文件"), _("导入时间"), _("导入人"), _("新增"), _("更新"), _("撤销")],
        [
            [
                row.id,
                row.name,
                f"{row.made_at:%Y-%m-%d %H:%M}",
                row.made_by,
                _total(row.inserted),
                _total(row.updated),
                f"{row.undone_at:%Y-%m-%d %H:%M}" if row.undone_at else "",
            ]
            for row in rows
        ],
    )


def _total(rows: Mapping[str, int]) -> int:
    return sum(rows.values())


def _show_preview(seen: Preview, format_: str) -> None:
    if format_ == "json":
        echo_json(
            {
                "tables": [vars(row) for row in seen.tables],
                "changes": [
                    {
                        "table": row.table,
                        "who": row.who,
                        "columns": [vars(column) for column in row.columns],
                    }
                    for row in seen.changes
                ],
                "organizations": seen.organizations,
            }
        )
        return
    echo_table(
        [_("表"), _("新增"), _("更新"), _("不变")],
        [[table_title(row.table), row.new, row.changed, row.unchanged] for row in seen.tables],
    )
    for row in seen.changes:
        click.echo(_told(row))
    if seen.is_empty:
        click.echo(_("没有变化：文件中的内容都已在库中。"))


def _told(row: RowChange) -> str:
    columns = "；".join(
        f"{column.heading} “{column.before}” → “{column.after}”" for column in row.columns
    )
    return f"{table_title(row.table)} {row.who}：{columns}"
