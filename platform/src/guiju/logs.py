"""How a process writes its log: one form for our lines and those of libraries."""

import logging
import re
import sys
import traceback
from typing import Final, TextIO

import structlog

from guiju.config import Settings

#: What the database says of an error quotes what people typed, and so do the parameters.
_DATABASE_ERROR: Final = re.compile(
    r"^((?:sqlalchemy\.exc|sqlalchemy\.orm\.exc|psycopg|psycopg\.errors)\.\w+): "
    r"(.*?)(?=\n\nThe above exception|\n\nDuring handling|\Z)",
    re.DOTALL | re.MULTILINE,
)
_CONSTRAINT: Final = re.compile(r'constraint "(\w+)"')


def configure(settings: Settings) -> None:
    """Write everything to standard error, as JSON or for people to read.

    Call it once, when a process begins.
    """
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[structlog.typing.Processor] = (
        [
            structlog.processors.format_exc_info,
            _without_quotations,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if settings.log_format == "json"
        else [
            _without_quotations,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The fancy one prints variables, and with them people's names.
                exception_formatter=_traceback,
            ),
        ]
    )
    # Loggers are not cached: one that has spoken would no longer follow what is configured.
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # It tells of every look at the version of the database.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _without_quotations(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Leave out of errors of the database what they quote: it may be somebody's name."""
    for key in ("event", "exception"):
        if isinstance(event.get(key), str):
            event[key] = _discreet(event[key])
    return event


def _traceback(out: TextIO, error: structlog.typing.ExcInfo) -> None:
    out.write("\n" + _discreet("".join(traceback.format_exception(*error))))


def _discreet(text: str) -> str:
    return _DATABASE_ERROR.sub(_kind_alone, text)


def _kind_alone(found: re.Match[str]) -> str:
    constraint = _CONSTRAINT.search(found[2])
    return found[1] if constraint is None else f"{found[1]}: {constraint[1]}"
