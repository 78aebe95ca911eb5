"""Attempts as staff see and change them: extend, pause, resume, void, reopen, each with its reason."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from examkit.rpc.client import call
from examprotos.exam.v1 import invigilation_pb2
from fastapi import APIRouter
from pydantic import AfterValidator, AwareDatetime, Field, Strict

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import WHOLE, Id, In, Out
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import NOBODY, Person, people
from exam_gateway.wire import document, id_or_none, moment, when

router = APIRouter(prefix="/api/v1/admin/attempts", tags=["running exams"], route_class=StaffRoute)

Status = Literal["in_progress", "paused", "submitted", "expired", "void"]


def _says_something(value: str) -> str:
    if not value.strip():
        raise ValueError("must say why")
    return value


Minutes = Annotated[int, Strict(), Field(ge=1, le=1440, examples=[10]), WHOLE]
Reason = Annotated[
    str,
    Field(min_length=1, max_length=1000, examples=["Fire alarm in room 2."], pattern=r"\S"),
    AfterValidator(_says_something),
]


class Because(In):
    reason: Reason


class Extension(Because):
    minutes: Minutes


class Reopening(Because):
    minutes: Minutes | None = Field(
        default=None, description="From now on; left out: the time that was left when the attempt closed."
    )


class AttemptStanding(Out):
    student_exam_id: UUID
    student_id: UUID
    name: str | None = Field(description="null while the service that knows names is away.")
    email: str | None
    exam_id: UUID
    attempt_no: int
    status: Status
    version: int
    started_at: AwareDatetime
    closed_at: AwareDatetime | None
    deadline: AwareDatetime
    deadline_version: int
    deadline_reason: str
    granted_minutes: int
    time_remaining_seconds: float = Field(
        description="0 once it is closed; while it is paused, what there was when the pause began."
    )
    server_time: AwareDatetime
    last_activity: AwareDatetime
    answered: int
    total_questions: int
    resumes: int


class DeadlineStep(Out):
    rule: str = Field(
        description="start · duration · extra_time · own_end · exam_end · granted · shifted · earlier_rules",
        examples=["extra_time"],
    )
    seconds: float = Field(description="What it did to the deadline; below 0: it ends earlier.")
    at: AwareDatetime = Field(description="Where the deadline is then.")
    detail: str


class Intervention(Out):
    at: AwareDatetime
    action: str = Field(examples=["reopened"])
    reason: str
    by: UUID | None = Field(description="null where the system itself did it.")
    by_name: str | None
    before: Any
    after: Any


class TimelineEntry(Out):
    at: AwareDatetime
    what: str


class ExplainedAttempt(AttemptStanding):
    """An attempt with all that is known of it but its answers."""

    deadline_explained: list[DeadlineStep] = Field(description="One rule after the other.")
    history: list[Intervention] = Field(description="What staff did, the oldest first.")
    timeline: list[TimelineEntry] = Field(description="All that left a trace, by time.")


async def attempt(staff: StaffBackend, found: invigilation_pb2.AttemptSummary) -> AttemptStanding:
    """With the name of who sits it."""
    return AttemptStanding(**await told(staff, found))


async def told(staff: StaffBackend, found: invigilation_pb2.AttemptSummary) -> dict[str, Any]:
    """The fields of an AttemptStanding."""
    person = (await people(staff, [found.student_id])).get(found.student_id, NOBODY)
    return {
        "student_exam_id": UUID(found.student_exam_id),
        "student_id": UUID(found.student_id),
        "name": person.name,
        "email": person.email,
        "exam_id": UUID(found.exam_id),
        "attempt_no": found.attempt_no,
        "status": found.status,
        "version": found.version,
        "started_at": when(found.started_at),
        "closed_at": moment(found, "closed_at"),
        "deadline": when(found.deadline),
        "deadline_version": found.deadline_version,
        "deadline_reason": found.deadline_reason,
        "granted_minutes": found.granted_minutes,
        "time_remaining_seconds": found.time_remaining_seconds,
        "server_time": when(found.server_time),
        "last_activity": when(found.last_activity),
        "answered": found.answered_count,
        "total_questions": found.question_count,
        "resumes": found.resumes,
    }


@router.get(
    "/{student_exam_id}",
    operation_id="get_attempt",
    summary="An attempt, and how it came to stand as it does",
    responses=failures("not_found"),
)
async def get_attempt(student_exam_id: Id, staff: Staff) -> ExplainedAttempt:
    """Which rules give its deadline, what staff did and why, and all that left a trace. No answers."""
    request = invigilation_pb2.ExplainAttemptRequest(student_exam_id=str(student_exam_id))
    found = await call(staff.invigilation.ExplainAttempt, request, timeout=READ_SECONDS, idempotent=True)
    names = await people(staff, (one.actor_id for one in found.interventions))
    return ExplainedAttempt(
        **await told(staff, found.attempt),
        deadline_explained=[
            DeadlineStep(rule=step.rule, seconds=step.seconds, at=when(step.at), detail=step.detail)
            for step in found.steps
        ],
        history=[_intervention(one, names.get(one.actor_id, NOBODY)) for one in found.interventions],
        timeline=[TimelineEntry(at=when(one.at), what=one.what) for one in found.moments],
    )


def _intervention(one: invigilation_pb2.Intervention, actor: Person) -> Intervention:
    return Intervention(
        at=when(one.at),
        action=one.action,
        reason=one.reason,
        by=id_or_none(one.actor_id) if one.actor_kind == "user" else None,
        by_name=actor.name,
        before=document(one.before_json),
        after=document(one.after_json),
    )


_CLOSED = ("already_submitted", "attempt_expired", "attempt_void")


@router.post(
    "/{student_exam_id}/extend",
    operation_id="extend_attempt",
    summary="Give an attempt more time",
    responses=failures("not_found", *_CLOSED),
)
async def extend(student_exam_id: Id, body: Extension, staff: Staff) -> AttemptStanding:
    """On top of everything else, at once: the next save answers with the new deadline."""
    request = invigilation_pb2.ExtendAttemptRequest(
        student_exam_id=str(student_exam_id), minutes=body.minutes, reason=body.reason
    )
    # Sent once, as all that follows: doing it twice would be twice on record.
    return await attempt(staff, await call(staff.invigilation.ExtendAttempt, request, timeout=WRITE_SECONDS))


@router.post(
    "/{student_exam_id}/pause",
    operation_id="pause_attempt",
    summary="Stop the clock of an attempt",
    responses=failures("not_found", "attempt_paused", *_CLOSED),
)
async def pause(student_exam_id: Id, body: Because, staff: Staff) -> AttemptStanding:
    """Saves get 409 `attempt_paused` until it is resumed; the deadline then moves by that time."""
    request = invigilation_pb2.PauseAttemptRequest(student_exam_id=str(student_exam_id), reason=body.reason)
    return await attempt(staff, await call(staff.invigilation.PauseAttempt, request, timeout=WRITE_SECONDS))


@router.post(
    "/{student_exam_id}/resume",
    operation_id="resume_attempt",
    summary="Let a paused attempt go on",
    responses=failures("not_found", "attempt_in_progress", *_CLOSED),
)
async def resume(student_exam_id: Id, body: Because, staff: Staff) -> AttemptStanding:
    request = invigilation_pb2.ResumeAttemptRequest(student_exam_id=str(student_exam_id), reason=body.reason)
    return await attempt(staff, await call(staff.invigilation.ResumeAttempt, request, timeout=WRITE_SECONDS))


@router.post(
    "/{student_exam_id}/void",
    operation_id="void_attempt",
    summary="Declare an attempt void",
    responses=failures("not_found", "attempt_void"),
)
async def void(student_exam_id: Id, body: Because, staff: Staff) -> AttemptStanding:
    """It counts nowhere, and its grade is withdrawn. Answers and marks are kept: it can be reopened."""
    request = invigilation_pb2.VoidAttemptRequest(student_exam_id=str(student_exam_id), reason=body.reason)
    return await attempt(staff, await call(staff.invigilation.VoidAttempt, request, timeout=WRITE_SECONDS))


@router.post(
    "/{student_exam_id}/reopen",
    operation_id="reopen_attempt",
    summary="Let a closed attempt go on",
    responses=failures("not_found", "attempt_in_progress", "attempt_paused", "already_started"),
)
async def reopen(student_exam_id: Id, body: Reopening, staff: Staff) -> AttemptStanding:
    """With all its answers. Its grade is withdrawn until it closes again; marks stay where the answer does.

    422 for `minutes` where no time was left and none are given; `already_started` while the student is
    taking another attempt at the exam.
    """
    request = invigilation_pb2.ReopenAttemptRequest(
        student_exam_id=str(student_exam_id), reason=body.reason, minutes=body.minutes
    )
    return await attempt(staff, await call(staff.invigilation.ReopenAttempt, request, timeout=WRITE_SECONDS))
