"""The cells of a workbook that is a plain list, read as carefully as a facts document."""

from __future__ import annotations

import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

from guiju.facts.faults import Faults
from guiju.facts.inspection import inspect
from guiju.facts.workbook_reader import attempt, open_workbook


def first_sheet(content: bytes, name: str) -> list[list[str]]:
    """Rows of the first sheet as texts; raises ``BadInput``, with ``name`` as the place.

    Refused are whatever is no sound workbook, macros, formulas and error values.
    """
    faults = Faults()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, Path(name.replace("\\", "/")).name or "list.xlsx")
        path.write_bytes(content)
        inspect(path, faults)
        with open_workbook(path, faults) as workbook:
            rows = attempt(
                path,
                faults,
                lambda: workbook.get_sheet_by_index(0).to_python(skip_empty_area=False),
            )
    if faults.count:
        raise faults.error()
    return [[_text(cell) for cell in row] for row in rows]


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    # Numbers come as floats: a unit's code 12 is not 12.0.
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
