"""Between this service's own shapes and protobuf: the one place where they are converted."""

import contextlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from examkit.errors import FieldError, invalid
from examprotos.auth.v1 import user_admin_pb2
from examprotos.exam.v1 import questions_pb2
from examprotos.grading.v1 import keys_pb2
from examprotos.imports.v1 import imports_pb2

from import_service.domain.columns import read_header
from import_service.domain.media import media_faults
from import_service.domain.numbers import NotANumber, number_text, parse_number
from import_service.domain.question import (
    ChoiceKey,
    Key,
    ManualKey,
    NumericKey,
    Option,
    Question,
    QuestionType,
    ShortTextKey,
    TrueFalseKey,
)
from import_service.domain.refusal import Fault, RowFault, has_bad_characters, shown
from import_service.domain.student_rows import Student
from import_service.repository import FailedRow, Job

_TYPE_TO_WIRE = {
    one: questions_pb2.QuestionType.Value(f"QUESTION_TYPE_{one.value.upper()}") for one in QuestionType
}
_TYPE_FROM_WIRE = {number: one for one, number in _TYPE_TO_WIRE.items()}
MAX_ERRORS = 20
"""Of media, since errors travel in a trailer."""
SHOWN_CELL_CHARACTERS = 300
MAX_MEDIA_BYTES = 16 * 1024
"""As exam has it. What exam would refuse is refused here, before its key is stored."""


def content_to_wire(question: Question, media_json: bytes = b"") -> questions_pb2.QuestionContent:
    return questions_pb2.QuestionContent(
        type=_TYPE_TO_WIRE[question.type],
        text=question.text,
        options=[questions_pb2.Option(id=one.id, text=one.text) for one in question.options],
        points_hundredths=question.points_hundredths,
        category=question.category,
        tags=question.tags,
        external_id=question.external_id,
        media_json=media_json,
    )


def key_to_wire(version_id: UUID, question: Question) -> keys_pb2.VersionKey:
    wire = keys_pb2.AnswerKey(explanation=question.explanation)
    match question.key:
        case ChoiceKey(correct):
            wire.choice.correct.extend(correct)
        case TrueFalseKey(correct):
            wire.true_false.correct = correct
        case NumericKey(value, tolerance):
            wire.numeric.value = number_text(value)
            wire.numeric.tolerance = number_text(tolerance)
        case ShortTextKey(accepted, case_sensitive):
            wire.short_text.accepted.extend(accepted)
            wire.short_text.case_sensitive = case_sensitive
        case _:
            wire.manual.SetInParent()
    return keys_pb2.VersionKey(
        version_id=str(version_id),
        type=_TYPE_TO_WIRE[question.type],
        option_ids=[option.id for option in question.options],
        key=wire,
    )


def question_from_wire(content: questions_pb2.QuestionContent, key: keys_pb2.AnswerKey) -> Question:
    """A question as an editor sends it. Raises invalid for what has no meaning at all."""
    kind = _TYPE_FROM_WIRE.get(content.type)
    if kind is None:
        message = f"The type must be one of {', '.join(QuestionType)}."
        raise invalid("The question is not complete.", FieldError(("type",), message))
    return Question(
        type=kind,
        text=content.text.strip(),
        options=tuple(Option(one.id, one.text.strip()) for one in content.options),
        points_hundredths=content.points_hundredths,
        category=content.category.strip(),
        tags=tuple(dict.fromkeys(tag.strip() for tag in content.tags if tag.strip())),
        external_id=content.external_id.strip(),
        explanation=key.explanation,
        key=_key_from_wire(key),
    )


def media_from_wire(media_json: bytes) -> bytes:
    """A JSON array of references that pages may load, or nothing. Raises invalid."""
    if not media_json:
        return b""
    found = [Fault(("media",), "invalid", "Media must be a short JSON array.")]
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        media = msgspec.json.decode(media_json, type=list[Any])
        if len(media_json) <= MAX_MEDIA_BYTES and _is_storable(media):
            found = media_faults(media)
    if found:
        errors = [FieldError(fault.place, fault.message) for fault in found[:MAX_ERRORS]]
        raise invalid("The media are not valid.", *errors)
    return media_json


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return not has_bad_characters(value)
    if isinstance(value, dict):
        return all(_is_storable(part) for pair in value.items() for part in pair)
    return not isinstance(value, list) or all(map(_is_storable, value))


def _key_from_wire(key: keys_pb2.AnswerKey) -> Key:
    match key.WhichOneof("key"):
        case "choice":
            return ChoiceKey(tuple(dict.fromkeys(key.choice.correct)))
        case "true_false":
            return TrueFalseKey(key.true_false.correct)
        case "numeric":
            value = _decimal(key.numeric.value, "value")
            return NumericKey(value, _decimal(key.numeric.tolerance or "0", "tolerance"))
        case "short_text":
            accepted = tuple(dict.fromkeys(text.strip() for text in key.short_text.accepted if text.strip()))
            return ShortTextKey(accepted, key.short_text.case_sensitive)
        case _:
            return ManualKey()


def _decimal(text: str, field: str) -> Decimal:
    try:
        if "," in text:
            raise NotANumber("Write numbers with a decimal point.")
        return parse_number(text)
    except NotANumber as error:
        raise invalid("The question is not complete.", FieldError(("key", field), str(error))) from None


def student_to_wire(row: int, student: Student) -> user_admin_pb2.StudentRow:
    wire = user_admin_pb2.StudentRow(row=row, email=student.email, name=student.name, groups=student.groups)
    if student.password:
        wire.password = student.password
    return wire


def job_to_wire(job: Job, faults: list[tuple[int, RowFault]]) -> imports_pb2.Job:
    wire = imports_pb2.Job(
        id=str(job.id),
        kind=job.kind,
        filename=job.filename,
        dry_run=job.dry_run,
        on_error=job.on_error,
        status=job.status,
        total_rows=job.total_rows,
        processed_rows=job.processed_rows,
        imported=job.imported,
        updated=job.updated,
        skipped=job.skipped,
        errors=[_error_to_wire(row, fault) for row, fault in faults],
        error_count=job.error_count,
        failure_code=job.failure_code,
        failure_detail=job.failure_detail,
        created_by=str(job.created_by),
    )
    wire.created_at.FromDatetime(job.created_at)
    if job.finished_at is not None:
        wire.finished_at.FromDatetime(job.finished_at)
    return wire


def failed_rows_to_wire(job: Job, rows: Sequence[FailedRow]) -> list[imports_pb2.FailedRow]:
    """Rows with their cells by column, shortened: a page of them must fit into one message."""
    if not rows:
        return []
    layout = read_header(job.kind, job.header)
    return [
        imports_pb2.FailedRow(
            row=one.row,
            cells=[
                imports_pb2.Cell(column=name, text=shown(text, SHOWN_CELL_CHARACTERS))
                for name, text in layout.fields(one.cells).items()
                if text
            ],
            errors=[_error_to_wire(one.row, fault) for fault in one.faults],
        )
        for one in rows
    ]


def _error_to_wire(row: int, fault: RowFault) -> imports_pb2.RowError:
    return imports_pb2.RowError(row=row, column=fault.column, code=fault.code, message=fault.message)
