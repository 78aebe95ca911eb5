"""An operator's look at queues on a real broker, and sending dead letters again."""

import asyncio
import functools
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from event_rooms import Heard, Room, running, take, waiting
from examkit import queue_gauges, queues
from examkit.bundles import BUNDLE_TYPE, packed
from examkit.db import Database
from examkit.errors import AppError
from examkit.events import Envelope, RawMessage
from examkit.messaging import Bus, Consumer
from examkit.testing import eventually
from examkit.topology import Topology
from prometheus_client import REGISTRY

_DEFINITION = """
from contextlib import asynccontextmanager
from examkit.app import ServiceDefinition, main
from examkit.settings import ServiceSettings
main(ServiceDefinition("sample", "sample_service", ServiceSettings, None, queues=("{queue}",)))
"""


@asynccontextmanager
async def consuming(bus: Bus, db: Database, room: Room, heard: Heard) -> AsyncIterator[None]:
    """A consumer that gives up at the second failure, bound by now."""
    worker = Consumer(bus, db, room.queue, [room.type], heard, delays=(0.05,), max_attempts=2)
    async with running(worker):
        await eventually(lambda: worker.connected)
        yield


async def holds(url: str, queue: str, number: int) -> bool:
    return await waiting(url, queue) == number


async def test_the_queue_and_its_dead_are_measured(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    def gauges(queue: str) -> tuple[float | None, float | None]:
        names = ("examhall_queue_messages", "examhall_dead_letters_parked")
        messages, parked = (REGISTRY.get_sample_value(name, {"queue": queue}) for name in names)
        return messages, parked

    room, heard = Room(), Heard(failures=[KeyError("no paper") for _ in range(4)])
    async with consuming(bus, db, room, heard):
        for subject in ("a", "b"):
            await bus.publish(Envelope.of(room.event(subject), "/examhall/sample"), mandatory=True)
        await eventually(functools.partial(holds, rabbitmq_url, f"{room.queue}.dead", 2))
    await bus.publish(Envelope.of(room.event("c"), "/examhall/sample"), mandatory=True)
    await eventually(functools.partial(holds, rabbitmq_url, room.queue, 1))
    await queue_gauges.measure(bus, Topology(room.queue, (), (0.05,)))
    assert gauges(room.queue) == (1, 2)


async def test_they_are_shown_without_their_bodies_and_applied_when_sent_again(
    db: Database, bus: Bus, rabbitmq_url: str
) -> None:
    room, heard = Room(), Heard(failures=[KeyError("no paper") for _ in range(4)])
    dead = f"{room.queue}.dead"
    async with consuming(bus, db, room, heard):
        for subject in ("a", "b"):
            await bus.publish(Envelope.of(room.event(subject), "/examhall/sample"), mandatory=True)
        await eventually(functools.partial(holds, rabbitmq_url, dead, 2))

        for _ in range(3):  # a look costs them nothing, and changes nothing
            found = await queues.look(bus, room.queue)
            said = [(one.error, event.subject) for one in found.shown for event in one.events]
            assert (found.dead, sorted(said)) == (2, [("KeyError", "a"), ("KeyError", "b")])
            assert all(event.body == b"" for one in found.shown for event in one.events)
            await eventually(functools.partial(holds, rabbitmq_url, dead, 2))
        assert len((await queues.look(bus, room.queue, most=1)).shown) == 1

        assert await queues.send_again(bus, room.queue) == 2
        await eventually(lambda: sorted(heard.subjects) == ["a", "b"])
    # As if for the first time: a failure would be counted, and retried, anew.
    assert [delivery.attempt for delivery in heard.deliveries] == [1, 1]
    assert await waiting(rabbitmq_url, dead) == 0


async def test_sending_again_twice_applies_once(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room, heard = Room(), Heard(failures=[KeyError(), KeyError()])
    async with consuming(bus, db, room, heard):
        await bus.publish(Envelope.of(room.event("a"), "/examhall/sample"), mandatory=True)
        await eventually(functools.partial(holds, rabbitmq_url, f"{room.queue}.dead", 1))
        buried = await take(rabbitmq_url, f"{room.queue}.dead")
        assert buried is not None
        for _ in range(2):  # as a crash between putting and answering leaves it
            await bus.put(f"{room.queue}.dead", RawMessage.of(buried))
        assert await queues.send_again(bus, room.queue) == 2
        await bus.publish(Envelope.of(room.event("b"), "/examhall/sample"), mandatory=True)
        await eventually(lambda: "b" in heard.subjects)
    assert heard.subjects == ["a", "b"]


async def test_a_bundle_is_shown_whole_and_sent_again_whole(
    db: Database, bus: Bus, rabbitmq_url: str
) -> None:
    room, heard = Room(), Heard()
    dead = f"{room.queue}.dead"
    run = [Envelope.of(room.event(subject), "/examhall/sample") for subject in "abc"]
    # As RabbitMQ puts it there, which takes no bundle apart.
    given_up = {"x-first-death-reason": "delivery_limit"}
    async with consuming(bus, db, room, heard):
        await bus.put(dead, RawMessage(packed(run), given_up, run[0].id, BUNDLE_TYPE))
        for _ in range(2):
            found = await queues.look(bus, room.queue)
            assert queues.lines(found)[1:] == [
                f"  {one.time.isoformat(timespec='seconds')}  {room.type}  {one.subject}  delivery_limit"
                for one in run
            ]
            await eventually(functools.partial(holds, rabbitmq_url, dead, 1))
        assert await queues.send_again(bus, room.queue) == 1
        await bus.publish(Envelope.of(room.event("d"), "/examhall/sample"), mandatory=True)
        await eventually(lambda: "d" in heard.subjects)
    assert heard.subjects == ["a", "b", "c", "d"]


async def test_what_is_no_event_is_kept_as_it_came(db: Database, bus: Bus, rabbitmq_url: str) -> None:
    room = Room()
    async with consuming(bus, db, room, Heard()):
        await bus.put(room.queue, RawMessage(b"\xff", {"sent-by": "somebody"}, "7", BUNDLE_TYPE))
        await eventually(functools.partial(holds, rabbitmq_url, f"{room.queue}.dead", 1))
    found = await queues.look(bus, room.queue)
    assert queues.lines(found)[1:] == ["  no event  MalformedEnvelope"]
    kept = await take(rabbitmq_url, f"{room.queue}.dead")
    assert kept is not None
    assert (kept.body, kept.content_type, kept.message_id) == (b"\xff", BUNDLE_TYPE, "7")
    assert kept.headers["sent-by"] == "somebody"


async def test_a_queue_that_nobody_made_is_named(bus: Bus) -> None:
    with pytest.raises(AppError, match="There is no queue"):
        await queues.look(bus, "sample.nowhere")


async def test_the_command(db: Database, bus: Bus, rabbitmq_url: str, tmp_path: Path) -> None:
    room, heard = Room(), Heard(failures=[KeyError(), KeyError()])
    program = tmp_path / "program.py"
    program.write_text(_DEFINITION.format(queue=room.queue))

    async def run(*words: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, program, "queues", *words),
            env={**os.environ, "RABBITMQ_URL": rabbitmq_url},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async with consuming(bus, db, room, heard):
        await bus.publish(Envelope.of(room.event("a"), "/examhall/sample"), mandatory=True)
        await eventually(functools.partial(holds, rabbitmq_url, f"{room.queue}.dead", 1))
        status, output = await run()
        assert status == 0, output
        assert output.startswith(f"{room.queue}: 0 waiting, 1 consumers, 1 dead\n")
        assert f"  {room.type}  a  KeyError" in output
        assert (await run("--resend", "another.queue"))[0] == 2
        assert await run("--resend", room.queue) == (0, f"{room.queue}: 1 sent again\n")
        await eventually(lambda: heard.subjects == ["a"])
