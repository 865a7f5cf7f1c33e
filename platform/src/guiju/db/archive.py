"""Tables in a zip file: a line of JSON for each row, with digests, written and read in streams.

What an archive holds is one moment's.  Its last entry, ``manifest.json``, tells the rows and
the digest of every table; nothing is believed before the digests are found right.  Contents of
files lie beside the tables (:mod:`guiju.db.contents`).
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from psycopg import sql

from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: Of the form of archives: 2 since they hold contents of files.
VERSION = 2
_MANIFEST = "manifest.json"
_ROWS = 2000
#: Contents from here on need zip's larger numbers.
_LARGE = 2**31


def tables_of(connection: sa.Connection) -> dict[str, list[str]]:
    """The columns of every table of ours, those that are stored."""
    rows = connection.execute(
        sa.text(
            "SELECT t.table_name, c.column_name FROM information_schema.tables t"
            " JOIN information_schema.columns c USING (table_schema, table_name)"
            " WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            " AND t.table_name <> 'alembic_version' AND c.is_generated = 'NEVER'"
            " ORDER BY t.table_name, c.ordinal_position"
        )
    )
    found: dict[str, list[str]] = {}
    for table, column in rows:
        found.setdefault(table, []).append(column)
    return found


def in_order(connection: sa.Connection, tables: Iterable[str]) -> list[str]:
    """Tables so that each comes after those it refers to (itself aside)."""
    rows = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
            " AND conrelid <> confrelid"
        )
    )
    above: dict[str, set[str]] = {table: set() for table in tables}
    for table, target in rows:
        if table in above and target in above:
            above[table].add(target)
    found: list[str] = []
    while above:
        free = sorted(table for table, targets in above.items() if not targets & above.keys())
        if not free:
            raise ValueError(f"tables refer to each other in a circle: {sorted(above)}")
        found += free
        for table in free:
            del above[table]
    return found


@dataclass
class Writer:
    """An archive being written."""

    archive: zipfile.ZipFile
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def table(self, name: str) -> Iterator[Table]:
        """Write a table's rows inside the block."""
        with self.archive.open(f"tables/{name}.jsonl", "w", force_zip64=True) as out:
            table = Table(out)
            yield table
        self.tables[name] = {"rows": table.rows, "sha256": table.digest.hexdigest()}

    def content(self, name: str, size: int) -> IO[bytes]:
        """An entry to write a file's content into, packed no further: files are already."""
        entry = zipfile.ZipInfo(f"files/{name}")
        return self.archive.open(entry, "w", force_zip64=size >= _LARGE)

    def finish(self, facts: Mapping[str, Any]) -> None:
        """Write the manifest: ``facts`` and what every table holds."""
        manifest = {**facts, "version": VERSION, "tables": self.tables}
        self.archive.writestr(_MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))


@dataclass
class Table:
    """The entry of a table being written."""

    out: IO[bytes]
    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(
        self, connection: sa.Connection, name: str, columns: Iterable[str], tenant: int | None
    ) -> None:
        """Add the rows of a table, of one tenant or (without) of a table of nobody's."""
        listed = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL(
            "SELECT to_jsonb(r)::text FROM (SELECT {} FROM {}{}) r ORDER BY 1"
        ).format(
            listed,
            sql.Identifier(name),
            sql.SQL("" if tenant is None else " WHERE tenant_id = {}").format(
                *(() if tenant is None else (sql.Literal(tenant),))
            ),
        )
        text = statement.as_string().replace("%", "%%")
        # For this statement alone: options given to a connection stay with it.
        options = {"yield_per": _ROWS, "stream_results": True}
        with connection.exec_driver_sql(text, execution_options=options) as found:
            for (line,) in found:
                data = f"{line}\n".encode()
                self.digest.update(data)
                self.out.write(data)
                self.rows += 1


@contextmanager
def writing(out: IO[bytes] | Path) -> Iterator[Writer]:
    """An archive written to ``out``."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        yield Writer(archive)


@dataclass(frozen=True)
class Reader:
    """An archive whose digests are right."""

    archive: zipfile.ZipFile
    manifest: Mapping[str, Any]

    def lines(self, table: str) -> Iterator[str]:
        """The rows of a table as lines of JSON; none where the archive has no such table."""
        if table in self.manifest["tables"]:
            with self.archive.open(f"tables/{table}.jsonl") as source:
                for line in source:
                    yield line.decode().rstrip("\n")

    def content(self, name: str) -> IO[bytes]:
        """A file's content; raises ``KeyError`` where it is not there."""
        return self.archive.open(f"files/{name}")


@contextmanager
def reading(path: Path, kind: str) -> Iterator[Reader]:
    """Open an archive of a kind; raises ``BadInput`` where it is none, or is damaged."""
    reader = _opened(path, kind)
    with reader.archive:
        yield reader


def _opened(path: Path, kind: str) -> Reader:
    place, wanted = str(path), _("应为 guiju 写出的完好文件")
    try:
        archive = zipfile.ZipFile(path)
        manifest = json.loads(archive.read(_MANIFEST))
        known = manifest["kind"] == kind
        found = manifest["version"]
        problems = list(_damages(archive, manifest, place)) if known and found == VERSION else []
    except OSError as error:
        raise BadInput([Problem(place, error.strerror or "", wanted, "unreadable")]) from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError):
        raise BadInput([Problem(place, _("打不开"), wanted, "unreadable")]) from None
    if not known:
        problems = [Problem(place, _("不是这一种文件"), wanted, "wrong_kind")]
    elif found != VERSION:
        wanted = _("应为第 {number} 版的文件").format(number=VERSION)
        problems = [Problem(place, str(found)[:20], wanted, "other_version")]
    if problems:
        archive.close()
        raise BadInput(problems)
    return Reader(archive, manifest)


def _damages(
    archive: zipfile.ZipFile, manifest: Mapping[str, Any], place: str
) -> Iterator[Problem]:
    for table, told in manifest["tables"].items():
        digest, rows = hashlib.sha256(), 0
        try:
            with archive.open(f"tables/{table}.jsonl") as source:
                for line in source:
                    digest.update(line)
                    rows += 1
        except (KeyError, zipfile.BadZipFile, zlib.error):
            rows = -1
        if digest.hexdigest() != told["sha256"] or rows != told["rows"]:
            wanted = _("内容应与清单的摘要相符")
            yield Problem(f"{place}!{table}", _("内容缺失或被改动"), wanted, "damaged")


def load(
    connection: sa.Connection,
    table: str,
    columns: Iterable[str],
    lines: Iterable[str],
    *,
    replaced: Mapping[str, Any] | None = None,
) -> int:
    """Insert rows told as lines of JSON, in one statement; returns how many.

    ``columns`` are taken from them, the others keep their defaults; ``replaced`` are values
    that every row has instead.
    """
    raw = connection.connection.driver_connection
    assert raw is not None
    replaced = dict(replaced or {})
    names = [column for column in columns if column not in replaced]
    with raw.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS arriving (line jsonb)")
        cursor.execute("TRUNCATE pg_temp.arriving")
        with cursor.copy("COPY pg_temp.arriving FROM STDIN") as copy:
            for line in lines:
                copy.write_row((line,))
        insert = sql.SQL(
            "INSERT INTO public.{table} ({targets}) SELECT {values}"
            " FROM pg_temp.arriving, jsonb_populate_record(NULL::public.{table}, line) AS r"
        ).format(
            table=sql.Identifier(table),
            targets=sql.SQL(", ").join(map(sql.Identifier, [*names, *replaced])),
            values=sql.SQL(", ").join(
                [
                    *(sql.SQL("r.{}").format(sql.Identifier(name)) for name in names),
                    *(sql.Literal(value) for value in replaced.values()),
                ]
            ),
        )
        cursor.execute(insert)
        count = cursor.rowcount
        cursor.execute("TRUNCATE pg_temp.arriving")
        return int(count)


def advance_numbers(connection: sa.Connection) -> None:
    """See that new rows get numbers above those that came with theirs."""
    connection.execute(sa.text("SELECT advance_numbers()"))
