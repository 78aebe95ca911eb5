"""The only place where auth's objects are built and joined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from examkit.app import App
from examkit.audit import AuditServicer
from examkit.clock import Clock, utc_now
from examkit.db import Database
from examkit.messaging import Bus, LiveListener
from examkit.outbox import Relay
from examkit.revocations import Revocations
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examkit.workers import Worker, periodic
from examprotos.auth.v1.identity_pb2_grpc import add_IdentityServicer_to_server
from examprotos.auth.v1.keys_pb2_grpc import add_KeysServicer_to_server
from examprotos.auth.v1.user_admin_pb2_grpc import (
    add_UserAdminServicer_to_server,
    add_UserImportServicer_to_server,
)
from examprotos.common.v1.audit_pb2_grpc import add_AuditLogServicer_to_server

from auth_service.consumers import RevocationFollower
from auth_service.hashing import PasswordHashing
from auth_service.key_ring import KeyRing
from auth_service.revocation_messages import ACCESS_REVOKED
from auth_service.rpc.identity import IdentityServicer
from auth_service.rpc.keys import KeysServicer
from auth_service.rpc.policies import POLICIES
from auth_service.rpc.user_admin import UserAdminServicer
from auth_service.rpc.user_import import UserImportServicer
from auth_service.sealing import Seal
from auth_service.settings import Settings, decode_key
from auth_service.usecases.cleaning import clean
from auth_service.usecases.signing_keys import keep_rotating
from auth_service.usecases.unit import Auth

Rotate = Callable[[], Awaitable[object]]

POLL_SECONDS = 5.0
RELOAD_SECONDS = 5.0
ROTATE_SECONDS = 60.0
CLEAN_SECONDS = 600.0


@asynccontextmanager
async def build(settings: Settings, *, clock: Clock = utc_now) -> AsyncIterator[App]:
    """The whole service; nothing connects yet."""
    seal = Seal(decode_key(settings.key_encryption_key))
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=settings.db_pool_size)
    bus = Bus(settings.rabbitmq_url)
    key_ring = KeyRing(db, seal, issuer=settings.token_issuer, audience=settings.token_audience, clock=clock)
    with PasswordHashing(queue=settings.hash_queue) as hashing:
        auth = Auth(
            db=db,
            clock=clock,
            hashing=hashing,
            key_ring=key_ring,
            revocations=Revocations(),
            lifetimes=settings.lifetimes,
            refresh_secret=seal.refresh_secret,
        )
        follower = RevocationFollower(auth)
        rotate = _rotation(settings, db, seal, clock)

        async def ready() -> bool | str:
            if not key_ring.loaded:
                await rotate()  # makes the first key of all
                await key_ring.reload()
            return follower.caught_up or "revocations"

        try:
            yield App(
                rpc_server=_server(settings, auth),
                workers=_workers(auth, bus, rotate),
                always=_followers(auth, bus, follower),
                ready=ready,
            )
        finally:
            await bus.close()
            await db.close()


def _rotation(settings: Settings, db: Database, seal: Seal, clock: Clock) -> Rotate:
    return partial(
        keep_rotating,
        db,
        seal,
        clock,
        every=timedelta(seconds=settings.key_rotation_seconds),
        lead=timedelta(seconds=settings.key_publish_lead_seconds),
        token_life=timedelta(seconds=settings.access_token_seconds),
    )


def _server(settings: Settings, auth: Auth) -> RpcServer:
    verifier = TokenVerifier(
        auth.key_ring,
        auth.revocations,
        settings.token_issuer,
        settings.token_audience,
        clock=auth.clock,
    )
    server = RpcServer(
        settings.grpc_bind,
        settings.tls,
        POLICIES,
        verifier,
        max_connection_age=settings.grpc_max_connection_age_seconds or None,
    )
    add_IdentityServicer_to_server(IdentityServicer(auth), server.grpc)
    add_UserAdminServicer_to_server(UserAdminServicer(auth), server.grpc)
    add_UserImportServicer_to_server(UserImportServicer(auth), server.grpc)
    add_KeysServicer_to_server(KeysServicer(auth), server.grpc)
    add_AuditLogServicer_to_server(AuditServicer(auth.db), server.grpc)
    return server


def _workers(auth: Auth, bus: Bus, rotate: Rotate) -> list[Worker]:
    """What one replica does for all."""
    return [
        Relay(auth.db, bus, "auth"),
        periodic("rotate-keys", ROTATE_SECONDS, rotate),
        periodic("clean", CLEAN_SECONDS, partial(clean, auth)),
    ]


def _followers(auth: Auth, bus: Bus, follower: RevocationFollower) -> list[Worker]:
    """What every process does for itself."""
    return [
        LiveListener(bus, "auth", [ACCESS_REVOKED], follower.hear, on_connected=follower.poll),
        periodic("poll-revocations", POLL_SECONDS, follower.poll),
        periodic("reload-keys", RELOAD_SECONDS, auth.key_ring.reload),
    ]
