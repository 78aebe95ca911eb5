"""What grading has of one attempt, as lines for an operator who looks into it. Scores are for staff alone."""

from datetime import UTC, datetime

from examkit.db import Database
from examkit.ids import parse_uuid

from grading_service.repository import timelines


async def timeline(db: Database, student_exam_id: str) -> list[str]:
    """The grade as it stands, then what was done to it. Raises not_found for what is no id."""
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        grade = await timelines.grade(conn, attempt_id)
        moments = await timelines.moments(conn, attempt_id)
    if grade is None:
        lines = ["grading: no grade yet"]
    else:
        lines = [
            f"grading: version {grade.attempt_version} ({grade.status}) as of {_stamp(grade.graded_at)},"
            f" {grade.graded_count} questions graded, {grade.pending_count} wait for a marker"
            f"{', withdrawn' if grade.withdrawn else ''}"
        ]
    return [*lines, *(f"  {_stamp(at)}  {what}" for at, what in moments)]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
