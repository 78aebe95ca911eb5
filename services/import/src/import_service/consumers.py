"""What arrives in `import.jobs`: ids of jobs that may begin. The work itself is the runner's."""

from uuid import UUID

from examkit.db import Tx
from examkit.events import Delivery
from examprotos.imports.v1 import events_pb2

from import_service import repository

QUEUE = "import.jobs"


async def job_queued(tx: Tx, delivery: Delivery) -> None:
    """Short on purpose: a job takes minutes, and this transaction holds the message."""
    message = delivery.parse(events_pb2.JobQueued)
    await repository.mark_ready(tx.conn, UUID(message.job_id))
