"""What services tell each other: events, and their CloudEvents 1.0 envelope in binary mode."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from aio_pika.abc import AbstractIncomingMessage
from google.protobuf.message import Message

from examkit.clock import utc_now
from examkit.ids import uuid7

CONTENT_TYPE = "application/protobuf"
SPEC_VERSION = "1.0"

M = TypeVar("M", bound=Message)


class MalformedEnvelope(ValueError):  # noqa: N818 - named for what it tells
    """A message that lacks what every event of ours carries."""


@dataclass(frozen=True)
class Event:
    """What a use case publishes by `Tx.publish`.

    `type` is the routing key, e.g. `examhall.exam.attempt.closed.v1`; `subject` is the id of what it is
    about; `message` is serialized when it is published.
    """

    type: str
    subject: str
    message: Message
    id: UUID = field(default_factory=uuid7)
    time: datetime = field(default_factory=utc_now)


@dataclass(frozen=True)
class Envelope:
    """An event on the wire: attributes, serialized body, and the trace it belongs to."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    body: bytes
    traceparent: str | None = None

    @classmethod
    def of(cls, event: Event, source: str, traceparent: str | None = None) -> "Envelope":
        body = event.message.SerializeToString()
        return cls(str(event.id), event.type, source, event.subject, event.time, body, traceparent)

    def headers(self) -> dict[str, str]:
        """The AMQP headers: `cloudEvents:*` and, if traced, `traceparent`."""
        headers = {
            "cloudEvents:specversion": SPEC_VERSION,
            "cloudEvents:id": self.id,
            "cloudEvents:type": self.type,
            "cloudEvents:source": self.source,
            "cloudEvents:subject": self.subject,
            "cloudEvents:time": self.time.isoformat(),
        }
        if self.traceparent:
            headers["traceparent"] = self.traceparent
        return headers


@dataclass(frozen=True)
class RawMessage:
    """A message of the broker as it came, whatever it carries, with all that must stay with it when moved."""

    body: bytes
    headers: Mapping[str, Any]
    message_id: str | None
    content_type: str | None = CONTENT_TYPE

    @classmethod
    def of(cls, message: AbstractIncomingMessage) -> "RawMessage":
        return cls(message.body, message.headers, message.message_id, message.content_type)


@dataclass(frozen=True)
class Delivery:
    """What a consumer's handler gets. `attempt` is 1 at first, and grows with each counted failure."""

    id: str
    type: str
    subject: str
    time: datetime
    body: bytes
    attempt: int
    source: str = ""
    traceparent: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, Any], body: bytes, attempt: int = 1) -> "Delivery":
        """Read the headers of a message. Raises MalformedEnvelope."""
        try:
            traceparent = headers.get("traceparent")
            return cls(
                id=_text(headers["cloudEvents:id"]),
                type=_text(headers["cloudEvents:type"]),
                subject=_text(headers["cloudEvents:subject"]),
                time=datetime.fromisoformat(_text(headers["cloudEvents:time"])),
                body=body,
                attempt=attempt,
                source=_text(headers.get("cloudEvents:source", "")),
                traceparent=None if traceparent is None else _text(traceparent),
            )
        except (KeyError, ValueError) as error:
            raise MalformedEnvelope(f"not one of our events: {error}") from error

    def parse(self, message: builtins.type[M]) -> M:
        """The body as this protobuf message. Raises google.protobuf.message.DecodeError."""
        return message.FromString(self.body)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
