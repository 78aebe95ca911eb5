"""The servicer of `Invigilation`: accommodations and attempts, for staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

from examkit.db import Database
from examkit.errors import AppError, FieldError, Kind, invalid
from examkit.ids import parse_uuid
from examprotos.exam.v1 import invigilation_pb2 as pb
from examprotos.exam.v1 import invigilation_pb2_grpc

from exam_service import errors
from exam_service.domain.deadline import Accommodation
from exam_service.domain.intervening import Action, Order
from exam_service.repository.accommodations import AccommodationRow
from exam_service.repository.attempt_lists import Summary
from exam_service.repository.papers import PaperCache
from exam_service.rpc import incidents, progress
from exam_service.rpc.actors import signed_in
from exam_service.rpc.explained import explained
from exam_service.timestamps import to_moment, to_timestamp
from exam_service.usecases.accommodations import (
    delete_accommodation,
    get_accommodation,
    put_accommodation,
)
from exam_service.usecases.explain_attempt import explain_attempt
from exam_service.usecases.incidents import (
    create_incident,
    list_incidents,
    preview_incident,
    undo_incident,
)
from exam_service.usecases.intervene import Intervention, intervene
from exam_service.usecases.list_attempts import get_attempt, list_attempts

MOST_ACCOMMODATIONS = 1000

_Intervening = (
    pb.ExtendAttemptRequest
    | pb.PauseAttemptRequest
    | pb.ResumeAttemptRequest
    | pb.VoidAttemptRequest
    | pb.ReopenAttemptRequest
)


class InvigilationServicer(invigilation_pb2_grpc.InvigilationServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database, papers: PaperCache) -> None:
        self._db = db
        self._papers = papers

    async def GetAccommodation(self, request: pb.GetAccommodationRequest, context: Any) -> pb.Accommodation:
        student_id, exam_id = _subject(request)
        return _accommodation(await get_accommodation(self._db, student_id, exam_id))

    async def PutAccommodation(self, request: pb.PutAccommodationRequest, context: Any) -> pb.Accommodation:
        return await self._put(request.accommodation)

    async def PutAccommodations(
        self, request: pb.PutAccommodationsRequest, context: Any
    ) -> pb.PutAccommodationsResponse:
        if len(request.accommodations) > MOST_ACCOMMODATIONS:
            raise invalid(f"At most {MOST_ACCOMMODATIONS} accommodations at a time.")
        verdicts = [await self._verdict(message) for message in request.accommodations]
        return pb.PutAccommodationsResponse(verdicts=verdicts)

    async def _verdict(self, message: pb.Accommodation) -> pb.AccommodationVerdict:
        """Each in its own transaction: what is wrong with one keeps no other from what it is granted."""
        try:
            return pb.AccommodationVerdict(accommodation=await self._put(message))
        except AppError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            told = [error.detail, *(f"{'.'.join(map(str, one.loc))} {one.msg}" for one in error.errors)]
            return pb.AccommodationVerdict(code=error.code, detail=told[-1])

    async def _put(self, message: pb.Accommodation) -> pb.Accommodation:
        student_id, exam_id = _subject(message)
        granted = Accommodation(
            extra_time_percent=message.extra_time_percent,
            extra_attempts=message.extra_attempts,
            start_time=_moment(message, "start_time"),
            end_time=_moment(message, "end_time"),
            per_exam=exam_id is not None,
        )
        return _accommodation(await put_accommodation(self._db, signed_in(), student_id, exam_id, granted))

    async def DeleteAccommodation(
        self, request: pb.DeleteAccommodationRequest, context: Any
    ) -> pb.DeleteAccommodationResponse:
        student_id, exam_id = _subject(request)
        await delete_accommodation(self._db, signed_in(), student_id, exam_id)
        return pb.DeleteAccommodationResponse()

    async def ListAttempts(self, request: pb.ListAttemptsRequest, context: Any) -> pb.ListAttemptsResponse:
        page, cursor = await list_attempts(
            self._db, request.exam_id, request.status, request.limit, request.cursor
        )
        return pb.ListAttemptsResponse(items=[_summary(each) for each in page], next_cursor=cursor)

    async def GetAttempt(self, request: pb.GetAttemptRequest, context: Any) -> pb.AttemptSummary:
        return _summary(await get_attempt(self._db, request.student_exam_id))

    async def ExplainAttempt(self, request: pb.ExplainAttemptRequest, context: Any) -> pb.ExplainedAttempt:
        found = await explain_attempt(self._db, request.student_exam_id)
        return explained(found, _summary(found.summary))

    async def ListProgress(self, request: pb.ListProgressRequest, context: Any) -> pb.ListProgressResponse:
        return await progress.listed(self._db, request)

    async def ExtendAttempt(self, request: pb.ExtendAttemptRequest, context: Any) -> pb.AttemptSummary:
        return await self._intervene(request, Order(Action.EXTENDED, request.minutes))

    async def PauseAttempt(self, request: pb.PauseAttemptRequest, context: Any) -> pb.AttemptSummary:
        return await self._intervene(request, Order(Action.PAUSED))

    async def ResumeAttempt(self, request: pb.ResumeAttemptRequest, context: Any) -> pb.AttemptSummary:
        return await self._intervene(request, Order(Action.RESUMED))

    async def VoidAttempt(self, request: pb.VoidAttemptRequest, context: Any) -> pb.AttemptSummary:
        return await self._intervene(request, Order(Action.VOIDED))

    async def ReopenAttempt(self, request: pb.ReopenAttemptRequest, context: Any) -> pb.AttemptSummary:
        minutes = request.minutes if request.HasField("minutes") else None
        return await self._intervene(request, Order(Action.REOPENED, minutes))

    async def PreviewIncident(
        self, request: pb.PreviewIncidentRequest, context: Any
    ) -> pb.PreviewIncidentResponse:
        plan = incidents.plan(request.plan)
        return incidents.preview(await preview_incident(self._db, request.plan.exam_id, plan))

    async def CreateIncident(self, request: pb.CreateIncidentRequest, context: Any) -> pb.Incident:
        plan = incidents.plan(request.plan)
        made = await create_incident(self._db, signed_in(), request.plan.exam_id, plan)
        return incidents.incident(made)

    async def ListIncidents(self, request: pb.ListIncidentsRequest, context: Any) -> pb.ListIncidentsResponse:
        found = await list_incidents(self._db, request.exam_id)
        return pb.ListIncidentsResponse(items=map(incidents.incident, found))

    async def UndoIncident(self, request: pb.UndoIncidentRequest, context: Any) -> pb.Incident:
        made = await undo_incident(
            self._db, signed_in(), request.exam_id, request.incident_id, request.reason
        )
        return incidents.incident(made)

    async def _intervene(self, request: _Intervening, order: Order) -> pb.AttemptSummary:
        wanted = Intervention(signed_in(), order, request.reason)
        return _summary(await intervene(self._db, self._papers, request.student_exam_id, wanted))


def _subject(
    message: pb.GetAccommodationRequest | pb.DeleteAccommodationRequest | pb.Accommodation,
) -> tuple[UUID, UUID | None]:
    """The student, and the exam where it is for one."""
    student_id = parse_uuid(message.student_id, "student")
    return student_id, parse_uuid(message.exam_id, "exam") if message.exam_id else None


def _moment(message: pb.Accommodation, name: str) -> datetime | None:
    if not message.HasField(name):  # type: ignore[arg-type]  # one of the two names
        return None
    try:
        return to_moment(getattr(message, name))
    except ValueError:
        raise errors.invalid_fields([FieldError((name,), "is not a time")]) from None


def _accommodation(row: AccommodationRow) -> pb.Accommodation:
    return pb.Accommodation(
        student_id=str(row.student_id),
        exam_id="" if row.exam_id is None else str(row.exam_id),
        extra_time_percent=row.granted.extra_time_percent,
        extra_attempts=row.granted.extra_attempts,
        start_time=to_timestamp(row.granted.start_time),
        end_time=to_timestamp(row.granted.end_time),
        updated_at=to_timestamp(row.updated_at),
    )


def _summary(summary: Summary) -> pb.AttemptSummary:
    attempt = summary.attempt
    return pb.AttemptSummary(
        student_exam_id=str(attempt.id),
        student_id=str(attempt.student_id),
        exam_id=str(attempt.exam_id),
        attempt_no=attempt.attempt_no,
        status=summary.status.value,
        started_at=to_timestamp(attempt.started_at),
        deadline=to_timestamp(attempt.deadline),
        deadline_reason=attempt.deadline_reason,
        closed_at=to_timestamp(attempt.closed_at),
        last_activity=to_timestamp(attempt.last_activity),
        answered_count=summary.answered_count,
        question_count=summary.question_count,
        resumes=attempt.resumes,
        version=attempt.version,
        deadline_version=attempt.deadline_version,
        granted_minutes=attempt.granted_minutes,
        time_remaining_seconds=attempt.remaining_seconds(summary.now) if summary.status.is_open else 0.0,
        server_time=to_timestamp(summary.now),
    )
