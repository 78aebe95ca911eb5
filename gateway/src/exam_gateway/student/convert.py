"""From exam's and grading's messages to the bodies of the student surface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from examprotos.exam.v1 import attempts_pb2, questions_pb2
from examprotos.grading.v1 import results_pb2

from exam_gateway.student import shapes
from exam_gateway.wire import document, id_or_none, moment, optional, points, text_of, when

Json = dict[str, Any]

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


def attempt(found: attempts_pb2.Attempt) -> Json:
    """An `Attempt`, as a plain document: to model and check its paper would cost more than all else here."""
    exam, clock = found.exam, found.clock
    return {
        "student_exam_id": found.student_exam_id,
        "attempt_no": found.attempt_no,
        "exam": {
            "id": exam.id,
            "title": exam.title,
            "instructions": exam.instructions,
            "duration_minutes": exam.duration_minutes,
            "question_count": exam.question_count,
            "max_possible": points(exam.max_possible_hundredths),
        },
        "questions": [_question(question) for question in found.questions],
        "started_at": text_of(found.started_at),
        "deadline": text_of(clock.deadline),
        "deadline_version": clock.deadline_version,
        "deadline_reason": clock.deadline_reason,
        "grace_seconds": found.grace_seconds,
        "server_time": text_of(clock.server_time),
        "time_remaining_seconds": round(clock.time_remaining_seconds, 3),
        "saved_answers": {answer.question_id: saved_answer(answer) for answer in found.saved_answers},
    }


def _question(question: attempts_pb2.AttemptQuestion) -> Json:
    return {
        "id": question.id,
        "type": TYPES[question.type],
        "text": question.text,
        "options": [{"id": option.id, "text": option.text} for option in question.options],
        "points": points(question.points_hundredths),
        "order": question.order,
        "media": document(question.media_json) or [],
    }


def saved_answer(answer: attempts_pb2.SavedAnswer) -> Json:
    return {
        "answer": document(answer.answer_json),
        "revision": answer.revision,
        "saved_at": text_of(answer.saved_at),
    }


def rejected(verdict: attempts_pb2.AnswerVerdict) -> Json:
    said = {
        "question_id": verdict.question_id,
        "code": verdict.code or verdict.outcome,
        "detail": verdict.detail,
    }
    return said | ({"current": saved_answer(verdict.current)} if verdict.HasField("current") else {})


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _score(message: Any, field: str) -> float | None:
    return points(getattr(message, field)) if message.HasField(field) else None


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


def my_result(
    result: results_pb2.StudentResult, paper: Iterable[attempts_pb2.AttemptQuestion]
) -> shapes.MyResult:
    """`paper`: the questions as the student saw them, where they are known."""
    shown = {question.id: _seen(question) for question in paper}
    items = [
        shapes.MyResultItem(**_item(item), **shown.get(item.question_id, {}))
        for item in (result.items if result.released else ())
    ]
    changes = [_change(change) for change in (result.changes if result.released else ())]
    return shapes.MyResult(**_summary(result), results=items, changes=changes)


def _change(change: results_pb2.ScoreChange) -> shapes.ScoreChange:
    policy: Any = change.policy
    return shapes.ScoreChange(
        question_id=id_or_none(change.question_id),
        policy=policy,
        reason=change.reason or None,
        at=when(change.at),
        score_before=_score(change, "score_before_hundredths"),
        score_after=_score(change, "score_after_hundredths"),
    )


def _seen(question: attempts_pb2.AttemptQuestion) -> Json:
    whole = _question(question)
    told = {name: whole[name] for name in ("order", "type", "options", "media")}
    return told | {"question_text": whole["text"]}


def pending(closed: attempts_pb2.SubmitResponse) -> Json:
    """What is known of a closed attempt while there is no grade: how many questions wait."""
    return {
        "student_exam_id": closed.student_exam_id,
        "status": closed.status,
        "submitted_at": text_of(closed.submitted_at),
        "total_score": None,
        "max_possible": points(closed.max_possible_hundredths),
        "percentage": None,
        "graded_count": 0,
        "pending_count": closed.question_count,
        "results": [],
        "grading": "pending",
    }


def submitted(
    closed: attempts_pb2.SubmitResponse,
    refused: Iterable[Json],
    result: results_pb2.StudentResult | None,
) -> Json:
    """A `Submitted`. `refused`: items that never went to exam; `result` None: there is no grade yet."""
    receipt = closed.receipt
    return {
        "success": True,
        **pending(closed),
        **(_graded(result) if result is not None else {}),
        "rejected": [*refused, *(rejected(verdict) for verdict in closed.rejected)],
        "receipt": {"answers_digest": receipt.answers_digest, "answer_count": receipt.answer_count},
    }


def ungraded_result(closed: attempts_pb2.SubmitResponse) -> shapes.MyResult:
    """The result of an attempt that is closed and has no grade yet."""
    return shapes.MyResult(
        exam_id=UUID(closed.exam_id),
        exam_title=None,
        attempt_no=closed.attempt_no,
        released=False,
        **pending(closed),
    )


def _graded(result: results_pb2.StudentResult) -> Json:
    """What a grade changes in it."""
    released = result.released
    return {
        "total_score": _score(result, "total_score_hundredths") if released else None,
        "max_possible": points(result.max_possible_hundredths),
        "percentage": _score(result, "percentage_hundredths") if released else None,
        "graded_count": result.graded_count,
        "pending_count": result.pending_count,
        "grading": result.grading,
        "results": [_item(item) for item in result.items] if released else [],
    }


def _item(item: results_pb2.StudentResultItem) -> Json:
    """A `ResultItem`."""
    return {
        "question_id": item.question_id,
        "status": item.status,
        "is_correct": optional(item, "is_correct"),
        "score": _score(item, "score_hundredths"),
        "max_score": points(item.max_score_hundredths),
        "answer": document(item.answer_json),
        "comment": item.comment or None,
        "correct_answer": document(item.correct_json),
        "explanation": item.explanation or None,
    }
