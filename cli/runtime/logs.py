"""How our processes log: a JSON line for each event, their own and those of libraries; readable lines on a terminal."""

import logging
import sys

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor
from temporalio.exceptions import ApplicationError

from models.errors import Failed
from models.text import shown

_OF_EVERY_EVENT: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)

# What our own clients ask for they log with its whole URL, at INFO already; a URL may hold a key.
_TELL_URLS = ("httpx", "httpx2")


def configure_logs(level: str) -> None:
    """One JSON line an event, or readable lines on a terminal."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    json = structlog.processors.JSONRenderer()
    on_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[*_OF_EVERY_EVENT, *([_harmless, plain] if on_terminal else [json])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler()
    handler.addFilter(_is_news)
    of_libraries = ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_OF_EVERY_EVENT],
        processors=[ProcessorFormatter.remove_processors_meta, json],
    )
    readable = _HarmlessFormatter("%(levelname)s %(name)s %(message)s")
    handler.setFormatter(readable if on_terminal else of_libraries)
    logging.basicConfig(level=library_level(level), handlers=[handler])
    for name in _TELL_URLS:
        logging.getLogger(name).setLevel(max(logging.WARNING, library_level(level)))


def library_level(level: str) -> int:
    """The level of all that is not ours, INFO or higher: below it libraries write whole requests, headers and keys."""
    return max(logging.INFO, logging.getLevelNamesMapping()[level.upper()])


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record of a library tells what we have not told: a failed activity and a cut download have a line."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not _is_expected(error)


def _is_expected(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_expected, error.exceptions))
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        # What is raised when an answer has begun comes wrapped by Starlette.
        return _is_expected(error.__cause__)
    return isinstance(error, ApplicationError | Failed)


def _harmless(_: object, __: str, event: EventDict) -> EventDict:
    """Escape what a terminal would obey; a traceback keeps its lines."""
    return {key: _lines_shown(value) if isinstance(value, str) else value for key, value in event.items()}


class _HarmlessFormatter(logging.Formatter):
    """Formats what libraries log, whatever names and messages of others are in it."""

    def format(self, record: logging.LogRecord) -> str:
        return _lines_shown(super().format(record))


def _lines_shown(text: str) -> str:
    return "\n".join(map(shown, text.split("\n")))
