"""Between protobuf and the domain: the one place where they meet."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, assert_never
from uuid import UUID

import msgspec
from examkit.errors import AppError, FieldError, invalid
from examprotos.exam.v1 import events_pb2, exams_pb2, questions_pb2
from examprotos.grading.v1 import keys_pb2, marking_pb2, results_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from grading_service.domain.key import (
    ChoiceKey,
    Key,
    ManualKey,
    NumericKey,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
    decimal_of,
)
from grading_service.domain.marking import Criterion
from grading_service.domain.release import ExamPolicy, Reveal
from grading_service.domain.scoring import Policy
from grading_service.domain.student_view import GradedItem
from grading_service.repository.claims import Claim
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.keys import StoredKey
from grading_service.repository.papers import PaperQuestion
from grading_service.repository.queue import WaitingQuestion
from grading_service.usecases.grade_attempts import ClosedAttempt
from grading_service.usecases.marking_queue import Queued
from grading_service.usecases.student_results import VisibleResult

_SCORING = {
    exams_pb2.MULTI_CHOICE_SCORING_ALL_OR_NOTHING: "all_or_nothing",
    exams_pb2.MULTI_CHOICE_SCORING_PARTIAL: "partial",
}
_RESULT_POLICIES = {
    exams_pb2.RESULT_POLICY_IMMEDIATE: "immediate",
    exams_pb2.RESULT_POLICY_AFTER_CLOSE: "after_close",
    exams_pb2.RESULT_POLICY_MANUAL: "manual",
}


def uuid_of(text: str, field: str) -> UUID:
    """Raises: invalid."""
    try:
        return UUID(text)
    except ValueError:
        raise invalid(f"{field} is not a UUID.", FieldError((field,), "Give a UUID.")) from None


def moment_of(message: Any, field: str) -> datetime | None:
    if not message.HasField(field):
        return None
    moment: datetime = getattr(message, field).ToDatetime(tzinfo=UTC)
    return moment


def _needed(message: Any, field: str) -> datetime:
    moment = moment_of(message, field)
    if moment is None:
        raise invalid(f"{field} is missing.")
    return moment


def stamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def type_of(value: int) -> QuestionType:
    """Raises: invalid."""
    name = questions_pb2.QuestionType.Name(value) if value in questions_pb2.QuestionType.values() else ""  # type: ignore[arg-type]
    try:
        return QuestionType(name.removeprefix("QUESTION_TYPE_").lower())
    except ValueError:
        raise invalid("The question's type is missing or unknown.") from None


def stored_key(message: keys_pb2.VersionKey) -> StoredKey:
    """Raises: invalid."""
    return StoredKey(
        version_id=uuid_of(message.version_id, "version_id"),
        type=type_of(message.type),
        option_ids=tuple(message.option_ids),
        key=key_of(message.key),
        explanation=message.key.explanation,
    )


def key_of(message: keys_pb2.AnswerKey) -> Key:
    """Raises: invalid."""
    match message.WhichOneof("key"):
        case "choice":
            return ChoiceKey(frozenset(message.choice.correct))
        case "true_false":
            return TrueFalseKey(message.true_false.correct)
        case "numeric":
            return _numeric(message.numeric)
        case "short_text":
            return ShortTextKey(tuple(message.short_text.accepted), message.short_text.case_sensitive)
        case "manual":
            return ManualKey()
        case _:
            raise invalid("The key is missing.", FieldError(("key",), "Give a key of the question's type."))


def _numeric(message: keys_pb2.NumericKey) -> NumericKey:
    value, tolerance = decimal_of(message.value), decimal_of(message.tolerance or "0")
    if value is None or tolerance is None:
        raise invalid("The numeric key is not a number.", FieldError(("key", "value"), "Give a number."))
    return NumericKey(value, tolerance)


def version_key(stored: StoredKey) -> keys_pb2.VersionKey:
    return keys_pb2.VersionKey(
        version_id=str(stored.version_id),
        type=questions_pb2.QuestionType.Value(f"QUESTION_TYPE_{stored.type.value.upper()}"),
        option_ids=stored.option_ids,
        key=answer_key(stored.key, stored.explanation),
    )


def answer_key(key: Key, explanation: str) -> keys_pb2.AnswerKey:
    message = keys_pb2.AnswerKey(explanation=explanation)
    match key:
        case ChoiceKey(correct):
            message.choice.correct.extend(sorted(correct))
        case TrueFalseKey(correct):
            message.true_false.correct = correct
        case NumericKey(value, tolerance):
            message.numeric.value, message.numeric.tolerance = str(value), str(tolerance)
        case ShortTextKey(accepted, case_sensitive):
            message.short_text.accepted.extend(accepted)
            message.short_text.case_sensitive = case_sensitive
        case ManualKey():
            message.manual.SetInParent()
        case _:
            assert_never(key)
    return message


def scoring_policy(message: exams_pb2.Scoring) -> Policy:
    """Raises: invalid."""
    penalty = decimal_of(message.wrong_penalty or "0")
    if penalty is None or not 0 <= penalty <= 1:
        raise invalid("wrong_penalty must be a number from 0 to 1.")
    return Policy(_SCORING.get(message.multi_choice, "all_or_nothing"), penalty.quantize(Decimal("0.0001")))


def paper_question(message: keys_pb2.FrozenQuestion) -> PaperQuestion:
    """Raises: invalid."""
    return PaperQuestion(
        question_id=uuid_of(message.question_id, "question_id"),
        version_id=uuid_of(message.version_id, "version_id"),
        type=type_of(message.type),
        option_ids=tuple(message.option_ids),
        points=message.points_hundredths,
        position=message.order,
    )


def exam_policy(message: keys_pb2.FreezePaperRequest | events_pb2.ExamChanged) -> ExamPolicy:
    """What an exam's freezing, or a change of it, says about showing results."""
    closed = isinstance(message, events_pb2.ExamChanged) and message.status == exams_pb2.EXAM_STATUS_CLOSED
    reveal = exams_pb2.Reveal.Name(message.reveal).removeprefix("REVEAL_").lower()
    return ExamPolicy(
        title=message.title,
        # What is not said is withheld rather than shown.
        result_policy=_RESULT_POLICIES.get(message.result_policy, "manual"),
        reveal=Reveal.SCORE if reveal == "unspecified" else Reveal(reveal),
        closed=closed,
        end_time=moment_of(message, "end_time"),
        last_possible_end=moment_of(message, "last_possible_end"),
        released_at=None,
    )


def _answers(closed: events_pb2.ClosedAnswer) -> tuple[Any, Any]:
    """In the authored letters, and as the student saw it."""
    authored = msgspec.json.decode(closed.answer_json)
    return authored, msgspec.json.decode(closed.shown_json) if closed.shown_json else authored


def closed_attempt(message: events_pb2.AttemptClosed, traceparent: str | None = None) -> ClosedAttempt:
    """Raises: invalid; msgspec.DecodeError for an answer that is no JSON."""
    return ClosedAttempt(
        student_id=uuid_of(message.student_id, "student_id"),
        student_exam_id=uuid_of(message.student_exam_id, "student_exam_id"),
        exam_id=uuid_of(message.exam_id, "exam_id"),
        attempt_no=message.attempt_no,
        attempt_version=message.attempt_version,
        status=message.status,
        started_at=_needed(message, "started_at"),
        closed_at=_needed(message, "closed_at"),
        answers={one.question_id: _answers(one) for one in message.answers},
        letterings={one.question_id: tuple(one.authored_ids) for one in message.letterings},
        traceparent=traceparent,
    )


def queue(
    page: Sequence[Queued], waiting: Sequence[WaitingQuestion], cursor: str
) -> marking_pb2.ListQueueResponse:
    return marking_pb2.ListQueueResponse(
        items=[_queue_item(one) for one in page],
        next_cursor=cursor,
        total=sum(one.waiting for one in waiting),
        questions=[
            marking_pb2.WaitingQuestion(
                exam_id=str(one.exam_id),
                question_id=str(one.question_id),
                order=one.position,
                waiting=one.waiting,
            )
            for one in waiting
        ],
    )


def _queue_item(queued: Queued) -> marking_pb2.QueueItem:
    answer = queued.answer
    return marking_pb2.QueueItem(
        student_exam_id=str(answer.student_exam_id),
        student_id=str(answer.student_id),
        exam_id=str(answer.exam_id),
        question_id=str(answer.question_id),
        answer_json=answer_json(answer.answer),
        max_score_hundredths=answer.max_score,
        submitted_at=stamp(answer.closed_at),
        explanation=queued.guidance,
        order=answer.position,
        version=answer.mark_version,
        claim=None if answer.claim is None else claim(answer.claim),
    )


def claim(held: Claim) -> marking_pb2.Claim:
    return marking_pb2.Claim(marker_id=str(held.marker_id), until=stamp(held.until))


def criteria_of(messages: Iterable[marking_pb2.Criterion]) -> list[Criterion]:
    return [Criterion(one.name, one.points_hundredths) for one in messages]


def refused_mark(error: AppError) -> marking_pb2.MarkVerdict:
    detail = " ".join(dict.fromkeys(fault.msg for fault in error.errors)) or error.detail
    extra = msgspec.json.encode(error.extra) if error.extra else b""
    return marking_pb2.MarkVerdict(code=error.code, detail=detail, extra_json=extra)


def full_result(grade: GradedAttempt, items: Sequence[GradedItem]) -> marking_pb2.FullResult:
    return marking_pb2.FullResult(
        student_exam_id=str(grade.student_exam_id),
        student_id=str(grade.student_id),
        exam_id=str(grade.exam_id),
        attempt_no=grade.attempt_no,
        status=grade.status,
        started_at=stamp(grade.started_at),
        submitted_at=stamp(grade.closed_at),
        total_score_hundredths=grade.totals.total,
        max_possible_hundredths=grade.totals.max_possible,
        percentage_hundredths=grade.totals.percentage,
        graded_count=grade.totals.graded_count,
        pending_count=grade.totals.pending_count,
        grading=grading_of(grade),
        graded_at=stamp(grade.graded_at),
        items=[_full_item(item) for item in items],
    )


def _full_item(item: GradedItem) -> marking_pb2.FullResultItem:
    return marking_pb2.FullResultItem(
        question_id=item.question_id,
        status=item.mark.status,
        is_correct=item.mark.is_correct,
        score_hundredths=item.mark.score,
        max_score_hundredths=item.max_score,
        answer_json=answer_json(item.answer),
        comment=item.comment,
        marked_by=item.marked_by or "",
        version=item.mark_version,
        criteria=[
            marking_pb2.Criterion(name=one["name"], points_hundredths=one["points"]) for one in item.criteria
        ],
    )


def grading_of(grade: GradedAttempt) -> str:
    return "pending" if grade.totals.pending_count else "complete"


def answer_json(answer: Any) -> bytes:
    return b"" if answer is None else msgspec.json.encode(answer)


def student_result(result: VisibleResult) -> results_pb2.StudentResult:
    """What is withheld stays unset."""
    grade, shown = result.grade, result.reveal is not None
    return results_pb2.StudentResult(
        student_exam_id=str(grade.student_exam_id),
        exam_id=str(grade.exam_id),
        exam_title=result.exam.title,
        attempt_no=grade.attempt_no,
        status=grade.status,
        submitted_at=stamp(grade.closed_at),
        released=shown,
        total_score_hundredths=grade.totals.total if shown else None,
        max_possible_hundredths=grade.totals.max_possible,
        percentage_hundredths=grade.totals.percentage if shown else None,
        graded_count=grade.totals.graded_count,
        pending_count=grade.totals.pending_count,
        grading=grading_of(grade),
        items=[_student_item(item) for item in result.items],
        changes=[_score_change(change) for change in result.changes],
    )


def _score_change(change: Mapping[str, Any]) -> results_pb2.ScoreChange:
    return results_pb2.ScoreChange(
        question_id=change["question_id"] or "",
        policy=change["policy"],
        reason=change["reason"],
        at=stamp(datetime.fromisoformat(change["at"])),
        score_before_hundredths=change["score_before"],
        score_after_hundredths=change["score_after"],
    )


def _student_item(item: dict[str, Any]) -> Any:
    """The fields of a StudentResultItem: made as a message it would be copied, by way of its bytes."""
    return {
        "question_id": item["question_id"],
        "status": item["status"],
        "is_correct": item["is_correct"],
        "score_hundredths": item["score"],
        "max_score_hundredths": item["max_score"],
        "answer_json": answer_json(item["answer"]),
        "comment": item["comment"],
        "correct_json": answer_json(item.get("correct")),
        "explanation": item.get("explanation", ""),
    }
