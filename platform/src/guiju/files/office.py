"""Documents and workbooks of the Office Open XML family: what their packages may hold."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

from guiju.files.refusals import Refused
from guiju.language import gettext as _

#: The part that a package of each kind has, and how its content type begins.
_MAIN: Final = {
    ".docx": ("word/document.xml", b"wordprocessingml.document.main+xml"),
    ".xlsx": ("xl/workbook.xml", b"spreadsheetml.sheet.main+xml"),
}
_TYPES: Final = "[Content_Types].xml"
MOST_PARTS: Final = 2000
#: Unpacked, all parts together, in bytes.
MOST_BYTES: Final = 100_000_000
#: Text packs well, but not a part of some size into less than this fraction.
MOST_RATIO: Final = 200
_SMALL: Final = 1_000_000
_CHUNK: Final = 64 * 1024
#: Names of parts that hold programs.
_ACTIVE: Final = ("vbaproject", "vbadata", "activex", "macrosheets")


def check(content: bytes, suffix: str) -> None:
    """Raise :class:`Refused` unless ``content`` is a harmless package of the kind."""
    broken = Refused("broken", _("文件已损坏"), _("请用办公软件另存后再上传"))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            _check_list(package, suffix)
            _unpack(package)
            types = package.read(_TYPES)
    except Refused:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError) as error:
        if not content.startswith(b"PK"):
            found = _("内容不是 {suffix} 文件").format(suffix=suffix)
            raise Refused("wrong_content", found, broken.problems[0].wanted) from error
        raise broken from error
    except (NotImplementedError, RuntimeError, ValueError) as error:
        # Ways of packing and of encrypting that no office program uses by itself.
        raise broken from error
    if b"macroEnabled" in types or b"vbaProject" in types:
        raise _active()
    if _MAIN[suffix][1] not in types:
        found = _("内容不是 {suffix} 文件").format(suffix=suffix)
        raise Refused("wrong_content", found, broken.problems[0].wanted)


def _check_list(package: zipfile.ZipFile, suffix: str) -> None:
    parts = package.infolist()
    names = {part.filename for part in parts}
    if len(parts) > MOST_PARTS:
        raise _bomb(_("压缩包里有 {number} 个部分").format(number=len(parts)))
    if _MAIN[suffix][0] not in names or _TYPES not in names:
        found = _("内容不是 {suffix} 文件").format(suffix=suffix)
        raise Refused("wrong_content", found, _("请用办公软件另存后再上传"))
    if any(word in name.lower() for name in names for word in _ACTIVE):
        raise _active()
    if sum(part.file_size for part in parts) > MOST_BYTES:
        raise _bomb(_("解压后过大"))


def _unpack(package: zipfile.ZipFile) -> None:
    """Read every part, since what a package says of its sizes may be a lie."""
    total = 0
    for part in package.infolist():
        size = 0
        with package.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                total += len(chunk)
                dense = size > _SMALL and size > MOST_RATIO * max(part.compress_size, 1)
                if dense or total > MOST_BYTES:
                    raise _bomb(_("解压后过大"))


def _active() -> Refused:
    return Refused("macros", _("文件里有宏或控件"), _("请另存为不带宏的文件"))


def _bomb(found: str) -> Refused:
    return Refused("zip_bomb", found, _("请拆成较小的文件"))
