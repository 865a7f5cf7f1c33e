"""How commands print: tables that stand straight with Chinese in them, JSON, CSV, Markdown."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click

from guiju.language import gettext as _

_GAP = "  "


def echo_json(value: Any) -> None:
    """Print ``value`` as JSON: names in the order given, characters as they are."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def echo_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headings; numbers stand right, everything else left."""
    values = [list(row) for row in rows]
    right = [
        bool(values) and all(type(row[column]) is int for row in values)
        for column in range(len(headings))
    ]
    lines = [list(headings), *([_cell(value) for value in row] for row in values)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = map(_aligned, line, widths, right)
        click.echo(_GAP.join(cells).rstrip())
        if number == 0:
            click.echo(_GAP.join("-" * size for size in widths))


def echo_csv(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as CSV under ``headings``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    click.echo(out.getvalue(), nl=False)


def echo_markdown(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a Markdown table."""
    click.echo(markdown(headings, rows), nl=False)


def markdown(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(
        "| " + " | ".join(_cell(cell).replace("|", "\\|") for cell in line) + " |\n"
        for line in lines
    )


def width(text: str) -> int:
    """How many columns of a terminal ``text`` takes: two for a Chinese character."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _aligned(text: str, size: int, right: bool) -> str:  # noqa: FBT001 - used with map
    padding = " " * (size - width(text))
    return padding + text if right else text + padding


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("是") if value else _("否")
    return " ".join(str(value).split())
