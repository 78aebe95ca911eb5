"""Results, marks and the marking queue as staff see them."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from examprotos.exam.v1 import invigilation_pb2
from examprotos.grading.v1 import marking_pb2
from pydantic import AwareDatetime, Field

from exam_gateway.shapes import AnswerOut, In, Out, Score
from exam_gateway.staff.names import NOBODY, Person
from exam_gateway.wire import document, id_or_none, moment, optional, points, when

AttemptStatus = Literal["in_progress", "paused", "submitted", "expired", "void"]


class Student(Out):
    student_id: UUID
    student_name: str | None = Field(description="null while the service that knows names is away.")
    student_email: str | None


class QueueItem(Student):
    student_exam_id: UUID
    exam_id: UUID
    question_id: UUID
    answer: AnswerOut
    max_score: float
    submitted_at: AwareDatetime
    explanation: str | None = Field(description="The author's guidance for markers.")


class Queue(Out):
    items: list[QueueItem]
    next_cursor: str | None
    total: int = Field(description="All that wait.")


class Mark(In):
    score: Score = Field(examples=[1.5])
    comment: Annotated[str, Field(max_length=10_000, examples=["Well argued."])] = ""


class FullResultItem(Out):
    question_id: UUID
    status: Literal["graded", "pending", "excluded"]
    is_correct: bool | None
    score: float | None
    max_score: float
    answer: AnswerOut = Field(description="In the authored letters.")
    comment: str | None
    marked_by: UUID | None


class Result(Student):
    student_exam_id: UUID
    exam_id: UUID
    attempt_no: int
    status: AttemptStatus
    started_at: AwareDatetime | None
    submitted_at: AwareDatetime | None
    total_score: float | None = Field(description="null before there is a grade.")
    max_possible: float | None
    percentage: float | None
    graded_count: int
    pending_count: int
    grading: Literal["complete", "pending"] | None = Field(description="null while the attempt is open.")
    graded_at: AwareDatetime | None


class FullResult(Result):
    results: list[FullResultItem]


class Results(Out):
    items: list[Result]
    next_cursor: str | None


class Released(Out):
    released_at: AwareDatetime


def queue_item(item: marking_pb2.QueueItem, person: Person) -> QueueItem:
    return QueueItem(
        **_student(item.student_id, person),
        student_exam_id=UUID(item.student_exam_id),
        exam_id=UUID(item.exam_id),
        question_id=UUID(item.question_id),
        answer=document(item.answer_json),
        max_score=points(item.max_score_hundredths),
        submitted_at=when(item.submitted_at),
        explanation=item.explanation or None,
    )


def result(
    attempt: invigilation_pb2.AttemptSummary, grade: marking_pb2.FullResult | None, person: Person
) -> Result:
    return Result(**_joined(attempt, grade, person))


def full_result(
    attempt: invigilation_pb2.AttemptSummary, grade: marking_pb2.FullResult | None, person: Person
) -> FullResult:
    return FullResult(**_joined(attempt, grade, person), results=_items(grade) if grade else [])


def marked(grade: marking_pb2.FullResult, person: Person = NOBODY) -> FullResult:
    """A result right after a mark, as grading alone knows it."""
    return FullResult(
        **_student(grade.student_id, person),
        student_exam_id=UUID(grade.student_exam_id),
        exam_id=UUID(grade.exam_id),
        attempt_no=grade.attempt_no,
        status=_status(grade.status),
        started_at=moment(grade, "started_at"),
        submitted_at=moment(grade, "submitted_at"),
        **_grade(grade),
        results=_items(grade),
    )


def _joined(
    attempt: invigilation_pb2.AttemptSummary, grade: marking_pb2.FullResult | None, person: Person
) -> dict[str, Any]:
    closed = attempt.status in {"submitted", "expired"}
    nothing = {
        "total_score": None,
        "max_possible": None,
        "percentage": None,
        "graded_count": 0,
        "pending_count": attempt.question_count if closed else 0,
        "grading": "pending" if closed else None,
        "graded_at": None,
    }
    return {
        **_student(attempt.student_id, person),
        "student_exam_id": UUID(attempt.student_exam_id),
        "exam_id": UUID(attempt.exam_id),
        "attempt_no": attempt.attempt_no,
        "status": _status(attempt.status),
        "started_at": moment(attempt, "started_at"),
        "submitted_at": moment(attempt, "closed_at"),
        **(_grade(grade) if grade else nothing),
    }


def _grade(grade: marking_pb2.FullResult) -> dict[str, Any]:
    return {
        "total_score": points(grade.total_score_hundredths),
        "max_possible": points(grade.max_possible_hundredths),
        "percentage": points(grade.percentage_hundredths),
        "graded_count": grade.graded_count,
        "pending_count": grade.pending_count,
        "grading": grade.grading,
        "graded_at": moment(grade, "graded_at"),
    }


def _items(grade: marking_pb2.FullResult) -> list[FullResultItem]:
    return [_item(item) for item in grade.items]


def _item(item: marking_pb2.FullResultItem) -> FullResultItem:
    score = optional(item, "score_hundredths")
    status: Any = item.status
    return FullResultItem(
        question_id=UUID(item.question_id),
        status=status,
        is_correct=optional(item, "is_correct"),
        score=None if score is None else points(score),
        max_score=points(item.max_score_hundredths),
        answer=document(item.answer_json),
        comment=item.comment or None,
        marked_by=id_or_none(item.marked_by),
    )


def _student(student_id: str, person: Person) -> dict[str, Any]:
    return {"student_id": UUID(student_id), "student_name": person.name, "student_email": person.email}


def _status(text: str) -> Any:
    return text
