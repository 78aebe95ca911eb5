"""Taking in a file: what can be checked at once is, and a job is queued; the same file gives the same job."""

import hashlib
import unicodedata
from uuid import UUID

from examkit.audit import AuditEntry
from examkit.db import Database
from examkit.errors import unavailable
from examkit.events import Event
from examkit.ids import uuid7
from examprotos.imports.v1 import events_pb2

from import_service import repository
from import_service.domain.columns import Kind
from import_service.domain.job import OnError
from import_service.domain.refusal import FileRefused
from import_service.errors import file_too_large, not_a_workbook
from import_service.parser.recognising import MAX_FILE_BYTES, recognise
from import_service.repository import Job, NewJob

JOB_QUEUED = "examhall.imports.job.queued.v1"
_FILENAME_CHARACTERS = 200
_ATTEMPTS = 3


async def create_job(
    db: Database,
    *,
    filename: str,
    data: bytes,
    kind: Kind,
    on_error: OnError,
    dry_run: bool,
    created_by: UUID,
    request_id: str | None,
) -> Job:
    """Queue an import. Raises too_large, unsupported.

    The same bytes with the same kind and on_error, queued, running or imported, give the job that they
    have already, also when they are sent at the same time; dry runs are always new.
    """
    if len(data) > MAX_FILE_BYTES:
        raise file_too_large(MAX_FILE_BYTES)
    name = clean_filename(filename)
    try:
        file_format = recognise(name, data)
    except FileRefused as refused:
        raise not_a_workbook(refused) from None
    digest = hashlib.sha256(data).digest()
    new = NewJob(uuid7(), kind, name, file_format, digest, dry_run, on_error, created_by, request_id)
    for _ in range(_ATTEMPTS):
        job = await _insert_or_find(db, new, data)
        if job is not None:
            return job
    raise unavailable("The same file is just being imported by someone else, try again.")


async def _insert_or_find(db: Database, new: NewJob, data: bytes) -> Job | None:
    """None where the job that stood in the way failed a moment ago."""
    async with db.transaction() as tx:
        if not await repository.insert_job(tx.conn, new, data):
            return await repository.same_file(tx.conn, new)
        tx.publish(Event(JOB_QUEUED, str(new.id), events_pb2.JobQueued(job_id=str(new.id))))
        await tx.audit(
            AuditEntry(
                actor_id=new.created_by,
                action="import.started",
                object_type="import",
                object_id=new.id,
                after={
                    "kind": new.kind,
                    "filename": new.filename,
                    "dry_run": new.dry_run,
                    "on_error": new.on_error,
                },
                request_id=new.request_id,
            )
        )
        return await repository.find(tx.conn, new.id)


def clean_filename(filename: str) -> str:
    """The last part of a path, printable and short; its extension stays."""
    name = filename.replace("\\", "/").rpartition("/")[2].strip()
    printable = "".join("_" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"} else c for c in name)
    return printable[-_FILENAME_CHARACTERS:] or "workbook"
