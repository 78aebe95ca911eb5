"""The servicer of `ExamEnds`: whether exams are over, for grading."""

from typing import Any

from examkit.db import Database
from examkit.ids import parse_uuid
from examprotos.exam.v1 import exam_ends_pb2 as pb
from examprotos.exam.v1 import exam_ends_pb2_grpc

from exam_service.usecases.exam_end import is_over


class ExamEndsServicer(exam_ends_pb2_grpc.ExamEndsServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def IsOver(self, request: pb.IsOverRequest, context: Any) -> pb.IsOverResponse:
        return pb.IsOverResponse(over=await is_over(self._db, parse_uuid(request.exam_id, "exam")))
