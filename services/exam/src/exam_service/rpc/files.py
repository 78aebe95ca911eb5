"""The servicers of files: pictures come in here, and go out to who may see them."""

from typing import Any

from examkit.db import Database
from examkit.rpc.context import current_user
from examprotos.exam.v1 import files_pb2 as pb
from examprotos.exam.v1 import files_pb2_grpc

from exam_service.file_store import FileStore
from exam_service.pictures.process import Studio
from exam_service.repository.papers import PaperCache
from exam_service.rpc.actors import signed_in
from exam_service.rpc.attempt_conversions import arrived
from exam_service.usecases.answer_files import AnswerFiles
from exam_service.usecases.question_files import add_question_file
from exam_service.usecases.read_file import FileReader


class AnswerFilesServicer(files_pb2_grpc.AnswerFilesServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database, papers: PaperCache, store: FileStore, studio: Studio) -> None:
        self._files = AnswerFiles(db, papers, store, studio)

    async def AddAnswerFile(self, request: pb.AddAnswerFileRequest, context: Any) -> pb.AddFileResponse:
        file_id = await self._files.add(
            current_user(),
            request.student_exam_id,
            request.question_id,
            request.data,
            arrived(request.elapsed_ms),
        )
        return pb.AddFileResponse(file_id=str(file_id))


class QuestionFilesServicer(files_pb2_grpc.QuestionFilesServicer):
    def __init__(self, db: Database, store: FileStore, studio: Studio) -> None:
        self._db = db
        self._store = store
        self._studio = studio

    async def AddQuestionFile(self, request: pb.AddQuestionFileRequest, context: Any) -> pb.AddFileResponse:
        file_id = await add_question_file(self._db, self._store, self._studio, signed_in(), request.data)
        return pb.AddFileResponse(file_id=str(file_id))


class FilesServicer(files_pb2_grpc.FilesServicer):
    def __init__(self, db: Database, papers: PaperCache, store: FileStore) -> None:
        self._reader = FileReader(db, papers, store)

    async def GetFile(self, request: pb.GetFileRequest, context: Any) -> pb.File:
        file = await self._reader.read(current_user(), request.file_id)
        return pb.File(media_type=file.media_type, data=file.data)
