"""From exam's and grading's messages to the bodies of the student surface."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from examprotos.exam.v1 import attempts_pb2, questions_pb2
from examprotos.grading.v1 import results_pb2

from exam_gateway.student import shapes
from exam_gateway.wire import document, id_or_none, moment, optional, points, when

TYPES: dict[int, Any] = {
    value: name.removeprefix("QUESTION_TYPE_").lower()
    for name, value in questions_pb2.QuestionType.items()
    if value
}
STATUSES: dict[int, Any] = {
    value: name.removeprefix("MY_STATUS_").lower() for name, value in attempts_pb2.MyStatus.items() if value
}


def my_exam(exam: attempts_pb2.MyExam) -> shapes.MyExam:
    phase: Any = exam.phase
    return shapes.MyExam(
        id=UUID(exam.id),
        title=exam.title,
        description=exam.description,
        duration_minutes=exam.duration_minutes,
        start_time=moment(exam, "start_time"),
        end_time=moment(exam, "end_time"),
        phase=phase,
        question_count=exam.question_count,
        max_possible=points(exam.max_possible_hundredths),
        max_attempts=exam.max_attempts,
        attempts_used=exam.attempts_used,
        my_status=STATUSES[exam.my_status],
        student_exam_id=id_or_none(exam.student_exam_id),
        time_remaining_seconds=_seconds(optional(exam, "time_remaining_seconds")),
        access_code_needed=exam.access_code_needed,
    )


def attempt(found: attempts_pb2.Attempt) -> shapes.Attempt:
    exam, clock = found.exam, found.clock
    return shapes.Attempt(
        student_exam_id=UUID(found.student_exam_id),
        attempt_no=found.attempt_no,
        exam=shapes.AttemptExam(
            id=UUID(exam.id),
            title=exam.title,
            instructions=exam.instructions,
            duration_minutes=exam.duration_minutes,
            question_count=exam.question_count,
            max_possible=points(exam.max_possible_hundredths),
        ),
        questions=[_question(question) for question in found.questions],
        started_at=when(found.started_at),
        deadline=when(clock.deadline),
        deadline_version=clock.deadline_version,
        deadline_reason=clock.deadline_reason,
        grace_seconds=found.grace_seconds,
        server_time=when(clock.server_time),
        time_remaining_seconds=round(clock.time_remaining_seconds, 3),
        saved_answers={answer.question_id: saved_answer(answer) for answer in found.saved_answers},
    )


def _question(question: attempts_pb2.AttemptQuestion) -> shapes.AttemptQuestion:
    return shapes.AttemptQuestion(
        id=UUID(question.id),
        type=TYPES[question.type],
        text=question.text,
        options=[shapes.Option(id=option.id, text=option.text) for option in question.options],
        points=points(question.points_hundredths),
        order=question.order,
        media=document(question.media_json) or [],
    )


def saved_answer(answer: attempts_pb2.SavedAnswer) -> shapes.SavedAnswer:
    return shapes.SavedAnswer(
        answer=document(answer.answer_json), revision=answer.revision, saved_at=when(answer.saved_at)
    )


def rejected(verdict: attempts_pb2.AnswerVerdict) -> shapes.RejectedItem:
    return shapes.RejectedItem(
        question_id=verdict.question_id,
        code=verdict.code or verdict.outcome,
        detail=verdict.detail,
        current=saved_answer(verdict.current) if verdict.HasField("current") else None,
    )


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _score(message: Any, field: str) -> float | None:
    return points(getattr(message, field)) if message.HasField(field) else None


def result_item(item: results_pb2.StudentResultItem) -> shapes.ResultItem:
    status: Any = item.status
    return shapes.ResultItem(
        question_id=UUID(item.question_id),
        status=status,
        is_correct=optional(item, "is_correct"),
        score=_score(item, "score_hundredths"),
        max_score=points(item.max_score_hundredths),
        answer=document(item.answer_json),
        comment=item.comment or None,
        correct_answer=document(item.correct_json),
        explanation=item.explanation or None,
    )


def result_items(result: results_pb2.StudentResult) -> list[shapes.ResultItem]:
    return [result_item(item) for item in result.items] if result.released else []


def _summary(result: results_pb2.StudentResult) -> dict[str, Any]:
    return {
        "student_exam_id": UUID(result.student_exam_id),
        "exam_id": UUID(result.exam_id),
        "exam_title": result.exam_title,
        "attempt_no": result.attempt_no,
        "status": result.status,
        "submitted_at": when(result.submitted_at),
        "released": result.released,
        "total_score": _score(result, "total_score_hundredths") if result.released else None,
        "max_possible": points(result.max_possible_hundredths),
        "percentage": _score(result, "percentage_hundredths") if result.released else None,
        "graded_count": result.graded_count,
        "pending_count": result.pending_count,
        "grading": result.grading,
    }


def my_result_summary(result: results_pb2.StudentResult) -> shapes.MyResultSummary:
    return shapes.MyResultSummary(**_summary(result))


def my_result(result: results_pb2.StudentResult) -> shapes.MyResult:
    return shapes.MyResult(**_summary(result), results=result_items(result))


def pending(closed: attempts_pb2.SubmitResponse, refused: list[shapes.RejectedItem]) -> dict[str, Any]:
    """A submit's answer while there is no grade: nothing is known but how many questions wait."""
    status: Any = closed.status
    return {
        "student_exam_id": UUID(closed.student_exam_id),
        "status": status,
        "submitted_at": when(closed.submitted_at),
        "total_score": None,
        "max_possible": points(closed.max_possible_hundredths),
        "percentage": None,
        "graded_count": 0,
        "pending_count": closed.question_count,
        "results": [],
        "rejected": refused + [rejected(verdict) for verdict in closed.rejected],
        "grading": "pending",
        "receipt": shapes.Receipt(
            answers_digest=closed.receipt.answers_digest, answer_count=closed.receipt.answer_count
        ),
    }


def ungraded_result(closed: attempts_pb2.SubmitResponse) -> shapes.MyResult:
    """The result of an attempt that is closed and has no grade yet."""
    said = pending(closed, [])
    kept = (name for name in said if name not in ("rejected", "receipt"))
    return shapes.MyResult(
        exam_id=UUID(closed.exam_id),
        exam_title=None,
        attempt_no=closed.attempt_no,
        released=False,
        **{name: said[name] for name in kept},
    )


def graded(result: results_pb2.StudentResult) -> dict[str, Any]:
    """What a grade changes in it."""
    summary = _summary(result)
    kept = ("total_score", "max_possible", "percentage", "graded_count", "pending_count", "grading")
    return {name: summary[name] for name in kept} | {"results": result_items(result)}
