"""What other services' events mean for exam."""

from collections.abc import Sequence
from uuid import UUID

from examkit.db import Tx
from examkit.events import Delivery
from examprotos.grading.v1 import events_pb2

from exam_service.repository import grades
from exam_service.repository.attempts import AttemptKey

GRADES_QUEUE = "exam.grades"
ATTEMPT_GRADED = "examhall.grading.attempt.graded.v1"


async def attempts_graded(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    """Remember which versions of attempts have a grade; one that is not newer changes nothing."""
    versions: dict[AttemptKey, int] = {}
    for delivery in deliveries:
        graded = delivery.parse(events_pb2.AttemptGraded)
        key = UUID(graded.student_id), UUID(graded.student_exam_id)
        versions[key] = max(graded.attempt_version, versions.get(key, 0))
    await grades.set_graded(tx.conn, versions)
