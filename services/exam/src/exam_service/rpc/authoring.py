"""The servicer of `Authoring`: the bank and the building of exams, for staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

from examkit import paging
from examkit.db import Database
from examkit.errors import FieldError, invalid
from examkit.ids import parse_uuid
from examprotos.exam.v1 import authoring_pb2 as pb
from examprotos.exam.v1 import authoring_pb2_grpc, exams_pb2, questions_pb2

from exam_service import errors, words
from exam_service.domain.text import text_problem
from exam_service.repository import exams as exam_rows
from exam_service.repository import papers, questions
from exam_service.rpc import authoring_conversions as convert
from exam_service.rpc.actors import signed_in
from exam_service.usecases import close, exams, publish, roster
from exam_service.usecases import questions as bank
from exam_service.usecases.clone import clone_exam
from exam_service.usecases.exam_views import read_view, summaries
from exam_service.usecases.window_warnings import window_warnings

MAX_SEARCH = 500


class AuthoringServicer(authoring_pb2_grpc.AuthoringServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database, grading: publish.Papers) -> None:
        self._db = db
        self._grading = grading

    async def ListQuestions(self, request: pb.ListQuestionsRequest, context: Any) -> pb.ListQuestionsResponse:
        limit = paging.limit_of(request.limit)
        wanted = questions.QuestionFilter(
            category=_searchable("category", request.category),
            tag=_searchable("tag", request.tag),
            type=_known(words.QUESTION_TYPE, request.type, "type"),
            q=_searchable("q", request.q),
        )
        async with self._db.reading() as conn:
            rows = await questions.list_questions(conn, wanted, limit=limit + 1, after=_after(request.cursor))
        return pb.ListQuestionsResponse(
            items=[convert.question_message(row) for row in rows[:limit]],
            next_cursor=_next_cursor([(row.created_at, row.id) for row in rows], limit),
        )

    async def GetQuestion(self, request: pb.GetQuestionRequest, context: Any) -> questions_pb2.Question:
        async with self._db.reading() as conn:
            row = await questions.get_question(conn, parse_uuid(request.id, "question"))
        if row is None:
            raise errors.no_such_question()
        return convert.question_message(row)

    async def ArchiveQuestion(
        self, request: pb.ArchiveQuestionRequest, context: Any
    ) -> pb.ArchiveQuestionResponse:
        await bank.archive_question(self._db, signed_in(), parse_uuid(request.id, "question"))
        return pb.ArchiveQuestionResponse()

    async def ListExams(self, request: pb.ListExamsRequest, context: Any) -> pb.ListExamsResponse:
        limit = paging.limit_of(request.limit)
        async with self._db.reading() as conn:
            rows = await exam_rows.list_exams(
                conn,
                limit=limit + 1,
                after=_after(request.cursor),
                status=_known(words.EXAM_STATUS, request.status, "status") or None,
                q=_searchable("q", request.q),
            )
            views = await summaries(conn, rows[:limit])
        return pb.ListExamsResponse(
            items=[convert.exam_message(view) for view in views],
            next_cursor=_next_cursor([(row.created_at, row.id) for row in rows], limit),
        )

    async def GetExam(self, request: pb.GetExamRequest, context: Any) -> exams_pb2.Exam:
        async with self._db.reading() as conn:
            return convert.exam_message(await read_view(conn, _exam_id(request.id)))

    async def CreateExam(self, request: pb.CreateExamRequest, context: Any) -> exams_pb2.Exam:
        settings = convert.new_settings(request.settings)
        return convert.exam_message(await exams.create_exam(self._db, signed_in(), settings))

    async def UpdateExam(self, request: pb.UpdateExamRequest, context: Any) -> exams_pb2.Exam:
        exam_id = _exam_id(request.id)
        changes = convert.changes(request.settings, request.mask.paths)
        return convert.exam_message(await exams.update_exam(self._db, signed_in(), exam_id, changes))

    async def DeleteExam(self, request: pb.DeleteExamRequest, context: Any) -> pb.DeleteExamResponse:
        await exams.delete_exam(self._db, signed_in(), _exam_id(request.id))
        return pb.DeleteExamResponse()

    async def SetExamQuestions(self, request: pb.SetExamQuestionsRequest, context: Any) -> exams_pb2.Exam:
        exam_id = _exam_id(request.id)
        chosen = convert.chosen_questions(request.questions)
        return convert.exam_message(await exams.set_questions(self._db, signed_in(), exam_id, chosen))

    async def SetRoster(self, request: pb.SetRosterRequest, context: Any) -> exams_pb2.Exam:
        exam_id = _exam_id(request.id)
        wanted = convert.roster(request.roster)
        return convert.exam_message(await roster.set_roster(self._db, signed_in(), exam_id, wanted))

    async def PublishExam(self, request: pb.PublishExamRequest, context: Any) -> exams_pb2.Exam:
        view = await publish.publish_exam(self._db, self._grading, signed_in(), _exam_id(request.id))
        message = convert.exam_message(view)
        message.warnings.extend(convert.warnings(await window_warnings(self._db, view.exam.id)))
        return message

    async def CloseExam(self, request: pb.CloseExamRequest, context: Any) -> exams_pb2.Exam:
        return convert.exam_message(await close.close_exam(self._db, signed_in(), _exam_id(request.id)))

    async def CloneExam(self, request: pb.CloneExamRequest, context: Any) -> exams_pb2.Exam:
        return convert.exam_message(await clone_exam(self._db, signed_in(), _exam_id(request.id)))

    async def GetPaper(self, request: pb.GetPaperRequest, context: Any) -> pb.GetPaperResponse:
        async with self._db.reading() as conn:
            exam = await exam_rows.get_exam(conn, _exam_id(request.exam_id))
            if exam is None:
                raise errors.no_such_exam()
            read = papers.read_draft if exam.status == "draft" else papers.read_frozen
            return convert.paper_message(await read(conn, exam.id))


def _exam_id(text: str) -> UUID:
    return parse_uuid(text, "exam")


def _searchable(name: str, text: str) -> str:
    """What to look for. Raises invalid for what Postgres could not even be asked."""
    problem = text_problem(text, least=0, most=MAX_SEARCH)
    if problem:
        raise errors.invalid_fields([FieldError((name,), problem)])
    return text


def _known(vocabulary: words.Vocabulary[Any], number: int, name: str) -> str:
    if not vocabulary.knows(number):
        raise errors.invalid_fields([FieldError((name,), "is not known")])
    return vocabulary.word(number)


def _after(cursor: str) -> tuple[datetime, UUID] | None:
    """The sort key in a cursor: creation time and id. Raises invalid."""
    parts = paging.decode(cursor, 2)
    if parts is None:
        return None
    try:
        created_at, row_id = datetime.fromisoformat(parts[0]), UUID(parts[1])
        if created_at.tzinfo is None:
            raise ValueError("without time zone")
    except ValueError:
        raise invalid(
            "The cursor is not one of this list. Leave it out to begin at the first page."
        ) from None
    return created_at, row_id


def _next_cursor(keys: list[tuple[datetime, UUID]], limit: int) -> str:
    """The cursor behind the last row shown; empty where there are no more rows."""
    if len(keys) <= limit:
        return ""
    created_at, row_id = keys[limit - 1]
    return paging.encode(created_at.isoformat(), str(row_id))
