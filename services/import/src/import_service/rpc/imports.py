"""The servicer of `Imports`."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from examkit import paging
from examkit.db import Database
from examkit.errors import AppError, invalid
from examkit.ids import parse_uuid
from examkit.rpc.context import current_request_id, current_token, current_user
from examkit.rpc.interceptors import Verifier
from examprotos.imports.v1 import imports_pb2 as pb
from examprotos.imports.v1 import imports_pb2_grpc

from import_service import errors, wire
from import_service.domain.columns import Kind
from import_service.domain.job import OnError
from import_service.usecases import documents, jobs
from import_service.usecases.create_job import create_job

E = TypeVar("E", bound=StrEnum)


class ImportsServicer(imports_pb2_grpc.ImportsServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database, verifier: Verifier) -> None:
        self._db = db
        self._verifier = verifier

    async def CreateJob(self, request: pb.CreateJobRequest, context: Any) -> pb.Job:
        job = await create_job(
            self._db,
            filename=request.filename,
            data=request.data,
            kind=_one_of(Kind, "kind", request.kind),
            on_error=_one_of(OnError, "on_error", request.on_error or OnError.REJECT_FILE),
            dry_run=request.dry_run,
            created_by=current_user().user_id,
            request_id=current_request_id() or None,
        )
        return wire.job_to_wire(*await jobs.get_job(self._db, job.id))

    async def GetJob(self, request: pb.GetJobRequest, context: Any) -> pb.Job:
        return wire.job_to_wire(*await jobs.get_job(self._db, _job_id(request)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:
        """Without their errors."""
        limit = paging.limit_of(request.limit)
        found = await jobs.list_jobs(self._db, limit + 1, _before(request.cursor))
        page = found[:limit]
        more = len(found) > limit
        return pb.ListJobsResponse(
            items=[wire.job_to_wire(job, []) for job in page],
            next_cursor=paging.encode(page[-1].created_at.isoformat(), str(page[-1].id)) if more else "",
        )

    async def WatchJob(self, request: pb.GetJobRequest, context: Any) -> AsyncIterator[pb.Job]:
        async for view in jobs.watch_job(self._db, _job_id(request)):
            # A stream outlives the check at its beginning: the token may have ended since.
            await self._verifier.verify(current_token.get() or "")
            if view is not None:
                yield wire.job_to_wire(*view)

    async def GetErrorWorkbook(self, request: pb.GetJobRequest, context: Any) -> pb.Workbook:
        filename, data = await documents.error_workbook(self._db, _job_id(request))
        return pb.Workbook(filename=filename, data=data)

    async def ListFailedRows(
        self, request: pb.ListFailedRowsRequest, context: Any
    ) -> pb.ListFailedRowsResponse:
        limit = paging.limit_of(request.limit)
        job_id = parse_uuid(request.job_id, "import")
        job, found = await jobs.failed_rows(self._db, job_id, _after_row(request.cursor), limit + 1)
        page = found[:limit]
        return pb.ListFailedRowsResponse(
            items=wire.failed_rows_to_wire(job, page),
            next_cursor=paging.encode(str(page[-1].row)) if len(found) > limit else "",
        )

    async def GetTemplate(self, request: pb.GetTemplateRequest, context: Any) -> pb.Workbook:
        filename, data = await documents.template_workbook(_one_of(Kind, "kind", request.kind))
        return pb.Workbook(filename=filename, data=data)


def _job_id(request: pb.GetJobRequest) -> UUID:
    return parse_uuid(request.id, "import")


def _one_of(kind: type[E], field: str, text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        raise errors.not_one_of(field, [one.value for one in kind]) from None


def _after_row(cursor: str) -> int:
    parts = paging.decode(cursor, 1)
    if parts is None:
        return 0
    if not (parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 10):  # the column is an integer
        raise _not_of_this_list()
    return int(parts[0])


def _before(cursor: str) -> tuple[datetime, UUID] | None:
    parts = paging.decode(cursor, 2)
    if parts is None:
        return None
    try:
        at = datetime.fromisoformat(parts[0])
        if at.tzinfo is None:
            raise ValueError
        return at, UUID(parts[1])
    except ValueError:
        raise _not_of_this_list() from None


def _not_of_this_list() -> AppError:
    return invalid("The cursor is not one of this list. Leave it out to begin at the first page.")
