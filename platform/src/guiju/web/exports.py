"""Lists as files: workbooks, or CSV for programs; written down, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain

from flask import Response, request, send_file
from flask_login import current_user

from guiju.audit.operations import record
from guiju.db import db, transaction
from guiju.web.workbooks import Cell, send_list

FORMATS = ("xlsx", "csv")

#: What makes a spreadsheet read a text as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def wanted_format() -> str | None:
    """The format that the address asks for; None for the page."""
    asked = request.args.get("format")
    return asked if asked in FORMATS else None


def send(
    name: str,
    title: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    about: str | None,
) -> Response:
    """The list in the format asked for, called ``name``; that it was taken is written down.

    ``about`` is the code of the unit whose list it is; None for a list of the tenant's.
    """
    file_format = wanted_format() or FORMATS[0]
    note(name, file_format, about)
    if file_format == "xlsx":
        return send_list(f"{name}.xlsx", title, headings, rows)
    return send_text(f"{name}.csv", headings, rows)


def note(name: str, file_format: str, about: str | None) -> None:
    """Write down that the visitor took a list; ``about`` as :func:`send` has it."""
    with transaction(db.session):
        after = {"list": name, "format": file_format, "address": request.full_path}
        subject = ("organization", about) if about else ("tenant", current_user.tenant_code)
        record(db.session, current_user.actor(), "list.export", *subject, after=after)


def send_text(name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """A list as CSV."""
    # At once: while an answer is streamed, the visitor's scope is closed already.
    file = io.BytesIO("".join(_lines(headings, rows)).encode())
    # A header holds no Chinese, and servers refuse one that tries: this encodes the name.
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)


def _lines(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    # Without the mark, Excel reads Chinese as something else.
    yield "\ufeff"
    for row in chain([headings], rows):
        buffer = io.StringIO()
        csv.writer(buffer).writerow([harmless(cell) for cell in row])
        yield buffer.getvalue()


def harmless(cell: Cell) -> str:
    """A cell as CSV has it; a text that would be read as a formula begins with an apostrophe."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    text = str(cell)
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text
