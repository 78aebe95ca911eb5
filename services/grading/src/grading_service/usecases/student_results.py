"""What a student may see of the own results now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.db import Database
from examkit.errors import forbidden, not_found

from grading_service.domain.release import ExamPolicy, Reveal, revealed
from grading_service.domain.student_view import shown_changes
from grading_service.exam_ends import ExamEnds
from grading_service.repository import grades, policies, results
from grading_service.repository.grades import GradedAttempt
from grading_service.repository.results import StoredResult, decoded


@dataclass(frozen=True)
class VisibleResult:
    """A grade as far as the policy allows. `reveal` None: nothing is shown, and `items` is empty."""

    grade: GradedAttempt
    exam: ExamPolicy
    reveal: Reveal | None
    items: list[dict[str, Any]]

    @property
    def changes(self) -> list[Mapping[str, Any]]:
        """What regrades did to it, as far as the policy allows."""
        return shown_changes(self.grade.changes, self.reveal)


async def results_of(
    db: Database, ends: ExamEnds, attempts: Sequence[tuple[UUID, UUID]], now: datetime
) -> list[VisibleResult | None]:
    """For each (student, attempt) the result with its items, withheld or not; None where there is none.

    An attempt of another student has none.
    """
    async with db.reading() as conn:
        stored = await results.by_attempts(conn, attempts, now)
    # Exam is asked only where nothing else withholds the answers, and with no connection in hand.
    over = await ends.over(
        {one.grade.exam_id for one in stored.values() if revealed(one.exam, now, over=True) is Reveal.ANSWERS}
    )
    if over:
        again = [attempt for attempt, one in stored.items() if one.grade.exam_id in over]
        async with db.reading() as conn:
            stored |= await results.by_attempts(conn, again, now, over)
    return [
        None if (one := stored.get(attempt)) is None else _visible(one, now, over) for attempt in attempts
    ]


async def my_result(
    db: Database, ends: ExamEnds, student_id: UUID, student_exam_id: UUID, now: datetime
) -> VisibleResult | None:
    """The result with its items, withheld or not; None where this student has no such graded attempt."""
    (result,) = await results_of(db, ends, [(student_id, student_exam_id)], now)
    return result


async def my_released_result(
    db: Database, ends: ExamEnds, student_id: UUID, student_exam_id: UUID, now: datetime
) -> VisibleResult:
    """Raises: not_found; forbidden `results_not_released`."""
    result = await my_result(db, ends, student_id, student_exam_id, now)
    if result is None:
        raise not_found("There is no graded attempt of this id.")
    if result.reveal is None:
        raise forbidden("The results of this exam are not released yet.", "results_not_released")
    return result


async def my_results(
    db: Database, student_id: UUID, limit: int, after: tuple[datetime, UUID] | None, now: datetime
) -> list[VisibleResult]:
    """A page of the student's results without items, newest first; so no exam is asked for its end."""
    async with db.reading() as conn:
        page = await grades.list_of_student(conn, student_id, limit, after)
        exams = await policies.by_exam(conn, {grade.exam_id for grade in page})
    return [
        VisibleResult(grade, exams[grade.exam_id], revealed(exams[grade.exam_id], now, over=False), [])
        for grade in page
    ]


def _visible(stored: StoredResult, now: datetime, over: Collection[UUID]) -> VisibleResult:
    reveal = revealed(stored.exam, now, over=stored.grade.exam_id in over)
    items: list[dict[str, Any]] = []
    if reveal is Reveal.ANSWERS:
        items = decoded(stored.revealing)
    elif reveal is Reveal.CORRECTNESS:
        items = decoded(stored.plain)
    return VisibleResult(stored.grade, stored.exam, reveal, items)
