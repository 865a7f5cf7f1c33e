"""Contents of files in archives: out of one store into the archive, and into another's.

What a content must be, its row says (``record_files``: name in the store, size, digest), and
the rows are covered by the digest of their table.  Contents are streamed and never held whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from guiju.db import archive
from guiju.db.archive import Reader, Writer
from guiju.files import FileStore
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: The table whose rows have contents.
TABLE: Final = "record_files"

#: Of a name in a store: the number of its tenant, and the rest.
_NAME: Final = re.compile(r"([1-9]\d{0,17})/([0-9a-f]{32}\.(?:pdf|docx|xlsx|jpg|png))", re.ASCII)
_CHUNK: Final = 1024 * 1024
_ROWS: Final = 1000

#: Told after each content.
Progress = Callable[[], None]


@dataclass(frozen=True)
class Content:
    """A content as its row tells of it."""

    name: str
    #: Bytes.
    size: int
    #: SHA-256, in hexadecimal.
    digest: str


def of_tenant(connection: sa.Connection, tenant_id: int) -> Iterator[Content]:
    """A tenant's contents, in the connection's snapshot."""
    statement = sa.text(
        "SELECT stored_name, size, digest FROM record_files WHERE tenant_id = :tenant ORDER BY id"
    )
    options = {"yield_per": _ROWS, "stream_results": True}
    with connection.execute(statement, {"tenant": tenant_id}, execution_options=options) as rows:
        for row in rows:
            yield Content(*row)


def totals(connection: sa.Connection, tenant_id: int) -> tuple[int, int]:
    """How many contents a tenant has, and how many bytes they are."""
    statement = sa.text(
        "SELECT count(*), coalesce(sum(size), 0)::bigint"
        " FROM record_files WHERE tenant_id = :tenant"
    )
    number, size = connection.execute(statement, {"tenant": tenant_id}).one()
    return int(number), int(size)


@dataclass
class Packing:
    """Contents being written into an archive, and those that could not be."""

    store: FileStore
    writer: Writer
    number: int = 0
    size: int = 0
    #: Names of contents that the store lost, or that are not what their rows say.
    missing: list[str] = field(default_factory=list)

    def add(self, contents: Iterable[Content], *, progress: Progress = lambda: None) -> None:
        """Write contents; what is amiss with some is found out in :attr:`missing`."""
        for content in contents:
            if self._copy(content):
                self.number += 1
                self.size += content.size
            else:
                self.missing.append(content.name)
            progress()

    def _copy(self, content: Content) -> bool:
        digest, size = hashlib.sha256(), 0
        chunks = self._chunks(content)
        first = next(chunks, None)
        if first is None:
            return False
        with self.writer.content(content.name, content.size) as out:
            for chunk in chain([first], chunks):
                size += len(chunk)
                digest.update(chunk)
                out.write(chunk)
        return (size, digest.hexdigest()) == (content.size, content.digest)

    def _chunks(self, content: Content) -> Iterator[bytes]:
        """A content piece by piece; none where it is not there."""
        left = content.size + 1  # one byte more than expected is enough to know
        try:
            with self.store.open(content.name) as source:
                while left > 0 and (chunk := source.read(min(_CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except FileNotFoundError:
            return
        except OSError as error:
            found = _("读不了（{r}）").format(r=error.strerror or error)
            wanted = _("请检查附件存放处（GUIJU_FILES_URL）")
            raise BadInput([Problem(content.name, found, wanted, "unreadable")]) from error

    def told(self, *, lenient: bool) -> Mapping[str, Any]:
        """What the manifest says; unless ``lenient``, ``BadInput`` names what is missing."""
        if self.missing and not lenient:
            wanted = _("内容应在附件存放处并与登记的摘要相符")
            raise BadInput(
                [Problem(name, _("缺失或已损坏"), wanted, "missing") for name in self.missing]
            )
        return {"number": self.number, "bytes": self.size, "missing": self.missing}


@contextmanager
def reading(path: Path, kind: str) -> Iterator[Reader]:
    """An archive with tables and contents that are right; as :func:`guiju.db.archive.reading`."""
    with archive.reading(path, kind) as reader:
        problems = list(_faults(reader, str(path)))
        if problems:
            raise BadInput(problems)
        yield reader


def _faults(reader: Reader, place: str) -> Iterator[Problem]:
    """What is wrong with the contents of an archive whose tables are right."""
    wanted = _("内容应与清单的摘要相符")
    for content in _listed(reader):
        where = f"{place}!files/{content.name}"
        if not _NAME.fullmatch(content.name):
            yield Problem(where, _("名称不合规定"), wanted, "malformed")
        elif not _is_whole(reader, content):
            yield Problem(where, _("内容缺失或被改动"), wanted, "damaged")


def renamed(line: str, tenant_id: int) -> str:
    """A row of :data:`TABLE` as it is when the content has become another tenant's."""
    row = json.loads(line)
    return json.dumps({**row, "stored_name": name_for(row["stored_name"], tenant_id)})


def name_for(name: str, tenant_id: int) -> str:
    """The name of a content that has become another tenant's."""
    found = _NAME.fullmatch(name)
    assert found is not None, "archives are checked before"
    return f"{tenant_id}/{found[2]}"


@contextmanager
def brought(
    reader: Reader, store: FileStore, tenant_id: int | None = None, *, over: bool = False
) -> Iterator[int]:
    """Contents of a checked archive in a store, taken away again if the block fails.

    Yields how many; under ``tenant_id`` where they have become another's.  One that is there
    already is left alone.  Another content under its name is written ``over``, or else refused
    with ``BadInput``.
    """
    new: list[str] = []
    try:
        yield _bring(reader, store, tenant_id, new, over=over)
    except BaseException:
        for name in new:
            with suppress(OSError):
                store.delete(name)
        raise


def _bring(
    reader: Reader, store: FileStore, tenant_id: int | None, new: list[str], *, over: bool
) -> int:
    """Copy contents into a store; notes in ``new`` those that were not there."""
    number = 0
    for number, content in enumerate(_listed(reader), 1):  # noqa: B007 - counted
        name = content.name if tenant_id is None else name_for(content.name, tenant_id)
        found = store.digest(name)
        if found == content.digest:
            continue
        if found is None:
            new.append(name)
        elif not over:
            wanted = _("附件存放处应没有这个租户的内容")
            raise BadInput([Problem(name, _("已有别的内容"), wanted, "exists")])
        with reader.content(content.name) as source:
            store.put_stream(name, source)
    return number


def _listed(reader: Reader) -> Iterator[Content]:
    """What the rows tell, without what was missing when the archive was made."""
    missing = set(reader.manifest["files"]["missing"])
    for line in reader.lines(TABLE):
        row = json.loads(line)
        if row["stored_name"] not in missing:
            yield Content(row["stored_name"], row["size"], row["digest"])


def _is_whole(reader: Reader, content: Content) -> bool:
    digest = hashlib.sha256()
    try:
        with reader.content(content.name) as source:
            size = 0
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                digest.update(chunk)
                if size > content.size:
                    return False
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError):
        return False
    return (size, digest.hexdigest()) == (content.size, content.digest)
