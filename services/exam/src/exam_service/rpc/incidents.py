"""The border of incidents: Invigilation's messages ↔ what the use cases take and give."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from examkit.errors import FieldError
from examkit.ids import parse_uuid
from examprotos.exam.v1 import invigilation_pb2 as pb

from exam_service import errors
from exam_service.domain.incident import Plan, Scope, What
from exam_service.repository.incidents import Concerned, Incident
from exam_service.timestamps import to_moment, to_timestamp


def plan(message: pb.IncidentPlan) -> Plan:
    """Raises invalid."""
    try:
        what = What(message.action)
    except ValueError:
        choices = ", ".join(What)
        raise errors.invalid_fields([FieldError(("action",), f"must be one of {choices}")]) from None
    return Plan(
        what, _scope(message), message.reason, message.minutes if message.HasField("minutes") else None
    )


def _scope(message: pb.IncidentPlan) -> Scope:
    students = None
    if message.HasField("group"):
        students = frozenset(parse_uuid(one, "student") for one in message.group.student_ids)
    silent: tuple[datetime, datetime] | None = None
    if message.HasField("silent"):
        try:
            silent = to_moment(message.silent.begin), to_moment(message.silent.end)
        except ValueError:
            field = FieldError(("scope", "silent_between"), "is not a time")
            raise errors.invalid_fields([field]) from None
    return Scope(message.group.name, students, silent)


def preview(found: Iterable[Concerned]) -> pb.PreviewIncidentResponse:
    return pb.PreviewIncidentResponse(
        items=[
            pb.ConcernedAttempt(
                student_exam_id=str(one.id),
                student_id=str(one.student_id),
                status=one.status,
                deadline=to_timestamp(one.deadline),
                last_activity=to_timestamp(one.last_activity),
            )
            for one in found
        ]
    )


def incident(found: Incident) -> pb.Incident:
    return pb.Incident(
        id=str(found.id),
        exam_id=str(found.exam_id),
        action=found.what.value,
        minutes=found.minutes,
        scope_json=msgspec.json.encode(found.scope),
        reason=found.reason,
        actor_id=found.actor_id or "",
        created_at=to_timestamp(found.created_at),
        finished_at=to_timestamp(found.finished_at),
        total=found.total,
        done=found.done,
        skipped=found.skipped,
        undo_of="" if found.undo_of is None else str(found.undo_of),
        undone_by="" if found.undone_by is None else str(found.undone_by),
    )
