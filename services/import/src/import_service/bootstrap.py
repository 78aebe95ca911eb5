"""The only place where import's objects are built and joined."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from examkit.access import Access
from examkit.app import App
from examkit.audit import AuditServicer
from examkit.db import Database
from examkit.messaging import Bus, Consumer
from examkit.outbox import Relay
from examkit.rpc.client import connect
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examkit.workers import Worker, periodic
from examprotos.common.v1 import audit_pb2_grpc
from examprotos.imports.v1 import content_pb2_grpc, imports_pb2_grpc

from import_service.consumers import QUEUE, job_queued
from import_service.peers import Peers
from import_service.rpc.content import ContentServicer
from import_service.rpc.imports import ImportsServicer
from import_service.rpc.policies import POLICIES
from import_service.runner import Runner
from import_service.settings import Settings
from import_service.usecases.create_job import JOB_QUEUED
from import_service.usecases.jobs import forget_failed_rows

FORGET_SECONDS = 3600.0


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Everything that an import process consists of; closed in the reverse order."""
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, schema=settings.db_schema, pool_size=settings.db_pool_size)
        stack.push_async_callback(db.close)
        bus = Bus(settings.rabbitmq_url)
        stack.push_async_callback(bus.close)
        access = await stack.enter_async_context(Access.open(settings, bus, "import"))
        exam = connect(settings.exam_target, server="exam", tls=settings.tls)
        stack.push_async_callback(exam.close)
        grading = connect(settings.grading_target, server="grading", tls=settings.tls)
        stack.push_async_callback(grading.close)
        peers = Peers(grading=grading, exam=exam, auth=access.channel)
        yield App(
            rpc_server=_server(settings, db, peers, access.verifier),
            workers=_workers(settings, db, bus, peers),
            ready=partial(access.ready, db),
            always=access.workers,
        )


def _workers(settings: Settings, db: Database, bus: Bus, peers: Peers) -> tuple[Worker, ...]:
    return (
        Relay(db, bus, "import", mandatory=(JOB_QUEUED,)),
        Consumer(bus, db, QUEUE, [JOB_QUEUED], job_queued),
        Runner(db, peers, settings.parser_limits, lease_seconds=settings.lease_seconds),
        periodic("forget-failed-rows", FORGET_SECONDS, partial(forget_failed_rows, db)),
    )


def _server(settings: Settings, db: Database, peers: Peers, verifier: TokenVerifier) -> RpcServer:
    server = RpcServer(
        settings.grpc_bind,
        settings.tls,
        POLICIES,
        verifier,
        max_connection_age=settings.grpc_max_connection_age_seconds or None,
    )
    imports_pb2_grpc.add_ImportsServicer_to_server(ImportsServicer(db, verifier), server.grpc)
    content_pb2_grpc.add_ContentServicer_to_server(ContentServicer(peers), server.grpc)
    audit_pb2_grpc.add_AuditLogServicer_to_server(AuditServicer(db), server.grpc)
    return server
