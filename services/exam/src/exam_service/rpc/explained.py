"""The border of an explained attempt: Invigilation's messages."""

import msgspec
from examprotos.exam.v1 import invigilation_pb2 as pb

from exam_service.timestamps import to_timestamp
from exam_service.usecases.explain_attempt import Explained


def explained(found: Explained, summary: pb.AttemptSummary) -> pb.ExplainedAttempt:
    return pb.ExplainedAttempt(
        attempt=summary,
        steps=[
            pb.DeadlineStep(
                rule=step.rule,
                seconds=step.amount.total_seconds(),
                at=to_timestamp(step.at),
                detail=step.detail,
            )
            for step in found.steps
        ],
        interventions=[
            pb.Intervention(
                at=to_timestamp(row.at),
                action=row.action,
                reason=row.reason,
                actor_kind=row.actor_kind,
                actor_id=row.actor_id or "",
                before_json=msgspec.json.encode(row.before),
                after_json=msgspec.json.encode(row.after),
            )
            for row in found.history
        ],
        moments=[pb.Moment(at=to_timestamp(at), what=what) for at, what in found.timeline],
    )
