"""Messages as exam and auth answer about exams that run, with every field that matters set."""

from __future__ import annotations

from typing import Any

import gateway_samples as samples
from examprotos.auth.v1 import user_admin_pb2
from examprotos.exam.v1 import invigilation_pb2


def incident() -> invigilation_pb2.Incident:
    return invigilation_pb2.Incident(
        id=samples.JOB,
        exam_id=samples.EXAM,
        action="add_minutes",
        minutes=5,
        scope_json=b'{"exam":true}',
        reason="why",
        actor_id=samples.STUDENT,
        created_at=samples.at(),
        total=3,
        done=2,
    )


def everything() -> dict[str, Any]:
    """By method."""
    return {
        "Invigilation/ExplainAttempt": invigilation_pb2.ExplainedAttempt(
            attempt=samples.summary(),
            steps=[invigilation_pb2.DeadlineStep(rule="start", at=samples.at(), detail="It began.")],
            interventions=[
                invigilation_pb2.Intervention(
                    at=samples.at(),
                    action="extended",
                    reason="why",
                    actor_kind="user",
                    actor_id=samples.STUDENT,
                    before_json=b"{}",
                    after_json=b"{}",
                )
            ],
            moments=[invigilation_pb2.Moment(at=samples.at(), what="started")],
        ),
        "Invigilation/PreviewIncident": invigilation_pb2.PreviewIncidentResponse(),
        "Invigilation/CreateIncident": incident(),
        "Invigilation/ListIncidents": invigilation_pb2.ListIncidentsResponse(items=[incident()]),
        "Invigilation/UndoIncident": incident(),
        "Invigilation/GetAttempt": samples.summary(),
        "Invigilation/ListProgress": invigilation_pb2.ListProgressResponse(server_time=samples.at(40)),
        "UserAdmin/FindUsers": user_admin_pb2.FindUsersResponse(
            items=[user_admin_pb2.FoundUser(email="a@example.com", user=samples.user())]
        ),
        "Invigilation/PutAccommodations": lambda request: invigilation_pb2.PutAccommodationsResponse(
            verdicts=[invigilation_pb2.AccommodationVerdict(code="not_found") for _ in request.accommodations]
        ),
        "UserAdmin/CountStudents": user_admin_pb2.CountStudentsResponse(count=3),
        **{
            f"Invigilation/{what}Attempt": samples.summary()
            for what in ("Extend", "Pause", "Resume", "Void", "Reopen")
        },
    }
