"""Queues for an operator: how much waits, what lies in `<queue>.dead` and why, and sending that again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractQueue
from aio_pika.exceptions import ChannelNotFoundEntity

from examkit.bundles import ATTEMPT, carried
from examkit.bus import Bus
from examkit.consumer import DEFERRALS, ERROR
from examkit.errors import not_found
from examkit.events import Delivery, MalformedEnvelope, RawMessage

MOST_SHOWN = 50


@dataclass(frozen=True)
class DeadLetter:
    """One message, without the bodies of its events: they may hold answers.

    `error`: the type of the last exception, or why RabbitMQ itself gave it up. `events`: several of a
    bundle, none of what is no event.
    """

    error: str
    events: Sequence[Delivery]


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
            raw = RawMessage.of(message)
            shown.append(_letter(raw))
            await bus.put(dead.name, raw)
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
            raw = RawMessage.of(message)
            await bus.put(queue, replace(raw, headers=_fresh(raw.headers)))
            await message.ack()
            sent += 1
    return sent


def lines(found: QueueState) -> list[str]:
    """For a person."""
    said = [f"{found.queue}: {found.waiting} waiting, {found.consumers} consumers, {found.dead} dead"]
    for letter in found.shown:
        for event in letter.events:
            told = [event.time.isoformat(timespec="seconds"), event.type, event.subject]
            said.append("  ".join(["", *told, letter.error]))
        if not letter.events:
            said.append(f"  no event  {letter.error}")
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


def _letter(raw: RawMessage) -> DeadLetter:
    try:
        events = [replace(event.delivery, body=b"") for event in carried(raw)]
    except MalformedEnvelope:
        events = []
    given_up = raw.headers.get("x-first-death-reason", "unknown")
    return DeadLetter(str(raw.headers.get(ERROR, given_up)), events)


def _fresh(headers: Mapping[str, Any]) -> dict[str, Any]:
    ours = {ATTEMPT, DEFERRALS, ERROR}
    return {name: value for name, value in headers.items() if name not in ours and not name.startswith("x-")}
