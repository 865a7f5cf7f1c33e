"""Where contents lie: a folder or an S3-compatible bucket, told apart by the address alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import fsspec


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
