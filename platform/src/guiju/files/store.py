"""Where contents lie: a folder or an S3-compatible bucket, told apart by the address alone."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import IO, Any, BinaryIO

import fsspec

_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class FileStore:
    """Contents under names of its own, in ``file:///folder`` or ``s3://bucket/folder``.

    Opens no connection before it is used.  What its backend raises is ``OSError``.
    """

    url: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        system, root = fsspec.core.url_to_fs(self.url)
        return system, root.rstrip("/")

    def new_name(self, tenant_id: int, suffix: str) -> str:
        """A name that nobody can guess, and that tells nothing but the tenant's number."""
        return f"{tenant_id}/{secrets.token_hex(16)}{suffix}"

    def put(self, name: str, content: bytes) -> None:
        """Store a content; it is there, whole, when this returns."""
        system, root = self._place
        path = f"{root}/{name}"
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, content)

    def get(self, name: str) -> bytes:
        """A content; raises ``FileNotFoundError``."""
        system, root = self._place
        content: bytes = system.cat_file(f"{root}/{name}")
        return content

    def open(self, name: str) -> BinaryIO:
        """A content to be read piece by piece; raises ``FileNotFoundError``."""
        system, root = self._place
        content: BinaryIO = system.open(f"{root}/{name}", "rb")
        return content

    def put_stream(self, name: str, content: IO[bytes]) -> None:
        """Store a content piece by piece; it is there, whole, when this returns."""
        system, root = self._place
        path = f"{root}/{name}"
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        with system.open(path, "wb") as out:
            shutil.copyfileobj(content, out, _CHUNK)

    def digest(self, name: str) -> str | None:
        """The SHA-256 of a content, in hexadecimal; None where it is not there."""
        digest = hashlib.sha256()
        try:
            with self.open(name) as content:
                while chunk := content.read(_CHUNK):
                    digest.update(chunk)
        except FileNotFoundError:
            return None
        return digest.hexdigest()

    def delete(self, name: str) -> None:
        """Take a content away; one that is gone already is no matter."""
        system, root = self._place
        try:
            system.rm_file(f"{root}/{name}")
        except FileNotFoundError:
            return

    def names(self, tenant_id: int) -> Iterator[tuple[str, datetime]]:
        """A tenant's contents with the time each was stored."""
        system, root = self._place
        system.invalidate_cache()
        try:
            found = system.find(f"{root}/{tenant_id}", detail=True)
        except FileNotFoundError:
            return
        for path, details in found.items():
            # Of an empty folder some servers name the folder itself.
            if details["type"] != "file" or not details.get("size"):
                continue
            yield f"{tenant_id}/{path.rpartition('/')[2]}", _stored_at(details)


def _stored_at(details: dict[str, Any]) -> datetime:
    stored = details.get("LastModified") or details.get("mtime") or details.get("created")
    if isinstance(stored, datetime):
        return stored
    return datetime.fromtimestamp(float(stored or 0), UTC)
