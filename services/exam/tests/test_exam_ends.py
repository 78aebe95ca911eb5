"""Whether an exam is over, over real gRPC: what keeps it open, and who may ask."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from exam_service.domain.deadline import Accommodation
from exam_service.rpc.exam_ends import ExamEndsServicer
from exam_service.rpc.policies import POLICIES
from exam_service.usecases.accommodations import put_accommodation
from exam_service.usecases.actor import Actor
from exam_service.usecases.close import close_exam
from exam_service.usecases.exams import update_exam
from examkit.db import Database
from examkit.errors import AppError, Kind
from examkit.ids import uuid7
from examkit.principal import Principal
from examkit.rpc.client import call, connect
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examprotos.exam.v1 import exam_ends_pb2, exam_ends_pb2_grpc

from .builders import write
from .sitting import Hall

HOUR = timedelta(hours=1)


class NoTokens:
    async def verify(self, token: str) -> Principal:
        raise AssertionError("grading asks for nobody")


@dataclass
class Asking:
    """Asks a running exam service as whichever identity."""

    port: int
    certificates: Callable[[str], TlsFiles]

    async def over(self, exam_id: UUID, identity: str = "grading") -> bool:
        channel = connect(f"127.0.0.1:{self.port}", server="exam", tls=self.certificates(identity))
        request = exam_ends_pb2.IsOverRequest(exam_id=str(exam_id))
        try:
            stub = exam_ends_pb2_grpc.ExamEndsStub(channel)
            return (await call(stub.IsOver, request, timeout=20)).over
        finally:
            await channel.close()


@pytest.fixture
async def asking(db: Database, certificates: Callable[[str], TlsFiles]) -> AsyncIterator[Asking]:
    server = RpcServer("127.0.0.1:0", certificates("exam"), POLICIES, NoTokens())
    exam_ends_pb2_grpc.add_ExamEndsServicer_to_server(ExamEndsServicer(db), server.grpc)
    yield Asking(await server.start(), certificates)
    await server.stop(0)


async def ended_at(db: Database, exam: UUID, end: datetime) -> None:
    """Move the end of an exam as time does: nobody is told of it."""
    await write(db, "UPDATE exams SET end_time = :end WHERE id = :id", end=end, id=exam)


async def test_an_exam_is_over_when_its_end_and_grace_are_past(
    hall: Hall, db: Database, asking: Asking, now: datetime
) -> None:
    exam = await hall.exam(["text"], end_time=now + HOUR, grace_seconds=300)
    endless = await hall.exam(["text"])
    assert not await asking.over(exam)
    assert not await asking.over(endless)
    await ended_at(db, exam, now - timedelta(seconds=10))
    assert not await asking.over(exam)
    await ended_at(db, exam, now - timedelta(seconds=310))
    assert await asking.over(exam)


async def test_a_change_counts_from_its_commit_on(
    hall: Hall, db: Database, admin: Actor, asking: Asking, now: datetime
) -> None:
    moved, accommodated = [await hall.exam(["text"], end_time=now + HOUR) for _ in range(2)]
    for exam in (moved, accommodated):
        await ended_at(db, exam, now - HOUR)
        assert await asking.over(exam)
    await update_exam(db, admin, moved, {"end_time": now + HOUR})
    longer = Accommodation(end_time=now + HOUR, per_exam=True)
    await put_accommodation(db, admin, hall.admit().user_id, accommodated, longer)
    assert not await asking.over(moved)
    assert not await asking.over(accommodated)


async def test_whoever_still_sits_keeps_it_open(
    hall: Hall, db: Database, admin: Actor, asking: Asking
) -> None:
    exam = await hall.exam(["text"])
    _, sitting = await hall.sits(exam)
    await close_exam(db, admin, exam)
    assert not await asking.over(exam)
    await hall.move_deadline(sitting.attempt.id, -10)
    assert not await asking.over(exam), "the grace counts too"
    await hall.move_deadline(sitting.attempt.id, -40)
    assert await asking.over(exam)
    await hall.move_deadline(sitting.attempt.id, 600)
    assert not await asking.over(exam)


async def test_an_unknown_exam_is_not_over(asking: Asking) -> None:
    with pytest.raises(AppError) as refused:
        await asking.over(uuid7())
    assert refused.value.kind is Kind.NOT_FOUND


@pytest.mark.parametrize("identity", ["gateway-student", "gateway-staff", "import", "operator"])
async def test_nobody_but_grading_may_ask(hall: Hall, asking: Asking, identity: str) -> None:
    exam = await hall.exam(["text"])
    with pytest.raises(AppError) as refused:
        await asking.over(exam, identity)
    assert refused.value.kind is Kind.FORBIDDEN
