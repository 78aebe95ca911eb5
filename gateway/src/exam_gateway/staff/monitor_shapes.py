"""Who sits an exam, as those who watch see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from examprotos.exam.v1 import invigilation_pb2
from pydantic import AwareDatetime, Field

from exam_gateway.shapes import Out
from exam_gateway.staff.names import Person
from exam_gateway.wire import text_of, when

STATUSES = ("in_progress", "paused", "submitted", "expired", "void")


class MonitorCounts(Out):
    """Attempts by status; `roster` and `not_started` are students."""

    roster: int | None = Field(
        description="Who may sit it; null while the service that knows people is away."
    )
    not_started: int | None
    in_progress: int
    paused: int
    submitted: int
    expired: int
    void: int
    flagged: int = Field(description="Attempts whose page reported anything of `flags`.")
    quiet: int


class MonitorStudent(Out):
    student_exam_id: UUID
    student_id: UUID
    name: str | None = Field(description="null while the service that knows names is away.")
    email: str | None
    attempt_no: int
    status: Literal["in_progress", "paused", "submitted", "expired", "void"]
    answered: int
    total_questions: int
    started_at: AwareDatetime
    closed_at: AwareDatetime | None
    last_activity: AwareDatetime
    last_save_at: AwareDatetime | None
    deadline: AwareDatetime
    deadline_version: int
    time_remaining_seconds: float = Field(
        description="At server_time; 0 once it is closed. It does not run while the attempt is paused."
    )
    resumes: int
    flags: dict[str, int] = Field(
        description="How often the page reported each of tab_hidden, paste, copy, fullscreen_exit. "
        "They prove nothing, and nothing follows from them by itself.",
        examples=[{"tab_hidden": 2}],
    )
    quiet: bool = Field(description="In progress, and no sign of life for 90 seconds.")


class Monitor(Out):
    exam_id: UUID
    server_time: AwareDatetime = Field(description="When it was read.")
    counts: MonitorCounts
    students: list[MonitorStudent]


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt as last read, ready for JSON but for the time that remains. Times are RFC 3339 in UTC."""

    student_exam_id: str
    student_id: str
    name: str | None
    email: str | None
    attempt_no: int
    status: str
    answered: int
    total_questions: int
    started_at: str
    closed_at: str | None
    last_activity: str
    last_save_at: str | None
    deadline: str
    deadline_version: int
    resumes: int
    flags: dict[str, int]
    quiet: bool
    ends: datetime
    """The deadline; shifted by the pause while there is one, so that the rest stays what it is."""
    paused_at: datetime | None

    def told(self, now: datetime) -> dict[str, Any]:
        """All that is shown of it at this moment."""
        shown = {name: getattr(self, name) for name in _SHOWN}
        is_open = self.status in {"in_progress", "paused"}
        left = (self.ends - (self.paused_at or now)).total_seconds() if is_open else 0.0
        return shown | {"time_remaining_seconds": round(max(0.0, left), 3)}

    def named(self, person: Person) -> Row:
        return replace(self, name=person.name, email=person.email)


_SHOWN = tuple(name for name in MonitorStudent.model_fields if name != "time_remaining_seconds")


def row(item: invigilation_pb2.Progress, person: Person) -> Row:
    return Row(
        student_exam_id=item.student_exam_id,
        student_id=item.student_id,
        name=person.name,
        email=person.email,
        attempt_no=item.attempt_no,
        status=item.status,
        answered=item.answered,
        total_questions=item.total_questions,
        started_at=text_of(item.started_at),
        closed_at=text_of(item.closed_at) if item.HasField("closed_at") else None,
        last_activity=text_of(item.last_activity),
        last_save_at=text_of(item.last_save_at) if item.HasField("last_save_at") else None,
        deadline=text_of(item.deadline),
        deadline_version=item.deadline_version,
        resumes=item.resumes,
        flags=dict(item.flags),
        quiet=item.quiet,
        ends=when(item.deadline),
        paused_at=when(item.paused_at) if item.HasField("paused_at") else None,
    )
