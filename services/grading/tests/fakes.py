"""Exam as grading sees it: small, but behind real gRPC and real mutual TLS."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import grpc
from examkit.errors import not_found
from examkit.principal import Principal
from examkit.rpc.client import connect
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examprotos.exam.v1 import exam_ends_pb2, exam_ends_pb2_grpc
from grading_service.exam_ends import ExamEnds

Certificates = Callable[[str], TlsFiles]


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class NoTokens:
    async def verify(self, token: str) -> Principal:
        raise AssertionError("exam is asked for nobody")


@dataclass
class FakeExam(exam_ends_pb2_grpc.ExamEndsServicer):
    """Says of an exam what a test puts in (`over`), and nothing of others; answers while `gate` is open."""

    over: dict[UUID, bool] = field(default_factory=dict)
    asked: Counter[UUID] = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def IsOver(
        self, request: exam_ends_pb2.IsOverRequest, context: Any
    ) -> exam_ends_pb2.IsOverResponse:
        exam_id = UUID(request.exam_id)
        self.asked[exam_id] += 1
        await self.gate.wait()
        if exam_id not in self.over:
            raise not_found("There is no such exam.")
        return exam_ends_pb2.IsOverResponse(over=self.over[exam_id])


@dataclass
class Neighbour:
    """The exam service beside grading, and grading's line to it with the clock of its memory."""

    exam: FakeExam
    server: RpcServer
    channel: grpc.aio.Channel
    ends: ExamEnds
    ticks: Ticks


@asynccontextmanager
async def neighbour(certificates: Certificates) -> AsyncIterator[Neighbour]:
    exam, ticks = FakeExam(), Ticks()
    exam.gate.set()
    policies = {"examhall.exam.v1.ExamEnds": allow("grading")}
    server = RpcServer("127.0.0.1:0", certificates("exam"), policies, NoTokens())
    exam_ends_pb2_grpc.add_ExamEndsServicer_to_server(exam, server.grpc)
    port = await server.start()
    channel = connect(f"127.0.0.1:{port}", server="exam", tls=certificates("grading"))
    yield Neighbour(exam, server, channel, ExamEnds(channel, monotonic=ticks), ticks)
    await channel.close()
    await server.stop(0)
