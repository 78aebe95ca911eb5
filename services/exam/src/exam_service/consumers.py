"""What other services' events mean for exam."""

from uuid import UUID

from examkit.db import Tx
from examkit.events import Delivery
from examprotos.grading.v1 import events_pb2

from exam_service.repository import grades

GRADES_QUEUE = "exam.grades"
ATTEMPT_GRADED = "examhall.grading.attempt.graded.v1"


async def attempt_graded(tx: Tx, delivery: Delivery) -> None:
    """Remember which version of the attempt has a grade; one that is not newer changes nothing."""
    graded = delivery.parse(events_pb2.AttemptGraded)
    await grades.set_graded(
        tx.conn, UUID(graded.student_id), UUID(graded.student_exam_id), graded.attempt_version
    )
