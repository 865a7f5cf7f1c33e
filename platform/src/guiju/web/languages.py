"""Which language a page speaks: Chinese, or English for who asked for it."""

from contextlib import ExitStack
from pathlib import Path

from flask import Flask, g, request
from flask_babel import Babel, get_domain, get_locale, gettext

from guiju.language import gettext as translated
from guiju.language import speaking

#: Locale by the code in the cookie.  Messages are written in Chinese, so the first of them
#: needs no catalogue.
LOCALES = {"zh": "zh_Hans_CN", "en": "en"}

#: Each language's name, in itself.
NAMES = {"zh": "中文", "en": "English"}

COOKIE = "guiju-language"


def init_app(app: Flask) -> None:
    """Speak to each request in its language, below the pages too."""
    Babel(
        app,
        default_locale=LOCALES["zh"],
        default_timezone="Asia/Shanghai",
        default_translation_directories=str(Path(__file__).parent / "translations"),
        locale_selector=lambda: LOCALES[language()],
    )
    # The same translations by a shorter way: a page asks for a hundred of them.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=translated, ngettext=_plural, newstyle=True
    )
    app.before_request(_begin)
    app.teardown_request(_end)
    app.context_processor(
        lambda: {"language": language(), "language_names": NAMES, "html_language": html_language()}
    )


def language() -> str:
    """The code of the request's language."""
    chosen = request.cookies.get(COOKIE, "zh")
    return chosen if chosen in LOCALES else "zh"


def html_language() -> str:
    """The request's language as the ``lang`` attribute says it."""
    locale = get_locale()
    return "zh-CN" if locale is None or locale.language == "zh" else str(locale.language)


def _begin() -> None:
    if language() != "zh":
        g.speaking = ExitStack()
        g.speaking.enter_context(speaking(language(), gettext))


def _plural(one: str, many: str, number: int) -> str:
    return str(get_domain().get_translations().ungettext(one, many, number))


def _end(_error: BaseException | None) -> None:
    if "speaking" in g:
        g.pop("speaking").close()
