"""From protobuf to JSON and back, for what is the same everywhere: times, scores, ids, JSON texts, pages."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

MOST_PER_PAGE = 200


def points(hundredths: int) -> float:
    """A score or a percentage as clients see it: a number with two decimals."""
    return round(hundredths / 100, 2)


def hundredths(number: float) -> int:
    """The way back. What comes in was checked to have two decimals."""
    return int((Decimal(str(number)) * 100).to_integral_value())


def moment(message: Any, field: str) -> datetime | None:
    """A Timestamp field as a UTC datetime; None where it is unset."""
    return when(getattr(message, field)) if message.HasField(field) else None


def when(timestamp: Timestamp) -> datetime:
    """A Timestamp that is always set."""
    return timestamp.ToDatetime(tzinfo=UTC)


def text_of(timestamp: Timestamp) -> str:
    """A Timestamp that is always set, as clients read it: RFC 3339 in UTC, to the microsecond."""
    return _written(timestamp.seconds, timestamp.nanos)


@lru_cache(maxsize=1024)
def _written(seconds: int, nanos: int) -> str:
    # Many saves share a commit, and a class its deadline.
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{nanos // 1000:06}Z" if nanos else f"{whole}Z"


def stamp(time: datetime | None) -> Timestamp | None:
    """The way back; None stays unset."""
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


def optional(message: Any, field: str) -> Any:
    """A field with presence: its value, or None."""
    return getattr(message, field) if message.HasField(field) else None


def document(text: bytes) -> Any:
    """The value of a JSON text; None for an empty one."""
    return msgspec.json.decode(text) if text else None


def id_or_none(text: str) -> UUID | None:
    """An id that may be left out."""
    return UUID(text) if text else None


def page_limit(limit: int) -> int:
    """More than the most is not refused: the rest comes with the next cursor."""
    return min(limit, MOST_PER_PAGE)
