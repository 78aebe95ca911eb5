"""The checklist before an exam is published, as far as it can be judged without the keys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from exam_service.domain.exam import ExamSettings
from exam_service.domain.paper import Paper


@dataclass(frozen=True)
class Reason:
    """Why an exam can't be published. `question_id` where one question is to blame."""

    code: str
    detail: str
    question_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"code": self.code, "detail": self.detail}
        if self.question_id is not None:
            found["question_id"] = str(self.question_id)
        return found


def reasons(settings: ExamSettings, paper: Paper, live: Collection[UUID], now: datetime) -> list[Reason]:
    """All that stands in the way; empty when grading may be asked. `live`: what is still in the bank."""
    found: list[Reason] = []
    if not paper.questions:
        found.append(Reason("no_questions", "The exam has no questions."))
    if settings.end_time is not None:
        if settings.start_time is not None and settings.end_time <= settings.start_time:
            found.append(Reason("end_before_start", "The exam ends before it starts."))
        if settings.end_time <= now:
            found.append(Reason("end_in_past", "The end of the exam has passed already."))
    found += [
        Reason(
            "question_archived",
            f"Question {question.order} is no longer in the bank.",
            question.question_id,
        )
        for question in paper.questions
        if question.question_id not in live
    ]
    return found


def without_keys(paper: Paper, missing: Collection[UUID]) -> list[Reason]:
    """The reasons for questions that grading has no fitting key for."""
    return [
        Reason(
            "question_without_key",
            f"Question {question.order} has no answer key that fits it.",
            question.question_id,
        )
        for question in paper.questions
        if question.question_id in missing
    ]
