"""What is there at the end of a run: rows, queues, events and who is ready."""

from dataclasses import dataclass, field

from tests.chaos.history import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    id: str
    student: str
    exam: str
    status: str
    version: int
    started_at: float
    deadline: float
    grace: float
    closed_at: float | None
    announcements: int
    graded_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRow:
    attempt: str
    question: str
    answer: Answer
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRow:
    """Points in hundredths."""

    attempt: str
    version: int
    status: str
    total: int
    graded_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """`score`: hundredths, None while a person has to mark it. `shown`: the answer that was graded."""

    attempt: str
    question: str
    score: int | None
    shown: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When an exam may be taken, and for how long."""

    exam: str
    opens: float
    ends: float
    duration: float


@dataclass
class Ending:
    """`graded`: (attempt, event id) of each AttemptGraded. `consumers`: by queue, how many there were before
    the first fault, and are now. `settled_in`: seconds after the last fault, None where it did not come to
    rest in the time it had."""

    windows: list[Window] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)
    answers: list[AnswerRow] = field(default_factory=list)
    grades: list[GradeRow] = field(default_factory=list)
    items: list[ItemRow] = field(default_factory=list)
    graded: list[tuple[str, str]] = field(default_factory=list)
    queues: dict[str, int] = field(default_factory=dict)
    consumers: dict[str, tuple[int, int]] = field(default_factory=dict)
    outboxes: dict[str, int] = field(default_factory=dict)
    not_ready: list[str] = field(default_factory=list)
    settled_in: float | None = 0.0
