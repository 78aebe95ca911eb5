"""RabbitMQ as services use it: a bus to publish on, consumers that apply each event once, live listeners."""

from examkit.batch_consumer import BatchConsumer, BatchHandler
from examkit.bus import EXCHANGE, BrokerAway, Bus
from examkit.consumer import Consumer, Handler
from examkit.live import LiveListener

__all__ = [
    "EXCHANGE",
    "BatchConsumer",
    "BatchHandler",
    "BrokerAway",
    "Bus",
    "Consumer",
    "Handler",
    "LiveListener",
]
