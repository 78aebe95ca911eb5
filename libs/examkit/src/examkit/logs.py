"""Logs: one JSON object a line on stdout, with service and trace id, without secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from examkit import faults, telemetry
from examkit.rpc.context import current_request_id

SECRET_FIELDS = frozenset(
    {
        "token",
        "access_token",
        "refresh_token",
        "authorization",
        "password",
        "cookie",
        "secret",
        "answer",
        "answers",
    }
)
REMOVED = "[removed]"
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
# Postgres says in these lines what the values were, which may have any number of lines themselves: all goes
# up to the next part of a traceback. Within a repr the line breaks are written out.
_ROW_VALUES = re.compile(
    r"(?P<before>^[ |]*|\\n)(?:DETAIL|CONTEXT|HINT|QUERY|\[parameters):.*?"
    r"(?=^[ |+]*(?:Traceback \(most recent|The above exception was|During handling of the|-{3,})|\Z)",
    re.MULTILINE | re.DOTALL,
)
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]+:)[^\s@/]+@")

EventDict = MutableMapping[str, Any]


def setup(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Sends structlog's and the standard library's logs to stdout (or `stream`), from `level` upwards."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                faults.tell_of_logged,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                without_row_values,
                without_secrets,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("aio_pika", "aiormq", "grpc", "asyncio", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.getLevelName(level), logging.WARNING))


def _place(service: str) -> structlog.typing.Processor:
    def add_place(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        for key, value in (("trace_id", telemetry.trace_id()), ("request_id", current_request_id())):
            if value:
                event[key] = value
        return event

    return add_place


def without_row_values(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Takes out of database errors what they tell of rows and parameters; what failed and where stays."""
    for key, value in event.items():
        text = f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else value
        if isinstance(text, str):
            event[key] = _ROW_VALUES.sub(rf"\g<before>{REMOVED}\n", text)
    return event


def without_secrets(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Takes out fields that hold secrets or answers, and what looks like a token or a URL's password."""
    for key, value in event.items():
        if key.lower() in SECRET_FIELDS:
            event[key] = REMOVED
        elif isinstance(value, str):
            event[key] = _URL_PASSWORD.sub(rf"\1{REMOVED}@", _TOKEN.sub(REMOVED, value))
    return event
