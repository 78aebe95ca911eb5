"""RabbitMQ stopped and started for real, as services with their own rights see it; and Postgres under a consumer."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from event_rooms import Heard, Room, running, waiting
from examhall_local.rabbitmq import PrivateRabbit
from examkit.db import Database
from examkit.messaging import Bus, Consumer, LiveListener
from examkit.outbox import Relay
from examkit.testing import eventually


@pytest.fixture(scope="module")
def own_rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateRabbit]:
    node = PrivateRabbit(tmp_path_factory.mktemp("rabbit"), die_with_parent=True)
    node.start()
    yield node
    node.stop()


@pytest.fixture
async def exam_bus(own_rabbit: PrivateRabbit) -> AsyncIterator[Bus]:
    bus = Bus(own_rabbit.url_of("exam"))
    yield bus
    await bus.close()


async def restart(node: PrivateRabbit) -> None:
    await asyncio.to_thread(node.stop)
    await asyncio.to_thread(node.start)


async def test_everything_heals_after_the_broker_was_away(
    db: Database, exam_bus: Bus, own_rabbit: PrivateRabbit
) -> None:
    room, heard, live = Room("exam"), Heard(failures=[KeyError("retried")]), Heard()
    listening = asyncio.Event()

    async def hear(delivery: object) -> None:
        await live(None, delivery)  # type: ignore[arg-type]

    async def publish(*subjects: str) -> None:
        async with db.transaction() as tx:
            for subject in subjects:
                tx.publish(room.event(subject))

    relay = Relay(db, exam_bus, "exam", mandatory=[room.type])
    consumer = Consumer(exam_bus, db, room.queue, [room.type], heard, delays=(0.05,))
    listener = LiveListener(exam_bus, "exam", [room.type], hear, on_connected=listening.set)
    async with running(relay, consumer, listener):
        await listening.wait()
        await eventually(lambda: consumer.connected)
        await publish("before")
        await eventually(lambda: heard.subjects == ["before"])

        await asyncio.to_thread(own_rabbit.stop)
        await eventually(lambda: not exam_bus.connected and not consumer.connected)
        listening.clear()
        await publish("during 1", "during 2")
        await asyncio.to_thread(own_rabbit.start)

        await eventually(lambda: set(heard.subjects) == {"before", "during 1", "during 2"}, timeout=40)
        await asyncio.wait_for(listening.wait(), 40)
        live.deliveries.clear()
        await publish("after")
        await eventually(lambda: "after" in heard.subjects and live.subjects == ["after"], timeout=20)
    assert len(heard.subjects) == len(set(heard.subjects)) == 4
    assert await waiting(own_rabbit.url, f"{room.queue}.dead") == 0


async def test_a_killed_broker_loses_nothing_it_confirmed(
    db: Database, exam_bus: Bus, own_rabbit: PrivateRabbit
) -> None:
    room, heard = Room("exam"), Heard()
    consumer = Consumer(exam_bus, db, room.queue, [room.type], heard)
    async with running(consumer):
        await eventually(lambda: consumer.connected)
    # RabbitMQ 3.10 forgets the first election of a queue that is killed in its first seconds.
    await restart(own_rabbit)
    relay = Relay(db, exam_bus, "exam", mandatory=[room.type])
    async with db.transaction() as tx:
        for number in range(100):
            tx.publish(room.event(str(number)))
    assert await relay.publish_batch() == 100
    assert own_rabbit.process is not None
    own_rabbit.process.kill()
    await restart(own_rabbit)
    async with running(consumer):
        await eventually(lambda: len(heard.deliveries) == 100, timeout=40)
    assert sorted(heard.subjects, key=int) == [str(n) for n in range(100)]
