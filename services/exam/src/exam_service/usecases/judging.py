"""Judging answers before they are stored: which fit their questions, and name a picture of their own."""

from collections.abc import Callable, Sequence

from examkit.db import Database
from examkit.errors import AppError
from msgspec import Struct
from msgspec.structs import replace

from exam_service.domain.answer import BadAnswerError, check_revision, find_question, named_file, parse
from exam_service.domain.paper import Paper
from exam_service.domain.saving import NewAnswer, Save, SaveResult, Verdict, rejected
from exam_service.repository import files
from exam_service.repository.attempts import AttemptKey
from exam_service.repository.files import Claim

_NOT_YOURS = "The answer to this question must be the id of a picture that was uploaded for it."


class SentAnswer(Struct, frozen=True):
    """An answer as it came: nothing of it is known to be well-formed."""

    question_id: str
    answer_json: bytes
    revision: int | None


class Judging(Struct, frozen=True):
    """A save whose fit answers are ready to be stored, and the verdicts of the others, by position."""

    save: Save
    rejected: dict[int, Verdict]

    def joined(self, result: SaveResult) -> SaveResult:
        """The result for all answers, in the order in which they came."""
        if result.fault is not None or not self.rejected:
            return result
        stored = iter(result.verdicts)
        count = len(result.verdicts) + len(self.rejected)
        return replace(
            result, verdicts=[self.rejected.get(position) or next(stored) for position in range(count)]
        )

    def refusing(self, is_refused: Callable[[NewAnswer], bool], detail: str) -> "Judging":
        """The same without those fit answers."""
        count = len(self.save.answers) + len(self.rejected)
        places = [place for place in range(count) if place not in self.rejected]
        refused = {
            place: rejected(str(answer.question_id), "invalid", detail)
            for place, answer in zip(places, self.save.answers, strict=True)
            if is_refused(answer)
        }
        kept = tuple(answer for answer in self.save.answers if not is_refused(answer))
        return Judging(replace(self.save, answers=kept), self.rejected | refused)


def judging(
    paper: Paper,
    key: AttemptKey,
    answers: Sequence[SentAnswer],
    arrived: float,
    *,
    closing: bool = False,
) -> Judging:
    """Sort the answers of the attempt `key` (student, attempt): those that are fit, and the others."""
    fit = []
    unfit = {}
    for position, sent in enumerate(answers):
        try:
            question = find_question(paper, sent.question_id)
            check_revision(sent.revision)
            answer = parse(question, sent.answer_json)
            file_id = named_file(question, answer)
            fit.append(NewAnswer(question.question_id, answer, sent.revision, file_id))
        except BadAnswerError as error:
            unfit[position] = rejected(sent.question_id, "invalid", error.detail, error.field)
    student_id, attempt_id = key
    return Judging(Save(student_id, attempt_id, tuple(fit), arrived, closing), unfit)


async def with_own_files(db: Database, judged: Sequence[Judging | AppError]) -> list[Judging | AppError]:
    """Refuses answers that name a file which is not of this very student, attempt and question.

    Looked at before the saves are stored, in a reading of its own: a file that is there stays there for as
    long as an answer may come to name it. Saves without files cost nothing.
    """
    ready = [one for one in judged if isinstance(one, Judging)]
    claims = [claim for one in ready for answer in one.save.answers if (claim := _claim(one, answer))]
    if not claims:
        return list(judged)
    try:
        async with db.reading() as conn:
            true = await files.owned(conn, claims)
    except AppError as error:
        return [
            error if isinstance(one, Judging) and any(answer.file_id for answer in one.save.answers) else one
            for one in judged
        ]
    return [_checked(one, true) if isinstance(one, Judging) else one for one in judged]


def _checked(judging: Judging, true: set[Claim]) -> Judging:
    return judging.refusing(
        lambda answer: (claim := _claim(judging, answer)) is not None and claim not in true, _NOT_YOURS
    )


def _claim(judging: Judging, answer: NewAnswer) -> Claim | None:
    if answer.file_id is None:
        return None
    save = judging.save
    return save.student_id, save.attempt_id, answer.question_id, answer.file_id
