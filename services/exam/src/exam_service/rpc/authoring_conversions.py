"""The border of authoring: protos ↔ what the use cases take and give. Nothing else reads these messages."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec
from examkit.errors import AppError, FieldError, invalid
from examkit.ids import parse_uuid, uuid7
from examprotos.exam.v1 import authoring_pb2, content_store_pb2, exams_pb2, questions_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from exam_service import errors, words
from exam_service.domain.bank import Outcome, PutItem
from exam_service.domain.exam import SETTING_NAMES, ExamSettings
from exam_service.domain.paper import Option, Paper, PaperQuestion
from exam_service.domain.question import MAX_MEDIA_BYTES, QuestionContent
from exam_service.repository.exams import ExamQuestionRow
from exam_service.repository.questions import QuestionRow
from exam_service.usecases.exam_views import ExamView
from exam_service.usecases.roster import Roster
from exam_service.usecases.window_warnings import WindowWarning
from exam_service.words import Vocabulary

_DEFAULTS = {field.name: field.default for field in fields(ExamSettings)}
_UNREADABLE = "?"
"""Stands for a value that the domain will refuse, with its place."""


# Settings.


def new_settings(message: exams_pb2.ExamSettings) -> ExamSettings:
    """Settings for a new exam. What the message can leave open takes the default; wrong values go on to the
    domain, which says where they are.
    """
    return ExamSettings(**{name: _setting(message, name) for name in SETTING_NAMES})


def changes(message: exams_pb2.ExamSettings, paths: Sequence[str]) -> dict[str, Any]:
    """The settings that a mask names; a named one that is unset is cleared. Raises invalid."""
    names: dict[str, None] = {}
    for path in paths:
        if path == "scoring":
            names |= {"multi_choice": None, "wrong_penalty": None}
            continue
        name = path.removeprefix("scoring.")
        nested = name in {"multi_choice", "wrong_penalty"}
        if name not in SETTING_NAMES or nested != path.startswith("scoring."):
            raise errors.invalid_fields([FieldError((path,), "is not a setting of an exam")])
        names[name] = None
    return {name: _setting(message, name) for name in names}


def _setting(message: exams_pb2.ExamSettings, name: str) -> Any:
    match name:
        case "start_time" | "end_time":
            return moment(getattr(message, name), name) if message.HasField(name) else None
        case "multi_choice":
            return _word(words.MULTI_CHOICE, message.scoring.multi_choice) or _DEFAULTS[name]
        case "result_policy":
            return _word(words.RESULT_POLICY, message.result_policy) or _DEFAULTS[name]
        case "reveal":
            return _word(words.REVEAL, message.reveal) or _DEFAULTS[name]
        case "wrong_penalty":
            return _decimal(message.scoring.wrong_penalty)
        case "max_attempts":
            return message.max_attempts or _DEFAULTS[name]
        case "title":
            return message.title.strip()
        case _:
            return getattr(message, name)


def _word(vocabulary: Vocabulary[Any], number: int) -> str:
    return vocabulary.word(number) if vocabulary.knows(number) else _UNREADABLE


def _decimal(text: str) -> Decimal:
    try:
        # Longer than any share of points needs to be; not a way to store megabytes of digits.
        return Decimal(text or "0") if len(text) <= 40 else Decimal("NaN")
    except InvalidOperation:
        return Decimal("NaN")


def moment(stamp: Timestamp, name: str) -> datetime:
    """A time in UTC. Raises invalid for one that no calendar has."""
    try:
        return stamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise errors.invalid_fields([FieldError((name,), "is not a time")]) from None


def _settings_message(settings: ExamSettings) -> exams_pb2.ExamSettings:
    message = exams_pb2.ExamSettings(
        title=settings.title,
        description=settings.description,
        instructions=settings.instructions,
        duration_minutes=settings.duration_minutes,
        grace_seconds=settings.grace_seconds,
        max_attempts=settings.max_attempts,
        shuffle_questions=settings.shuffle_questions,
        shuffle_options=settings.shuffle_options,
        scoring=exams_pb2.Scoring(
            multi_choice=words.MULTI_CHOICE.number(settings.multi_choice),
            wrong_penalty=f"{settings.wrong_penalty:f}",
        ),
        result_policy=words.RESULT_POLICY.number(settings.result_policy),
        reveal=words.REVEAL.number(settings.reveal),
        access_code=settings.access_code,
    )
    _stamp(message.start_time, settings.start_time)
    _stamp(message.end_time, settings.end_time)
    return message


# Exams.


def exam_message(view: ExamView) -> exams_pb2.Exam:
    exam = view.exam
    message = exams_pb2.Exam(
        id=str(exam.id),
        status=words.EXAM_STATUS.number(exam.status),
        settings=_settings_message(exam.settings),
        roster=exams_pb2.Roster(
            all=exam.roster_all,
            student_ids=[str(student_id) for student_id in view.student_ids],
            groups=exam.roster_groups,
        ),
        questions=[
            exams_pb2.ExamQuestion(
                question_id=str(question.question_id), points_hundredths=question.points_hundredths
            )
            for question in view.questions
        ],
        question_count=view.question_count,
        max_possible_hundredths=view.max_possible_hundredths,
        attempt_count=view.attempt_count,
    )
    _stamp(message.created_at, exam.created_at)
    _stamp(message.updated_at, exam.updated_at)
    _stamp(message.published_at, exam.published_at)
    _stamp(message.closed_at, exam.closed_at)
    return message


def warnings(found: Iterable[WindowWarning]) -> Iterator[exams_pb2.WindowWarning]:
    for one in found:
        yield exams_pb2.WindowWarning(
            student_id="" if one.student_id is None else str(one.student_id),
            needed_minutes=one.needed.total_seconds() / 60,
            available_minutes=one.available.total_seconds() / 60,
        )


def chosen_questions(messages: Sequence[exams_pb2.ExamQuestion]) -> list[ExamQuestionRow]:
    """Raises invalid for an id that is none."""
    return [
        ExamQuestionRow(
            _field_uuid(message.question_id, ("questions", place, "question_id")),
            message.points_hundredths if message.HasField("points_hundredths") else None,
        )
        for place, message in enumerate(messages)
    ]


def roster(message: exams_pb2.Roster) -> Roster:
    """Raises invalid for an id that is none."""
    student_ids = [
        _field_uuid(student_id, ("student_ids", place))
        for place, student_id in enumerate(message.student_ids)
    ]
    return Roster(message.all, frozenset(student_ids), tuple(message.groups))


def paper_message(paper: Paper) -> authoring_pb2.GetPaperResponse:
    return authoring_pb2.GetPaperResponse(
        questions=[_paper_question(question) for question in paper.questions]
    )


def _paper_question(question: PaperQuestion) -> exams_pb2.PaperQuestion:
    return exams_pb2.PaperQuestion(
        question_id=str(question.question_id),
        version_id=str(question.version_id),
        version=question.version,
        content=questions_pb2.QuestionContent(
            type=words.QUESTION_TYPE.number(question.type),
            text=question.text,
            options=[questions_pb2.Option(id=option.id, text=option.text) for option in question.options],
            points_hundredths=question.points_hundredths,
            category=question.category,
            tags=question.tags,
            external_id=question.external_id,
            media_json=question.media_json,
        ),
        points_hundredths=question.points_hundredths,
        order=question.order,
    )


# Questions.


def question_message(row: QuestionRow) -> questions_pb2.Question:
    content = row.content
    message = questions_pb2.Question(
        id=str(row.id),
        version=row.version,
        version_id=str(row.version_id),
        content=questions_pb2.QuestionContent(
            type=words.QUESTION_TYPE.number(content.type),
            text=content.text,
            options=[questions_pb2.Option(id=option.id, text=option.text) for option in content.options],
            points_hundredths=content.points_hundredths,
            category=content.category,
            tags=content.tags,
            external_id=content.external_id,
            media_json=b"" if content.media is None else msgspec.json.encode(content.media),
        ),
    )
    _stamp(message.created_at, row.created_at)
    _stamp(message.updated_at, row.updated_at)
    return message


def put_item(message: content_store_pb2.PutQuestion) -> PutItem | Outcome:
    """The item, or at once its refusal: one unreadable item doesn't cost the others."""
    try:
        return PutItem(
            version_id=_uuid(message.version_id, "version_id"),
            content=_content(message.content),
            question_id=_question_id(message.question_id),
            expected_version=message.expected_version,
            fallback_id=(
                _uuid(message.new_question_id, "new_question_id") if message.new_question_id else uuid7()
            ),
            must_be_new=bool(message.new_question_id) and not message.question_id,
        )
    except AppError as refusal:
        return Outcome("rejected", code=refusal.code, detail=refusal.detail)


def outcome_message(outcome: Outcome) -> content_store_pb2.PutQuestionOutcome:
    return content_store_pb2.PutQuestionOutcome(
        outcome=outcome.kind,
        question_id="" if outcome.question_id is None else str(outcome.question_id),
        version=outcome.version,
        code=outcome.code,
        detail=outcome.detail,
    )


def _content(message: questions_pb2.QuestionContent) -> QuestionContent:
    return QuestionContent(
        type=_word(words.QUESTION_TYPE, message.type),
        text=message.text,
        options=tuple(Option(option.id, option.text) for option in message.options),
        points_hundredths=message.points_hundredths,
        category=message.category.strip(),
        tags=tuple(dict.fromkeys(tag.strip() for tag in message.tags)),
        external_id=message.external_id.strip(),
        media=_media(message.media_json),
    )


def _media(document: bytes) -> list[Any] | None:
    if not document:
        return None
    if len(document) > MAX_MEDIA_BYTES:
        raise invalid(f"The media references must be at most {MAX_MEDIA_BYTES} bytes.")
    try:
        return msgspec.json.decode(document, type=list[Any]) or None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise invalid("The media must be a JSON array.") from None


def _question_id(text: str) -> UUID | None:
    return parse_uuid(text, "question") if text else None


def _uuid(text: str, name: str) -> UUID:
    try:
        return parse_uuid(text)
    except AppError:
        raise invalid(f"The {name} is not a UUID.") from None


def _field_uuid(text: str, place: tuple[str | int, ...]) -> UUID:
    try:
        return parse_uuid(text)
    except AppError:
        raise errors.invalid_fields([FieldError(place, "is not a UUID")]) from None


def _stamp(field: Timestamp, value: datetime | None) -> None:
    """Set a time, or leave the field unset."""
    if value is not None:
        field.FromDatetime(value)
