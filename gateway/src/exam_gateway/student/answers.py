"""Answers as they come in: read strictly, and one by one, so that a bad one costs no other."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from examkit.errors import AppError, FieldError, invalid, unsupported
from examprotos.exam.v1 import attempts_pb2
from starlette.types import Scope

from exam_gateway.guards import json_body

MAX_REVISION = 2**53 - 1
MAX_SAVED_AT_ONCE = 200
MAX_SUBMITTED = 1_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    question_id: str
    answer: msgspec.Raw
    revision: msgspec.Raw = msgspec.Raw(b"null")


class _One(msgspec.Struct, forbid_unknown_fields=True):
    student_exam_id: str
    question_id: str
    answer: msgspec.Raw
    revision: msgspec.Raw = msgspec.Raw(b"null")


class _Many(msgspec.Struct, forbid_unknown_fields=True):
    student_exam_id: str
    answers: list[_Answer]


class _Submit(msgspec.Struct, forbid_unknown_fields=True):
    student_exam_id: str | None = None
    answers: list[_Answer] | None = None


@dataclass(frozen=True)
class Refused:
    """An answer that never went to exam."""

    question_id: str
    detail: str
    code: str = "invalid"


@dataclass(frozen=True)
class Answers:
    student_exam_id: str
    good: Sequence[attempts_pb2.AnswerSave]
    refused: Sequence[Refused] = ()


def check_json(scope: Scope) -> None:
    """Raises unsupported for a body that claims to be something else."""
    if not json_body.is_json(scope):
        raise unsupported("The body must be application/json.")


def read_one(body: bytes) -> Answers:
    """The body of save-answer. Raises invalid."""
    one = _decode(body, _One)
    saved = _checked(_Answer(one.question_id, one.answer, one.revision))
    if isinstance(saved, Refused):
        raise invalid(saved.detail, FieldError(("body", _field(saved)), saved.detail))
    return Answers(_attempt_id(one.student_exam_id), [saved])


def read_many(body: bytes) -> Answers:
    """The body of save-answers. Raises invalid where it isn't of that shape at all."""
    many = _decode(body, _Many)
    return _sorted(_attempt_id(many.student_exam_id), many.answers, MAX_SAVED_AT_ONCE)


def read_submit(body: bytes, from_path: str | None) -> Answers:
    """The body of submit, of both forms: with the id in the path the body may be empty."""
    submit = _decode(body, _Submit) if body or from_path is None else _Submit()
    given = submit.student_exam_id
    if given is None and from_path is None:
        raise invalid(
            "student_exam_id is missing.", FieldError(("body", "student_exam_id"), "Field required")
        )
    if given is not None and from_path is not None and given.lower() != from_path.lower():
        message = "is another attempt than the one in the path"
        raise invalid("The body names another attempt.", FieldError(("body", "student_exam_id"), message))
    return _sorted(from_path or _attempt_id(given or ""), submit.answers or [], MAX_SUBMITTED)


def _sorted(student_exam_id: str, answers: Sequence[_Answer], most: int) -> Answers:
    if len(answers) > most:
        message = f"must have at most {most} items"
        raise invalid(f"At most {most} answers at once.", FieldError(("body", "answers"), message))
    checked = [_checked(answer) for answer in answers]
    return Answers(
        student_exam_id,
        [answer for answer in checked if not isinstance(answer, Refused)],
        [answer for answer in checked if isinstance(answer, Refused)],
    )


def _checked(answer: _Answer) -> attempts_pb2.AnswerSave | Refused:
    """What goes to exam, which judges the answer itself."""
    if not _UUID.fullmatch(answer.question_id):
        return Refused(answer.question_id[:64].replace("\0", ""), "question_id must be a UUID.")
    text = bytes(answer.answer)
    try:
        json_body.decode(text)
    except json.JSONDecodeError:
        return Refused(answer.question_id, "The answer holds what can't be stored, e.g. a NUL character.")
    save = attempts_pb2.AnswerSave(question_id=answer.question_id.lower(), answer_json=text)
    revision = _revision(bytes(answer.revision))
    if revision is not None:
        if not 0 <= revision <= MAX_REVISION:
            return Refused(answer.question_id, "revision must be a whole number from 0 to 2^53 - 1.")
        save.revision = revision
    return save


def _revision(text: bytes) -> int | None:
    """The number, None where there is none, -1 for what is no whole number. 3.0 is as whole as 3."""
    try:
        number = msgspec.json.decode(text, type=int | float | None)
    except msgspec.MsgspecError:
        return -1
    if isinstance(number, float):
        return int(number) if number.is_integer() else -1
    return number


def _field(refused: Refused) -> str:
    return (
        refused.detail.split(" ", 1)[0]
        if refused.detail.startswith(("question_id", "revision"))
        else "answer"
    )


def _attempt_id(text: str) -> str:
    if not _UUID.fullmatch(text):
        message = "must be a UUID"
        raise invalid("student_exam_id must be a UUID.", FieldError(("body", "student_exam_id"), message))
    return str(UUID(text))


def _decode(body: bytes, kind: type[Any]) -> Any:
    try:
        return _struct(body, kind)
    except msgspec.ValidationError as error:
        raise _located(str(error)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise invalid(f"The body is not valid JSON: {error}", FieldError(("body",), str(error))) from None
    except RecursionError:
        raise invalid("The body is nested too deeply.", FieldError(("body",), "too deeply nested")) from None


def _struct(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        return msgspec.json.decode(_without_surrogates(body, error), type=kind)


def _without_surrogates(body: bytes, error: msgspec.DecodeError) -> bytes:
    """Lone surrogates are valid JSON, and only the answer that holds one is to be refused: as NUL it is.

    Raises the error where they aren't what is wrong.
    """
    try:
        text = json.dumps(json.loads(body, parse_constant=_no_constant), ensure_ascii=False)
    except ValueError:
        raise error from None
    return _SURROGATE.sub(r"\\u0000", text).encode()


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _located(message: str) -> AppError:
    """msgspec says `Expected `str`, got `int` - at `$.answers[0].question_id``."""
    what, _, path = message.partition(" - at `$")
    loc: list[str | int] = ["body"]
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        loc.append(name or int(index))
    return invalid(f"{what}.", FieldError(tuple(loc), what))
