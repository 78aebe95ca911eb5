"""Pictures to be seen, at one address for students and staff: exam judges who may see which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from examkit.rpc.client import call
from examprotos.exam.v1 import files_pb2
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from exam_gateway.describe import failures
from exam_gateway.guards.routes import AccountRoute
from exam_gateway.shapes import Id, Out

if TYPE_CHECKING:
    from examprotos.exam.v1.files_pb2_grpc import FilesAsyncStub

READ_SECONDS = 20.0
DRAW_SECONDS = 45.0
"""For what comes in: it is drawn anew, a few at a time."""

_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
_CONTENT = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _SUFFIXES}
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"description": "The picture.", "content": _CONTENT}}
_HEADERS = {
    "cache-control": "private, no-store",
    # Whatever somebody makes of the address: nothing in it runs, and no other site shows it.
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "same-origin",
}


class FileAdded(Out):
    file_id: UUID = Field(description="`GET /api/v1/files/{file_id}` gives the picture.")


@dataclass(frozen=True)
class FilesBackend:
    files: FilesAsyncStub


async def _backend(request: Request) -> FilesBackend:
    backend: FilesBackend = request.app.state.files
    return backend


router = APIRouter(prefix="/api/v1/files", tags=["pages"], route_class=AccountRoute)


@router.get(
    "/{file_id}",
    operation_id="get_file",
    summary="A picture",
    response_class=Response,
    responses=_PICTURE | failures("not_found", "forbidden"),
)
async def get_file(file_id: Id, backend: Annotated[FilesBackend, Depends(_backend)]) -> Response:
    """An answer's for its student and staff; a question's for staff and for who sits or sat it."""
    request = files_pb2.GetFileRequest(file_id=str(file_id))
    found = await call(backend.files.GetFile, request, timeout=READ_SECONDS, idempotent=True)
    name = f'inline; filename="{file_id}.{_SUFFIXES[found.media_type]}"'
    headers = _HEADERS | {"content-disposition": name}
    return Response(found.data, media_type=found.media_type, headers=headers)
