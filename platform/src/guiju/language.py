"""The language Guiju speaks in: Chinese, unless its caller translates.

Messages are written in Chinese and marked with :func:`gettext`, by convention imported
as ``_``, where they are made.  Whoever speaks to somebody with another language wraps
the work in :func:`speaking`; everything below it, Flask or not, then follows.
"""

from __future__ import annotations

import gettext as catalogues
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

#: Codes of the languages that people can choose.
CODES = ("zh", "en")

_FOLDER = Path(__file__).parent / "web" / "translations"


def _as_written(text: str) -> str:
    return text


_translate: ContextVar[Callable[[str], str]] = ContextVar("translate", default=_as_written)


def gettext(text: str) -> str:
    """``text`` in the language of the moment; ``text`` itself where there is no translation."""
    return _translate.get()(text)


@contextmanager
def speaking(translate: Callable[[str], str]) -> Iterator[None]:
    """Translate messages with ``translate``, a function from Chinese text to text, for a while."""
    token = _translate.set(translate)
    try:
        yield
    finally:
        _translate.reset(token)


def spoken(code: str) -> Callable[[str], str]:
    """What translates into the language ``code``, for work that no request asked for.

    Raises ``FileNotFoundError`` where the language has no compiled catalogue.
    """
    return _as_written if code == "zh" else _catalogue(code).gettext


@cache
def _catalogue(code: str) -> catalogues.NullTranslations:
    return catalogues.translation("messages", _FOLDER, [code])
