"""The only place where grading's objects are built and joined."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from examkit.app import App
from examkit.audit import AuditServicer
from examkit.clock import utc_now
from examkit.db import Database
from examkit.events import Delivery
from examkit.identity import KeyDirectory
from examkit.messaging import BatchConsumer, Bus, Consumer, LiveListener
from examkit.outbox import Relay
from examkit.rpc.client import connect
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examprotos.auth.v1 import events_pb2
from examprotos.common.v1 import audit_pb2_grpc
from examprotos.grading.v1 import keys_pb2_grpc, marking_pb2_grpc, results_pb2_grpc

from grading_service.consumers import ATTEMPT_CLOSED, EXAM_CHANGED, Consumers
from grading_service.exam_ends import ExamEnds
from grading_service.repository.papers import PaperCache
from grading_service.rpc.keys import AnswerKeysServicer, PapersServicer
from grading_service.rpc.marking import MarkingServicer
from grading_service.rpc.policies import POLICIES
from grading_service.rpc.results import ResultsServicer
from grading_service.settings import Settings
from grading_service.usecases.await_grade import GradeWaiters
from grading_service.usecases.grade_attempts import GRADED

ACCESS_REVOKED = "examhall.auth.access.revoked.v1"


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Everything that a grading process consists of; closed in the reverse order."""
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=settings.db_pool_size)
    bus = Bus(settings.rabbitmq_url)
    auth = connect(settings.auth_target, server="auth", tls=settings.tls)
    exam = connect(settings.exam_target, server="exam", tls=settings.tls)
    keys = KeyDirectory(auth)
    verifier = TokenVerifier(keys, keys.revocations, settings.token_issuer, settings.token_audience)
    cache = PaperCache()
    waiters = GradeWaiters(db)
    consumers = Consumers(cache, waiters, utc_now)

    def revoked(delivery: Delivery) -> None:
        keys.apply(delivery.parse(events_pb2.AccessRevoked))

    async def ready() -> bool | str:
        if not keys.ready:
            return "waiting for auth"
        await db.ping()
        return True

    server = RpcServer(
        settings.grpc_bind,
        settings.tls,
        POLICIES,
        verifier,
        max_connection_age=settings.grpc_max_connection_age_seconds or None,
    )
    keys_pb2_grpc.add_AnswerKeysServicer_to_server(AnswerKeysServicer(db), server.grpc)
    keys_pb2_grpc.add_PapersServicer_to_server(PapersServicer(db), server.grpc)
    results = ResultsServicer(db, ExamEnds(exam), waiters, utc_now)
    results_pb2_grpc.add_ResultsServicer_to_server(results, server.grpc)
    marking_pb2_grpc.add_MarkingServicer_to_server(MarkingServicer(db, cache, utc_now), server.grpc)
    audit_pb2_grpc.add_AuditLogServicer_to_server(AuditServicer(db), server.grpc)
    attempts = BatchConsumer(
        bus,
        db,
        "grading.attempts",
        [ATTEMPT_CLOSED],
        consumers.attempts_closed,
        most=settings.grading_batch,
    )
    exams = Consumer(bus, db, "grading.exams", [EXAM_CHANGED], consumers.exam_changed)
    try:
        yield App(
            rpc_server=server,
            workers=(Relay(db, bus, "grading", mandatory=[GRADED]), attempts, exams),
            ready=ready,
            always=(keys, LiveListener(bus, "grading", [ACCESS_REVOKED], revoked), waiters),
        )
    finally:
        await exam.close()
        await auth.close()
        await bus.close()
        await db.close()
