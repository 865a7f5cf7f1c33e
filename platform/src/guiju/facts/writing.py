"""Writing facts documents: JSON and workbooks, as the readers take them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from guiju.rules import tables


def write_json(document: Mapping[str, pa.Table], path: str | Path) -> None:
    """Write tables, by name, as a JSON document with a row a line; blanks are left out."""
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.write("{")
        between = "\n"
        for name in tables.TABLES:
            rows = document[name].to_pylist() if name in document else []
            if rows:
                lines = ",\n".join(f"  {_object(row)}" for row in rows)
                file.write(f"{between} {json.dumps(name)}: [\n{lines}\n ]")
                between = ",\n"
        file.write("\n}\n")


def _object(row: dict[str, Any]) -> str:
    written = {column: value for column, value in row.items() if value is not None}
    return json.dumps(written, ensure_ascii=False, default=date.isoformat)
