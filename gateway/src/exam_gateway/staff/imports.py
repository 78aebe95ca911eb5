"""Importing workbooks: upload, progress, what was wrong, templates."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, cast
from urllib.parse import quote

from examkit.errors import FieldError, invalid
from examkit.rpc.client import call, stream
from examkit.rpc.context import current_token
from examprotos.imports.v1 import imports_pb2
from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import BeforeValidator
from starlette.responses import StreamingResponse

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.live import LiveEvent
from exam_gateway.shapes import Cursor, Id, Limit
from exam_gateway.staff import import_shapes as shapes
from exam_gateway.staff.backend import READ_SECONDS, Staff, StaffBackend
from exam_gateway.wire import page_limit

UPLOAD_SECONDS = 45.0
WORKBOOK_SECONDS = 30.0
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORKBOOK: dict[int | str, dict[str, Any]] = {
    200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}
}
_EVENT = {
    "type": "object",
    "properties": {"event": {"enum": ["job", "problem"]}, "data": {"type": "string"}},
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`job` events, each the job as JSON; a `problem` event where the stream must end.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}


def _true_or_false(value: Any) -> Any:
    """As the contract spells it; some clients write True."""
    text = str(value).lower()
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text == "true"


router = APIRouter(prefix="/api/v1/admin/imports", tags=["importing"], route_class=StaffRoute)


@router.post(
    "",
    operation_id="create_import",
    summary="Upload a workbook",
    status_code=202,
    responses=failures("not_a_workbook", "too_large"),
)
async def create_import(
    staff: Staff,
    file: Annotated[UploadFile, File(description=".xlsx, .xls, .ods or .csv, to 20 MiB.")],
    kind: Annotated[shapes.Kind, Form()],
    dry_run: Annotated[bool, BeforeValidator(_true_or_false), Form()] = False,
    on_error: Annotated[shapes.OnError, Form()] = "reject_file",
) -> shapes.Job:
    """The same file with the same kind and on_error, once imported, gives the same job again."""
    request = imports_pb2.CreateJobRequest(
        filename=_filename(file.filename or ""),
        data=await file.read(),
        kind=kind,
        dry_run=dry_run,
        on_error=on_error,
    )
    return shapes.job(await call(staff.imports.CreateJob, request, timeout=UPLOAD_SECONDS))


@router.get("", operation_id="list_imports", summary="All import jobs")
async def list_imports(
    staff: Staff, limit: Annotated[Limit, Query()] = 50, cursor: Annotated[Cursor, Query()] = ""
) -> shapes.Jobs:
    request = imports_pb2.ListJobsRequest(limit=page_limit(limit), cursor=cursor)
    found = await call(staff.imports.ListJobs, request, timeout=READ_SECONDS, idempotent=True)
    return shapes.Jobs(items=[shapes.job(job) for job in found.items], next_cursor=found.next_cursor or None)


@router.get(
    "/template.xlsx",
    operation_id="get_import_template",
    summary="An empty workbook",
    response_class=Response,
    responses=_WORKBOOK,
)
async def get_template(kind: Annotated[shapes.Kind, Query()], staff: Staff) -> Response:
    """With the header and an example for each type."""
    request = imports_pb2.GetTemplateRequest(kind=kind)
    return _download(
        await call(staff.imports.GetTemplate, request, timeout=WORKBOOK_SECONDS, idempotent=True)
    )


@router.get(
    "/{import_id}", operation_id="get_import", summary="An import job", responses=failures("not_found")
)
async def get_import(import_id: Id, staff: Staff) -> shapes.Job:
    request = imports_pb2.GetJobRequest(id=str(import_id))
    return shapes.job(await call(staff.imports.GetJob, request, timeout=READ_SECONDS, idempotent=True))


@router.get(
    "/{import_id}/events",
    operation_id="watch_import",
    summary="An import job's progress",
    response_class=StreamingResponse,
    responses=_EVENTS | failures("not_found"),
)
async def watch_import(import_id: Id, staff: Staff) -> StreamingResponse:
    """Server-sent events until the job ended. The token goes into the header."""
    request = imports_pb2.GetJobRequest(id=str(import_id))
    # First asked for once, so that a wrong id is a 404 and not a stream.
    await call(staff.imports.GetJob, request, timeout=READ_SECONDS, idempotent=True)
    token = current_token.get() or ""
    return staff.live.respond(_changes(staff, request, token), token)


async def _changes(
    staff: StaffBackend, request: imports_pb2.GetJobRequest, token: str
) -> AsyncIterator[LiveEvent]:
    jobs = cast("AsyncGenerator[imports_pb2.Job]", stream(staff.imports.WatchJob, request, token=token))
    # Closed with the stream that it feeds, so that import does not go on watching for nobody.
    async with aclosing(jobs):
        async for job in jobs:
            yield LiveEvent("job", shapes.job(job).model_dump_json().encode())


@router.get(
    "/{import_id}/rows",
    operation_id="list_failed_rows",
    summary="The rows that failed, beside what was read",
    responses=failures("not_found"),
)
async def list_failed_rows(
    import_id: Id,
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
) -> shapes.FailedRows:
    """In the order of the workbook; kept for 7 days."""
    request = imports_pb2.ListFailedRowsRequest(job_id=str(import_id), limit=page_limit(limit), cursor=cursor)
    found = await call(staff.imports.ListFailedRows, request, timeout=READ_SECONDS, idempotent=True)
    return shapes.FailedRows(
        items=[shapes.failed_row(row) for row in found.items], next_cursor=found.next_cursor or None
    )


@router.get(
    "/{import_id}/errors.xlsx",
    operation_id="get_import_errors",
    summary="The rows that failed",
    response_class=Response,
    responses=_WORKBOOK | failures("not_found"),
)
async def get_errors(import_id: Id, staff: Staff) -> Response:
    """Each with its reason."""
    request = imports_pb2.GetJobRequest(id=str(import_id))
    return _download(
        await call(staff.imports.GetErrorWorkbook, request, timeout=WORKBOOK_SECONDS, idempotent=True)
    )


def _download(workbook: imports_pb2.Workbook) -> Response:
    name = quote(workbook.filename or "workbook.xlsx", safe="")
    return Response(
        workbook.data,
        media_type=XLSX,
        headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _filename(given: str) -> str:
    """The last part of what the browser calls it. Raises invalid for what is no text."""
    name = given.replace("\\", "/").rpartition("/")[2]
    if "\0" in name or any("\ud800" <= character <= "\udfff" for character in name):
        raise invalid("The file's name is not a text.", FieldError(("body", "file"), "has a broken name"))
    return name[-200:]
