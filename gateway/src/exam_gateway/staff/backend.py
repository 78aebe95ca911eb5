"""What the staff surface calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from exam_gateway.live import LiveStreams
from exam_gateway.staff.watching import Watches

if TYPE_CHECKING:
    from examprotos.auth.v1.user_admin_pb2_grpc import UserAdminAsyncStub
    from examprotos.common.v1.audit_pb2_grpc import AuditLogAsyncStub
    from examprotos.exam.v1.authoring_pb2_grpc import AuthoringAsyncStub
    from examprotos.exam.v1.files_pb2_grpc import QuestionFilesAsyncStub
    from examprotos.exam.v1.invigilation_pb2_grpc import InvigilationAsyncStub
    from examprotos.grading.v1.keys_pb2_grpc import AnswerKeysAsyncStub
    from examprotos.grading.v1.marking_pb2_grpc import MarkingAsyncStub
    from examprotos.grading.v1.regrading_pb2_grpc import RegradingAsyncStub
    from examprotos.grading.v1.statistics_pb2_grpc import StatisticsAsyncStub
    from examprotos.imports.v1.content_pb2_grpc import ContentAsyncStub
    from examprotos.imports.v1.imports_pb2_grpc import ImportsAsyncStub

READ_SECONDS = 5.0
WRITE_SECONDS = 15.0


@dataclass(frozen=True)
class StaffBackend:
    """`audits`: the audit log of each service by the service's name."""

    users: UserAdminAsyncStub
    authoring: AuthoringAsyncStub
    invigilation: InvigilationAsyncStub
    files: QuestionFilesAsyncStub
    keys: AnswerKeysAsyncStub
    marking: MarkingAsyncStub
    regrading: RegradingAsyncStub
    statistics: StatisticsAsyncStub
    content: ContentAsyncStub
    imports: ImportsAsyncStub
    audits: Mapping[str, AuditLogAsyncStub]
    live: LiveStreams
    watches: Watches = field(default_factory=Watches)


async def _backend(request: Request) -> StaffBackend:
    backend: StaffBackend = request.app.state.staff
    return backend


Staff = Annotated[StaffBackend, Depends(_backend)]
