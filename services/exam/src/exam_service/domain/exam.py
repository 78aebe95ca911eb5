"""What an exam is set to: its settings with the contract's defaults, and what may change when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from examkit.errors import FieldError

from exam_service.domain.text import text_problem

MULTI_CHOICE = ("all_or_nothing", "partial")
RESULT_POLICIES = ("immediate", "after_close", "manual")
REVEALS = ("score", "correctness", "answers")

MAX_TITLE = 200
MAX_GRACE_SECONDS = 300
MAX_DURATION_MINUTES = 1440
MAX_ATTEMPTS = 100
MAX_POINTS_HUNDREDTHS = 1000_00

# Far enough for every exam, near enough that no arithmetic on a deadline overflows.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)

EDITABLE_WHEN_PUBLISHED = frozenset(
    {
        "title",
        "description",
        "instructions",
        "start_time",
        "end_time",
        "result_policy",
        "reveal",
        "access_code",
    }
)
"""The rest went into the frozen paper, into running attempts or into grading's copy of the exam."""

WINDOW = frozenset({"start_time", "end_time"})


@dataclass(frozen=True, kw_only=True)
class ExamSettings:
    """Times are UTC; None is "no bound". `wrong_penalty` is a share of the points, 0 … 1."""

    title: str
    description: str = ""
    instructions: str = ""
    duration_minutes: int
    start_time: datetime | None = None
    end_time: datetime | None = None
    grace_seconds: int = 30
    max_attempts: int = 1
    shuffle_questions: bool = False
    shuffle_options: bool = True
    multi_choice: str = "all_or_nothing"
    wrong_penalty: Decimal = Decimal(0)
    result_policy: str = "immediate"
    reveal: str = "correctness"
    access_code: str = ""


SETTING_NAMES = tuple(field.name for field in fields(ExamSettings))


def problems(settings: ExamSettings) -> list[FieldError]:
    """Everything that is wrong with these settings, located by field; empty when all is well."""
    return [FieldError(loc, message) for loc, message in _problems(settings)]


def changed(before: ExamSettings, after: ExamSettings) -> frozenset[str]:
    """The names of the settings that differ."""
    return frozenset(name for name in SETTING_NAMES if getattr(before, name) != getattr(after, name))


def auditable(settings: ExamSettings, names: frozenset[str]) -> dict[str, Any]:
    """These settings as the audit trail keeps them: JSON-able, and the access code never in clear."""
    return {name: _auditable(name, getattr(settings, name)) for name in SETTING_NAMES if name in names}


def _problems(settings: ExamSettings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield from _text_problems(settings)
    yield from _number_problems(settings)
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            yield _location(name), f"must be one of {', '.join(choices)}"
    for name in ("start_time", "end_time"):
        moment = getattr(settings, name)
        if moment is not None and not EARLIEST <= moment < LATEST:
            yield (name,), "must lie between the years 1970 and 3000"
    if (
        settings.start_time is not None
        and settings.end_time is not None
        and settings.end_time <= settings.start_time
    ):
        yield ("end_time",), "must be after start_time"


_CHOICES: Mapping[str, tuple[str, ...]] = {
    "multi_choice": MULTI_CHOICE,
    "result_policy": RESULT_POLICIES,
    "reveal": REVEALS,
}
_TEXT_LENGTHS: Mapping[str, tuple[int, int]] = {
    "title": (1, MAX_TITLE),
    "description": (0, 10_000),
    "instructions": (0, 20_000),
    "access_code": (0, 100),
}


def _text_problems(settings: ExamSettings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, (least, most) in _TEXT_LENGTHS.items():
        problem = text_problem(getattr(settings, name), least=least, most=most)
        if problem:
            yield (name,), problem


def _number_problems(settings: ExamSettings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    ranges = {
        "duration_minutes": (1, MAX_DURATION_MINUTES),
        "grace_seconds": (0, MAX_GRACE_SECONDS),
        "max_attempts": (1, MAX_ATTEMPTS),
    }
    for name, (least, most) in ranges.items():
        if not least <= getattr(settings, name) <= most:
            yield (name,), f"must be a whole number from {least} to {most}"
    if not settings.wrong_penalty.is_finite() or not 0 <= settings.wrong_penalty <= 1:
        yield _location("wrong_penalty"), "must be a number from 0 to 1"


def _location(name: str) -> tuple[str | int, ...]:
    # As the API nests them.
    return ("scoring", name) if name in {"multi_choice", "wrong_penalty"} else (name,)


def _auditable(name: str, value: Any) -> Any:
    if name == "access_code":
        return "(set)" if value else ""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
