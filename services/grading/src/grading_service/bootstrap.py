"""The only place where grading's objects are built and joined."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from examkit.access import Access
from examkit.app import App
from examkit.audit import AuditServicer
from examkit.clock import utc_now
from examkit.db import Database
from examkit.messaging import BatchConsumer, Bus, Consumer
from examkit.outbox import Relay
from examkit.rpc.client import connect
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examkit.workers import Worker, periodic
from examprotos.common.v1 import audit_pb2_grpc
from examprotos.grading.v1 import (
    keys_pb2_grpc,
    marking_pb2_grpc,
    regrading_pb2_grpc,
    results_pb2_grpc,
    statistics_pb2_grpc,
)

from grading_service.consumers import (
    ATTEMPT_CLOSED,
    ATTEMPT_REOPENED,
    ATTEMPT_VOIDED,
    ATTEMPTS_QUEUE,
    EXAM_CHANGED,
    EXAMS_QUEUE,
    Consumers,
)
from grading_service.exam_ends import ExamEnds
from grading_service.repository.papers import PaperCache
from grading_service.rpc.keys import AnswerKeysServicer, PapersServicer
from grading_service.rpc.marking import MarkingServicer
from grading_service.rpc.policies import POLICIES
from grading_service.rpc.regrading import RegradingServicer
from grading_service.rpc.results import ResultsServicer
from grading_service.rpc.statistics import StatisticsServicer
from grading_service.settings import Settings
from grading_service.usecases.apply_regrades import apply_all
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.grade_attempts import GRADED


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Everything that a grading process consists of; closed in the reverse order."""
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, schema=settings.db_schema, pool_size=settings.db_pool_size)
        stack.push_async_callback(db.close)
        bus = Bus(settings.rabbitmq_url)
        stack.push_async_callback(bus.close)
        access = await stack.enter_async_context(Access.open(settings, bus, "grading"))
        exam = connect(settings.exam_target, server="exam", tls=settings.tls)
        stack.push_async_callback(exam.close)
        cache = PaperCache()
        waiters = GradeWaiters(db)
        server = _server(settings, access.verifier)
        _add_servicers(server, db, cache, ResultsServicer(db, ExamEnds(exam), waiters, utc_now))
        yield App(
            rpc_server=server,
            workers=_workers(settings, db, bus, cache, Consumers(cache, waiters, utc_now)),
            ready=partial(access.ready, db),
            always=(*access.workers, waiters),
        )


def _server(settings: Settings, verifier: TokenVerifier) -> RpcServer:
    return RpcServer(
        settings.grpc_bind,
        settings.tls,
        POLICIES,
        verifier,
        max_connection_age=settings.grpc_max_connection_age_seconds or None,
    )


def _add_servicers(server: RpcServer, db: Database, cache: PaperCache, results: ResultsServicer) -> None:
    keys_pb2_grpc.add_AnswerKeysServicer_to_server(AnswerKeysServicer(db), server.grpc)
    keys_pb2_grpc.add_PapersServicer_to_server(PapersServicer(db), server.grpc)
    results_pb2_grpc.add_ResultsServicer_to_server(results, server.grpc)
    marking_pb2_grpc.add_MarkingServicer_to_server(MarkingServicer(db, cache, utc_now), server.grpc)
    regrading_pb2_grpc.add_RegradingServicer_to_server(RegradingServicer(db, cache, utc_now), server.grpc)
    statistics_pb2_grpc.add_StatisticsServicer_to_server(StatisticsServicer(db), server.grpc)
    audit_pb2_grpc.add_AuditLogServicer_to_server(AuditServicer(db), server.grpc)


def _workers(
    settings: Settings, db: Database, bus: Bus, cache: PaperCache, consumers: Consumers
) -> tuple[Worker, ...]:
    return (
        Relay(db, bus, "grading", mandatory=[GRADED]),
        BatchConsumer(
            bus,
            db,
            ATTEMPTS_QUEUE,
            [ATTEMPT_CLOSED, ATTEMPT_REOPENED, ATTEMPT_VOIDED],
            consumers.attempts_changed,
            most=settings.grading_batch,
        ),
        Consumer(bus, db, EXAMS_QUEUE, [EXAM_CHANGED], consumers.exam_changed),
        # What a request did not live to apply.
        periodic("regrades", 1.0, partial(apply_all, db, cache, utc_now)),
    )
