"""Pictures as answers."""

from __future__ import annotations

import time
from typing import Annotated
from uuid import UUID

from examkit.rpc.client import call
from examprotos.exam.v1 import files_pb2
from fastapi import APIRouter, File, Form, Request, UploadFile

from exam_gateway.describe import failures
from exam_gateway.files import DRAW_SECONDS, FileAdded
from exam_gateway.guards.access import USER
from exam_gateway.guards.frame import RECEIVED
from exam_gateway.guards.routes import StudentRoute
from exam_gateway.shapes import Id
from exam_gateway.student.backend import Student

MAX_ELAPSED_MS = 60_000

router = APIRouter(prefix="/api/v1/student/files", tags=["taking an exam"], route_class=StudentRoute)


@router.post(
    "",
    operation_id="add_answer_file",
    summary="Upload a picture for an image question",
    status_code=201,
    responses=failures(
        "not_found",
        "time_limit_exceeded",
        "already_submitted",
        "attempt_void",
        "attempt_paused",
        "too_many_files",
        "not_a_picture",
    ),
)
async def add_answer_file(
    request: Request,
    student: Student,
    student_exam_id: Annotated[Id, Form()],
    question_id: Annotated[Id, Form()],
    file: Annotated[UploadFile, File(description="JPEG, PNG, WebP or GIF, to 10 MiB and 50 million pixels.")],
) -> FileAdded:
    """It is drawn anew, upright and without what a camera wrote into it. Its id can be the answer then."""
    request.app.state.gatekeeper.limits.upload(request.scope[USER])
    elapsed = int((time.monotonic() - request.scope[RECEIVED]) * 1000)
    wanted = files_pb2.AddAnswerFileRequest(
        student_exam_id=str(student_exam_id),
        question_id=str(question_id),
        data=await file.read(),
        elapsed_ms=min(MAX_ELAPSED_MS, elapsed),
    )
    added = await call(student.files.AddAnswerFile, wanted, timeout=DRAW_SECONDS)
    return FileAdded(file_id=UUID(added.file_id))
