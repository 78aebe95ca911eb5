"""An exam as staff see it: the row with what is counted and listed beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import errors
from exam_service.repository import exams
from exam_service.repository.exams import ExamQuestionRow, ExamRow


@dataclass(frozen=True)
class ExamView:
    """`questions` and `student_ids` are empty in lists. Points are hundredths."""

    exam: ExamRow
    question_count: int
    max_possible_hundredths: int
    attempt_count: int
    questions: tuple[ExamQuestionRow, ...] = ()
    student_ids: tuple[UUID, ...] = ()


async def read_view(conn: AsyncConnection, exam_id: UUID) -> ExamView:
    """Raises not_found."""
    exam = await exams.get_exam(conn, exam_id)
    if exam is None:
        raise errors.no_such_exam()
    return await view_of(conn, exam)


async def view_of(conn: AsyncConnection, exam: ExamRow) -> ExamView:
    """The full view of an exam that was just read, or written in this transaction."""
    summary = (await summaries(conn, [exam]))[0]
    return ExamView(
        exam=exam,
        question_count=summary.question_count,
        max_possible_hundredths=summary.max_possible_hundredths,
        attempt_count=summary.attempt_count,
        questions=tuple(await exams.exam_questions_of(conn, exam.id)),
        student_ids=() if exam.roster_all else tuple(await exams.roster_students_of(conn, exam.id)),
    )


async def summaries(conn: AsyncConnection, rows: Sequence[ExamRow]) -> list[ExamView]:
    """The views of a list, in its order: two queries, however long it is."""
    if not rows:
        return []
    drafts = await exams.draft_totals(conn, [exam.id for exam in rows if exam.status == "draft"])
    attempts = await exams.attempt_counts(conn, [exam.id for exam in rows if exam.status != "draft"])
    found = []
    for exam in rows:
        count, points = drafts.get(exam.id, (exam.question_count or 0, exam.max_possible_hundredths or 0))
        found.append(ExamView(exam, count, points, attempts.get(exam.id, 0)))
    return found
