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

#: Codes of the languages that people can choose; messages are written in the first.
CODES = ("zh", "en")

_FOLDER = Path(__file__).parent / "web" / "translations"


def _as_written(text: str) -> str:
    return text


#: The code of the language in force, and what translates into it.
_speech: ContextVar[tuple[str, Callable[[str], str]]] = ContextVar(
    "speech", default=(CODES[0], _as_written)
)


def gettext(text: str) -> str:
    """``text`` in the language of the moment; ``text`` itself where there is no translation."""
    _code, translate = _speech.get()
    return translate(text)


def spoken() -> str:
    """The code of the language in force."""
    code, _translate = _speech.get()
    return code


@contextmanager
def speaking(code: str, translate: Callable[[str], str] | None = None) -> Iterator[None]:
    """Speak the language ``code`` for a while.

    ``translate`` turns Chinese text into it; without, the compiled catalogue does.  Raises
    ``FileNotFoundError`` where there is none.
    """
    token = _speech.set((code, translate or _translation(code)))
    try:
        yield
    finally:
        _speech.reset(token)


def _translation(code: str) -> Callable[[str], str]:
    return _as_written if code == CODES[0] else _catalogue(code).gettext


@cache
def _catalogue(code: str) -> catalogues.NullTranslations:
    return catalogues.translation("messages", _FOLDER, [code])
