"""Results, marks and the marking queue as staff see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from examprotos.exam.v1 import invigilation_pb2
from examprotos.grading.v1 import marking_pb2
from pydantic import AwareDatetime, Field, Strict

from exam_gateway.shapes import WHOLE, AnswerOut, Id, In, Out, Score
from exam_gateway.staff.names import NOBODY, Person
from exam_gateway.wire import document, hundredths, id_or_none, moment, optional, points, when

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
    order: int = Field(description="The question's place in the paper.")
    version: int = Field(description="Of the mark: `expected_version` of the next one.")
    claimed_by: UUID | None
    claimed_by_name: str | None
    claimed_until: AwareDatetime | None


class WaitingQuestion(Out):
    exam_id: UUID
    question_id: UUID
    order: int
    waiting: int


class Queue(Out):
    items: list[QueueItem]
    next_cursor: str | None
    total: int = Field(description="All that wait, of this exam and question.")
    questions: list[WaitingQuestion] = Field(description="The same by question.")


GroupBy = Literal["student", "question"]


class NextAnswers(In):
    exam_id: Id | None = None
    question_id: Id | None = None
    group_by: GroupBy = "student"
    limit: Annotated[int, Strict(), Field(ge=1, le=50, examples=[10]), WHOLE] = 1


class Claim(Out):
    claimed_by: UUID
    claimed_until: AwareDatetime


class Criterion(In):
    name: Annotated[str, Field(min_length=1, max_length=300, examples=["Names the law"])]
    points: Score


class Mark(In):
    score: Score = Field(examples=[1.5])
    comment: Annotated[str, Field(max_length=10_000, examples=["Well argued."])] = ""
    criteria: Annotated[list[Criterion], Field(max_length=50)] = Field(
        default=[],
        description="The lines of a rubric that were chosen: their points add up to the score. Students "
        "don't see them.",
    )
    expected_version: Annotated[int, Strict(), Field(ge=0, le=2**31 - 1), WHOLE] | None = Field(
        default=None, description="Of the mark that was seen: 409 `stale_version` where it is another by now."
    )


class OneMark(Mark):
    student_exam_id: Id
    question_id: Id


class Marks(In):
    marks: Annotated[list[OneMark], Field(min_length=1, max_length=200)]


class MarkedOne(Out):
    student_exam_id: UUID
    question_id: UUID
    version: int


class CurrentMark(Out):
    version: int
    score: float | None
    comment: str
    marked_by: UUID | None


class RefusedMark(Out):
    student_exam_id: UUID
    question_id: UUID
    code: str = Field(examples=["stale_version"])
    detail: str
    current: CurrentMark | None = Field(description="For `stale_version`: the mark that stands.")


class MarkedMany(Out):
    marked: list[MarkedOne]
    rejected: list[RefusedMark]


class CriterionOut(Out):
    name: str
    points: float


class FullResultItem(Out):
    question_id: UUID
    status: Literal["graded", "pending", "excluded"]
    is_correct: bool | None
    score: float | None
    max_score: float
    answer: AnswerOut = Field(description="In the authored letters.")
    comment: str | None
    marked_by: UUID | None
    version: int = Field(description="Of the mark.")
    criteria: list[CriterionOut]


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


def queue(found: marking_pb2.ListQueueResponse, names: Mapping[str, Person], *, anonymous: bool) -> Queue:
    """`anonymous`: whose answers they are is not told, who is marking them is."""
    students = {} if anonymous else names
    return Queue(
        items=[_queue_item(item, students.get(item.student_id, NOBODY), names) for item in found.items],
        next_cursor=found.next_cursor or None,
        total=found.total,
        questions=[
            WaitingQuestion(
                exam_id=UUID(one.exam_id),
                question_id=UUID(one.question_id),
                order=one.order,
                waiting=one.waiting,
            )
            for one in found.questions
        ],
    )


def _queue_item(item: marking_pb2.QueueItem, person: Person, names: Mapping[str, Person]) -> QueueItem:
    return QueueItem(
        **_student(item.student_id, person),
        student_exam_id=UUID(item.student_exam_id),
        exam_id=UUID(item.exam_id),
        question_id=UUID(item.question_id),
        answer=document(item.answer_json),
        max_score=points(item.max_score_hundredths),
        submitted_at=when(item.submitted_at),
        explanation=item.explanation or None,
        order=item.order,
        version=item.version,
        claimed_by=id_or_none(item.claim.marker_id),
        claimed_by_name=names.get(item.claim.marker_id, NOBODY).name,
        claimed_until=moment(item.claim, "until"),
    )


def claim(found: marking_pb2.Claim) -> Claim:
    return Claim(claimed_by=UUID(found.marker_id), claimed_until=when(found.until))


def mark_request(student_exam_id: UUID, question_id: UUID, body: Mark) -> marking_pb2.PutMarkRequest:
    return marking_pb2.PutMarkRequest(
        student_exam_id=str(student_exam_id),
        question_id=str(question_id),
        score_hundredths=hundredths(body.score),
        comment=body.comment,
        criteria=[
            marking_pb2.Criterion(name=one.name, points_hundredths=hundredths(one.points))
            for one in body.criteria
        ],
        expected_version=body.expected_version,
    )


def marked_many(asked: Sequence[OneMark], found: marking_pb2.PutMarksResponse) -> MarkedMany:
    both = list(zip(asked, found.verdicts, strict=True))
    return MarkedMany(
        marked=[
            MarkedOne(
                student_exam_id=one.student_exam_id, question_id=one.question_id, version=verdict.version
            )
            for one, verdict in both
            if verdict.HasField("version")
        ],
        rejected=[_refused(one, verdict) for one, verdict in both if not verdict.HasField("version")],
    )


def _refused(one: OneMark, verdict: marking_pb2.MarkVerdict) -> RefusedMark:
    extra = document(verdict.extra_json) or {}
    current = extra.get("current")
    return RefusedMark(
        student_exam_id=one.student_exam_id,
        question_id=one.question_id,
        code=verdict.code,
        detail=verdict.detail,
        current=CurrentMark(**current) if current else None,
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
        version=item.version,
        criteria=[CriterionOut(name=one.name, points=points(one.points_hundredths)) for one in item.criteria],
    )


def _student(student_id: str, person: Person) -> dict[str, Any]:
    return {"student_id": UUID(student_id), "student_name": person.name, "student_email": person.email}


def _status(text: str) -> Any:
    return text
