"""The border of attempts: protos ↔ what the use cases take and give. Nothing else reads these messages."""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from examkit.errors import AppError, unavailable
from examprotos.exam.v1 import attempts_pb2 as pb

from exam_service import words
from exam_service.attempt_errors import AttemptHeld
from exam_service.domain.answer import canonical
from exam_service.domain.attempt import Attempt, Status
from exam_service.domain.integrity import ReportedEvent
from exam_service.domain.paper import Paper
from exam_service.domain.saving import AttemptClock, SaveResult, StoredAnswer, Verdict
from exam_service.domain.shuffle import ShownQuestion, shown
from exam_service.repository.exams import ExamRow
from exam_service.timestamps import timestamp_fields, to_moment, to_timestamp
from exam_service.usecases.judging import SentAnswer
from exam_service.usecases.list_exams import Listed
from exam_service.usecases.save import SaveRequest
from exam_service.usecases.start import Sitting
from exam_service.usecases.submit import Submitted

MAX_CURRENT_BYTES = 24 * 1024 * 1024
"""Of stored answers that one batch of saves is told; gRPC takes 32 MiB. One student can't fail others."""

Fields = dict[str, Any]
"""Those of a message that goes into another: made as a message it would be copied, by way of its bytes."""

_MY_STATUS = {
    None: pb.MY_STATUS_NOT_STARTED,
    Status.IN_PROGRESS: pb.MY_STATUS_IN_PROGRESS,
    Status.SUBMITTED: pb.MY_STATUS_SUBMITTED,
    Status.EXPIRED: pb.MY_STATUS_EXPIRED,
    Status.PAUSED: pb.MY_STATUS_PAUSED,
    Status.VOID: pb.MY_STATUS_VOID,
}


def arrived(elapsed_ms: int) -> float:
    """When the gateway received a request that came here just now, on `time.monotonic()`."""
    return time.monotonic() - max(elapsed_ms, 0) / 1000


def save_request(message: pb.AttemptSave) -> SaveRequest:
    return SaveRequest(
        message.token, message.student_exam_id, sent_answers(message.answers), arrived(message.elapsed_ms)
    )


def sent_answers(messages: Iterable[pb.AnswerSave]) -> list[SentAnswer]:
    return [
        SentAnswer(
            message.question_id,
            message.answer_json,
            message.revision if message.HasField("revision") else None,
        )
        for message in messages
    ]


def reported_event(message: pb.IntegrityEvent) -> ReportedEvent:
    at = None
    if message.HasField("at"):
        try:
            at = to_moment(message.at)
        except ValueError:
            at = None
    return ReportedEvent(message.kind, at, message.detail_json)


def save_results(results: Iterable[SaveResult], room: int = MAX_CURRENT_BYTES) -> pb.SaveBatchResponse:
    """What no longer fits into the message, `room` bytes of stored answers, is asked to come again."""
    fields: Any = []
    for result in results:
        told = _save_result(result)
        size = sum(
            len(verdict["current"].answer_json) for verdict in told["verdicts"] if "current" in verdict
        )
        if size > room:
            told = {"fault": _fault(unavailable("Too much to tell at once, try again.", retry_after=1.0))}
        else:
            room -= size
        fields.append(told)
    return pb.SaveBatchResponse(results=fields)


def _save_result(result: SaveResult) -> Fields:
    fields: Fields = {"verdicts": [verdict(each) for each in result.verdicts]}
    if result.fault is not None:
        fields["fault"] = _fault(result.fault)
        fields["set_aside"] = isinstance(result.fault, AttemptHeld)
    if result.clock is not None:
        fields["clock"] = _save_clock(result.clock)
    return fields


def verdict(given: Verdict) -> Any:
    """The fields of an AnswerVerdict."""
    fields: Fields = {
        "question_id": given.question_id,
        "outcome": given.outcome,
        "revision": given.revision,
    }
    if given.saved_at is not None:
        fields["saved_at"] = timestamp_fields(given.saved_at)
    if given.current is not None:
        fields["current"] = _saved_answer(given.current)
    if given.code:
        fields |= {"code": given.code, "detail": given.detail, "field": given.field}
    return fields


def _save_clock(clock: AttemptClock) -> Fields:
    """Those of a Clock. The reason is told with the attempt: it is longer than all the rest."""
    return {
        "deadline": timestamp_fields(clock.deadline),
        "deadline_version": clock.deadline_version,
        "server_time": timestamp_fields(clock.server_time),
        "time_remaining_seconds": clock.remaining_seconds,
    }


def sitting(given: Sitting) -> pb.Attempt:
    attempt, settings = given.attempt, given.exam.settings
    questions = shown(
        given.paper,
        attempt.seed,
        shuffle_questions=settings.shuffle_questions,
        shuffle_options=settings.shuffle_options,
    )
    return pb.Attempt(
        student_exam_id=str(attempt.id),
        exam=_attempt_exam(given.exam, given.paper),
        questions=[_question(question) for question in questions],
        started_at=to_timestamp(attempt.started_at),
        clock=_clock(_clock_of(attempt, given.server_time)),
        grace_seconds=attempt.grace_seconds,
        saved_answers=[_saved_answer(answer) for answer in given.answers],
        attempt_no=attempt.attempt_no,
    )


def submitted(given: Submitted) -> pb.SubmitResponse:
    attempt = given.attempt
    return pb.SubmitResponse(
        student_exam_id=str(attempt.id),
        exam_id=str(attempt.exam_id),
        status=attempt.status.value,
        submitted_at=to_timestamp(given.submitted_at),
        attempt_version=attempt.version,
        rejected=[verdict(each) for each in given.rejected],
        receipt=pb.Receipt(
            answers_digest=attempt.answers_digest or "", answer_count=attempt.answer_count or 0
        ),
        max_possible_hundredths=given.paper.max_possible_hundredths,
        question_count=given.paper.question_count,
        attempt_no=attempt.attempt_no,
    )


def closed_paper(questions: Sequence[ShownQuestion]) -> pb.ClosedPaper:
    return pb.ClosedPaper(questions=[_question(question) for question in questions])


def my_exams(page: Sequence[Listed], next_cursor: str) -> pb.ListMyExamsResponse:
    return pb.ListMyExamsResponse(items=[_my_exam(listed) for listed in page], next_cursor=next_cursor)


def _my_exam(listed: Listed) -> pb.MyExam:
    exam = listed.exam
    return pb.MyExam(
        id=str(exam.id),
        title=exam.title,
        description=exam.description,
        duration_minutes=exam.timing.duration_minutes,
        start_time=to_timestamp(listed.window.start),
        end_time=to_timestamp(listed.window.end),
        phase=listed.phase,
        question_count=exam.question_count,
        max_possible_hundredths=exam.max_possible_hundredths,
        max_attempts=listed.max_attempts,
        attempts_used=exam.attempts_used,
        my_status=_MY_STATUS[listed.status],
        student_exam_id="" if exam.latest_id is None else str(exam.latest_id),
        time_remaining_seconds=listed.remaining_seconds,
        access_code_needed=exam.access_code_needed,
    )


def _attempt_exam(exam: ExamRow, paper: Paper) -> pb.AttemptExam:
    return pb.AttemptExam(
        id=str(exam.id),
        title=exam.settings.title,
        instructions=exam.settings.instructions,
        duration_minutes=exam.settings.duration_minutes,
        question_count=paper.question_count,
        max_possible_hundredths=paper.max_possible_hundredths,
    )


def _question(given: ShownQuestion) -> Any:
    """The fields of an AttemptQuestion."""
    question = given.question
    return {
        "id": str(question.question_id),
        "type": words.QUESTION_TYPE.number(question.type),
        "text": question.text,
        "options": [{"id": option.id, "text": option.text} for option in given.options],
        "points_hundredths": question.points_hundredths,
        "order": given.order,
        "media_json": question.media_json,
    }


def _saved_answer(answer: StoredAnswer) -> pb.SavedAnswer:
    return pb.SavedAnswer(
        question_id=str(answer.question_id),
        answer_json=canonical(answer.answer),
        revision=answer.revision,
        saved_at=to_timestamp(answer.saved_at),
    )


def _clock_of(attempt: Attempt, server_time: datetime) -> AttemptClock:
    return AttemptClock(attempt.deadline, attempt.deadline_version, attempt.deadline_reason, server_time)


def _clock(clock: AttemptClock) -> pb.Clock:
    return pb.Clock(
        deadline=to_timestamp(clock.deadline),
        deadline_version=clock.deadline_version,
        server_time=to_timestamp(clock.server_time),
        time_remaining_seconds=clock.remaining_seconds,
        deadline_reason=clock.deadline_reason,
    )


def _fault(error: AppError) -> pb.Fault:
    return pb.Fault(
        kind=error.kind.name,
        code=error.code,
        detail=error.detail,
        retry_after_seconds=error.retry_after or 0.0,
    )
