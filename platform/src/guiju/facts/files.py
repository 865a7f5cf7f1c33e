"""Text files, read whole or refused with a reason."""

from __future__ import annotations

from pathlib import Path

from guiju.facts import limits
from guiju.facts.faults import Faults
from guiju.facts.places import shown
from guiju.language import gettext as _


def read_text(path: Path, faults: Faults) -> str:
    """The text of a UTF-8 file, without its byte order mark; raises FactsError."""
    refuse_size(path, limits.TEXT_BYTES, faults)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        refuse_unreadable(path, error, faults)
    except UnicodeDecodeError as error:
        faults.whole(
            shown(path),
            _("不是 UTF-8 编码：第 {number} 个字节不合规则").format(number=error.start + 1),
            _("请另存为 UTF-8 编码（表格软件中选“CSV UTF-8”）"),
            "not_utf8",
        )
    raise faults.error()


def refuse_size(path: Path, most: int, faults: Faults) -> None:
    """Raise FactsError for a file of more than ``most`` bytes."""
    try:
        size = path.stat().st_size
    except OSError as error:
        refuse_unreadable(path, error, faults)
        raise faults.error() from None
    if size > most:
        faults.whole(
            shown(path),
            _("文件有 {size:.1f} MB").format(size=size / limits.MIB),
            _("至多 {most} MB，请分成几个文件").format(most=most // limits.MIB),
            "too_large",
        )
        raise faults.error()


def refuse_unreadable(path: Path, error: OSError, faults: Faults) -> None:
    """Report a file that the system does not let us read."""
    faults.whole(
        shown(path),
        _("无法读取：{reason}").format(reason=error.strerror or type(error).__name__),
        _("应为可以读取的文件"),
        "unreadable",
    )
