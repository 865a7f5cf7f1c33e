"""Asking a virus scanner: clamd's INSTREAM, in few lines and without its client library."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from guiju.files.refusals import Refused
from guiju.language import gettext as _

_CHUNK: Final = 64 * 1024
_SECONDS: Final = 30
_LONGEST_ANSWER: Final = 4096


class ScannerUnavailable(Exception):
    """The scanner does not answer, or not in time: nothing is let in unseen."""


@dataclass(frozen=True)
class Scanner:
    """A clamd at ``tcp://host:port`` or ``unix:///path``."""

    url: str

    def scan(self, content: bytes) -> None:
        """Raise :class:`Refused` for an infected file, :class:`ScannerUnavailable` in doubt."""
        try:
            answer = self._ask(content)
        except OSError as error:
            raise ScannerUnavailable(str(error)) from error
        if answer.endswith(b"FOUND"):
            found = _("查到病毒")
            raise Refused("infected", found, _("文件没有保存，请先清除病毒"))
        if not answer.endswith(b"OK"):
            raise ScannerUnavailable(answer.decode("utf-8", "replace")[:200])

    def _ask(self, content: bytes) -> bytes:
        with self._connected() as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                connection.sendall(struct.pack("!I", len(chunk)) + chunk)
            connection.sendall(struct.pack("!I", 0))
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
                received = connection.recv(_CHUNK)
                if not received:
                    break
                answer += received
        return answer.rstrip(b"\0\n")

    def _connected(self) -> socket.socket:
        address = urlsplit(self.url)
        if address.scheme == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_SECONDS)
            try:
                connection.connect(address.path)
            except OSError:
                connection.close()
                raise
            return connection
        return socket.create_connection((address.hostname or "", address.port or 3310), _SECONDS)
