"""Whole results of many attempts, for staff: nothing is withheld."""

from collections.abc import Collection
from uuid import UUID

from examkit.db import Database
from examkit.errors import invalid

from grading_service.domain.student_view import GradedItem
from grading_service.repository import grades
from grading_service.repository.grades import GradedAttempt

MOST = 500


async def full_results(
    db: Database, student_exam_ids: Collection[UUID], *, with_items: bool
) -> list[tuple[GradedAttempt, list[GradedItem]]]:
    """Those of these attempts that are graded; without items unless asked for. Raises: invalid."""
    if len(student_exam_ids) > MOST:
        raise invalid(f"Ask for at most {MOST} results at once.")
    async with db.reading() as conn:
        found = await grades.by_attempts(conn, student_exam_ids)
        pairs = [(one.student_id, one.student_exam_id) for one in found]
        items = await grades.items(conn, pairs) if with_items else {}
    return [(one, items.get(one.student_exam_id, [])) for one in found]
