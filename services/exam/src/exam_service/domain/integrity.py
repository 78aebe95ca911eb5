"""What the page may report of itself during an attempt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from examkit.errors import FieldError

from exam_service.domain.text import json_is_storable

KINDS = ("tab_hidden", "tab_visible", "paste", "copy", "fullscreen_exit", "offline", "online")
FLAGS = ("tab_hidden", "paste", "copy", "fullscreen_exit")
"""Those that staff are shown. A line that was lost is nobody's fault."""
MAX_AT_ONCE = 200
MAX_DETAIL_BYTES = 2048
MAX_PER_ATTEMPT = 2000
AFTER_CLOSING = timedelta(minutes=10)
"""How long after the end of an attempt its last events are still taken."""

_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """As it came from the page: nothing of it is checked."""

    kind: str
    at: datetime | None
    detail_json: bytes


@dataclass(frozen=True, slots=True)
class IntegrityEvent:
    kind: str
    at: datetime
    detail: Any


def problems(events: Sequence[ReportedEvent]) -> Iterator[FieldError]:
    """Everything that is wrong with these events, located."""
    if len(events) > MAX_AT_ONCE:
        yield FieldError(("events",), f"must be at most {MAX_AT_ONCE} events")
        return
    for number, event in enumerate(events):
        if event.kind not in KINDS:
            yield FieldError(("events", number, "kind"), f"must be one of {', '.join(KINDS)}")
        if event.at is None:
            yield FieldError(("events", number, "at"), "must be a moment")
        if len(event.detail_json) > MAX_DETAIL_BYTES:
            yield FieldError(
                ("events", number, "detail"), f"must be at most {MAX_DETAIL_BYTES} bytes of JSON"
            )
        elif not _is_storable(event.detail_json):
            yield FieldError(("events", number, "detail"), "must be JSON without NUL or lone surrogates")


def within(event: ReportedEvent, began: datetime, now: datetime) -> IntegrityEvent:
    """The event, its time brought into the attempt: a wrong clock of the browser costs no event."""
    if event.at is None:
        raise AssertionError("an event without a moment has been refused")
    at = min(max(event.at, began - _CLOCK_SKEW), now + _CLOCK_SKEW)
    detail = msgspec.json.decode(event.detail_json) if event.detail_json else None
    return IntegrityEvent(event.kind, at, detail)


def _is_storable(detail_json: bytes) -> bool:
    if not detail_json:
        return True
    try:
        return json_is_storable(msgspec.json.decode(detail_json))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
