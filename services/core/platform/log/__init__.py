"""Structured logs without personal fields, and the health page of processes without a web framework."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog

from services.core.platform.log.rate_limited import RateLimiter

# Fields that must never reach a log, whatever their value: a guard in addition to review.
PERSONAL_FIELDS = frozenset(
    {
        "phone", "number", "name", "child_name", "display_name", "text", "code", "token", "password", "secret",
        "latitude", "longitude", "lat", "lon", "payload", "body", "email",
    }
)  # fmt: skip


def _remove_personal_fields(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    for field in PERSONAL_FIELDS & event.keys():
        event[field] = "[removed]"
    return event


def _place_of_exception(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace an exception by its type and where it happened.

    The message is dropped: messages of databases and parsers quote the offending value.
    """
    if event.pop("exc_info", None):
        kind, _, trace = sys.exc_info()
        if kind is not None:
            event["exception"] = kind.__qualname__
            event["frames"] = [
                f"{frame.filename.rpartition('/services/')[2]}:{frame.lineno}"
                for frame in traceback.extract_tb(trace)[-8:]
            ]
    return event


class _LibraryHandler(logging.Handler):
    """Turns library logs into our lines: logger, level and place, never formatted arguments, each kind once a minute.

    The event loop, for one, logs thousands of lines a second while the process is out of descriptors.
    """

    def __init__(self) -> None:
        super().__init__()
        self._limiter = RateLimiter()

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, object] = {
            "logger": record.name,
            "library_level": record.levelname,
            "template": str(record.msg) if record.args else "",
            "exception": record.exc_info[0].__qualname__ if record.exc_info and record.exc_info[0] else None,
        }
        suppressed = self._limiter.allow(tuple(fields.values()))
        if suppressed is not None:
            if suppressed:
                fields["suppressed"] = suppressed
            structlog.get_logger().warning("library_warning", **fields)


def configure_logging(process: str, level: str) -> None:
    """Send JSON lines to standard error, each naming its process; libraries are heard from WARNING up."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _place_of_exception,
            _remove_personal_fields,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(level=logging.WARNING, handlers=[_LibraryHandler()], force=True)
