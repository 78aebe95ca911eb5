"""All that is known of one attempt, for disputes: how its deadline came about, what was done and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from examkit.db import Database
from examkit.ids import parse_uuid

from exam_service import attempt_errors
from exam_service.domain.attempt import Attempt
from exam_service.domain.deadline import Step, explained
from exam_service.repository import accommodations, attempt_lists, exams, interventions
from exam_service.repository.attempt_lists import Summary
from exam_service.usecases.deadlines import timing_of
from exam_service.usecases.timeline import read_timeline


@dataclass(frozen=True, slots=True)
class Explained:
    """`steps`: the rules that give the deadline. `history`: what staff did. `timeline`: what left a trace."""

    summary: Summary
    steps: Sequence[Step]
    history: Sequence[Any]
    timeline: Sequence[tuple[datetime, str]]


async def explain_attempt(db: Database, student_exam_id: str) -> Explained:
    """No answers are told. Raises not_found."""
    attempt_id = parse_uuid(student_exam_id, "attempt")
    async with db.reading() as conn:
        summary = await attempt_lists.find_attempt(conn, attempt_id)
        if summary is None:
            raise attempt_errors.no_such_attempt()
        attempt = summary.attempt
        exam = await exams.get_exam(conn, attempt.exam_id)
        if exam is None:
            raise attempt_errors.no_such_attempt()
        granted = await accommodations.effective_for(conn, [attempt.student_id], attempt.exam_id)
        history = await interventions.history(conn, (attempt.student_id, attempt.id))
        _, timeline = await read_timeline(conn, attempt_id)
    steps = explained(
        timing_of(exam),
        granted[attempt.student_id],
        attempt.started_at,
        attempt.granted_minutes,
        attempt.shifted,
    )
    return Explained(summary, _as_it_was(steps, attempt), history, timeline)


def _as_it_was(steps: Sequence[Step], attempt: Attempt) -> Sequence[Step]:
    """Rules that changed after an attempt closed did not move its deadline."""
    gap = attempt.deadline - steps[-1].at
    if not gap:
        return steps
    return [
        *steps,
        Step("earlier_rules", gap, attempt.deadline, "The rules changed after the attempt closed."),
    ]
