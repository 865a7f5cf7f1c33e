"""Deciding by its content, never by its name alone, whether a file is let in."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from guiju.files import images, office
from guiju.files.refusals import Refused
from guiju.files.scanning import Scanner
from guiju.language import gettext as _

__all__ = ["MEDIA_TYPES", "Admitted", "Refused", "admit"]

#: Kinds of files, by the extension that a name must have.
MEDIA_TYPES: Final = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}
_SAME: Final = {".jpeg": ".jpg"}
#: Longest name kept, in characters.
MOST_NAME: Final = 120
#: Characters that make names dangerous or unreadable in headers, folders and pages.
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True)
class Admitted:
    """A file as it may be stored: ``content`` is not always what was sent."""

    name: str
    suffix: str
    media_type: str
    content: bytes
    #: SHA-256 of ``content``, in hexadecimal.
    digest: str


def admit(name: str, content: bytes, *, most_bytes: int, scanner: Scanner | None) -> Admitted:
    """Look closely at a file and give it a harmless name.

    Pictures are made anew, without position or camera.  Raises :class:`Refused` for anything
    that is not what its name says, too large, packed to deceive, active, or infected, and
    :class:`guiju.files.ScannerUnavailable` where nobody can look for infections.
    """
    kept, suffix = _named(name)
    if not content:
        raise Refused("empty", _("文件是空的"), _("请重新选择文件"))
    if len(content) > most_bytes:
        found = _("文件有 {size:.1f} MB").format(size=len(content) / 1_000_000)
        wanted = _("不超过 {most:.0f} MB").format(most=most_bytes / 1_000_000)
        raise Refused("too_large", found, wanted)
    # Before any library parses it.
    if scanner is not None:
        scanner.scan(content)
    match suffix:
        case ".pdf":
            _check_pdf(content)
        case ".jpg" | ".png":
            content = images.remade(content, suffix)
        case _:
            office.check(content, suffix)
    return Admitted(kept, suffix, MEDIA_TYPES[suffix], content, hashlib.sha256(content).hexdigest())


def _named(name: str) -> tuple[str, str]:
    """The name to keep and the extension that it stands for."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "ignore").decode())
    text = _NOT_IN_NAMES.sub("_", text.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, written = PurePosixPath(text).stem.strip(" ."), PurePosixPath(text).suffix.lower()
    suffix = _SAME.get(written, written)
    if suffix not in MEDIA_TYPES:
        found = _("文件类型“{suffix}”").format(suffix=written[:10])
        wanted = _("应为 {kinds} 文件").format(kinds=_("、").join(MEDIA_TYPES))
        raise Refused("unknown_type", found, wanted)
    kept = stem[: MOST_NAME - len(suffix)] or _("附件")
    return kept + suffix, suffix


def _check_pdf(content: bytes) -> None:
    if not content.startswith(b"%PDF-") or b"%%EOF" not in content[-2048:]:
        raise Refused("wrong_content", _("内容不是 PDF 文件"), _("请重新导出后再上传"))
