"""Files that commands write: never over one that is there."""

from pathlib import Path

from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem


def refuse_existing(file: Path) -> None:
    """Raise ``BadInput`` where there is such a file already."""
    if file.exists():
        raise BadInput([Problem(str(file), _("已有这个文件"), _("请换一个文件名"), "exists")])


def unwritable(file: Path, error: OSError) -> Problem:
    """The problem with a file that cannot be written."""
    found = _("写不了（{r}）").format(r=error.strerror)
    return Problem(str(file), found, _("请换一个文件名"), "unwritable")
