"""Who may sit an exam: everybody, or the students and groups that are named."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from examkit.db import Database, retry_deadlocks
from examkit.errors import FieldError

from exam_service import errors
from exam_service.domain.text import text_problem
from exam_service.repository import exams
from exam_service.repository.exams import ExamRow
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_events import publish_exam_changed
from exam_service.usecases.exam_views import ExamView, view_of
from exam_service.usecases.exams import locked

MAX_STUDENTS = 100_000
MAX_GROUPS = 1_000
AUDITED_STUDENTS = 1_000
"""A change of more students than this is audited by its numbers alone."""


@dataclass(frozen=True)
class Roster:
    """`all`, or the rest. Neither: nobody may sit the exam."""

    all: bool = True
    student_ids: frozenset[UUID] = frozenset()
    groups: tuple[str, ...] = ()


@retry_deadlocks
async def set_roster(db: Database, actor: Actor, exam_id: UUID, roster: Roster) -> ExamView:
    """Replace the roster, of a published exam too; attempts under way run on. Raises not_found, invalid."""
    problems = _problems(roster)
    if problems:
        raise errors.invalid_fields(problems)
    async with db.transaction() as tx:
        exam = await locked(tx, exam_id)
        before = frozenset(await exams.roster_students_of(tx.conn, exam_id))
        added, removed = roster.student_ids - before, before - roster.student_ids
        await exams.change_roster_students(tx.conn, exam_id, added=added, removed=removed)
        updated = await exams.update_exam(
            tx.conn, exam_id, {"roster_all": roster.all, "roster_groups": sorted(set(roster.groups))}
        )
        # Whose accommodations count has changed, and with them the last possible end.
        await publish_exam_changed(tx, exam_id)
        await tx.audit(
            actor.did(
                "exam.roster_set",
                "exam",
                exam_id,
                before=_auditable(exam, len(before)),
                after=_auditable(updated, len(roster.student_ids)) | _difference(added, removed),
            )
        )
        return await view_of(tx.conn, updated)


def _problems(roster: Roster) -> list[FieldError]:
    found = []
    if roster.all and (roster.student_ids or roster.groups):
        found.append(FieldError(("all",), "must not come together with student_ids or groups"))
    if len(roster.student_ids) > MAX_STUDENTS:
        found.append(FieldError(("student_ids",), f"must be at most {MAX_STUDENTS} students"))
    if len(roster.groups) > MAX_GROUPS:
        found.append(FieldError(("groups",), f"must be at most {MAX_GROUPS} groups"))
    for place, group in enumerate(roster.groups):
        problem = text_problem(group, least=1, most=100)
        if problem:
            found.append(FieldError(("groups", place), problem))
    return found


def _auditable(exam: ExamRow, students: int) -> dict[str, Any]:
    return {"all": exam.roster_all, "groups": list(exam.roster_groups), "students": students}


def _difference(added: frozenset[UUID], removed: frozenset[UUID]) -> dict[str, Any]:
    if len(added) + len(removed) > AUDITED_STUDENTS:
        return {"added": len(added), "removed": len(removed)}
    return {"added": sorted(map(str, added)), "removed": sorted(map(str, removed))}
