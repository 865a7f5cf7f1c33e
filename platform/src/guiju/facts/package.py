"""The zip file that a workbook is: what is in it, unpacked within limits.

Nothing here trusts what the file says of itself: sizes are counted while unpacking, and
every part is unpacked here before another library gets to see it.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NoReturn, Self

from guiju.facts import limits
from guiju.facts.faults import Faults
from guiju.facts.places import shown
from guiju.language import gettext as _

_CHUNK: Final = 1024 * 1024
_LOCAL_HEADER: Final = 30
#: Old binary workbooks and encrypted new ones are this kind of container.
_COMPOUND_FILE: Final = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")


class Package:
    """An opened workbook; raises FactsError for whatever is no sound zip file."""

    def __init__(self, path: Path, faults: Faults) -> None:
        self._path = path
        self._faults = faults
        self._unpacked: dict[str, int] = {}
        self._file: IO[bytes] = path.open("rb")
        try:
            self._zip = self._open()
        except BaseException:
            self._file.close()
            raise
        self.parts = [info.filename for info in self._zip.infolist()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _open(self) -> zipfile.ZipFile:
        start = self._file.read(len(_COMPOUND_FILE))
        if start == _COMPOUND_FILE:
            if _ENCRYPTED in self._file.read():
                self.refuse(
                    _("工作簿设有打开密码"), _("请去掉密码后另存为 .xlsx"), "password_protected"
                )
            self.refuse(_("是旧格式的文件"), _("请另存为 .xlsx 工作簿"), "not_workbook")
        try:
            opened = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError, OSError):
            self.refuse(
                _("不是 .xlsx 工作簿，或文件不完整"), _("请另存为 .xlsx 工作簿"), "not_workbook"
            )
        infos = opened.infolist()
        names = {info.filename.lower() for info in infos}
        if len(infos) > limits.PARTS or len(names) != len(infos):
            self.damaged()
        if any(info.flag_bits & 0x1 for info in infos):
            self.refuse(_("工作簿设有密码"), _("请去掉密码后另存为 .xlsx"), "password_protected")
        if any(
            info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos
        ):
            self.damaged()
        if sum(info.file_size for info in infos) > limits.UNPACKED_BYTES:
            self._too_large()
        return opened

    def read(self, part: str, most: int) -> bytes:
        """A small part whole; at most ``most`` bytes."""
        content = b""
        for chunk in self.chunks(part):
            content += chunk
            if len(content) > most:
                self.damaged()
        return content

    def chunks(self, part: str) -> Iterator[bytes]:
        """The content of a part, at most a MiB at a time."""
        info = self._zip.getinfo(part)
        packed = self._packed(info)
        self._unpacked[part] = 0
        for chunk in packed if info.compress_type == zipfile.ZIP_STORED else self._inflated(packed):
            self._unpacked[part] += len(chunk)
            if sum(self._unpacked.values()) > limits.UNPACKED_BYTES:
                self._too_large()
            yield chunk

    def _packed(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of a part as they lie in the file."""
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(b"PK\x03\x04"):
            self.damaged()
        # Name and extra field follow; their lengths may differ from the directory's.
        self._file.seek(sum(struct.unpack_from("<HH", header, 26)), 1)
        position, left = self._file.tell(), info.compress_size
        while left:
            self._file.seek(position)
            piece = self._file.read(min(left, _CHUNK))
            if not piece:
                self.damaged()
            position += len(piece)
            left -= len(piece)
            yield piece

    def _inflated(self, packed: Iterator[bytes]) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        while not unpacker.eof:
            piece = unpacker.unconsumed_tail or next(packed, b"")
            try:
                chunk = unpacker.decompress(piece, _CHUNK)
            except zlib.error:
                self.damaged()
            if chunk:
                yield chunk
            elif not piece:
                self.damaged()

    def damaged(self) -> NoReturn:
        """Raise FactsError: the file is no sound workbook."""
        self.refuse(_("工作簿已损坏，无法读取"), _("请用表格软件打开后另存为 .xlsx"), "damaged")

    def _too_large(self) -> NoReturn:
        self.refuse(
            _("工作簿展开后超过 {most} MB").format(most=limits.UNPACKED_BYTES // limits.MIB),
            _("请分成几个文件"),
            "too_large",
        )

    def refuse(self, found: str, wanted: str, code: str) -> NoReturn:
        """Raise FactsError with this fault of the whole file."""
        self._faults.whole(shown(self._path), found, wanted, code)
        raise self._faults.error()
