"""UserImport: bulk creation, for the import service."""

from __future__ import annotations

from typing import Any

from examprotos.auth.v1 import user_admin_pb2 as pb
from examprotos.auth.v1.user_admin_pb2_grpc import UserImportServicer as Base

from auth_service.domain.students import Judged, StudentRow
from auth_service.usecases.students import put_students
from auth_service.usecases.unit import Auth


class UserImportServicer(Base):
    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    async def PutStudents(self, request: pb.PutStudentsRequest, context: Any) -> pb.PutStudentsResponse:
        rows = [_row(row) for row in request.rows]
        judged = await put_students(self._auth, rows, dry_run=request.dry_run)
        return pb.PutStudentsResponse(outcomes=map(_outcome, judged))


def _row(row: pb.StudentRow) -> StudentRow:
    return StudentRow(
        row=row.row,
        email=row.email,
        name=row.name,
        groups=tuple(row.groups),
        password=row.password if row.HasField("password") else None,
    )


def _outcome(judged: Judged) -> pb.StudentOutcome:
    return pb.StudentOutcome(
        row=judged.row,
        outcome=judged.outcome.value,
        code=judged.code,
        column=judged.column,
        message=judged.message,
    )
