"""What happened in a run, as it was seen from outside: every request and its answer, every fault.

Times are seconds on this machine's clock, which is also that of the server. An answer is compared as it was
sent: a string, a list of option ids, or None for a cleared one.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

Answer = str | list[str] | None
Json = dict[str, Any]

_STARTED = time.time() - time.monotonic()


def now() -> float:
    """The wall clock, moved on by the monotonic one."""
    return _STARTED + time.monotonic()


def seconds(moment: str) -> float:
    """A time of the API on the same scale."""
    return datetime.fromisoformat(moment).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. `status` 0: no answer came. `code`: that of the problem, if it was one. `door`: by which
    gateway it went, 0 or 1."""

    name: str
    began: float
    ended: float
    status: int
    code: str = ""
    door: int = 0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_unknown(self) -> bool:
        """Whether it may have taken effect though it was not acknowledged."""
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt as its student was first shown it. `questions`: as in the API."""

    id: str
    student: str
    exam: str
    questions: list[Json]
    started_at: float
    deadline: float
    grace: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """`attempt`: the one that was started, or that stands in the way."""

    call: Call
    student: str
    exam: str
    attempt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """One answer of one request. `sent`: its revision, None where the server was to choose.

    `outcome`: stored · repeat · superseded · conflict · rejected · unknown. `stored` of a submit says no more
    than that this answer, or a newer one, is there. `told`: the stored revision that the reply named.
    """

    call: Call
    attempt: str
    question: str
    answer: Answer
    sent: int | None
    outcome: str
    code: str = ""
    told: int | None = None

    @property
    def is_acknowledged(self) -> bool:
        return self.outcome in ("stored", "repeat")

    @property
    def may_be_stored(self) -> bool:
        """A save refused for its attempt's state may be the second try of one that was stored before."""
        return self.outcome != "conflict" and self.code != "invalid"

    @property
    def closes(self) -> bool:
        return self.call.name == "submit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """`answers`: question → (revision, answer); None where the attempt was not given. `deadline`: as it was
    shown."""

    call: Call
    student: str
    exam: str
    attempt: str = ""
    answers: dict[str, tuple[int, Answer]] | None = None
    questions: list[Json] | None = None
    deadline: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Extra time for a student at an exam, in percent of its duration; also for an attempt in progress."""

    call: Call
    student: str
    exam: str
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """`closed_as`: submitted or expired. `told`: what must be the same whenever it is asked again. `graded`:
    whether a total came with the reply."""

    call: Call
    attempt: str
    closed_as: str = ""
    told: Json | None = None
    graded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the student was shown of the grade."""

    call: Call
    attempt: str
    body: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What was done to the system from `began` to `lifted`. `skipped`: why it could not be done."""

    kind: str
    targets: tuple[str, ...]
    began: float
    lifted: float
    skipped: str = ""


@dataclass
class History:
    """Everything of one run, each kind in the order in which it ended."""

    calls: list[Call] = field(default_factory=list)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    starts: list[Start] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list)
    resumes: list[Resume] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)
    submits: list[Submit] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """One JSON object a line: its kind and what is known of it."""
        with path.open("wb") as lines:
            for kind, record in self._records():
                lines.write(msgspec.json.encode({"is": kind, "record": record}) + b"\n")

    def _records(self) -> Iterator[tuple[str, Any]]:
        for part in fields(self):
            records = getattr(self, part.name)
            for record in records.values() if isinstance(records, dict) else records:
                yield part.name, record
