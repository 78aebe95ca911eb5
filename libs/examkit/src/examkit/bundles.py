"""Bundles: events of one type that leave together travel in one message of the broker.

A message costs the broker, and the clients on both sides, far more than the event in it. A bundle is taken
apart again where it arrives: each event has its own inbox row, its own retries and its own dead letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from examprotos.common.v1 import bundle_pb2
from google.protobuf.message import DecodeError

from examkit.events import Delivery, Envelope, MalformedEnvelope, RawMessage

BUNDLE_TYPE = "application/vnd.examhall.bundle+protobuf"
MOST_EVENTS = 25
MOST_BYTES = 256 * 1024

ATTEMPT = "examhall-attempt"


@dataclass(frozen=True)
class Carried:
    """One event as it arrived: what handlers get of it, and the message that would carry it alone."""

    delivery: Delivery
    alone: RawMessage


def bundled(envelopes: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
    """The same in their order, in runs of one type and source that fit into a message."""
    run: list[Envelope] = []
    size = 0
    for envelope in envelopes:
        fits = len(run) < MOST_EVENTS and size + len(envelope.body) <= MOST_BYTES
        if run and not (fits and (run[0].type, run[0].source) == (envelope.type, envelope.source)):
            yield run
            run, size = [], 0
        run.append(envelope)
        size += len(envelope.body)
    if run:
        yield run


def packed(envelopes: Sequence[Envelope]) -> bytes:
    """The body of a bundle."""
    bundle = bundle_pb2.Bundle(type=envelopes[0].type, source=envelopes[0].source)
    for envelope in envelopes:
        event = bundle.events.add(
            id=envelope.id,
            subject=envelope.subject,
            body=envelope.body,
            traceparent=envelope.traceparent or "",
        )
        event.time.FromDatetime(envelope.time)
    return bundle.SerializeToString()


def carried(raw: RawMessage) -> list[Carried]:
    """The events that a message carries, one at least. Raises MalformedEnvelope."""
    if raw.content_type != BUNDLE_TYPE:
        return [Carried(Delivery.of(raw.headers, raw.body, attempt_of(raw.headers)), raw)]
    try:
        bundle = bundle_pb2.Bundle.FromString(raw.body)
        found = [_taken_out(bundle, event) for event in bundle.events]
    except (DecodeError, ValueError, OverflowError) as error:
        # The last two are of a time that no calendar has.
        raise MalformedEnvelope("not one of our bundles") from error
    if not found:
        raise MalformedEnvelope("a bundle of nothing")
    return found


def attempt_of(headers: Mapping[str, Any]) -> int:
    attempt = headers.get(ATTEMPT, 1)
    return attempt if isinstance(attempt, int) else 1


def _taken_out(bundle: bundle_pb2.Bundle, event: bundle_pb2.BundledEvent) -> Carried:
    time: datetime = event.time.ToDatetime(UTC)
    traceparent = event.traceparent or None
    envelope = Envelope(event.id, bundle.type, bundle.source, event.subject, time, event.body, traceparent)
    delivery = Delivery(
        event.id,
        bundle.type,
        event.subject,
        time,
        event.body,
        1,
        source=bundle.source,
        traceparent=traceparent,
    )
    return Carried(delivery, RawMessage(event.body, envelope.headers(), event.id))
