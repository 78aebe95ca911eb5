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
from examkit import queues
from examkit.db import Database
from examkit.errors import AppError
from examkit.events import Envelope
from examkit.messaging import Bus, Consumer
from examkit.testing import eventually

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
            said = [(one.error, one.event.subject) for one in found.shown if one.event]
            assert (found.dead, sorted(said)) == (2, [("KeyError", "a"), ("KeyError", "b")])
            assert all(one.event.body == b"" for one in found.shown if one.event)
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
            await bus.put(f"{room.queue}.dead", buried.body, buried.headers, buried.message_id)
        assert await queues.send_again(bus, room.queue) == 2
        await bus.publish(Envelope.of(room.event("b"), "/examhall/sample"), mandatory=True)
        await eventually(lambda: "b" in heard.subjects)
    assert heard.subjects == ["a", "b"]


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
