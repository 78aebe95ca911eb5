"""An import job's states, and what may follow what."""

from enum import StrEnum

CHUNK_ROWS = 500
STUDENT_CHUNK_ROWS = 100
"""Smaller: each new password costs auth a hash."""
SHOWN_ERRORS = 1_000
ERRORS_KEPT_DAYS = 7


class OnError(StrEnum):
    """What one wrong row means for the others."""

    REJECT_FILE = "reject_file"
    SKIP_ROWS = "skip_rows"


class Status(StrEnum):
    """Where a job is, as clients see it."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        return self in {Status.COMPLETED, Status.FAILED}


class Phase(StrEnum):
    """How far the work has come: a job that is taken up after a crash goes on from here."""

    CHECKING = "checking"
    STORING = "storing"
