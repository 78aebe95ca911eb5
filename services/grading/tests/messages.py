"""What exam says of closed attempts, on the wire."""

import msgspec
from examprotos.exam.v1 import events_pb2
from grading_service.usecases.grade_attempts import ClosedAttempt


def closed_message(closed: ClosedAttempt) -> events_pb2.AttemptClosed:
    message = events_pb2.AttemptClosed(
        student_exam_id=str(closed.student_exam_id),
        student_id=str(closed.student_id),
        exam_id=str(closed.exam_id),
        attempt_no=closed.attempt_no,
        attempt_version=closed.attempt_version,
        status=closed.status,
    )
    message.started_at.FromDatetime(closed.started_at)
    message.closed_at.FromDatetime(closed.closed_at)
    for question_id, (answer, shown) in closed.answers.items():
        message.answers.add(
            question_id=question_id,
            answer_json=msgspec.json.encode(answer),
            shown_json=msgspec.json.encode(shown),
        )
    return message
