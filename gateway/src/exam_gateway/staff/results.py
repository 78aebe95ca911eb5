"""Results: attempts from exam, grades from grading, names from auth, joined here; as a list and as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated, Any, Literal

from examkit.errors import unavailable
from examkit.rpc.client import call
from examkit.rpc.context import acting, current_request_id, current_token
from examprotos.exam.v1 import authoring_pb2, invigilation_pb2
from examprotos.grading.v1 import marking_pb2
from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit
from exam_gateway.staff import gradebook
from exam_gateway.staff import result_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, WRITE_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import NOBODY, people
from exam_gateway.wire import MOST_PER_PAGE, page_limit, when

EXPORT_SECONDS = 300.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (CSV, XLSX)}}
}

router = APIRouter(prefix="/api/v1/admin", tags=["marks and results"], route_class=StaffRoute)


@router.get(
    "/exams/{exam_id}/results",
    operation_id="list_results",
    summary="Results of an exam",
    response_model=shapes.Results,
    responses=_FILES | failures("not_found"),
)
async def list_results(
    exam_id: Id,
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
    status: Annotated[shapes.AttemptStatus | None, Query()] = None,
    format: Annotated[
        Literal["json", "csv", "xlsx"],
        Query(description="csv, xlsx: all of them in a file, with the points of each question."),
    ] = "json",
) -> shapes.Results | Response:
    """Every attempt, graded or not. In a file, what is typed is never a formula."""
    request = invigilation_pb2.ListAttemptsRequest(
        exam_id=str(exam_id), limit=page_limit(limit), cursor=cursor, status=status or ""
    )
    if format != "json":
        return await _file(staff, request, format)
    page, next_cursor, _ = await _results(staff, request)
    return shapes.Results(items=page, next_cursor=next_cursor or None)


@router.get(
    "/attempts/{student_exam_id}/result",
    operation_id="get_full_result",
    summary="One attempt's result, with its items",
    responses=failures("not_found"),
)
async def get_full_result(student_exam_id: Id, staff: Staff) -> shapes.FullResult:
    request = invigilation_pb2.GetAttemptRequest(student_exam_id=str(student_exam_id))
    attempt = await call(staff.invigilation.GetAttempt, request, timeout=READ_SECONDS, idempotent=True)
    grades = await _grades(staff, [attempt.student_exam_id], with_items=True)
    names = await people(staff, [attempt.student_id])
    return shapes.full_result(
        attempt, grades.get(attempt.student_exam_id), names.get(attempt.student_id, NOBODY)
    )


@router.post(
    "/exams/{exam_id}/release",
    operation_id="release_results",
    summary="Let students see their results",
    responses=failures("not_found"),
)
async def release_results(exam_id: Id, staff: Staff) -> shapes.Released:
    """For exams whose result_policy is `manual`. Doing it again changes nothing."""
    request = marking_pb2.ReleaseResultsRequest(exam_id=str(exam_id))
    released = await call(staff.marking.ReleaseResults, request, timeout=WRITE_SECONDS, idempotent=True)
    return shapes.Released(released_at=when(released.released_at))


Page = tuple[list[shapes.Result], str, dict[str, marking_pb2.FullResult]]


async def _results(
    staff: StaffBackend, request: invigilation_pb2.ListAttemptsRequest, *, with_items: bool = False
) -> Page:
    """A page of results, the next cursor, and the grades by attempt."""
    found = await call(staff.invigilation.ListAttempts, request, timeout=READ_SECONDS, idempotent=True)
    grades = await _grades(staff, (attempt.student_exam_id for attempt in found.items), with_items=with_items)
    names = await people(staff, (attempt.student_id for attempt in found.items))
    results = [
        shapes.result(attempt, grades.get(attempt.student_exam_id), names.get(attempt.student_id, NOBODY))
        for attempt in found.items
    ]
    return results, found.next_cursor, grades


async def _file(
    staff: StaffBackend, request: invigilation_pb2.ListAttemptsRequest, kind: Literal["csv", "xlsx"]
) -> Response:
    """Raises as long as nothing was sent; what fails later breaks the file off."""
    wanted = authoring_pb2.GetExamRequest(id=request.exam_id)
    exam = await call(staff.authoring.GetExam, wanted, timeout=READ_SECONDS, idempotent=True)
    questions = [question.question_id for question in exam.questions]
    request.limit, request.cursor = MOST_PER_PAGE, ""
    first = await _named(staff, request)
    pages = _pages(staff, request, questions, first, current_token.get() or "")
    headers = {"content-disposition": f'attachment; filename="results-{request.exam_id}.{kind}"'}
    if kind == "xlsx":
        return Response(await gradebook.as_xlsx(pages), media_type=XLSX, headers=headers)
    return StreamingResponse(gradebook.as_csv(pages), media_type=f"{CSV}; charset=utf-8", headers=headers)


async def _named(staff: StaffBackend, request: invigilation_pb2.ListAttemptsRequest) -> Page:
    """A page of a file, which is of no use without names. Raises unavailable."""
    page = await _results(staff, request, with_items=True)
    if page[0] and not any(result.student_email for result in page[0]):
        raise unavailable("Nobody can tell the students' names now. Try again.")
    return page


async def _pages(
    staff: StaffBackend,
    request: invigilation_pb2.ListAttemptsRequest,
    questions: Sequence[str],
    page: Page,
    token: str,
) -> AsyncIterator[list[gradebook.Row]]:
    """The header, then page after page. The request itself is over by then, so it acts anew."""
    yield [gradebook.header(questions)]
    while True:
        results, request.cursor, grades = page
        yield [gradebook.row(one, grades.get(str(one.student_exam_id)), questions) for one in results]
        if not request.cursor:
            return
        with acting(token=token, request_id=current_request_id(), timeout=EXPORT_SECONDS):
            page = await _named(staff, request)


async def _grades(
    staff: StaffBackend, attempts: Iterable[str], *, with_items: bool = False
) -> dict[str, marking_pb2.FullResult]:
    wanted = list(attempts)
    if not wanted:
        return {}
    request = marking_pb2.BatchGetResultsRequest(student_exam_ids=wanted, with_items=with_items)
    found = await call(staff.marking.BatchGetResults, request, timeout=READ_SECONDS, idempotent=True)
    return {result.student_exam_id: result for result in found.items}
