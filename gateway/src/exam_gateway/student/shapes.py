"""Bodies of taking an exam. Those of the save routes are read by msgspec; here they are described."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, SkipValidation
from typing_extensions import TypedDict

from exam_gateway.shapes import QUESTION_TEXT, AnswerOut, Id, In, MediaOut, Out, Time

_ANSWER_TEXT = (
    "A string (an option id, `true`/`false`, a number, a text, a file id), a list of option ids for "
    "`multi_choice`, or null to clear. At most 64 KiB."
)
Answer = Annotated[str | list[str] | None, Field(description=_ANSWER_TEXT, examples=["B"])]
Revision = Annotated[
    int | None,
    Field(
        ge=0,
        le=2**53 - 1,
        description="Chosen by the client, growing per question. Without one: the stored one + 1.",
        examples=[3],
    ),
]
SPARE = ConfigDict(json_schema_serialization_defaults_required=False)
"""For the hot path, which leaves out what has nothing to say."""
QuestionType = Literal[
    "single_choice", "multi_choice", "true_false", "numeric", "short_text", "text", "image"
]


class MyExam(Out):
    id: UUID
    title: str = Field(examples=["Biology, midterm"])
    description: str
    duration_minutes: int
    start_time: AwareDatetime | None = Field(description="The own window, accommodation included.")
    end_time: AwareDatetime | None
    phase: Literal["upcoming", "open", "past"]
    question_count: int
    max_possible: float
    max_attempts: int
    attempts_used: int
    my_status: Literal["not_started", "in_progress", "submitted", "expired", "paused", "void"]
    student_exam_id: UUID | None = Field(description="Of the latest attempt.")
    time_remaining_seconds: float | None
    access_code_needed: bool


class MyExams(Out):
    items: list[MyExam]
    next_cursor: str | None


class Start(In):
    access_code: Annotated[str, Field(max_length=200, examples=["room-7"])] | None = None


class Option(Out):
    id: str = Field(examples=["A"])
    text: str = Field(examples=["Mitochondrion"])


class AttemptQuestion(Out):
    id: UUID
    type: QuestionType
    text: str = Field(description=QUESTION_TEXT)
    options: list[Option] = Field(description="Lettered anew for each attempt, in the order shown.")
    points: float
    order: int
    media: list[MediaOut]


class AttemptExam(Out):
    id: UUID
    title: str
    instructions: str
    duration_minutes: int
    question_count: int
    max_possible: float


class SavedAnswer(Out):
    answer: AnswerOut
    revision: int
    saved_at: AwareDatetime


class Attempt(Out):
    student_exam_id: UUID
    attempt_no: int
    exam: AttemptExam
    questions: list[AttemptQuestion]
    started_at: AwareDatetime
    deadline: AwareDatetime
    deadline_version: int
    deadline_reason: str
    grace_seconds: int
    server_time: AwareDatetime
    time_remaining_seconds: float
    saved_answers: dict[str, SavedAnswer] = Field(description="By question id.")


class AnswerIn(In):
    question_id: Id
    answer: Answer
    revision: Revision = None


class SaveAnswer(AnswerIn):
    student_exam_id: Id


class SaveAnswers(In):
    student_exam_id: Id
    answers: Annotated[list[AnswerIn], Field(max_length=200)]


class Submit(In):
    student_exam_id: Id
    answers: Annotated[list[AnswerIn], Field(max_length=1000)] | None = None


class SubmitAnswers(In):
    """`student_exam_id` may stand here too, if it is the one in the path."""

    answers: Annotated[list[AnswerIn], Field(max_length=1000)] | None = None


class Clock(Out):
    deadline: AwareDatetime
    deadline_version: int
    server_time: AwareDatetime
    time_remaining_seconds: float = Field(examples=[2711.42])


class Saved(Clock):
    model_config = SPARE

    success: Literal[True]
    outcome: Literal["stored", "repeat", "superseded"]
    saved_at: AwareDatetime
    revision: int
    current: SavedAnswer | None = Field(default=None, description="For `superseded`: what is stored.")


class SavedItem(Out):
    model_config = SPARE

    question_id: UUID
    outcome: Literal["stored", "repeat", "superseded"]
    revision: int
    saved_at: AwareDatetime
    current: SavedAnswer | None = None


class RejectedItem(Out):
    model_config = SPARE

    question_id: str
    code: str = Field(examples=["invalid"])
    detail: str = Field(examples=["The answer must be the id of an option."])
    current: SavedAnswer | None = None


class SavedMany(Clock):
    saved: list[SavedItem]
    rejected: list[RejectedItem]


class NumericAnswer(TypedDict):
    value: str
    tolerance: str


class ShortTextAnswer(TypedDict):
    accepted: list[str]
    case_sensitive: bool


CorrectAnswer = SkipValidation[str | list[str] | NumericAnswer | ShortTextAnswer | None]


class ResultItem(Out):
    question_id: UUID
    status: Literal["graded", "pending", "excluded"]
    is_correct: bool | None
    score: float | None
    max_score: float
    answer: AnswerOut
    comment: str | None
    correct_answer: CorrectAnswer = Field(default=None, description="Only where the exam reveals answers.")
    explanation: str | None = None


class MyResultItem(ResultItem):
    """With the question as the student saw it; null while the service that knows it is away."""

    order: int | None = Field(default=None, description="1, 2, … as shown.")
    type: QuestionType | None = None
    question_text: str | None = Field(default=None, description=QUESTION_TEXT)
    options: list[Option] | None = Field(default=None, description="In the letters of `answer`.")
    media: list[MediaOut] | None = None


class Receipt(Out):
    answers_digest: str = Field(description="SHA-256 of all answers as closed, hex.")
    answer_count: int


class Submitted(Out):
    success: Literal[True] = True
    student_exam_id: UUID
    status: Literal["submitted", "expired"]
    submitted_at: AwareDatetime
    total_score: float | None
    max_possible: float
    percentage: float | None
    graded_count: int
    pending_count: int
    results: list[ResultItem]
    rejected: list[RejectedItem]
    grading: Literal["complete", "pending"]
    receipt: Receipt


class IntegrityEvent(In):
    kind: Literal["tab_hidden", "tab_visible", "paste", "copy", "fullscreen_exit", "offline", "online"]
    at: Time
    detail: Annotated[dict[str, Any], Field(description="At most 2 KiB as JSON.")] | None = None


class Events(In):
    student_exam_id: Id
    events: Annotated[list[IntegrityEvent], Field(min_length=1, max_length=200)]


class Accepted(Out):
    success: Literal[True] = True


class MyResultSummary(Out):
    student_exam_id: UUID
    exam_id: UUID
    exam_title: str | None = Field(description="null before the first grade.")
    attempt_no: int
    status: Literal["submitted", "expired"]
    submitted_at: AwareDatetime
    released: bool
    total_score: float | None = Field(description="null while it is withheld.")
    max_possible: float
    percentage: float | None
    graded_count: int
    pending_count: int
    grading: Literal["complete", "pending"]


class ScoreChange(Out):
    """What a regrade did to the score."""

    question_id: UUID | None = Field(description="null where the exam shows scores of the whole alone.")
    policy: Literal["rekey", "full_marks", "exclude", "rollback"]
    reason: str | None
    at: AwareDatetime
    score_before: float | None = Field(description="null where it waited for a marker, or did not count.")
    score_after: float | None


class MyResult(MyResultSummary):
    results: list[MyResultItem]
    changes: list[ScoreChange] = Field(default=[], description="The oldest first.")


class MyResults(Out):
    items: list[MyResultSummary]
    next_cursor: str | None
