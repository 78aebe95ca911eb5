"""What the student surface calls: nothing that holds a key is within its reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from exam_gateway.student.answers import AnswerReader

if TYPE_CHECKING:
    from examprotos.exam.v1.attempts_pb2_grpc import AttemptsAsyncStub
    from examprotos.exam.v1.files_pb2_grpc import AnswerFilesAsyncStub
    from examprotos.grading.v1.results_pb2_grpc import ResultsAsyncStub

READ_SECONDS = 5.0
WRITE_SECONDS = 10.0


@dataclass(frozen=True)
class StudentBackend:
    attempts: AttemptsAsyncStub
    results: ResultsAsyncStub
    files: AnswerFilesAsyncStub
    reader: AnswerReader


async def _backend(request: Request) -> StudentBackend:
    backend: StudentBackend = request.app.state.student
    return backend


Student = Annotated[StudentBackend, Depends(_backend)]
