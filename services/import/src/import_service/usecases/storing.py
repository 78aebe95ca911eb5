"""Storing a chunk of rows in the services that own them: each row gets its own verdict."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

import structlog
from examkit.errors import AppError, Kind
from examprotos.exam.v1 import content_store_pb2

from import_service import wire
from import_service.domain.question import Question
from import_service.domain.refusal import INTERNAL, RowFault
from import_service.domain.student_rows import Student
from import_service.parser.frames import Good
from import_service.peers import Peers
from import_service.repository import Job

WAITED_FOR = frozenset({Kind.UNAVAILABLE, Kind.RATE_LIMITED})
"""Failures that pass by themselves."""
_REFUSALS = frozenset({Kind.INVALID, Kind.CONFLICT, Kind.NOT_FOUND, Kind.REFUSED, Kind.TOO_LARGE, Kind.GONE})
"""Failures that lie in what was sent."""
_UNWELCOME = frozenset({Kind.UNAUTHENTICATED, Kind.FORBIDDEN})
"""Failures that lie in us, whatever is sent."""
MOST_BROKEN = 10
"""So many rows, each put alone, may break a service that has taken none of their chunk."""
_TRY_AGAIN = "This row could not be stored by a fault of ours: try it again later."

log = structlog.get_logger(__name__)


class Verdict(NamedTuple):
    """What became of a row: `stored` (its key), `imported`, `updated`, or `rejected` with its fault."""

    outcome: str
    fault: RowFault | None = None


async def put_keys(peers: Peers, job: Job, rows: Sequence[Good]) -> list[Verdict]:
    """Put the keys of questions, before their content: a question without a key must never be seen.

    `stored` or `rejected` for each row; students have no keys. Can be repeated. Raises unavailable and
    rate_limited, and what the service answers whatever it is given.
    """

    async def put(some: Sequence[Good]) -> list[Verdict]:
        messages = [
            wire.key_to_wire(version_id(job.id, row.row), row.item)
            for row in some
            if isinstance(row.item, Question)
        ]
        await peers.put_keys(messages, job.created_by)
        return [Verdict("stored")] * len(some)

    if not rows or not isinstance(rows[0].item, Question):
        return [Verdict("stored")] * len(rows)
    return await _Isolation(put, "correct").verdicts(rows)


async def store_rows(peers: Peers, job: Job, rows: Sequence[Good], keyed: Sequence[Verdict]) -> list[Verdict]:
    """Store rows whose keys are put, one verdict each, in order. Can be repeated. Raises as `put_keys`."""
    with_key = [row for row, verdict in zip(rows, keyed, strict=True) if verdict.fault is None]
    if not with_key:
        return list(keyed)
    remaining = iter(await _put_rows(peers, job, with_key, dry_run=False))
    return [verdict if verdict.fault else next(remaining) for verdict in keyed]


async def judge_rows(peers: Peers, job: Job, rows: Sequence[Good]) -> list[Verdict]:
    """The verdicts that storing the rows would give, as things stand now; nothing is stored.

    Raises as `put_keys`.
    """
    return await _put_rows(peers, job, rows, dry_run=True) if rows else []


async def _put_rows(peers: Peers, job: Job, rows: Sequence[Good], *, dry_run: bool) -> list[Verdict]:
    if isinstance(rows[0].item, Question):
        return await _put_questions(peers, job, rows, dry_run=dry_run)
    return await _put_students(peers, rows, dry_run=dry_run)


async def _put_students(peers: Peers, rows: Sequence[Good], *, dry_run: bool) -> list[Verdict]:
    async def put(some: Sequence[Good]) -> list[Verdict]:
        messages = [wire.student_to_wire(row.row, row.item) for row in some if isinstance(row.item, Student)]
        outcomes = await peers.put_students(messages, dry_run=dry_run)
        return [
            _verdict(one.outcome, RowFault(one.column or "email", one.code, one.message)) for one in outcomes
        ]

    return await _Isolation(put, "email").verdicts(rows)


async def _put_questions(peers: Peers, job: Job, rows: Sequence[Good], *, dry_run: bool) -> list[Verdict]:
    async def put(some: Sequence[Good]) -> list[Verdict]:
        messages = [
            content_store_pb2.PutQuestion(
                version_id=str(version_id(job.id, row.row)), content=wire.content_to_wire(row.item)
            )
            for row in some
            if isinstance(row.item, Question)
        ]
        if dry_run:
            outcomes = await peers.check_questions(messages)
        else:
            outcomes = await peers.put_questions(messages, job.created_by)
        return [_question_verdict(one) for one in outcomes]

    return await _Isolation(put, "question").verdicts(rows)


def version_id(job_id: UUID, row: int) -> UUID:
    """The version that a row makes: the same however often the row is stored."""
    return uuid5(job_id, f"row {row}")


def _question_verdict(one: content_store_pb2.PutQuestionOutcome) -> Verdict:
    outcome = one.outcome
    if outcome == "repeated":
        # Stored before a crash, and not counted yet.
        outcome = "created" if one.version == 1 else "updated"
    return _verdict(outcome, RowFault(_COLUMN_OF_CODE.get(one.code, "question"), one.code, one.detail))


_COLUMN_OF_CODE = {
    "external_id_taken": "external_id",
    "stale_version": "external_id",
    "not_found": "external_id",
}


def _verdict(outcome: str, fault: RowFault) -> Verdict:
    if outcome == "rejected":
        message = fault.message or "The row was refused: check its cells."
        return Verdict("rejected", RowFault(fault.column, fault.code or "invalid", message))
    return Verdict("imported" if outcome == "created" else "updated")


class _Isolation:
    """Puts rows together; where they fail as a whole, halves them until only the bad ones are left."""

    def __init__(self, put: Callable[[Sequence[Good]], Awaitable[list[Verdict]]], column: str) -> None:
        self._put = put
        self._column = column
        self._answered = False
        self._broken = 0

    async def verdicts(self, rows: Sequence[Good]) -> list[Verdict]:
        """One for each row, in order. Raises what is no row's fault."""
        try:
            found = await self._put(rows)
        except AppError as error:
            if error.kind in WAITED_FOR | _UNWELCOME:
                raise
            if len(rows) == 1:
                return [Verdict("rejected", self._fault(error))]
        else:
            self._answered = True
            return found
        middle = len(rows) // 2
        return await self.verdicts(rows[:middle]) + await self.verdicts(rows[middle:])

    def _fault(self, error: AppError) -> RowFault:
        """What is wrong with the row that failed alone. Raises the error where it is not the row's."""
        if error.kind in _REFUSALS:
            self._answered = True
            return RowFault(self._column, error.code, _sentence(error))
        self._broken += 1
        log.warning("import_row_broke_a_service", code=error.code, kind=error.kind)
        if not self._answered and self._broken >= MOST_BROKEN:
            raise error
        return RowFault("", INTERNAL, _TRY_AGAIN)


def _sentence(error: AppError) -> str:
    return error.errors[0].msg if error.errors else error.detail
