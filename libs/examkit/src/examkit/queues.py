"""Queues for an operator: how much waits, what lies in `<queue>.dead` and why, and sending that again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity

from examkit.bundles import ATTEMPT
from examkit.bus import Bus
from examkit.consumer import DEFERRALS, ERROR
from examkit.errors import not_found
from examkit.events import Delivery, MalformedEnvelope

MOST_SHOWN = 50


@dataclass(frozen=True)
class DeadLetter:
    """One of them, without its body: that may hold answers. `error`: the type of the last exception."""

    error: str
    event: Delivery | None


@dataclass(frozen=True)
class QueueState:
    """How many messages wait, for how many processes; how many are dead, and `shown` of those."""

    queue: str
    waiting: int
    consumers: int
    dead: int
    shown: Sequence[DeadLetter]


async def look(bus: Bus, queue: str, most: int = MOST_SHOWN) -> QueueState:
    """The dead letters that are shown go to the end of their queue. Raises BrokerAway, not_found.

    They are not given back unanswered: RabbitMQ 4 counts that, and after some times drops the message.
    """
    async with bus.channel(prefetch=1) as channel:
        main, dead = await _find(channel, queue), await _find(channel, f"{queue}.dead")
        total, shown = _waiting(dead), []
        for _ in range(min(total, most)):
            message = await dead.get(fail=False)
            if message is None:
                break
            shown.append(_letter(message.headers))
            await bus.put(dead.name, message.body, message.headers, message.message_id)
            await message.ack()
    consumers = main.declaration_result.consumer_count or 0
    return QueueState(queue, _waiting(main), consumers, total, shown)


async def send_again(bus: Bus, queue: str) -> int:
    """Send its dead letters to `queue`, as if for the first time; how many it was.

    One that is sent twice, by a crash in between, is applied once: its id is the same. Raises BrokerAway,
    not_found.
    """
    sent = 0
    async with bus.channel(prefetch=1) as channel:
        dead = await _find(channel, f"{queue}.dead")
        for _ in range(_waiting(dead)):
            message = await dead.get(fail=False)
            if message is None:
                break
            await bus.put(queue, message.body, _fresh(message.headers), message.message_id)
            await message.ack()
            sent += 1
    return sent


def lines(found: QueueState) -> list[str]:
    """For a person."""
    said = [f"{found.queue}: {found.waiting} waiting, {found.consumers} consumers, {found.dead} dead"]
    for letter in found.shown:
        told = ["no event"]
        if (event := letter.event) is not None:
            told = [event.time.isoformat(timespec="seconds"), event.type, event.subject]
        said.append("  ".join(["", *told, letter.error]))
    if len(found.shown) < found.dead:
        said.append(f"  … and {found.dead - len(found.shown)} more")
    return said


async def _find(channel: AbstractChannel, name: str) -> AbstractQueue:
    try:
        return await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        raise not_found(f"There is no queue {name}: its service has not run on this broker yet.") from None


def _waiting(queue: AbstractQueue) -> int:
    return queue.declaration_result.message_count or 0


def _letter(headers: Mapping[str, Any]) -> DeadLetter:
    try:
        event = Delivery.of(headers, b"")
    except MalformedEnvelope:
        event = None
    return DeadLetter(str(headers.get(ERROR, "unknown")), event)


def _fresh(headers: Mapping[str, Any]) -> dict[str, Any]:
    ours = {ATTEMPT, DEFERRALS, ERROR}
    return {name: value for name, value in headers.items() if name not in ours and not name.startswith("x-")}
