"""Faults, told to Sentry where a DSN is set: what failed and where, and of whom only a pseudonym.

An event is made here from what is known to be harmless, rather than collected and cleaned: no bodies,
headers, local variables, breadcrumbs, nor what an exception says, which may quote an answer. The log, which
stays in the installation, has that under the same trace id.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sys
import time
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from examkit import telemetry
from examkit.rpc.context import maybe_user, request_var

MOST_PER_MINUTE = 30
"""Of a process: an outage fails in every request, and says the same each time."""
FLUSH_SECONDS = 2.0
_HARMLESS = ("rpc", "route", "method", "worker", "queue", "batch", "type", "kind", "page", "version")
_ATTEMPT = "student_exam_id"
_LEVELS = frozenset({"error", "critical"})


class Settings(Protocol):
    """What of a process's settings is for this."""

    @property
    def sentry_dsn(self) -> str: ...
    @property
    def sentry_environment(self) -> str: ...
    @property
    def sentry_pseudonym_key(self) -> str: ...


@dataclass
class _Line:
    """The line to Sentry; `key` turns ids into pseudonyms."""

    sdk: Any
    service: str
    key: bytes
    minute: int = 0
    told: int = 0

    def has_room(self) -> bool:
        minute = int(time.monotonic() // 60)
        if minute != self.minute:
            self.minute, self.told = minute, 0
        self.told += 1
        return self.told <= MOST_PER_MINUTE

    def pseudonym(self, one: object) -> str:
        return hmac.new(self.key, str(one).encode(), hashlib.sha256).hexdigest()[:16]


@dataclass
class _Process:
    line: _Line | None = None


@dataclass(frozen=True)
class Fault:
    """What is told. `frames`: function, file, line and column, the innermost last; `user`, `attempt`: ids."""

    message: str
    logger: str
    tags: Mapping[str, str] = field(default_factory=dict)
    frames: Sequence[Mapping[str, Any]] = ()
    user: object = None
    attempt: object = None


_process = _Process()


def setup(service: str, release: str, settings: Settings) -> None:
    """Opens the line; without a DSN there is none, and the library is not even loaded.

    Without a key pseudonyms are good for one run of one process.
    """
    _process.line = None
    if not settings.sentry_dsn:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.sentry_dsn,
        environment=settings.sentry_environment or None,
        release=release,
        server_name=service,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        send_client_reports=False,
        before_send=_without_words,
    )
    key = settings.sentry_pseudonym_key.encode() or secrets.token_bytes(32)
    _process.line = _Line(sentry_sdk, service, key)


def shutdown() -> None:
    """Sends what is unsent, for two seconds at most. Blocks: call it when the loop has ended."""
    line, _process.line = _process.line, None
    if line is not None:
        line.sdk.get_client().close(timeout=FLUSH_SECONDS)


def tell(fault: Fault, error: BaseException | None = None) -> None:
    """Sends it, unless there is no line, or too much was said within this minute."""
    line = _process.line
    if line is None or not line.has_room():
        return
    event: dict[str, Any] = {
        "level": "error",
        "logger": fault.logger,
        "message": fault.message,
        "tags": {"service": line.service, **fault.tags},
    }
    if here := telemetry.current():
        trace = {"trace_id": f"{here.trace_id:032x}", "span_id": f"{here.span_id:016x}"}
        event["contexts"] = {"trace": trace}
    if fault.user:
        event["user"] = {"id": line.pseudonym(fault.user)}
    if fault.attempt:
        event["tags"]["attempt"] = line.pseudonym(fault.attempt)
    if error is not None:
        from sentry_sdk.utils import event_from_exception

        made, _ = event_from_exception(error, client_options=line.sdk.get_client().options)
        event["exception"] = made["exception"]
    elif fault.frames:
        stack = {"frames": list(fault.frames)}
        event["exception"] = {"values": [{"type": fault.message, "stacktrace": stack}]}
    line.sdk.capture_event(event)


def tell_of_logged(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For the chain of structlog: every error that is logged is a fault."""
    if _process.line is not None and event.get("level") in _LEVELS:
        user = maybe_user()
        tags = {name: str(event[name]) for name in _HARMLESS if name in event}
        tell(
            Fault(
                message=str(event.get("event", "")) if event.get("_from_structlog") else "",
                logger=str(event.get("logger", "")),
                tags=tags,
                user=user.user_id if user else None,
                attempt=event.get(_ATTEMPT) or getattr(request_var.get(), _ATTEMPT, None),
            ),
            _error_of(event.get("exc_info")),
        )
    return event


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _without_words(event: Any, _hint: Any) -> Any:
    """The last look at an event: of exceptions type and place remain."""
    for raised in event.get("exception", {}).get("values", ()):
        raised.pop("value", None)
        for frame in raised.get("stacktrace", {}).get("frames", ()):
            for name in ("vars", "abs_path", "context_line", "pre_context", "post_context"):
                frame.pop(name, None)
    for name in ("request", "breadcrumbs", "extra", "modules"):
        event.pop(name, None)
    return event
