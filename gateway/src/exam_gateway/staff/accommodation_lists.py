"""Accommodations from a list, as an office has it: a verdict for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from examkit.rpc.client import call
from examprotos.auth.v1 import user_admin_pb2, users_pb2
from examprotos.exam.v1 import invigilation_pb2
from fastapi import APIRouter
from pydantic import Field, model_validator

from exam_gateway.auth.shapes import Email
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Id, Out
from exam_gateway.staff.accommodations import Accommodation, AccommodationIn, accommodation, message
from exam_gateway.staff.backend import READ_SECONDS, Staff, StaffBackend

BATCH = 100
BATCH_SECONDS = 15.0

router = APIRouter(prefix="/api/v1/admin", tags=["accommodations"], route_class=StaffRoute)


class AccommodationRow(AccommodationIn):
    """Whose it is, by the one or the other."""

    email: Email | None = None
    student_id: Id | None = None
    exam_id: Id | None = Field(default=None, description="Left out: for all exams.")

    @model_validator(mode="after")
    def _names_somebody(self) -> AccommodationRow:
        if (self.email is None) == (self.student_id is None):
            raise ValueError("Give email or student_id.")
        return self


class AccommodationVerdict(Out):
    row: int = Field(description="Of the list, the first being 1.")
    email: str | None = Field(description="As it was given.")
    student_id: UUID | None = Field(description="null where nobody was found.")
    outcome: Literal["set", "failed"]
    accommodation: Accommodation | None
    code: str | None = Field(description="Why it failed.", examples=["not_found"])
    detail: str | None


class AccommodationVerdicts(Out):
    set_count: int
    failed_count: int
    items: list[AccommodationVerdict]


Rows = Annotated[list[AccommodationRow], Field(min_length=1, max_length=1000)]


@router.put("/accommodations", operation_id="put_accommodations", summary="Set many from a list")
async def put_accommodations(body: Rows, staff: Staff) -> AccommodationVerdicts:
    """Each row by itself, effective at once: one that fails keeps no other from what it is granted.

    What is not well-formed is 422, and nothing is set.
    """
    students = await _students(staff, body)
    verdicts = [_unknown(place, row) for place, row in enumerate(body)]
    known = [(place, row) for place, row in enumerate(body) if students[place] is not None]
    for start in range(0, len(known), BATCH):
        batch = known[start : start + BATCH]
        request = invigilation_pb2.PutAccommodationsRequest(
            accommodations=[message(str(students[place]), row.exam_id, row) for place, row in batch]
        )
        found = await call(
            staff.invigilation.PutAccommodations, request, timeout=BATCH_SECONDS, idempotent=True
        )
        for (place, row), verdict in zip(batch, found.verdicts, strict=True):
            verdicts[place] = _verdict(place, row, str(students[place]), verdict)
    set_count = sum(one.outcome == "set" for one in verdicts)
    return AccommodationVerdicts(set_count=set_count, failed_count=len(verdicts) - set_count, items=verdicts)


async def _students(staff: StaffBackend, rows: Sequence[AccommodationRow]) -> list[str | None]:
    """For each row the id of its student; None where there is no such student."""
    by_email = user_admin_pb2.FindUsersRequest(emails=[row.email for row in rows if row.email is not None])
    by_id = user_admin_pb2.BatchGetUsersRequest(
        ids=[str(row.student_id) for row in rows if row.student_id is not None]
    )
    found: dict[str, str] = {}
    if by_email.emails:
        answer = await call(staff.users.FindUsers, by_email, timeout=READ_SECONDS, idempotent=True)
        found |= {one.email: one.user.id for one in answer.items if one.user.role == users_pb2.ROLE_STUDENT}
    if by_id.ids:
        named = await call(staff.users.BatchGetUsers, by_id, timeout=READ_SECONDS, idempotent=True)
        found |= {user.id: user.id for user in named.items if user.role == users_pb2.ROLE_STUDENT}
    return [found.get(row.email if row.email is not None else str(row.student_id)) for row in rows]


def _unknown(place: int, row: AccommodationRow) -> AccommodationVerdict:
    return AccommodationVerdict(
        row=place + 1,
        email=row.email,
        student_id=None,
        outcome="failed",
        accommodation=None,
        code="not_found",
        detail="There is no such student.",
    )


def _verdict(
    place: int, row: AccommodationRow, student_id: str, verdict: invigilation_pb2.AccommodationVerdict
) -> AccommodationVerdict:
    is_set = verdict.HasField("accommodation")
    return AccommodationVerdict(
        row=place + 1,
        email=row.email,
        student_id=UUID(student_id),
        outcome="set" if is_set else "failed",
        accommodation=accommodation(verdict.accommodation) if is_set else None,
        code=verdict.code or None,
        detail=verdict.detail or None,
    )
