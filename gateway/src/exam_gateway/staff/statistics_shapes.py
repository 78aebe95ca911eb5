"""Statistics of an exam as staff read them."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from examprotos.grading.v1 import statistics_pb2
from pydantic import Field

from exam_gateway.shapes import Out
from exam_gateway.staff.question_shapes import QuestionType
from exam_gateway.wire import optional, points

_CHOICES = frozenset({"single_choice", "multi_choice", "true_false"})


class AnswerCount(Out):
    answer: str
    count: int


class QuestionStatistics(Out):
    question_id: UUID
    order: int
    type: QuestionType
    max_score: float
    status: Literal["graded", "pending", "excluded"] = Field(
        description="pending: some answers wait for a marker; excluded: it does not count."
    )
    n_answered: int
    n_graded: int
    n_pending: int
    mean_score: float | None
    difficulty: float | None = Field(
        description="The mean share of the points, 0 … 1: the higher, the easier. Below 0 is possible where "
        "wrong answers cost points."
    )
    discrimination: float | None = Field(
        description="The correlation of this question's points with those of all others, −1 … 1. null where "
        "it is undefined: nobody differs, or answers wait for a marker."
    )
    option_counts: dict[str, int] | None = Field(
        description="For choices: how often each option was chosen, in the authored letters."
    )
    top_answers: list[AnswerCount] | None = Field(
        description="For `short_text` and `numeric`: what was typed most, at most 10."
    )


class ExamStatistics(Out):
    """Of each student's last graded attempt. Scores are of attempts that wait for no marker."""

    exam_id: UUID
    n: int = Field(description="Attempts, those that wait for a marker included.")
    pending: int = Field(description="Of these, those that wait for a marker.")
    max_possible: float | None
    mean: float | None
    median: float | None
    sd: float | None = Field(description="With n − 1.")
    min: float | None
    max: float | None
    mean_percentage: float | None
    distribution: list[int] = Field(
        description="Ten numbers of attempts: from 0 %, from 10 %, … from 90 % to 100 %.",
        min_length=10,
        max_length=10,
    )
    cronbach_alpha: float | None = Field(
        description="Over the questions that count and wait for no marker. null where it is undefined."
    )
    questions: list[QuestionStatistics]


def statistics(exam_id: UUID, found: statistics_pb2.ExamStatistics) -> ExamStatistics:
    return ExamStatistics(
        exam_id=exam_id,
        n=found.attempts,
        pending=found.pending,
        max_possible=_points(found, "max_possible_hundredths"),
        mean=_points(found, "mean_hundredths"),
        median=_points(found, "median_hundredths"),
        sd=_points(found, "standard_deviation_hundredths"),
        min=_points(found, "lowest_hundredths"),
        max=_points(found, "highest_hundredths"),
        mean_percentage=_points(found, "mean_percentage_hundredths"),
        distribution=list(found.tenths),
        cronbach_alpha=_figure(found, "cronbach_alpha"),
        questions=[_question(one) for one in found.questions],
    )


def _question(found: statistics_pb2.QuestionStatistics) -> QuestionStatistics:
    status, kind = _text(found.status), _text(found.type)
    counts = {one.answer: one.times for one in found.answers}
    typed = [AnswerCount(answer=answer, count=count) for answer, count in counts.items()]
    return QuestionStatistics(
        question_id=UUID(found.question_id),
        order=found.order,
        type=kind,
        max_score=points(found.max_score_hundredths),
        status=status,
        n_answered=found.answered,
        n_graded=found.graded,
        n_pending=found.pending,
        mean_score=_points(found, "mean_hundredths"),
        difficulty=_figure(found, "difficulty"),
        discrimination=_figure(found, "discrimination"),
        option_counts=counts if kind in _CHOICES else None,
        top_answers=typed if kind in {"short_text", "numeric"} else None,
    )


def _points(message: Any, field: str) -> float | None:
    hundredths = optional(message, field)
    return None if hundredths is None else round(hundredths / 100, 2)


def _figure(message: Any, field: str) -> float | None:
    figure = optional(message, field)
    return None if figure is None else round(figure, 4)


def _text(text: str) -> Any:
    return text
