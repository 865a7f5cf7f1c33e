"""Files that commands write: never over one that is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

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


@contextmanager
def writing(file: Path) -> Iterator[IO[bytes]]:
    """A new file readable by its owner alone, there only once it is whole.

    Raises ``BadInput`` where there is such a file, or it cannot be written.
    """
    refuse_existing(file)
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.touch(0o600)
        with partial.open("wb") as out:
            yield out
        partial.rename(file)
    except OSError as error:
        raise BadInput([unwritable(file, error)]) from None
    finally:
        partial.unlink(missing_ok=True)


def tell_missing(names: list[str]) -> None:
    """Say which files of records have no content any more."""
    for name in names:
        click.echo(_("{name}：内容缺失或已损坏，没有写入").format(name=name), err=True)


#: For commands that write archives.
lenient = click.option(
    "--without-missing",
    "lenient",
    is_flag=True,
    help=_("附件内容缺失或损坏时仍写出其余的，并逐个列出；不给则拒绝。"),
)
