"""Exams as staff build and read them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from examprotos.exam.v1 import exams_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, Strict, model_validator

from exam_gateway.shapes import LEFT_OUT, WHOLE, Flag, Id, In, Number, Out, Patch, Points, Text, Time
from exam_gateway.staff.names import NOBODY, Person
from exam_gateway.wire import hundredths, id_or_none, moment, optional, points, stamp, when


def _words(enum: Any, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix).lower(): value for name, value in enum.items() if value}


STATUSES = _words(exams_pb2.ExamStatus, "EXAM_STATUS_")
MULTI_CHOICE = _words(exams_pb2.MultiChoiceScoring, "MULTI_CHOICE_SCORING_")
POLICIES = _words(exams_pb2.ResultPolicy, "RESULT_POLICY_")
REVEALS = _words(exams_pb2.Reveal, "REVEAL_")

Status = Literal["draft", "publishing", "published", "closed"]
MultiChoice = Literal["all_or_nothing", "partial"]
ResultPolicy = Literal["immediate", "after_close", "manual"]
Reveal = Literal["score", "correctness", "answers"]


def _four_decimals(value: float) -> float:
    if Decimal(str(value)) * 10_000 % 1:
        raise ValueError("must have at most four decimals")
    return value


Penalty = Annotated[Number, Field(ge=0, le=1, examples=[0.25]), AfterValidator(_four_decimals)]
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Biology, midterm"])]
Duration = Annotated[int, Strict(), Field(ge=1, le=1440, examples=[60]), WHOLE]
Grace = Annotated[int, Strict(), Field(ge=0, le=300), WHOLE]
Tries = Annotated[int, Strict(), Field(ge=1, le=100), WHOLE]
Code = Annotated[str, Field(max_length=100)]
Group = Annotated[str, Field(min_length=1, max_length=100)]


class ScoringIn(In):
    multi_choice: MultiChoice = "all_or_nothing"
    wrong_penalty: Penalty = 0.0


class NewExam(In):
    title: Name
    description: Text = ""
    instructions: Text = ""
    duration_minutes: Duration
    start_time: Time | None = None
    end_time: Time | None = None
    grace_seconds: Grace = 30
    max_attempts: Tries = 1
    shuffle_questions: Flag = False
    shuffle_options: Flag = True
    scoring: ScoringIn = Field(default_factory=ScoringIn)
    result_policy: ResultPolicy = "immediate"
    reveal: Reveal = "correctness"
    access_code: Code | None = None


class ScoringPatch(Patch):
    multi_choice: MultiChoice = Field(default=LEFT_OUT)
    wrong_penalty: Penalty = Field(default=LEFT_OUT)


class ExamPatch(Patch):
    """What is left out stays; null clears where it is allowed."""

    title: Name = Field(default=LEFT_OUT)
    description: Text | None = None
    instructions: Text | None = None
    duration_minutes: Duration = Field(default=LEFT_OUT)
    start_time: Time | None = None
    end_time: Time | None = None
    grace_seconds: Grace = Field(default=LEFT_OUT)
    max_attempts: Tries = Field(default=LEFT_OUT)
    shuffle_questions: Flag = Field(default=LEFT_OUT)
    shuffle_options: Flag = Field(default=LEFT_OUT)
    scoring: ScoringPatch = Field(default=LEFT_OUT)
    result_policy: ResultPolicy = Field(default=LEFT_OUT)
    reveal: Reveal = Field(default=LEFT_OUT)
    access_code: Code | None = None


class ExamQuestionIn(In):
    question_id: Id
    points: Points | None = Field(default=None, description="In this exam; else the question's own.")


class ExamQuestionsIn(In):
    questions: Annotated[list[ExamQuestionIn], Field(max_length=1000)]


class RosterIn(In):
    """Either `all`, or students and groups."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    all: Flag = False
    student_ids: Annotated[list[Id], Field(max_length=100_000)] = Field(default_factory=list)
    groups: Annotated[list[Group], Field(max_length=1000)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _says_something(self) -> RosterIn:
        if not self.model_fields_set:
            raise ValueError("Give all, or student_ids and groups.")
        if self.all and (self.student_ids or self.groups):
            raise ValueError("all must not come together with student_ids or groups.")
        return self


class ScoringOut(Out):
    multi_choice: MultiChoice
    wrong_penalty: float


class RosterOut(Out):
    all: bool
    student_ids: list[UUID]
    groups: list[str]


class ExamQuestion(Out):
    question_id: UUID
    points: float | None = Field(description="null: the question's own.")


class ExamSummary(Out):
    id: UUID
    status: Status
    title: str
    description: str
    instructions: str
    duration_minutes: int
    start_time: AwareDatetime | None
    end_time: AwareDatetime | None
    grace_seconds: int
    max_attempts: int
    shuffle_questions: bool
    shuffle_options: bool
    scoring: ScoringOut
    result_policy: ResultPolicy
    reveal: Reveal
    access_code: str | None
    question_count: int
    max_possible: float
    attempt_count: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    published_at: AwareDatetime | None
    closed_at: AwareDatetime | None


class Exam(ExamSummary):
    roster: RosterOut
    questions: list[ExamQuestion]


class WindowWarning(Out):
    code: Literal["window_too_short"] = "window_too_short"
    student_id: UUID | None = Field(description="null: everybody without a window of their own.")
    name: str | None
    email: str | None
    needed_minutes: float = Field(description="The duration with the extra time.")
    available_minutes: float
    detail: str


class PublishedExam(Exam):
    warnings: list[WindowWarning] = Field(description="Whose time does not fit into the window.")


class Exams(Out):
    items: list[ExamSummary]
    next_cursor: str | None


def new_settings(body: NewExam) -> exams_pb2.ExamSettings:
    return _settings({name: getattr(body, name) for name in NewExam.model_fields})


def changed_settings(body: ExamPatch) -> tuple[exams_pb2.ExamSettings, FieldMask]:
    """The settings that were given, and the mask that names them."""
    given = {name: getattr(body, name) for name in body.model_fields_set}
    paths = sorted(given.keys() - {"scoring"})
    if body.scoring is not None:
        paths += [f"scoring.{name}" for name in sorted(body.scoring.model_fields_set)]
    return _settings(given), FieldMask(paths=paths)


def _settings(given: dict[str, Any]) -> exams_pb2.ExamSettings:
    """What is None stays unset."""
    values = {name: value for name, value in given.items() if value is not None}
    for name in ("start_time", "end_time"):
        values[name] = stamp(values.get(name))
    if "result_policy" in values:
        values["result_policy"] = POLICIES[values["result_policy"]]
    if "reveal" in values:
        values["reveal"] = REVEALS[values["reveal"]]
    scoring = values.pop("scoring", None)
    message = exams_pb2.ExamSettings(**values)
    if scoring is not None:
        if scoring.multi_choice is not None:
            message.scoring.multi_choice = MULTI_CHOICE[scoring.multi_choice]
        if scoring.wrong_penalty is not None:
            message.scoring.wrong_penalty = f"{Decimal(str(scoring.wrong_penalty)):f}"
    return message


def exam_questions(body: ExamQuestionsIn) -> list[exams_pb2.ExamQuestion]:
    return [
        exams_pb2.ExamQuestion(
            question_id=str(one.question_id),
            points_hundredths=None if one.points is None else hundredths(one.points),
        )
        for one in body.questions
    ]


def roster(body: RosterIn) -> exams_pb2.Roster:
    return exams_pb2.Roster(
        all=body.all, student_ids=[str(one) for one in body.student_ids], groups=body.groups
    )


def _name(words: dict[str, Any], number: int) -> Any:
    return next((name for name, value in words.items() if value == number), None)


def _summary(found: exams_pb2.Exam) -> dict[str, Any]:
    settings = found.settings
    return {
        "id": UUID(found.id),
        "status": _name(STATUSES, found.status),
        "title": settings.title,
        "description": settings.description,
        "instructions": settings.instructions,
        "duration_minutes": settings.duration_minutes,
        "start_time": moment(settings, "start_time"),
        "end_time": moment(settings, "end_time"),
        "grace_seconds": settings.grace_seconds,
        "max_attempts": settings.max_attempts,
        "shuffle_questions": settings.shuffle_questions,
        "shuffle_options": settings.shuffle_options,
        "scoring": ScoringOut(
            multi_choice=_name(MULTI_CHOICE, settings.scoring.multi_choice) or "all_or_nothing",
            wrong_penalty=float(settings.scoring.wrong_penalty or 0),
        ),
        "result_policy": _name(POLICIES, settings.result_policy),
        "reveal": _name(REVEALS, settings.reveal),
        "access_code": settings.access_code or None,
        "question_count": found.question_count,
        "max_possible": points(found.max_possible_hundredths),
        "attempt_count": found.attempt_count,
        "created_at": when(found.created_at),
        "updated_at": when(found.updated_at),
        "published_at": moment(found, "published_at"),
        "closed_at": moment(found, "closed_at"),
    }


def exam_summary(found: exams_pb2.Exam) -> ExamSummary:
    return ExamSummary(**_summary(found))


def exam(found: exams_pb2.Exam) -> Exam:
    return Exam(
        **_summary(found),
        roster=RosterOut(
            all=found.roster.all,
            student_ids=[UUID(one) for one in found.roster.student_ids],
            groups=list(found.roster.groups),
        ),
        questions=[
            ExamQuestion(question_id=UUID(one.question_id), points=_points(one)) for one in found.questions
        ],
    )


def published(found: exams_pb2.Exam, names: Mapping[str, Person]) -> PublishedExam:
    warnings = [_warning(one, names.get(one.student_id, NOBODY)) for one in found.warnings]
    return PublishedExam(**exam(found).model_dump(), warnings=warnings)


def _warning(one: exams_pb2.WindowWarning, person: Person) -> WindowWarning:
    needed, available = round(one.needed_minutes, 2), round(one.available_minutes, 2)
    whose = person.name or person.email or "This student" if one.student_id else "Whoever sits it"
    return WindowWarning(
        student_id=id_or_none(one.student_id),
        name=person.name,
        email=person.email,
        needed_minutes=needed,
        available_minutes=available,
        detail=f"{whose} is given {needed:g} minutes, but the window leaves {available:g}.",
    )


def _points(one: exams_pb2.ExamQuestion) -> float | None:
    own = optional(one, "points_hundredths")
    return None if own is None else points(own)
