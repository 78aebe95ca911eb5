"""Consumers and live listeners on a real broker: applied once, retried, buried, not acknowledged too soon."""

import asyncio
import functools
import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from event_rooms import Heard, Room, running, take, waiting
from examkit.db import Contended, Database, DatabaseAway, Tx
from examkit.errors import unavailable
from examkit.events import Delivery, Envelope, MalformedEnvelope, RawMessage
from examkit.messaging import BrokerAway, Bus, Consumer, LiveListener
from examkit.testing import TestDatabase, eventually
from sample_service.tables import notes, shared

DELAYS = (0.05, 0.1)


async def send(bus: Bus, room: Room, *subjects: str) -> Envelope:
    """Publish these, as soon as somebody is bound to hear them; returns the last."""
    for subject in subjects:
        envelope = Envelope.of(room.event(subject), "/examhall/sample")
        await eventually(functools.partial(sent, bus, envelope))
    return envelope


async def sent(bus: Bus, envelope: Envelope) -> bool:
    try:
        await bus.publish(envelope, mandatory=True)
    except BrokerAway:
        return False
    return True


def consumer(bus: Bus, db: Database, room: Room, heard: Heard, **more: object) -> Consumer:
    return Consumer(bus, db, room.queue, [room.type], heard, delays=DELAYS, **more)  # type: ignore[arg-type]


async def test_a_duplicate_is_applied_once(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room, heard = Room(), Heard()
    async with running(consumer(bus, db, room, heard)):
        envelope = await send(bus, room, "a")
        for _ in range(3):
            await bus.publish(envelope, mandatory=True)
        await send(bus, room, "b")
        await eventually(lambda: "b" in heard.subjects)
    assert heard.subjects == ["a", "b"]
    assert await waiting(rabbitmq_url, room.queue) == 0


async def test_inbox_and_effect_are_one_transaction(db: Database, bus: Bus) -> None:
    room = Room()
    runs: list[int] = []

    async def handle(tx: Tx, delivery: Delivery) -> None:
        runs.append(delivery.attempt)
        await tx.conn.execute(notes.insert().values(id=uuid.uuid4(), owner=delivery.subject))
        if len(runs) == 1:
            raise KeyError("after the effect")

    worker = Consumer(bus, db, room.queue, [room.type], handle, delays=DELAYS)
    async with running(worker):
        await send(bus, room, "a")
        await eventually(lambda: len(runs) == 2)
        await send(bus, room, "b")
        await eventually(lambda: len(runs) == 3)
    async with db.reading() as conn:
        assert sorted((await conn.execute(sa.select(notes.c.owner))).scalars()) == ["a", "b"]


async def test_failures_are_retried_with_a_growing_count(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard(failures=[KeyError("1"), ValueError("2"), RuntimeError("3")])
    async with running(consumer(bus, db, room, heard)):
        envelope = await send(bus, room, "a")
        await eventually(lambda: heard.subjects == ["a"])
    assert heard.attempts == [1, 2, 3, 4]
    assert heard.deliveries[0] == Delivery(
        envelope.id, room.type, "a", envelope.time, envelope.body, 4, envelope.source
    )


async def test_poison_ends_in_the_dead_letter_queue_and_others_pass(
    db: Database, bus: Bus, rabbitmq_url: str
) -> None:
    room, heard = Room(), Heard()

    async def handle(tx: Tx, delivery: Delivery) -> None:
        await heard(tx, delivery)
        if delivery.subject == "poison":
            raise KeyError("always")

    worker = Consumer(bus, db, room.queue, [room.type], handle, delays=DELAYS, max_attempts=3)
    async with running(worker):
        await send(bus, room, "poison", "good")
        await eventually(functools.partial(holds, rabbitmq_url, f"{room.queue}.dead", 1))
    assert heard.subjects.count("poison") == 3
    assert heard.subjects.count("good") == 1
    dead = await take(rabbitmq_url, f"{room.queue}.dead")
    assert dead is not None
    assert dead.headers["cloudEvents:subject"] == "poison"
    assert dead.headers["examhall-error"] == "KeyError"
    async with db.reading() as conn:
        assert len((await conn.execute(sa.select(shared.inbox))).all()) == 1


async def holds(url: str, queue: str, number: int) -> bool:
    return await waiting(url, queue) == number


async def test_contention_counts_and_a_service_that_is_away_does_not(db: Database, bus: Bus) -> None:
    room = Room()
    heard = Heard(failures=[unavailable("grading is away") for _ in range(5)] + [Contended(retryable=True)])
    async with running(consumer(bus, db, room, heard, max_attempts=2)):
        await send(bus, room, "a")
        await eventually(lambda: heard.subjects == ["a"])
    assert heard.attempts == [1, 1, 1, 1, 1, 1, 2]


async def test_while_postgres_is_away_the_delivery_waits(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room, heard = Room(), Heard(failures=[DatabaseAway() for _ in range(3)])
    async with running(consumer(bus, db, room, heard, max_attempts=1)):
        await send(bus, room, "a")
        await eventually(lambda: heard.subjects == ["a"])
    assert heard.attempts == [1, 1, 1, 1]
    assert await waiting(rabbitmq_url, f"{room.queue}.dead") == 0


async def test_what_is_not_an_event_is_buried(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room, heard = Room(), Heard()
    async with running(consumer(bus, db, room, heard)):
        await send(bus, room, "a")
        await bus.put(room.queue, RawMessage(b"what?", {"traceparent": "x"}, None))
        await eventually(functools.partial(holds, rabbitmq_url, f"{room.queue}.dead", 1))
    dead = await take(rabbitmq_url, f"{room.queue}.dead")
    assert dead is not None
    assert (dead.body, dead.headers["examhall-error"]) == (b"what?", "MalformedEnvelope")


async def test_unanswered_deliveries_come_again(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard()
    stuck = asyncio.Event()

    async def never(_tx: Tx, _delivery: Delivery) -> None:
        stuck.set()
        await asyncio.Event().wait()

    async with running(Consumer(bus, db, room.queue, [room.type], never, delays=DELAYS)):
        await send(bus, room, "a")
        await stuck.wait()  # and the worker is cancelled in the middle of it
    async with running(consumer(bus, db, room, heard)):
        await eventually(lambda: heard.subjects == ["a"])


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_than_asked_are_handled_at_a_time(db: Database, bus: Bus, concurrency: int) -> None:
    room = Room()
    now = most = done = 0

    async def handle(tx: Tx, _delivery: Delivery) -> None:
        nonlocal now, most, done
        now += 1
        most = max(most, now)
        await tx.conn.execute(sa.text("SELECT pg_sleep(0.02)"))
        now -= 1
        done += 1

    worker = Consumer(bus, db, room.queue, [room.type], handle, concurrency=concurrency, prefetch=2)
    async with running(worker):
        await send(bus, room, *map(str, range(12)))
        await eventually(lambda: done == 12)
    assert most == concurrency


async def test_a_queue_that_was_deleted_is_declared_anew(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard()
    async with running(consumer(bus, db, room, heard)):
        await send(bus, room, "a")
        await eventually(lambda: heard.subjects == ["a"])
        async with bus.channel(prefetch=1) as channel:
            await channel.queue_delete(room.queue)
        await send(bus, room, "b")
        await eventually(lambda: heard.subjects == ["a", "b"])


async def test_old_inbox_rows_are_forgotten(db: Database, bus: Bus) -> None:
    room, heard = Room(), Heard()
    async with db.transaction() as tx:
        for name, days in ((room.queue, 31), (room.queue, 29), ("another", 31)):
            values = {"consumer": name, "event_id": f"{name} {days}"}
            age = sa.func.now() - timedelta(days=days)
            await tx.conn.execute(shared.inbox.insert().values(**values, received_at=age))

    async def kept() -> set[str]:
        async with db.reading() as conn:
            return set((await conn.execute(sa.select(shared.inbox.c.event_id))).scalars())

    async def is_clean() -> bool:
        return await kept() == {f"{room.queue} 29", "another 31"}

    async with running(consumer(bus, db, room, heard)):
        await eventually(is_clean)


async def test_live_listeners_all_hear_and_survive_their_own_errors(bus: Bus) -> None:
    room = Room()
    listening = [asyncio.Event(), asyncio.Event()]
    heard: list[list[str]] = [[], []]

    def first(delivery: Delivery) -> None:
        heard[0].append(delivery.subject)
        if delivery.subject == "a":
            raise KeyError("no matter")

    async def second(delivery: Delivery) -> None:
        heard[1].append(delivery.subject)

    workers = [
        LiveListener(bus, "sample", [room.type], callback, on_connected=ready.set)
        for callback, ready in zip((first, second), listening, strict=True)
    ]
    async with running(*workers):
        for ready in listening:
            await ready.wait()
        await send(bus, room, "a", "b")
        await eventually(lambda: heard == [["a", "b"], ["a", "b"]])


def test_an_envelope_survives_the_wire() -> None:
    room = Room()
    envelope = Envelope.of(room.event("s"), "/examhall/sample", "00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    delivery = Delivery.of(envelope.headers(), envelope.body)
    assert (delivery.id, delivery.type, delivery.subject) == (envelope.id, room.type, "s")
    assert (delivery.time, delivery.traceparent) == (envelope.time, envelope.traceparent)
    for name in ("id", "type", "subject", "time"):
        broken = {key: text for key, text in envelope.headers().items() if key != f"cloudEvents:{name}"}
        with pytest.raises(MalformedEnvelope):
            Delivery.of(broken, b"")


async def test_handlers_may_publish_and_read(db: Database, bus: Bus, sample: TestDatabase) -> None:
    room, further = Room(), Room()

    async def handle(tx: Tx, delivery: Delivery) -> None:
        tx.publish(further.event(delivery.subject))

    async with running(Consumer(bus, db, room.queue, [room.type], handle)):
        await send(bus, room, "a")

        async def stored() -> bool:
            async with db.reading() as conn:
                return (await conn.execute(sa.select(shared.outbox.c.type))).scalars().all() == [further.type]

        await eventually(stored)
