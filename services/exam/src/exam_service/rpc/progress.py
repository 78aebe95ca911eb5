"""The border of the monitor: progress as Invigilation's messages."""

from uuid import UUID

from examkit.db import Database
from examkit.ids import parse_uuid
from examprotos.exam.v1 import invigilation_pb2 as pb

from exam_service.repository.progress import Progress
from exam_service.timestamps import to_moment, to_timestamp
from exam_service.usecases.progress import list_progress


async def listed(db: Database, request: pb.ListProgressRequest) -> pb.ListProgressResponse:
    """Raises not_found."""
    after: UUID | None = parse_uuid(request.after, "attempt") if request.after else None
    since = to_moment(request.since) if request.HasField("since") else None
    exam, found, now, more = await list_progress(db, request.exam_id, after=after, since=since)
    return pb.ListProgressResponse(
        items=[_progress(one, exam.question_count or 0) for one in found],
        next_after=str(found[-1].attempt.id) if more else "",
        server_time=to_timestamp(now),
    )


def _progress(one: Progress, questions: int) -> pb.Progress:
    attempt = one.attempt
    return pb.Progress(
        student_exam_id=str(attempt.id),
        student_id=str(attempt.student_id),
        attempt_no=attempt.attempt_no,
        status=one.status.value,
        answered=one.answered,
        total_questions=questions,
        started_at=to_timestamp(attempt.started_at),
        closed_at=to_timestamp(attempt.closed_at),
        last_activity=to_timestamp(attempt.last_activity),
        last_save_at=to_timestamp(one.last_save_at),
        deadline=to_timestamp(attempt.deadline),
        deadline_version=attempt.deadline_version,
        paused_at=to_timestamp(attempt.paused_at),
        resumes=attempt.resumes,
        flags=one.flags,
        quiet=one.is_quiet,
        version=attempt.version,
    )
