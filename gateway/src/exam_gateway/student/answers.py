"""Answers as they come in: read strictly, and one by one, so that a bad one costs no other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Concatenate, ParamSpec

import msgspec
from examkit.errors import AppError, FieldError, invalid, unsupported
from starlette.types import Scope

from exam_gateway.guards import json_body
from exam_gateway.guards.body import LARGE
from exam_gateway.student.surrogates import without_surrogates

MAX_REVISION = 2**53 - 1
MAX_QUOTED = 200
MAX_SAVED_AT_ONCE = 200
MAX_SUBMITTED = 1_000
# 64 KiB of text, each byte written as six (\u0001).
MAX_ANSWER_JSON = 6 * 64 * 1024 + 1024
MAX_CHOSEN = 26
# So many option ids, however they are written; and few enough strings to read them all.
MAX_CHOSEN_JSON = 4 * 1024
MAX_NUMBER_JSON = 64
MAX_ACCESS_CODE = 200
# What msgspec says of an _array, without its place.
_TOO_MANY = "Expected `array` of at most length "
# It tells of these at the place of the object.
_MEMBER = re.compile(r"Object (?:missing required|contains unknown) field `([^`]{1,64})`")
_NOT_STORABLE = "The answer holds what can't be stored, e.g. a NUL character."
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


_ABSENT = msgspec.Raw(b"")


class _Start(msgspec.Struct, forbid_unknown_fields=True):
    access_code: str | None = None


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    question_id: str
    answer: msgspec.Raw
    revision: msgspec.Raw = msgspec.Raw(b"null")


class _Plain(msgspec.Struct, forbid_unknown_fields=True):
    """An answer as pages send them. Whatever is no such answer is read with more care, for its fault."""

    question_id: str
    answer: str | Annotated[list[str], msgspec.Meta(max_length=MAX_CHOSEN)] | None
    revision: Annotated[int, msgspec.Meta(ge=0, le=MAX_REVISION)] | None = None


class _PlainOne(_Plain):
    student_exam_id: str = ""

    @property
    def answers(self) -> Sequence[_Plain]:
        return (self,)


class _PlainMany(msgspec.Struct, forbid_unknown_fields=True):
    student_exam_id: str
    answers: Annotated[list[_Plain], msgspec.Meta(max_length=MAX_SAVED_AT_ONCE)]


class _Named(msgspec.Struct):
    question_id: str = ""


class _One(msgspec.Struct, forbid_unknown_fields=True):
    student_exam_id: str
    question_id: str
    answer: msgspec.Raw
    revision: msgspec.Raw = msgspec.Raw(b"null")


def _array(most: int) -> type[msgspec.Struct]:
    """An array that is given up at the first answer too many; a list would first be read to its end."""
    places = [(f"place_{number}", msgspec.Raw, _ABSENT) for number in range(most)]
    return msgspec.defstruct("Array", places, array_like=True, forbid_unknown_fields=True)


_Saved = _array(MAX_SAVED_AT_ONCE)
_Submitted = _array(MAX_SUBMITTED)
_Many = msgspec.defstruct("Many", [("student_exam_id", str), ("answers", _Saved)], forbid_unknown_fields=True)
_Submit = msgspec.defstruct(
    "Submit",
    [("student_exam_id", str | None, None), ("answers", _Submitted | None, None)],
    forbid_unknown_fields=True,
)


_decode_plain_one = msgspec.json.Decoder(_PlainOne).decode
_decode_plain_many = msgspec.json.Decoder(_PlainMany).decode
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that never went to exam."""

    question_id: str
    detail: str
    code: str = "invalid"


Fields = dict[str, Any]
"""Those of an AnswerSave: a message that goes into another is copied, by way of its bytes."""


@dataclass(frozen=True, slots=True)
class Answers:
    student_exam_id: str
    good: Sequence[Any]
    """Fields of an AnswerSave each."""
    refused: Sequence[Refused] = ()


P = ParamSpec("P")


class AnswerReader:
    """Small bodies are read at once, large ones in a thread, one at a time: the others need not wait."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def read(
        self, how: Callable[Concatenate[bytes, P], Answers], body: bytes, *args: P.args, **kwargs: P.kwargs
    ) -> Answers:
        """Raises what `how` raises."""
        if len(body) <= LARGE:
            return how(body, *args, **kwargs)
        async with self._turn:
            return await asyncio.to_thread(how, body, *args, **kwargs)


def check_json(scope: Scope) -> None:
    """Raises unsupported for a body that claims to be something else."""
    if not json_body.is_json(scope):
        raise unsupported("The body must be application/json.")


def read_start(scope: Scope, body: bytes) -> str:
    """The access code in the body of a start, which may be left out. Raises invalid, unsupported."""
    if not body:
        return ""
    check_json(scope)
    start = _decode(body, _Start | None)
    code = (start.access_code if start else None) or ""
    if "\0" in code:
        raise invalid("The access code holds a NUL.", FieldError(("body", "access_code"), "holds a NUL"))
    if len(code) > MAX_ACCESS_CODE:
        message = f"must have at most {MAX_ACCESS_CODE} characters"
        raise invalid("The access code is too long.", FieldError(("body", "access_code"), message))
    return code


def read_one(body: bytes) -> Answers:
    """The body of save-answer. Raises invalid."""
    plain = _read_plain(body, _decode_plain_one)
    if plain is not None:
        return plain
    one = _decode(body, _One)
    saved = _checked(_Answer(one.question_id, one.answer, one.revision))
    if isinstance(saved, Refused):
        raise invalid(saved.detail, FieldError(("body", _field(saved)), saved.detail))
    return Answers(_attempt_id(one.student_exam_id), [saved])


def read_many(body: bytes) -> Answers:
    """The body of save-answers. Raises invalid where it isn't of that shape at all."""
    plain = _read_plain(body, _decode_plain_many)
    if plain is not None:
        return plain
    many = _decode(body, _Many)
    return _sorted(_attempt_id(many.student_exam_id), many.answers)


def _read_plain(body: bytes, decode: Callable[[bytes], _PlainOne | _PlainMany]) -> Answers | None:
    """What nearly every body is: small, and nothing wrong with it. None for any other."""
    if len(body) > LARGE:
        return None
    try:
        plain = decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    # A NUL can only be written as an escape.
    if b"\\u0000" in body or not all(_UUID.fullmatch(answer.question_id) for answer in plain.answers):
        return None
    return Answers(_attempt_id(plain.student_exam_id), [_plain_save(answer) for answer in plain.answers])


def _plain_save(answer: _Plain) -> Fields:
    return _fields(answer.question_id, _encode(answer.answer), answer.revision)


def _fields(question_id: str, answer_json: bytes, revision: int | None) -> Fields:
    fields: Fields = {"question_id": question_id.lower(), "answer_json": answer_json}
    if revision is not None:
        fields["revision"] = revision
    return fields


def have_revisions(good: Sequence[Fields]) -> bool:
    """Whether storing them twice is as storing them once."""
    return all("revision" in answer for answer in good)


def read_submit(body: bytes, from_path: str | None) -> Answers:
    """The body of submit, of both forms: with the id in the path the body may be empty."""
    submit = _decode(body, _Submit) if body or from_path is None else None
    given = submit.student_exam_id if submit else None
    if given is None and from_path is None:
        raise invalid(
            "student_exam_id is missing.", FieldError(("body", "student_exam_id"), "Field required")
        )
    if given is not None and from_path is not None and given.lower() != from_path.lower():
        message = "is another attempt than the one in the path"
        raise invalid("The body names another attempt.", FieldError(("body", "student_exam_id"), message))
    return _sorted(from_path or _attempt_id(given or ""), submit.answers if submit else None)


def _sorted(student_exam_id: str, array: msgspec.Struct | None) -> Answers:
    answers = msgspec.structs.astuple(array) if array is not None else ()
    checked = [_read(bytes(answer)) for answer in answers if answer]
    return Answers(
        student_exam_id,
        [answer for answer in checked if not isinstance(answer, Refused)],
        [answer for answer in checked if isinstance(answer, Refused)],
    )


def _read(text: bytes) -> Fields | Refused:
    """One answer of several; of the wrong shape it is refused alone."""
    try:
        return _checked(msgspec.json.decode(text, type=_Answer))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Refused(_named(text), f"{str(error)[:MAX_QUOTED]}.")


def _named(text: bytes) -> str:
    """The question that a misshapen answer names, or nothing."""
    try:
        return msgspec.json.decode(text, type=_Named).question_id[:64].replace("\0", "")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def _checked(answer: _Answer) -> Fields | Refused:
    """What goes to exam, which judges the answer itself."""
    if not _UUID.fullmatch(answer.question_id):
        return Refused(answer.question_id[:64].replace("\0", ""), "question_id must be a UUID.")
    text = bytes(answer.answer)
    fault = _fault(text)
    if fault is not None:
        return Refused(answer.question_id, fault)
    revision = _revision(bytes(answer.revision))
    if revision is not None and not 0 <= revision <= MAX_REVISION:
        return Refused(answer.question_id, "revision must be a whole number from 0 to 2^53 - 1.")
    return _fields(answer.question_id, text, revision)


def _fault(text: bytes) -> str | None:
    """Why an answer can't be one, whatever the question. What is too long for any is not read at all."""
    if len(text) > (MAX_CHOSEN_JSON if text.startswith(b"[") else MAX_ANSWER_JSON):
        return "The answer is too long: at most 64 KiB of text, or 26 option ids."
    try:
        value = msgspec.json.decode(text, type=str | list[str] | None)
    except msgspec.ValidationError:
        return "The answer must be a string, a list of option ids, or null to clear it."
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _NOT_STORABLE
    if isinstance(value, list) and len(value) > MAX_CHOSEN:
        return f"At most {MAX_CHOSEN} options can be chosen."
    texts = value if isinstance(value, list) else [value or ""]
    return _NOT_STORABLE if any("\0" in each for each in texts) else None


def _revision(text: bytes) -> int | None:
    """The number, None where there is none, -1 for what is no whole number. 3.0 is as whole as 3."""
    if len(text) > MAX_NUMBER_JSON:
        return -1
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
    return text.lower()


def _decode(body: bytes, kind: Any) -> Any:
    try:
        return _struct(body, kind)
    except msgspec.ValidationError as error:
        raise _located(str(error)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise invalid(f"The body is not valid JSON: {error}", FieldError(("body",), str(error))) from None
    except RecursionError:
        raise invalid("The body is nested too deeply.", FieldError(("body",), "too deeply nested")) from None


def _struct(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        # Lone surrogates are valid JSON, and only the answer that holds one is to be refused: as NUL it is.
        mended = without_surrogates(body)
        if mended == body:
            raise error from None
        return msgspec.json.decode(mended, type=kind)


def _located(message: str) -> AppError:
    """msgspec says `Expected `str`, got `int` - at `$.answers[0].question_id``."""
    if message.startswith(_TOO_MANY):
        most = message.removeprefix(_TOO_MANY)
        items = FieldError(("body", "answers"), f"must have at most {most} items")
        return invalid(f"At most {most} answers at once.", items)
    found, at, path = message.rpartition(" - at `$")
    # It may quote a name that somebody sent.
    what = (found if at else message)[:MAX_QUOTED]
    loc: list[str | int] = ["body"]
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        loc.append(name or int(index))
    if member := _MEMBER.match(what):
        loc.append(member[1])
    return invalid(f"{what}.", FieldError(tuple(loc), what))
