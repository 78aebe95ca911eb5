"""The queues behind one consumer: the queue itself, one to wait in for each delay, and one for the dead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue

from examkit.bus import EXCHANGE, hops_of

# A message that was handed out this often without an answer takes its process down with it each time.
# A clean hop (see `consumer`) starts the count anew, so only crashes and lost connections add up.
_DELIVERY_LIMIT = 200


@dataclass(frozen=True)
class Topology:
    """`queue` is `<service>.<purpose>`; `delays` are seconds, one retry queue each.

    One queue for each delay, and the same time to live for all in it: RabbitMQ expires only at the head
    of a queue, so that mixed times would wait for the longest.
    """

    queue: str
    bindings: Sequence[str]
    delays: Sequence[float]

    @property
    def dead(self) -> str:
        return f"{self.queue}.dead"

    def retry(self, step: int) -> str:
        """The queue for the `step`-th delay, counted from 0; the last one serves all later steps."""
        delay = self.delays[min(step, len(self.delays) - 1)]
        return f"{self.queue}.retry.{_milliseconds(delay)}ms"

    async def declare(self, channel: AbstractChannel) -> AbstractQueue:
        """Declare all of them and bind the main one, which is returned.

        Hops go through an exchange of the service's own, so that its broker user needs no right to write
        into everybody's queues.
        """
        hops = await channel.declare_exchange(hops_of(self.queue), ExchangeType.DIRECT, durable=True)
        for name, arguments in self._queues():
            queue = await channel.declare_queue(name, durable=True, arguments=arguments)
            await queue.bind(hops, name)
        main = queue
        for binding in self.bindings:
            await main.bind(EXCHANGE, binding)
        return main

    def _queues(self) -> list[tuple[str, dict[str, Any]]]:
        """Name and arguments of each, the main one last: what is dead-lettered has somewhere to go."""
        hops = hops_of(self.queue)
        back = _dead_lettering(hops, self.queue)
        waiting = {
            self.retry(step): back | {"x-message-ttl": _milliseconds(delay)}
            for step, delay in enumerate(self.delays)
        }
        main = _dead_lettering(hops, self.dead) | {"x-delivery-limit": _DELIVERY_LIMIT}
        return [(self.dead, {"x-queue-type": "quorum"}), *waiting.items(), (self.queue, main)]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _dead_lettering(exchange: str, target: str) -> dict[str, Any]:
    # at-least-once, so that a broker that falls between two queues loses nothing; it requires the overflow.
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": target,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
