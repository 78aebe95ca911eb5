"""What an exam's results say of the exam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from examkit.db import Database

from grading_service.domain.item_analysis import cronbach_alpha
from grading_service.domain.key import CHOICES, QuestionType
from grading_service.repository import statistics
from grading_service.repository.statistics import QuestionFigures, Whole


@dataclass(frozen=True)
class Statistics:
    """`answers`: by question, options with how often they were chosen, or what was typed most."""

    whole: Whole
    distribution: Sequence[int]
    alpha: float | None
    questions: Sequence[QuestionFigures]
    answers: Mapping[UUID, Mapping[str, int]]


async def exam_statistics(db: Database, exam_id: UUID) -> Statistics:
    """Of each student's last graded attempt. An exam without a paper has no questions, and nobody sat it."""
    async with db.reading() as conn:
        whole = await statistics.whole(conn, exam_id)
        distribution = await statistics.distribution(conn, exam_id)
        questions = await statistics.questions(conn, exam_id)
        answers = await statistics.answers(conn, exam_id)
    return Statistics(
        whole,
        distribution,
        _alpha(questions),
        questions,
        {one.question_id: _counts(one, answers.get(one.question_id, {})) for one in questions},
    )


def _alpha(questions: Sequence[QuestionFigures]) -> float | None:
    variances = [one.variance for one in questions if one.variance is not None]
    return cronbach_alpha(variances, questions[0].total_variance if questions else None)


def _counts(question: QuestionFigures, found: Mapping[str, int]) -> Mapping[str, int]:
    """Options that nobody chose are counted too."""
    kind = QuestionType(question.type)
    if kind in CHOICES:
        return {option: found.get(option, 0) for option in question.option_ids}
    if kind is QuestionType.TRUE_FALSE:
        return {option: found.get(option, 0) for option in ("true", "false")}
    return found
