"""Watching an exam: who sits it now, and what changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from examkit.rpc.context import current_token
from fastapi import APIRouter, Query, Response
from starlette.responses import StreamingResponse

from exam_gateway.describe import failures
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.live import LiveEvent
from exam_gateway.shapes import Id, Short
from exam_gateway.staff.attempts import Status
from exam_gateway.staff.backend import Staff, StaffBackend
from exam_gateway.staff.monitor_shapes import Monitor, Row

router = APIRouter(
    prefix="/api/v1/admin/exams/{exam_id}/monitor", tags=["running exams"], route_class=StaffRoute
)

_EVENT = {
    "type": "object",
    "properties": {"event": {"enum": ["snapshot", "changes", "problem"]}, "data": {"type": "string"}},
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A `snapshot` event, then `changes`: each a Monitor as JSON, `changes` with those "
        "students alone that changed. A `problem` event where the stream must end.",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}


@router.get("", operation_id="get_monitor", summary="Who is taking an exam", responses=failures("not_found"))
async def get_monitor(
    exam_id: Id,
    staff: Staff,
    status: Annotated[Status | None, Query()] = None,
    quiet: Annotated[bool | None, Query()] = None,
    q: Annotated[Short, Query(description="Part of a name or e-mail address.")] = "",
) -> Monitor:
    """Those who began, all of them unless narrowed; the counts are of all."""

    def keep(one: Row) -> bool:
        part = q.casefold()
        return (
            (status is None or one.status == status)
            and (quiet is None or one.quiet == quiet)
            and (part in (one.name or "").casefold() or part in (one.email or "").casefold())
        )

    async with staff.watches.watching(staff, str(exam_id), current_token.get() or "") as (watch, _):
        # As JSON already: it may be thousands of rows.
        return Response(watch.snapshot(keep), media_type="application/json")  # type: ignore[return-value]


@router.get(
    "/stream",
    operation_id="watch_exam",
    summary="An exam as it goes on",
    response_class=StreamingResponse,
    responses=_EVENTS | failures("not_found"),
)
async def watch_exam(exam_id: Id, staff: Staff) -> StreamingResponse:
    """Server-sent events, at most one in two seconds. The token goes into the header."""
    token = current_token.get() or ""
    # First looked at once, so that a wrong id is a 404 and not a stream.
    async with staff.watches.watching(staff, str(exam_id), token):
        return staff.live.respond(_news(staff, str(exam_id), token), token)


async def _news(staff: StaffBackend, exam_id: str, token: str) -> AsyncIterator[LiveEvent]:
    async with staff.watches.watching(staff, exam_id, token) as (watch, watcher):
        yield LiveEvent("snapshot", watch.snapshot())
        while True:
            yield LiveEvent("changes", watch.changes(await watcher.news()))
