"""Incidents: pausing, resuming or giving minutes to many who sit an exam, and taking that back.

Whom it concerns is written down first. Then it is done for at most 100 attempts a transaction, which are
locked in the order of their ids as saves lock them, so that saves go on meanwhile. What a crash leaves a
worker goes on with: each attempt's outcome is committed with what was done to it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from examkit.db import Database, Tx, retry_deadlocks
from examkit.errors import AppError, conflict, not_found
from examkit.ids import parse_uuid, uuid7
from sqlalchemy.ext.asyncio import AsyncConnection

from exam_service import errors
from exam_service.domain.incident import Plan, Scope, What
from exam_service.domain.intervening import Action, Order
from exam_service.repository import attempts, exams
from exam_service.repository import incidents as repository
from exam_service.repository.attempts import AttemptKey
from exam_service.repository.incidents import Concerned, Incident
from exam_service.usecases.actor import Actor
from exam_service.usecases.exam_events import publish_exam_changed
from exam_service.usecases.intervene import Intervention, apply

AT_ONCE = 100
ANSWER_WITHIN_SECONDS = 5.0
"""How long who asks waits for it to be done; a worker does the rest."""

_STATUS = {What.PAUSE: "in_progress", What.RESUME: "paused"}


@dataclass(frozen=True, slots=True)
class _New:
    """An incident that is about to be written."""

    exam_id: UUID
    plan: Plan
    concerned: Sequence[AttemptKey]
    undo_of: UUID | None = None


async def preview_incident(db: Database, exam_id: str, plan: Plan) -> Sequence[Concerned]:
    """Whom it would concern now. Raises invalid, not_found."""
    exam_uuid = _checked(exam_id, plan)
    async with db.reading() as conn:
        if await exams.get_exam(conn, exam_uuid) is None:
            raise errors.no_such_exam()
        return await _concerned(conn, exam_uuid, plan)


async def create_incident(db: Database, actor: Actor, exam_id: str, plan: Plan) -> Incident:
    """Begin it, and go on for a few seconds; as it stands then. Raises invalid, not_found."""
    exam_uuid = _checked(exam_id, plan)
    async with db.transaction() as tx:
        if await exams.get_exam(tx.conn, exam_uuid, lock="update") is None:
            raise errors.no_such_exam()
        found = await _concerned(tx.conn, exam_uuid, plan)
        new = _New(exam_uuid, plan, [(one.student_id, one.id) for one in found])
        incident_id = await _insert(tx, actor, new)
    return await _answer(db, incident_id)


async def undo_incident(db: Database, actor: Actor, exam_id: str, incident_id: str, reason: str) -> Incident:
    """Take it back for all attempts for which it was done and that are still open, by an incident of its own.

    Raises not_found, invalid; conflict `incident_running`, `incident_undone`, or `not_undoable` for one that
    takes back another.
    """
    exam_uuid, undone = parse_uuid(exam_id, "exam"), parse_uuid(incident_id, "incident")
    async with db.transaction() as tx:
        # Locked, so that of two who take it back one comes second.
        await exams.get_exam(tx.conn, exam_uuid, lock="update")
        found = await repository.get(tx.conn, undone)
        if found is None or found.exam_id != exam_uuid:
            raise no_such_incident()
        _check_undoable(found)
        minutes = None if found.minutes is None else -found.minutes
        plan = Plan(found.what.undone_by, Scope(), reason, minutes)
        wrong = [problem for problem in plan.problems() if problem.loc != ("minutes",)]
        if wrong:
            raise errors.invalid_fields(wrong)
        new = _New(exam_uuid, plan, await repository.done(tx.conn, undone), undone)
        made = await _insert(tx, actor, new)
    return await _answer(db, made)


async def list_incidents(db: Database, exam_id: str) -> Sequence[Incident]:
    """The newest first. Raises not_found."""
    exam_uuid = parse_uuid(exam_id, "exam")
    async with db.reading() as conn:
        if await exams.get_exam(conn, exam_uuid) is None:
            raise errors.no_such_exam()
        return await repository.of_exam(conn, exam_uuid)


async def resume_incidents(db: Database) -> None:
    """Go on with what was interrupted. Raises DatabaseAway."""
    async with db.reading() as conn:
        unfinished = await repository.unfinished(conn)
    for incident_id in unfinished:
        while await run_step(db, incident_id):
            pass


async def run_step(db: Database, incident_id: UUID) -> bool:
    """Do it for the next attempts; whether there may be more."""

    @retry_deadlocks
    async def run() -> bool:
        async with db.transaction() as tx:
            return await _step(tx, incident_id)

    return await run()


def no_such_incident() -> AppError:
    return not_found("There is no such incident.")


def _checked(exam_id: str, plan: Plan) -> UUID:
    wrong = list(plan.problems())
    if wrong:
        raise errors.invalid_fields(wrong)
    return parse_uuid(exam_id, "exam")


async def _concerned(conn: AsyncConnection, exam_id: UUID, plan: Plan) -> list[Concerned]:
    """Minutes are added to paused attempts too."""
    scope = plan.scope
    statuses = [_STATUS[plan.what]] if plan.what in _STATUS else ["in_progress", "paused"]
    found = [
        one
        for status in statuses
        for one in await repository.concerned(conn, exam_id, status, scope.student_ids, scope.silent)
    ]
    return sorted(found, key=lambda one: one.id)


def _check_undoable(incident: Incident) -> None:
    if incident.undo_of is not None:
        raise conflict("not_undoable", "This incident takes back another: begin a new one instead.")
    if incident.undone_by is not None:
        raise conflict(
            "incident_undone", "This incident was taken back before.", incident_id=str(incident.undone_by)
        )
    if incident.finished_at is None:
        raise conflict("incident_running", "This incident is not done for everybody yet. Try again.")


async def _insert(tx: Tx, actor: Actor, new: _New) -> UUID:
    incident_id = uuid7()
    plan = new.plan
    told = {"action": plan.what.value, "minutes": plan.minutes, "scope": _scope(plan.scope)}
    values = {
        "id": incident_id,
        "exam_id": new.exam_id,
        **told,
        "reason": plan.reason,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "undo_of": new.undo_of,
    }
    await repository.insert(tx.conn, values, new.concerned)
    after = told | {"incident_id": str(incident_id), "attempts": len(new.concerned)}
    if new.undo_of is not None:
        after["undo_of"] = str(new.undo_of)
    action = "exam.incident_undone" if new.undo_of else "exam.incident"
    await tx.audit(actor.did(action, "exam", new.exam_id, after=after, reason=plan.reason))
    return incident_id


def _scope(scope: Scope) -> dict[str, object]:
    told: dict[str, object] = {}
    if scope.student_ids is not None:
        told["group"] = scope.group
    if scope.silent is not None:
        told["silent_between"] = [moment.isoformat() for moment in scope.silent]
    return told or {"exam": True}


async def _answer(db: Database, incident_id: UUID) -> Incident:
    until = time.monotonic() + ANSWER_WITHIN_SECONDS
    while time.monotonic() < until and await run_step(db, incident_id):
        pass
    async with db.reading() as conn:
        found = await repository.get(conn, incident_id)
    if found is None:
        raise no_such_incident()
    return found


async def _step(tx: Tx, incident_id: UUID) -> bool:
    """The exam is locked first: of two who go on with the same incident one waits, and sees what is left."""
    incident = await repository.get(tx.conn, incident_id)
    if incident is None or incident.finished_at is not None:
        return False
    exam = await exams.get_exam(tx.conn, incident.exam_id, lock="update")
    if exam is None:
        return False
    keys = await repository.following(tx.conn, incident_id, AT_ONCE)
    if not keys:
        if await repository.finish(tx.conn, incident_id):
            await publish_exam_changed(tx, exam.id)
        return False
    locked = await attempts.lock_all(tx.conn, keys)
    now: datetime = await attempts.now(tx.conn)
    intervention = Intervention(
        Actor(incident.actor_id, incident.actor_kind), _order(incident), incident.reason, incident_id
    )
    done = {one.id for one in await apply(tx, intervention, exam, locked, now, skipping=True)}
    outcomes = [(key, "done" if key[1] in done else "skipped") for key in keys]
    await repository.set_outcomes(tx.conn, incident_id, outcomes)
    return True


def _order(incident: Incident) -> Order:
    action: Action = incident.what.action
    return Order(action, incident.minutes)
