"""What an answer may be, by the type of its question, and how answers are written down to compare them."""

import hashlib
import re
from collections.abc import Mapping
from uuid import UUID

import msgspec

from exam_service.domain.paper import Paper, PaperQuestion
from exam_service.domain.revision import MAX_REVISION
from exam_service.domain.shuffle import letters

Answer = str | list[str] | None
"""As shown to the student. None: cleared."""

MAX_ANSWER_BYTES = 64 * 1024
MAX_NUMBER_CHARACTERS = 100
# In JSON a byte may be written as six: \u0001.
_MAX_JSON_BYTES = 6 * MAX_ANSWER_BYTES + 1024
# Three digits of exponent keep decimal arithmetic with it cheap.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


class BadAnswerError(Exception):
    """An answer that can't be taken: what of it is at fault, and a sentence for the student."""

    def __init__(self, detail: str, field: str = "answer") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


def parse(question: PaperQuestion, answer_json: bytes) -> Answer:
    """The answer in a JSON text, fit for its question. Raises BadAnswerError."""
    if len(answer_json) > _MAX_JSON_BYTES:
        raise BadAnswerError("An answer may have at most 64 KiB.")
    try:
        answer = msgspec.json.decode(answer_json)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadAnswerError("The answer is not valid JSON text.") from None
    if answer is None:
        return None
    if question.type == "multi_choice":
        return _chosen(question, answer)
    if not isinstance(answer, str):
        raise BadAnswerError("The answer to this question must be a string, or null to clear it.")
    _CHECKS[question.type](question, answer)
    return answer.lower() if question.type == "image" else answer


def named_file(question: PaperQuestion, answer: Answer) -> UUID | None:
    """The picture that an answer names; None for any other."""
    return UUID(answer) if question.type == "image" and isinstance(answer, str) else None


def check_revision(revision: int | None) -> None:
    """Raises BadAnswerError for a revision out of range."""
    if revision is not None and not 0 <= revision <= MAX_REVISION:
        raise BadAnswerError("A revision is a whole number from 0 to 2^53 − 1.", "revision")


def canonical(answer: object) -> bytes:
    """The one way to write this value as JSON: sorted keys, no spaces, UTF-8."""
    return msgspec.json.encode(answer, order="sorted")


def digest(answers: Mapping[UUID, Answer]) -> str:
    """The receipt: SHA-256, in hex, over the canonical JSON of the answers by question id."""
    return hashlib.sha256(
        canonical({str(question): answer for question, answer in answers.items()})
    ).hexdigest()


def find_question(paper: Paper, question_id: str) -> PaperQuestion:
    """The question of the paper that a save names. Raises BadAnswerError."""
    question = paper.by_text.get(question_id.lower())
    if question is None:
        raise BadAnswerError("The exam has no such question.", "question_id")
    return question


def _chosen(question: PaperQuestion, answer: object) -> list[str]:
    if not isinstance(answer, list) or not all(isinstance(letter, str) for letter in answer):
        raise BadAnswerError("The answer to this question must be a list of option ids, or null to clear it.")
    shown = letters(len(question.options))
    if any(letter not in shown for letter in answer):
        raise BadAnswerError(f"The options of this question are {', '.join(shown)}.")
    if len(set(answer)) != len(answer):
        raise BadAnswerError("An option can be chosen only once.")
    return answer


def _check_single(question: PaperQuestion, answer: str) -> None:
    shown = letters(len(question.options))
    if answer not in shown:
        raise BadAnswerError(f"The options of this question are {', '.join(shown)}.")


def _check_true_false(_question: PaperQuestion, answer: str) -> None:
    if answer not in {"true", "false"}:
        raise BadAnswerError('The answer to this question must be "true" or "false".')


def _check_numeric(_question: PaperQuestion, answer: str) -> None:
    if len(answer) > MAX_NUMBER_CHARACTERS or not _NUMBER.fullmatch(answer.strip()):
        raise BadAnswerError("The answer to this question must be a number with a decimal point, as in 3.5.")


def _check_text(_question: PaperQuestion, answer: str) -> None:
    if "\x00" in answer:
        raise BadAnswerError("An answer can't hold the NUL character.")
    if len(answer.encode()) > MAX_ANSWER_BYTES:
        raise BadAnswerError("An answer may have at most 64 KiB.")


def _check_image(_question: PaperQuestion, answer: str) -> None:
    try:
        canonical_form = str(UUID(answer))
    except ValueError:
        canonical_form = ""
    if canonical_form != answer.lower():
        raise BadAnswerError("The answer to this question must be the id of an uploaded file.")


_CHECKS = {
    "single_choice": _check_single,
    "true_false": _check_true_false,
    "numeric": _check_numeric,
    "short_text": _check_text,
    "text": _check_text,
    "image": _check_image,
}
