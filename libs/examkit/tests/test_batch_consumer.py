"""Batches on a real broker and a real Postgres: applied once, poison isolated, nothing lost in a crash."""

import asyncio
import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
import sqlalchemy as sa
from aio_pika.abc import AbstractIncomingMessage
from event_rooms import Room, running, take, waiting
from examkit import telemetry
from examkit.batch_consumer import _acknowledge
from examkit.db import Database, DatabaseAway, Tx
from examkit.events import Delivery, Envelope, RawMessage
from examkit.ids import uuid7
from examkit.messaging import BatchConsumer, Bus
from examkit.testing import eventually
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sample_service.tables import notes, shared

DELAYS = (0.05, 0.1)


@dataclass
class Writer:
    """A handler that writes a note for each delivery; its first batch waits for `go`."""

    poison: str = ""
    failures: list[Exception] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, tx: Tx, deliveries: Sequence[Delivery]) -> None:
        subjects = [delivery.subject for delivery in deliveries]
        self.batches.append(subjects)
        self.deliveries += deliveries
        await self.go.wait()
        for subject in subjects:
            await tx.conn.execute(notes.insert().values(id=uuid7(), owner=subject))
        if len(subjects) > 1 and self.failures:
            raise self.failures.pop(0)
        if self.poison in subjects:
            raise KeyError("poison")


class Watched(BatchConsumer):
    """Shows what has arrived and is not taken yet."""

    arrived: asyncio.Queue[AbstractIncomingMessage] | None = None

    async def work(self, arrived: asyncio.Queue[AbstractIncomingMessage]) -> None:
        self.arrived = arrived
        await super().work(arrived)

    def holds(self, number: int) -> bool:
        return self.arrived is not None and self.arrived.qsize() == number


async def gather(
    bus: Bus, room: Room, worker: Watched, writer: Writer, *envelopes: Envelope, first: str = "first"
) -> None:
    """Have these handled in one batch, after one that is under way while they arrive."""
    writer.go.clear()
    await eventually(lambda: worker.connected)
    await bus.publish(Envelope.of(room.event(first), "/examhall/sample"), mandatory=True)
    await eventually(lambda: writer.batches[-1:] == [[first]])
    for envelope in envelopes:
        await bus.publish(envelope, mandatory=True)
    await eventually(lambda: worker.holds(len(envelopes)))
    writer.go.set()


def envelopes(room: Room, *subjects: str) -> list[Envelope]:
    return [Envelope.of(room.event(subject), "/examhall/sample") for subject in subjects]


def batching(bus: Bus, db: Database, room: Room, writer: Writer, **more: int) -> Watched:
    return Watched(bus, db, room.queue, [room.type], writer, delays=DELAYS, **more)  # type: ignore[arg-type]


async def written(db: Database) -> Counter[str]:
    async with db.reading() as conn:
        return Counter((await conn.execute(sa.select(notes.c.owner))).scalars())


async def wrote(db: Database, *subjects: str) -> bool:
    return await written(db) == Counter(subjects)


async def is_empty(url: str, queue: str) -> bool:
    return await waiting(url, queue) == 0


async def test_what_arrived_meanwhile_is_one_batch_in_order(
    db: Database, bus: Bus, rabbitmq_url: str
) -> None:
    room, writer = Room(), Writer()
    worker = batching(bus, db, room, writer)
    subjects = [str(number) for number in range(10)]
    async with running(worker):
        await gather(bus, room, worker, writer, *envelopes(room, *subjects))
        await eventually(functools.partial(wrote, db, "first", *subjects))
    assert writer.batches == [["first"], subjects]
    assert await is_empty(rabbitmq_url, room.queue)


@pytest.mark.parametrize("each", [1, 2])
async def test_no_more_messages_are_held_than_a_batch_may_have_events(
    db: Database, bus: Bus, rabbitmq_url: str, each: int
) -> None:
    room, writer = Room(), Writer()
    worker = batching(bus, db, room, writer, most=8)
    subjects = [str(number) for number in range(20 * each)]
    async with running(worker):
        await eventually(lambda: worker.connected)
        for first in range(0, len(subjects), each):
            run = envelopes(room, *subjects[first : first + each])
            await bus.publish_all(run, mandatory={room.type})
            await eventually(lambda: bool(writer.batches))
        # Beside the first, which is under way.
        await eventually(lambda: worker.holds(7))
        assert await waiting(rabbitmq_url, room.queue) == 12
        writer.go.set()
        await eventually(functools.partial(wrote, db, *subjects))
    assert [subject for batch in writer.batches for subject in batch] == subjects
    assert max(map(len, writer.batches)) <= 8


async def test_duplicates_are_dropped_in_a_batch_and_after_it(db: Database, bus: Bus) -> None:
    room, writer = Room(), Writer()
    worker = batching(bus, db, room, writer)
    one, other, late = envelopes(room, "one", "other", "late")
    async with running(worker):
        await gather(bus, room, worker, writer, one, other, one)
        await eventually(functools.partial(wrote, db, "first", "one", "other"))
        await gather(bus, room, worker, writer, other, late, one, first="second")
        await eventually(functools.partial(wrote, db, "first", "one", "other", "second", "late"))
    assert writer.batches == [["first"], ["one", "other"], ["second"], ["late"]]


async def test_what_failed_before_is_handled_alone(db: Database, bus: Bus) -> None:
    room, writer = Room(), Writer()
    worker = batching(bus, db, room, writer)
    async with running(worker):
        await gather(bus, room, worker, writer)
        writer.go.clear()
        await bus.publish(*envelopes(room, "second"), mandatory=True)
        await eventually(lambda: writer.batches[-1] == ["second"])
        for number, envelope in enumerate(envelopes(room, "a", "failed", "b"), start=1):
            headers = envelope.headers() | {"examhall-attempt": 1 + (number == 2)}
            await bus.put(room.queue, RawMessage(envelope.body, headers, envelope.id))
        await eventually(lambda: worker.holds(3))
        writer.go.set()
        await eventually(functools.partial(wrote, db, "first", "second", "a", "b", "failed"))
    assert writer.batches[2:] == [["failed"], ["a", "b"]]


async def test_poison_is_isolated(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room, writer = Room(), Writer(poison="poison")
    worker = batching(bus, db, room, writer, max_attempts=3)
    async with running(worker):
        await gather(bus, room, worker, writer, *envelopes(room, "a", "poison", "b"))
        await bus.put(room.queue, RawMessage(b"what?", {}, None))
        await eventually(functools.partial(has_dead, rabbitmq_url, room, 2))
        assert await wrote(db, "first", "a", "b")
    alone = [batch for batch in writer.batches if batch == ["poison"]]
    assert len(alone) == 3, "the failed batch is no attempt of its own"
    assert [delivery.attempt for delivery in writer.deliveries if delivery.subject == "poison"][1:] == [
        1,
        2,
        3,
    ]
    errors = {
        dead.headers["examhall-error"] for _ in range(2) if (dead := await take_dead(rabbitmq_url, room))
    }
    assert errors == {"KeyError", "MalformedEnvelope"}
    async with db.reading() as conn:
        assert len((await conn.execute(sa.select(shared.inbox))).all()) == 3


async def has_dead(url: str, room: Room, number: int) -> bool:
    return await waiting(url, f"{room.queue}.dead") == number


async def take_dead(url: str, room: Room) -> AbstractIncomingMessage | None:
    return await take(url, f"{room.queue}.dead")


async def test_while_postgres_is_away_the_batch_waits_whole(db: Database, bus: Bus) -> None:
    room, writer = Room(), Writer(failures=[DatabaseAway(), DatabaseAway()])
    worker = batching(bus, db, room, writer, max_attempts=1)
    async with running(worker):
        await gather(bus, room, worker, writer, *envelopes(room, "a", "b"))
        await eventually(functools.partial(wrote, db, "first", "a", "b"))
    assert writer.batches == [["first"], ["a", "b"], ["a", "b"], ["a", "b"]]


async def test_a_crash_in_the_middle_of_a_batch_loses_nothing(db: Database, bus: Bus) -> None:
    room, stuck, writer = Room(), Writer(), Writer()
    worker = batching(bus, db, room, stuck)
    async with running(worker):
        await gather(bus, room, worker, stuck, *envelopes(room, "a", "b"))
        stuck.go.clear()
        await eventually(lambda: ["a", "b"] in stuck.batches)
    writer.go.set()
    async with running(batching(bus, db, room, writer)):
        await eventually(functools.partial(wrote, db, "first", "a", "b"))


class Crashing(Watched):
    """Dies between the commit of its first batch of several and the acknowledgement."""

    crashed = False

    async def _apply_together(self, deliveries: Sequence[Delivery]) -> bool:
        applied = await super()._apply_together(deliveries)
        if not self.crashed:
            self.crashed = True
            raise ConnectionError("died")
        return applied


async def test_a_crash_before_the_acknowledgement_applies_nothing_twice(
    db: Database, bus: Bus, rabbitmq_url: str
) -> None:
    room, writer = Room(), Writer()
    worker = Crashing(bus, db, room.queue, [room.type], writer, delays=DELAYS)
    async with running(worker):
        await gather(bus, room, worker, writer, *envelopes(room, "a", "b"))
        await eventually(lambda: worker.crashed)
        await bus.publish_all(envelopes(room, "c"))
        await eventually(functools.partial(wrote, db, "first", "a", "b", "c"))
    assert await is_empty(rabbitmq_url, room.queue), "what came again was acknowledged as duplicates"


async def test_each_delivery_keeps_its_own_trace(db: Database, bus: Bus) -> None:
    room, writer, spans = Room(), Writer(), InMemorySpanExporter()
    worker = batching(bus, db, room, writer)
    telemetry.setup("sample", "", 0.0, processor=SimpleSpanProcessor(spans))
    sampled, unsampled = (f"00-{digit * 32}-{'3' * 16}-0{flag}" for digit, flag in (("1", 1), ("2", 0)))
    one, other = envelopes(room, "a", "b")
    try:
        async with running(worker):
            traced = (replace(one, traceparent=sampled), replace(other, traceparent=unsampled))
            await gather(bus, room, worker, writer, *traced)
            await eventually(functools.partial(wrote, db, "first", "a", "b"))
            await eventually(lambda: len(spans.get_finished_spans()) == 1)
    finally:
        telemetry.shutdown()
    (span,) = spans.get_finished_spans()
    context = span.get_span_context()
    assert context is not None
    assert f"{context.trace_id:032x}" == "1" * 32
    a, b = writer.deliveries[1:]
    assert a.traceparent == f"00-{'1' * 32}-{context.span_id:016x}-01"
    assert b.traceparent == unsampled


@dataclass
class Message:
    delivery_tag: int
    acknowledged: list[bool] = field(default_factory=list)

    async def ack(self, multiple: bool = False) -> None:
        self.acknowledged.append(multiple)


@pytest.mark.parametrize(
    ("answered", "apart", "applied", "frames"),
    [
        (0, [], [1, 2, 3], [[], [], [True]]),
        (4, [], [5, 6], [[], [True]]),
        (4, [7], [5, 6], [[], [True]]),
        (4, [5], [6, 7], [[], [True]]),
        # 5 is with the broker's client still: nothing may be said of it.
        (4, [], [6, 7], [[False], [False]]),
    ],
)
async def test_one_frame_acknowledges_only_what_was_answered(
    answered: int, apart: list[int], applied: list[int], frames: list[list[bool]]
) -> None:
    together = [Message(tag) for tag in applied]
    await _acknowledge(together, [*map(Message, apart), *together], answered)  # type: ignore[arg-type,list-item]
    assert [message.acknowledged for message in together] == frames
