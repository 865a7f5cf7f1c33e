"""``guiju facts``: templates and checks of facts documents."""

from __future__ import annotations

from pathlib import Path

import click

from guiju import facts as documents
from guiju import plugins
from guiju.cli.output import echo_json, echo_table
from guiju.language import gettext as _
from guiju.rules import tables


@click.group(help=_("事实文档：JSON 文件、.xlsx 工作簿或 CSV 文件的文件夹。"))
def facts() -> None:
    """Templates and checks of facts documents."""


@facts.command(help=_("生成空白工作簿 FILE（默认 {name}）。").format(name="事实.xlsx"))
@click.argument(
    "file", type=click.Path(dir_okay=False, writable=True, path_type=Path), default="事实.xlsx"
)
@click.option("--force", is_flag=True, help=_("文件已存在时覆盖。"))
def template(file: Path, *, force: bool) -> None:
    """Write an empty workbook with every sheet and heading."""
    if file.suffix.lower() != ".xlsx":
        raise click.BadParameter(_("文件名应以 .xlsx 结尾"))
    if file.exists() and not force:
        raise click.UsageError(_("{file} 已存在；要覆盖请加 --force").format(file=file))
    # Only this command writes workbooks.
    from guiju.facts.workbook_writer import write_template  # noqa: PLC0415

    try:
        write_template(file)
    except OSError as error:
        raise click.UsageError(
            _("无法写入 {file}：{reason}").format(file=file, reason=error.strerror)
        ) from None
    click.echo(file)


@facts.command(help=_("检查事实文档，列出全部问题；只检查，不判定。"))
@click.argument("document", type=click.Path(path_type=Path), metavar="FACTS")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table")
def check(document: Path, format_: str) -> None:
    """Validate a facts document and print how many rows its tables have."""
    counts = _read(document).counts()
    if format_ == "json":
        echo_json(counts)
        return
    echo_table(
        [_("表"), _("名称"), _("行数")],
        [[tables.TABLES[name].title, name, rows] for name, rows in counts.items()],
    )


def _read(document: Path) -> documents.FactsDocument:
    """Read a document with the codes of the installed profiles, where it needs any."""
    try:
        return documents.read(document)
    except documents.FactsError as error:
        if all(problem.code != "unknown_code" for problem in error.problems):
            raise
    return documents.read(document, codes=plugins.load().codes)
