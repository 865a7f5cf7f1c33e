"""How a process writes its log: one form for our lines and those of libraries."""

import logging
import sys

import structlog

from guiju.config import Settings


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
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if settings.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The fancy one prints variables, and with them people's names.
                exception_formatter=structlog.dev.plain_traceback,
            )
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
