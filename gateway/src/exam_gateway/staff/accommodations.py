"""Accommodations: the person's own for all exams, and an exam's, which goes before it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from examkit.rpc.client import call
from examprotos.exam.v1 import invigilation_pb2
from fastapi import APIRouter
from pydantic import AwareDatetime, Field, Strict

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import WHOLE, Id, In, Out, Time
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import must_be_student
from exam_gateway.wire import id_or_none, moment, stamp, when

OWN = "/students/{student_id}/accommodations"
OF_EXAM = "/exams/{exam_id}/accommodations/{student_id}"

router = APIRouter(prefix="/api/v1/admin", tags=["accommodations"], route_class=StaffRoute)


class AccommodationIn(In):
    extra_time_percent: Annotated[
        int,
        Strict(),
        Field(ge=0, le=400, description="50 means half as much time again.", examples=[25]),
        WHOLE,
    ]
    extra_attempts: Annotated[int, Strict(), Field(ge=0, le=10), WHOLE] = 0
    start_time: Time | None = Field(default=None, description="The student's own window, where it differs.")
    end_time: Time | None = None


class Accommodation(Out):
    student_id: UUID
    exam_id: UUID | None = Field(description="null: for all exams.")
    extra_time_percent: int
    extra_attempts: int
    start_time: AwareDatetime | None
    end_time: AwareDatetime | None
    updated_at: AwareDatetime


def message(student_id: str, exam_id: UUID | None, body: AccommodationIn) -> invigilation_pb2.Accommodation:
    return invigilation_pb2.Accommodation(
        student_id=student_id,
        exam_id=_text(exam_id),
        extra_time_percent=body.extra_time_percent,
        extra_attempts=body.extra_attempts,
        start_time=stamp(body.start_time),
        end_time=stamp(body.end_time),
    )


def accommodation(found: invigilation_pb2.Accommodation) -> Accommodation:
    return Accommodation(
        student_id=UUID(found.student_id),
        exam_id=id_or_none(found.exam_id),
        extra_time_percent=found.extra_time_percent,
        extra_attempts=found.extra_attempts,
        start_time=moment(found, "start_time"),
        end_time=moment(found, "end_time"),
        updated_at=when(found.updated_at),
    )


async def _get(staff: StaffBackend, student_id: UUID, exam_id: UUID | None) -> Accommodation:
    request = invigilation_pb2.GetAccommodationRequest(student_id=str(student_id), exam_id=_text(exam_id))
    return accommodation(
        await call(staff.invigilation.GetAccommodation, request, timeout=READ_SECONDS, idempotent=True)
    )


async def _put(
    staff: StaffBackend, student_id: UUID, exam_id: UUID | None, body: AccommodationIn
) -> Accommodation:
    await must_be_student(staff, student_id)
    wanted = message(str(student_id), exam_id, body)
    request = invigilation_pb2.PutAccommodationRequest(accommodation=wanted)
    # Sent once: each change is a row of its history.
    return accommodation(await call(staff.invigilation.PutAccommodation, request, timeout=WRITE_SECONDS))


async def _delete(staff: StaffBackend, student_id: UUID, exam_id: UUID | None) -> None:
    request = invigilation_pb2.DeleteAccommodationRequest(student_id=str(student_id), exam_id=_text(exam_id))
    await call(staff.invigilation.DeleteAccommodation, request, timeout=WRITE_SECONDS)


def _text(exam_id: UUID | None) -> str:
    return str(exam_id) if exam_id else ""


_FAILURES = failures("not_found")


@router.get(OWN, operation_id="get_own_accommodation", summary="A person's own", responses=_FAILURES)
async def get_own(student_id: Id, staff: Staff) -> Accommodation:
    return await _get(staff, student_id, None)


@router.put(OWN, operation_id="put_own_accommodation", summary="Set a person's own", responses=_FAILURES)
async def put_own(student_id: Id, body: AccommodationIn, staff: Staff) -> Accommodation:
    """For all exams; effective at once, for an attempt in progress too."""
    return await _put(staff, student_id, None, body)


@router.delete(
    OWN,
    operation_id="delete_own_accommodation",
    summary="Take a person's own away",
    status_code=204,
    responses=_FAILURES,
)
async def delete_own(student_id: Id, staff: Staff) -> None:
    await _delete(staff, student_id, None)


@router.get(OF_EXAM, operation_id="get_accommodation", summary="A person's in one exam", responses=_FAILURES)
async def get_of_exam(exam_id: Id, student_id: Id, staff: Staff) -> Accommodation:
    return await _get(staff, student_id, exam_id)


@router.put(
    OF_EXAM, operation_id="put_accommodation", summary="Set a person's in one exam", responses=_FAILURES
)
async def put_of_exam(exam_id: Id, student_id: Id, body: AccommodationIn, staff: Staff) -> Accommodation:
    """Goes before the person's own; effective at once, for an attempt in progress too."""
    return await _put(staff, student_id, exam_id, body)


@router.delete(
    OF_EXAM,
    operation_id="delete_accommodation",
    summary="Take a person's in one exam away",
    status_code=204,
    responses=_FAILURES,
)
async def delete_of_exam(exam_id: Id, student_id: Id, staff: Staff) -> None:
    await _delete(staff, student_id, exam_id)
