"""Bundles on a real broker: many events in one message, each of them applied once and on its own terms."""

import asyncio
import functools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from aio_pika.abc import AbstractIncomingMessage
from event_rooms import Room, running, take, waiting
from examkit.bundles import BUNDLE_TYPE, MOST_BYTES, MOST_EVENTS, bundled, carried, packed
from examkit.db import Database, Tx
from examkit.events import Delivery, Envelope, MalformedEnvelope, RawMessage
from examkit.ids import uuid7
from examkit.messaging import BatchConsumer, Bus, Consumer, LiveListener
from examkit.testing import eventually
from examprotos.common.v1 import bundle_pb2
from google.protobuf import timestamp_pb2
from hypothesis import given
from hypothesis import strategies as st
from sample_service.tables import notes

DELAYS = (0.05, 0.1)
events = st.builds(
    Envelope,
    id=st.uuids().map(str),
    type=st.sampled_from(["one.v1", "other.v1"]),
    source=st.just("/examhall/sample"),
    subject=st.text(max_size=5),
    time=st.datetimes(timezones=st.just(UTC), min_value=datetime(1980, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    body=st.binary(max_size=20),
    traceparent=st.none() | st.just("00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
)


def envelopes(room: Room, *subjects: str) -> list[Envelope]:
    return [Envelope.of(room.event(subject), "/examhall/sample") for subject in subjects]


async def written(db: Database) -> Counter[str]:
    async with db.reading() as conn:
        return Counter((await conn.execute(sa.select(notes.c.owner))).scalars())


async def wrote(db: Database, *subjects: str) -> bool:
    return await written(db) == Counter(subjects)


class Counting:
    """Counts the messages that a consumer has seen through, whatever they carry."""

    messages = 0

    async def process(self, message: AbstractIncomingMessage) -> None:
        await super().process(message)  # type: ignore[misc]
        self.messages += 1


class CountingConsumer(Counting, Consumer):
    pass


@given(st.lists(events, max_size=80))
def test_runs_are_of_one_type_in_order_and_bounded(given_events: list[Envelope]) -> None:
    runs = [list(run) for run in bundled(given_events)]

    assert [event for run in runs for event in run] == given_events
    assert all(len({event.type for event in run}) == 1 and len(run) <= MOST_EVENTS for run in runs)


def test_large_events_go_alone() -> None:
    large = [
        Envelope(str(number), "one.v1", "s", "", datetime.now(UTC), b"x" * (MOST_BYTES // 2 + 1))
        for number in range(3)
    ]
    assert [len(run) for run in bundled(large)] == [1, 1, 1]


@given(st.lists(events, min_size=1, max_size=MOST_EVENTS))
def test_what_is_taken_out_is_what_was_packed(given_events: list[Envelope]) -> None:
    run = next(iter(bundled(given_events)))

    found = carried(RawMessage(packed(run), {}, None, BUNDLE_TYPE))

    alone = [carried(RawMessage(event.body, event.headers(), event.id))[0] for event in run]
    assert found == alone


def _bundle(**time: int) -> bytes:
    event = bundle_pb2.BundledEvent(id="1", time=timestamp_pb2.Timestamp(**time))
    return bundle_pb2.Bundle(type="one.v1", source="s", events=[event]).SerializeToString()


@pytest.mark.parametrize("body", [b"\xff\xff", b"", _bundle(seconds=2**62), _bundle(nanos=-1)])
def test_what_is_no_bundle_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedEnvelope):
        carried(RawMessage(body, {}, None, BUNDLE_TYPE))


async def test_a_burst_is_few_messages_and_every_event_once(
    db: Database, bus: Bus, rabbitmq_url: str
) -> None:
    room = Room()
    subjects = [str(number) for number in range(60)]
    seen: list[str] = []

    async def handle(tx: Tx, delivery: Delivery) -> None:
        seen.append(delivery.subject)
        await tx.conn.execute(notes.insert().values(id=uuid7(), owner=delivery.subject))

    worker = CountingConsumer(bus, db, room.queue, [room.type], handle, delays=DELAYS)
    burst = envelopes(room, *subjects)
    async with running(worker):
        await eventually(lambda: worker.connected)
        assert await bus.publish_all(burst, mandatory={room.type}) == [None] * 60
        # Sent again as a relay does that died before it had deleted them.
        await bus.publish_all(burst, mandatory={room.type})
        await eventually(functools.partial(wrote, db, *subjects))
        await eventually(lambda: worker.messages == 6)
    assert seen == subjects
    assert await waiting(rabbitmq_url, room.queue) == 0


async def test_poison_in_a_bundle_costs_no_other_event(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room = Room()

    async def handle(tx: Tx, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            await tx.conn.execute(notes.insert().values(id=uuid7(), owner=delivery.subject))
        if any(delivery.subject == "poison" for delivery in deliveries):
            raise KeyError("poison")

    worker = BatchConsumer(bus, db, room.queue, [room.type], handle, delays=DELAYS, max_attempts=2)
    async with running(worker):
        await eventually(lambda: worker.connected)
        await bus.publish_all(envelopes(room, "a", "poison", "b"), mandatory={room.type})
        await eventually(functools.partial(wrote, db, "a", "b"))
        dead = await eventually(functools.partial(take, rabbitmq_url, f"{room.queue}.dead"))
    assert dead is not None
    assert (dead.headers["cloudEvents:subject"], dead.headers["examhall-error"]) == ("poison", "KeyError")
    assert dead.content_type != BUNDLE_TYPE
    assert await waiting(rabbitmq_url, room.queue) == 0


async def test_a_live_listener_hears_each_event_of_a_bundle(bus: Bus) -> None:
    room = Room()
    heard: list[str] = []
    ready = asyncio.Event()

    def hear(delivery: Delivery) -> None:
        heard.append(delivery.subject)
        if delivery.subject == "a":
            raise KeyError("of no consequence for the next")

    listener = LiveListener(bus, "sample", [room.type], hear, on_connected=ready.set)
    async with running(listener):
        await ready.wait()
        await bus.publish_all(envelopes(room, "a", "b", "c"))
        await eventually(lambda: heard == ["a", "b", "c"])
