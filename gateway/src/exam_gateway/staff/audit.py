"""The audit trail: every service keeps its own, here they are one list, newest first."""

from __future__ import annotations

import asyncio
import heapq
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from examkit import paging
from examkit.errors import invalid
from examkit.rpc.client import call
from examprotos.common.v1 import audit_pb2
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field

from exam_gateway.guards.routes import StaffRoute
from exam_gateway.shapes import Cursor, Id, Limit, Out, Short
from exam_gateway.staff.backend import READ_SECONDS, Staff, StaffBackend
from exam_gateway.staff.names import NOBODY, Person, people
from exam_gateway.wire import document, id_or_none, page_limit, stamp, when

router = APIRouter(prefix="/api/v1/admin/audit", tags=["audit"], route_class=StaffRoute)

_Found = tuple[str, audit_pb2.Entry]


class Entry(Out):
    id: UUID
    at: AwareDatetime
    service: str = Field(examples=["exam"])
    actor_id: UUID | None = Field(description="A person's; null where a service acted by itself.")
    actor_name: str | None = Field(description="The person's name, or the service's.")
    actor_kind: str = Field(examples=["user"])
    action: str = Field(examples=["exam.published"])
    object_type: str = Field(examples=["exam"])
    object_id: str
    before: Any
    after: Any
    reason: str | None
    request_id: str | None


class Entries(Out):
    items: list[Entry]
    next_cursor: str | None


@router.get("", operation_id="list_audit", summary="Who did what, when, to what, why")
async def list_audit(
    staff: Staff,
    limit: Annotated[Limit, Query()] = 50,
    cursor: Annotated[Cursor, Query()] = "",
    actor_id: Annotated[Id | None, Query()] = None,
    object_type: Annotated[Short, Query()] = "",
    object_id: Annotated[Short, Query()] = "",
    action: Annotated[Short, Query()] = "",
) -> Entries:
    """Newest first. A trail with gaps would mislead: while a service is away there is 503."""
    size = page_limit(limit)
    request = audit_pb2.ListRequest(
        # One more than a page, which tells whether there is another.
        limit=min(size + 1, 200),
        actor_id=str(actor_id) if actor_id else "",
        object_type=object_type,
        object_id=object_id,
        action=action,
    )
    _after(request, cursor)
    size = min(size, request.limit - 1)
    found = await _merged(staff, request)
    page = found[:size]
    names = await people(staff, (entry.actor_id for _, entry in page if entry.actor_kind == "user"))
    return Entries(
        items=[_entry(service, entry, names.get(entry.actor_id, NOBODY)) for service, entry in page],
        next_cursor=_cursor(page[-1][1]) if len(found) > size else None,
    )


async def _merged(staff: StaffBackend, request: audit_pb2.ListRequest) -> list[_Found]:
    async def ask(service: str) -> list[_Found]:
        response = await call(staff.audits[service].List, request, timeout=READ_SECONDS, idempotent=True)
        return [(service, entry) for entry in response.items]

    parts = await asyncio.gather(*(ask(service) for service in staff.audits))
    return list(heapq.merge(*parts, key=_place, reverse=True))


def _place(found: _Found) -> tuple[int, int, str]:
    at = found[1].at
    return at.seconds, at.nanos, found[1].id


def _after(request: audit_pb2.ListRequest, cursor: str) -> None:
    """Raises invalid for a cursor that isn't ours."""
    parts = paging.decode(cursor, 2)
    if parts is None:
        return
    try:
        at = datetime.fromisoformat(parts[0])
        request.before_id = str(UUID(parts[1]))
        request.before.CopyFrom(stamp(at.astimezone(UTC)))  # type: ignore[arg-type]  # never None
    except (ValueError, OverflowError):
        raise invalid("The cursor is not one of this list.") from None


def _cursor(entry: audit_pb2.Entry) -> str:
    return paging.encode(when(entry.at).isoformat(), entry.id)


def _entry(service: str, entry: audit_pb2.Entry, actor: Person) -> Entry:
    by_a_person = entry.actor_kind == "user"
    return Entry(
        id=UUID(entry.id),
        at=when(entry.at),
        service=service,
        actor_id=id_or_none(entry.actor_id) if by_a_person else None,
        actor_name=actor.name if by_a_person else entry.actor_id or None,
        actor_kind=entry.actor_kind,
        action=entry.action,
        object_type=entry.object_type,
        object_id=entry.object_id,
        before=document(entry.before_json),
        after=document(entry.after_json),
        reason=entry.reason or None,
        request_id=entry.request_id or None,
    )
