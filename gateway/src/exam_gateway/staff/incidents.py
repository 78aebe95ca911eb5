"""Incidents: what befell many who sit an exam; they are paused, resumed or given minutes together."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from examkit.rpc.client import call
from examprotos.auth.v1 import user_admin_pb2, users_pb2
from examprotos.exam.v1 import invigilation_pb2
from fastapi import APIRouter, Response
from pydantic import AwareDatetime, Field, model_validator

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Flag, Id, In, Out, Time
from exam_gateway.staff.attempts import Because, Minutes, Reason
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import NOBODY, people
from exam_gateway.wire import document, id_or_none, moment, stamp, when

MOST_MEMBERS = 200

router = APIRouter(
    prefix="/api/v1/admin/exams/{exam_id}/incidents", tags=["running exams"], route_class=StaffRoute
)

What = Literal["pause", "resume", "add_minutes"]


class Scope(In):
    """All who sit the exam, or those who fit both of what is given."""

    exam: Flag = False
    group: Annotated[str, Field(min_length=1, max_length=100, examples=["room-2"])] | None = None
    silent_between: (
        Annotated[
            list[Time],
            Field(
                min_length=2,
                max_length=2,
                description="From when to when nothing came of an attempt that had begun.",
            ),
        ]
        | None
    ) = None

    @model_validator(mode="after")
    def _says_whom(self) -> Scope:
        narrowed = self.group is not None or self.silent_between is not None
        if self.exam == narrowed:
            raise ValueError("Give exam: true, or group and silent_between.")
        return self


class IncidentIn(In):
    action: What
    minutes: Minutes | None = Field(default=None, description="For add_minutes alone.")
    scope: Scope
    reason: Reason
    dry_run: Flag = False


class Incident(Out):
    id: UUID
    exam_id: UUID
    action: What
    minutes: int | None = Field(description="Below 0 where minutes were taken back.")
    scope: dict[str, Any]
    reason: str
    created_at: AwareDatetime
    created_by: UUID | None
    created_by_name: str | None
    status: Literal["running", "finished"]
    total: int = Field(description="Attempts that it concerns.")
    done: int
    skipped: int = Field(description="Attempts that had closed, or were in this state already.")
    undo_of: UUID | None
    undone_by: UUID | None


class Incidents(Out):
    items: list[Incident]
    next_cursor: None = None


class Concerned(Out):
    student_exam_id: UUID
    student_id: UUID
    name: str | None
    email: str | None
    status: Literal["in_progress", "paused"]
    deadline: AwareDatetime
    last_activity: AwareDatetime


class Preview(Out):
    dry_run: Literal[True] = True
    count: int
    students: list[Concerned]


_PREVIEW: dict[int | str, dict[str, Any]] = {
    200: {"model": Preview, "description": "With dry_run: whom it would concern now."}
}


async def _members(staff: StaffBackend, group: str) -> list[str]:
    """The ids of the students in a group."""
    found: list[str] = []
    request = user_admin_pb2.ListUsersRequest(limit=MOST_MEMBERS, role=users_pb2.ROLE_STUDENT, group=group)
    while True:
        page = await call(staff.users.ListUsers, request, timeout=READ_SECONDS, idempotent=True)
        found += [user.id for user in page.items]
        if not page.next_cursor:
            return found
        request.cursor = page.next_cursor


async def _wanted(staff: StaffBackend, exam_id: UUID, body: IncidentIn) -> invigilation_pb2.IncidentPlan:
    plan = invigilation_pb2.IncidentPlan(
        exam_id=str(exam_id), action=body.action, minutes=body.minutes, reason=body.reason
    )
    if body.scope.group is not None:
        plan.group.name = body.scope.group
        plan.group.student_ids.extend(await _members(staff, body.scope.group))
    if body.scope.silent_between is not None:
        first, last = body.scope.silent_between
        plan.silent.CopyFrom(invigilation_pb2.Silence(begin=stamp(first), end=stamp(last)))
    return plan


@router.post(
    "",
    operation_id="create_incident",
    summary="Do something for many at once",
    status_code=201,
    responses=_PREVIEW | failures("not_found"),
)
async def create_incident(
    exam_id: Id, body: IncidentIn, staff: Staff, response: Response
) -> Incident | Preview:
    """For whom is settled when it is asked for. It is done in parts, while saves go on: `running` until it is
    done for everybody, which nothing but the database can keep it from.
    """
    plan = await _wanted(staff, exam_id, body)
    if not body.dry_run:
        # Sent once: minutes that are given twice are given twice.
        made = await call(
            staff.invigilation.CreateIncident,
            invigilation_pb2.CreateIncidentRequest(plan=plan),
            timeout=WRITE_SECONDS,
        )
        return (await _incidents(staff, [made]))[0]
    request = invigilation_pb2.PreviewIncidentRequest(plan=plan)
    found = await call(staff.invigilation.PreviewIncident, request, timeout=WRITE_SECONDS, idempotent=True)
    response.status_code = 200
    return await _preview(staff, found)


@router.get(
    "", operation_id="list_incidents", summary="What was done for many", responses=failures("not_found")
)
async def list_incidents(exam_id: Id, staff: Staff) -> Incidents:
    """The newest first."""
    request = invigilation_pb2.ListIncidentsRequest(exam_id=str(exam_id))
    found = await call(staff.invigilation.ListIncidents, request, timeout=READ_SECONDS, idempotent=True)
    return Incidents(items=await _incidents(staff, list(found.items)))


@router.post(
    "/{incident_id}/undo",
    operation_id="undo_incident",
    summary="Take it back",
    status_code=201,
    responses=failures("not_found", "incident_undone", "incident_running", "not_undoable"),
)
async def undo_incident(exam_id: Id, incident_id: Id, body: Because, staff: Staff) -> Incident:
    """For all for whom it was done and who still sit the exam; an incident of its own."""
    request = invigilation_pb2.UndoIncidentRequest(
        exam_id=str(exam_id), incident_id=str(incident_id), reason=body.reason
    )
    made = await call(staff.invigilation.UndoIncident, request, timeout=WRITE_SECONDS)
    return (await _incidents(staff, [made]))[0]


async def _incidents(staff: StaffBackend, found: list[invigilation_pb2.Incident]) -> list[Incident]:
    names = await people(staff, (one.actor_id for one in found))
    return [_incident(one, names.get(one.actor_id, NOBODY).name) for one in found]


def _incident(one: invigilation_pb2.Incident, actor: str | None) -> Incident:
    what: Any = one.action
    return Incident(
        id=UUID(one.id),
        exam_id=UUID(one.exam_id),
        action=what,
        minutes=one.minutes if one.HasField("minutes") else None,
        scope=document(one.scope_json),
        reason=one.reason,
        created_at=when(one.created_at),
        created_by=id_or_none(one.actor_id),
        created_by_name=actor,
        status="finished" if moment(one, "finished_at") else "running",
        total=one.total,
        done=one.done,
        skipped=one.skipped,
        undo_of=id_or_none(one.undo_of),
        undone_by=id_or_none(one.undone_by),
    )


async def _preview(staff: StaffBackend, found: invigilation_pb2.PreviewIncidentResponse) -> Preview:
    names = await people(staff, (one.student_id for one in found.items))
    students = [_concerned(one, names.get(one.student_id, NOBODY)) for one in found.items]
    return Preview(count=len(students), students=students)


def _concerned(one: invigilation_pb2.ConcernedAttempt, person: Any) -> Concerned:
    status: Any = one.status
    return Concerned(
        student_exam_id=UUID(one.student_exam_id),
        student_id=UUID(one.student_id),
        name=person.name,
        email=person.email,
        status=status,
        deadline=when(one.deadline),
        last_activity=when(one.last_activity),
    )
