"""Pictures to be seen, at one address for students and staff: exam judges who may see which."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from examkit.rpc.client import call
from examprotos.exam.v1 import files_pb2
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from exam_gateway.describe import failures
from exam_gateway.guards.access import USER
from exam_gateway.guards.downloads import Downloads
from exam_gateway.guards.routes import AccountRoute
from exam_gateway.shapes import Id, Out

if TYPE_CHECKING:
    from examprotos.exam.v1.files_pb2_grpc import FilesAsyncStub

READ_SECONDS = 20.0
DRAW_SECONDS = 45.0
"""For what comes in: it is drawn anew, a few at a time."""

SEND_SECONDS = 120.0
"""For 10 MiB, over a line of 700 kbit/s: who reads more slowly keeps others out."""
SLICE = 256 * 1024

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
    downloads: Downloads = field(default_factory=Downloads)


async def _backend(request: Request) -> FilesBackend:
    backend: FilesBackend = request.app.state.files
    return backend


async def _turn(request: Request, backend: Annotated[FilesBackend, Depends(_backend)]) -> AsyncIterator[None]:
    """Until the response is written: so long its picture is held."""
    async with backend.downloads.turn(request.scope[USER]):
        yield


class _Sliced(StreamingResponse):
    """Written as fast as it is read, not put into the connection's buffer as a whole."""

    def __init__(self, data: bytes, media_type: str, headers: dict[str, str]) -> None:
        length = {"content-length": str(len(data))}
        super().__init__(_slices(data), media_type=media_type, headers=headers | length)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            raise ClientDisconnect from None


async def _slices(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), SLICE):
        yield data[at : at + SLICE]


router = APIRouter(prefix="/api/v1/files", tags=["pages"], route_class=AccountRoute)


@router.get(
    "/{file_id}",
    operation_id="get_file",
    summary="A picture",
    response_class=Response,
    responses=_PICTURE | failures("not_found", "forbidden", "rate_limited", "unavailable"),
    dependencies=[Depends(_turn)],
)
async def get_file(file_id: Id, backend: Annotated[FilesBackend, Depends(_backend)]) -> Response:
    """An answer's for its student and staff; a question's for staff and for who sits or sat it."""
    request = files_pb2.GetFileRequest(file_id=str(file_id))
    found = await call(backend.files.GetFile, request, timeout=READ_SECONDS, idempotent=True)
    name = f'inline; filename="{file_id}.{_SUFFIXES[found.media_type]}"'
    headers = _HEADERS | {"content-disposition": name}
    return _Sliced(found.data, found.media_type, headers)
