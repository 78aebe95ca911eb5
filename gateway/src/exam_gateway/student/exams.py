"""My exams, and what the page noticed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from examkit.errors import FieldError, invalid
from examkit.rpc.client import call
from examprotos.exam.v1 import attempts_pb2
from fastapi import APIRouter, Query

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StudentRoute
from exam_gateway.shapes import Cursor, Limit
from exam_gateway.student import convert, shapes
from exam_gateway.student.backend import READ_SECONDS, WRITE_SECONDS, Student
from exam_gateway.wire import page_limit, stamp

MAX_DETAIL_BYTES = 2048

router = APIRouter(prefix="/api/v1/student", tags=["taking an exam"], route_class=StudentRoute)


@router.get("/exams", operation_id="list_my_exams", summary="My exams")
async def list_my_exams(
    student: Student, limit: Annotated[Limit, Query()] = 50, cursor: Annotated[Cursor, Query()] = ""
) -> shapes.MyExams:
    """Open, upcoming and past; no question text."""
    request = attempts_pb2.ListMyExamsRequest(limit=page_limit(limit), cursor=cursor)
    found = await call(student.attempts.ListMyExams, request, timeout=READ_SECONDS, idempotent=True)
    return shapes.MyExams(
        items=[convert.my_exam(exam) for exam in found.items], next_cursor=found.next_cursor or None
    )


@router.post(
    "/events",
    operation_id="record_events",
    summary="Tell what the page noticed",
    status_code=202,
    responses=failures("not_found"),
)
async def record_events(body: shapes.Events, student: Student) -> shapes.Accepted:
    """Integrity events; they judge nobody by themselves."""
    request = attempts_pb2.RecordEventsRequest(
        student_exam_id=str(body.student_exam_id),
        events=[_event(event, index) for index, event in enumerate(body.events)],
    )
    await call(student.attempts.RecordEvents, request, timeout=WRITE_SECONDS)
    return shapes.Accepted()


def _event(event: shapes.IntegrityEvent, index: int) -> attempts_pb2.IntegrityEvent:
    detail = b"" if event.detail is None else msgspec.json.encode(event.detail)
    if len(detail) > MAX_DETAIL_BYTES:
        where = ("body", "events", index, "detail")
        raise invalid("An event's detail is too long.", FieldError(where, "must be at most 2 KiB as JSON"))
    return attempts_pb2.IntegrityEvent(kind=event.kind, at=stamp(event.at), detail_json=detail)
