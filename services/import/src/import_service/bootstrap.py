"""The only place where import's objects are built and joined."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import grpc
from examkit.app import App
from examkit.audit import AuditServicer
from examkit.db import Database
from examkit.events import Delivery
from examkit.identity import KeyDirectory
from examkit.messaging import Bus, Consumer, LiveListener
from examkit.outbox import Relay
from examkit.rpc.client import connect
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examkit.workers import Worker, periodic
from examprotos.auth.v1 import events_pb2
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

ACCESS_REVOKED = "examhall.auth.access.revoked.v1"
FORGET_SECONDS = 3600.0


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Everything that an import process consists of; closed in the reverse order."""
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, schema=settings.db_schema, pool_size=settings.db_pool_size)
        stack.push_async_callback(db.close)
        bus = Bus(settings.rabbitmq_url)
        stack.push_async_callback(bus.close)
        channels: dict[str, grpc.aio.Channel] = {}
        for server, target in (
            ("auth", settings.auth_target),
            ("exam", settings.exam_target),
            ("grading", settings.grading_target),
        ):
            channels[server] = connect(target, server=server, tls=settings.tls)
            stack.push_async_callback(channels[server].close)
        peers = Peers(grading=channels["grading"], exam=channels["exam"], auth=channels["auth"])
        keys = KeyDirectory(channels["auth"])
        yield _app(settings, db, bus, peers, keys)


def _app(settings: Settings, db: Database, bus: Bus, peers: Peers, keys: KeyDirectory) -> App:
    def revoked(delivery: Delivery) -> None:
        keys.apply(delivery.parse(events_pb2.AccessRevoked))

    async def ready() -> bool | str:
        if not keys.ready:
            return "waiting for auth"
        await db.ping()
        return True

    workers: tuple[Worker, ...] = (
        Relay(db, bus, "import", mandatory=(JOB_QUEUED,)),
        Consumer(bus, db, QUEUE, [JOB_QUEUED], job_queued),
        Runner(db, peers, settings.parser_limits, lease_seconds=settings.lease_seconds),
        periodic("forget-failed-rows", FORGET_SECONDS, partial(forget_failed_rows, db)),
    )
    return App(
        rpc_server=_server(settings, db, peers, keys),
        workers=workers,
        ready=ready,
        always=(keys, LiveListener(bus, "import", [ACCESS_REVOKED], revoked)),
    )


def _server(settings: Settings, db: Database, peers: Peers, keys: KeyDirectory) -> RpcServer:
    verifier = TokenVerifier(keys, keys.revocations, settings.token_issuer, settings.token_audience)
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
