"""An attempt: its states, and what it counts as by the clock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

LATE_ARRIVALS = timedelta(seconds=5)
"""How far back a request may say that it came in; the sweeper leaves those on their way that much time."""


class Status(StrEnum):
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    VOID = "void"

    @property
    def is_open(self) -> bool:
        return self in {Status.IN_PROGRESS, Status.PAUSED}

    @property
    def is_closed(self) -> bool:
        """Whether it goes to grading."""
        return self in {Status.SUBMITTED, Status.EXPIRED}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sitting of one exam by one student. `version` grows with each change of status.

    `shifted`: how far pauses and reopening moved the deadline; `paused_at`: since when it stands still.
    """

    student_id: UUID
    id: UUID
    exam_id: UUID
    attempt_no: int
    status: Status
    version: int
    started_at: datetime
    deadline: datetime
    deadline_version: int
    deadline_reason: str
    granted_minutes: int
    grace_seconds: int
    closed_at: datetime | None
    last_activity: datetime
    resumes: int
    seed: bytes
    answers_digest: str | None = None
    answer_count: int | None = None
    shifted: timedelta = timedelta(0)
    paused_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether its time is up, or it was closed before."""
        return not self.status.is_open or (self.status is Status.IN_PROGRESS and now > self.deadline)

    def by_clock(self, now: datetime) -> "Attempt":
        """As it stands at this moment: whose time is up is expired since its deadline, swept or not."""
        status = status_by_clock(self.status, self.deadline, now)
        return self if status is self.status else replace(self, status=status, closed_at=self.deadline)

    def remaining_seconds(self, now: datetime) -> float:
        """Until the deadline, never below 0; while it is paused, what there was when the pause began."""
        return max(0.0, (self.deadline - (self.paused_at or now)).total_seconds())


def status_by_clock(status: Status, deadline: datetime, now: datetime) -> Status:
    """What an attempt counts as at this moment, whether or not the sweeper got to it."""
    if status is Status.IN_PROGRESS and now > deadline:
        return Status.EXPIRED
    return status
