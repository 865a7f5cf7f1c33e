"""Which language an answer speaks: what ``Accept-Language`` prefers, else Chinese."""

from __future__ import annotations

from contextlib import ExitStack

from flask import g, request

from guiju.language import CODES, speaking


def language() -> str:
    """The code of the request's language."""
    return request.accept_languages.best_match(CODES, default=CODES[0]) or CODES[0]


def begin() -> None:
    """Speak the request's language until :func:`end`, below the API too."""
    g.api_speaking = ExitStack()
    g.api_speaking.enter_context(speaking(language()))


def end(_error: BaseException | None) -> None:
    """Speak as before."""
    if "api_speaking" in g:
        g.pop("api_speaking").close()
