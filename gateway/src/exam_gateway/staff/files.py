"""Pictures in questions."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from examkit.rpc.client import call
from examprotos.exam.v1 import files_pb2
from fastapi import APIRouter, File, Request, UploadFile

from exam_gateway.describe import failures
from exam_gateway.files import DRAW_SECONDS, FileAdded
from exam_gateway.guards.access import USER
from exam_gateway.guards.routes import StaffRoute
from exam_gateway.staff.backend import Staff

router = APIRouter(prefix="/api/v1/admin/files", tags=["question bank"], route_class=StaffRoute)


@router.post(
    "",
    operation_id="add_question_file",
    summary="Upload a picture for questions",
    status_code=201,
    responses=failures("not_a_picture"),
)
async def add_question_file(
    request: Request,
    staff: Staff,
    file: Annotated[UploadFile, File(description="JPEG, PNG, WebP or GIF, to 10 MiB and 50 million pixels.")],
) -> FileAdded:
    """A question's `media` can then name it, as `{"file_id", "alt"}`. What none names goes after a day."""
    request.app.state.gatekeeper.limits.upload(request.scope[USER])
    wanted = files_pb2.AddQuestionFileRequest(data=await file.read())
    added = await call(staff.files.AddQuestionFile, wanted, timeout=DRAW_SECONDS)
    return FileAdded(file_id=UUID(added.file_id))
