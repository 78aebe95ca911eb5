"""The servicer of `Attempts`: sitting an exam, for the student surface."""

from typing import Any

from examkit.db import Database
from examkit.errors import invalid
from examkit.rpc.context import current_user
from examkit.rpc.interceptors import Verifier
from examprotos.exam.v1 import attempts_pb2 as pb
from examprotos.exam.v1 import attempts_pb2_grpc

from exam_service.repository.attempts import KnownAttempts
from exam_service.repository.papers import PaperCache
from exam_service.rpc import attempt_conversions as convert
from exam_service.usecases.integrity import record_events
from exam_service.usecases.list_exams import list_exams
from exam_service.usecases.resume import resume
from exam_service.usecases.save import Saver
from exam_service.usecases.start import Starter
from exam_service.usecases.submit import Submitter, closed_paper, get_submission

MAX_SAVES = 1000
"""In one SaveBatch."""


class AttemptsServicer(attempts_pb2_grpc.AttemptsServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database, papers: PaperCache, known: KnownAttempts, verifier: Verifier) -> None:
        self._db = db
        self._papers = papers
        self._starter = Starter(db, papers, known)
        self._submitter = Submitter(db, papers, known)
        self._saver = Saver(db, papers, known, verifier.verify)

    async def ListMyExams(self, request: pb.ListMyExamsRequest, context: Any) -> pb.ListMyExamsResponse:
        page, cursor = await list_exams(self._db, current_user(), request.limit, request.cursor)
        return convert.my_exams(page, cursor)

    async def Start(self, request: pb.StartRequest, context: Any) -> pb.Attempt:
        return convert.sitting(
            await self._starter.start(current_user(), request.exam_id, request.access_code)
        )

    async def Resume(self, request: pb.ResumeRequest, context: Any) -> pb.Attempt:
        return convert.sitting(await resume(self._db, self._papers, current_user(), request.exam_id))

    async def SaveBatch(self, request: pb.SaveBatchRequest, context: Any) -> pb.SaveBatchResponse:
        if len(request.saves) > MAX_SAVES:
            raise invalid(f"At most {MAX_SAVES} saves at once.")
        return convert.save_results(
            await self._saver.save_batch([convert.save_request(save) for save in request.saves])
        )

    async def Submit(self, request: pb.SubmitRequest, context: Any) -> pb.SubmitResponse:
        done = await self._submitter.submit(
            current_user(),
            request.student_exam_id,
            convert.sent_answers(request.answers),
            convert.arrived(request.elapsed_ms),
        )
        return convert.submitted(done)

    async def GetSubmission(self, request: pb.GetSubmissionRequest, context: Any) -> pb.SubmitResponse:
        return convert.submitted(
            await get_submission(self._db, self._papers, current_user(), request.student_exam_id)
        )

    async def GetClosedPaper(self, request: pb.GetClosedPaperRequest, context: Any) -> pb.ClosedPaper:
        return convert.closed_paper(
            await closed_paper(self._db, self._papers, current_user(), request.student_exam_id)
        )

    async def RecordEvents(self, request: pb.RecordEventsRequest, context: Any) -> pb.RecordEventsResponse:
        events = [convert.reported_event(event) for event in request.events]
        await record_events(self._db, current_user(), request.student_exam_id, events)
        return pb.RecordEventsResponse()
