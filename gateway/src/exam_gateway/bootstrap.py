"""The only place where objects are built and joined."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from examkit.identity import KeyDirectory
from examkit.rpc.client import connect
from examkit.tls import TlsFiles
from examkit.tokens import TokenVerifier
from examkit.workers import Worker
from examprotos.auth.v1 import identity_pb2_grpc, keys_pb2_grpc
from starlette.types import ASGIApp

from exam_gateway.app import NotReady, Surface, assemble, document
from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.limits import RateLimits
from exam_gateway.guards.quick import Quick
from exam_gateway.live import LiveStreams
from exam_gateway.settings import STAFF, STUDENT, GatewaySettings

_NOWHERE = "localhost:0"
REVOKED = "examhall.auth.access.revoked.v1"

Channels = Mapping[str, grpc.aio.Channel]


@dataclass(frozen=True)
class Gateway:
    """`ready` gives None once everything it needs was there once, else what it waits for."""

    app: ASGIApp
    quick: Quick
    workers: list[Worker]
    ready: Callable[[], Awaitable[str | None]]
    live: LiveStreams


@asynccontextmanager
async def build(settings: GatewaySettings, not_ready: NotReady) -> AsyncIterator[Gateway]:
    """Everything but the listening socket; closes on exit what it opened."""
    async with AsyncExitStack() as stack:
        surfaces = {name: _connect(settings, name, tls) for name, tls in settings.identities.items()}
        for channels in surfaces.values():
            for channel in channels.values():
                stack.push_async_callback(channel.close, None)
        auth = next(iter(surfaces.values()))["auth"]
        directory = KeyDirectory(auth)
        verifier = TokenVerifier(
            directory, directory.revocations, settings.token_issuer, settings.token_audience
        )
        limits = RateLimits(enabled=settings.rate_limits)
        keeper = Gatekeeper(verifier, limits, settings.trusted_proxies)
        live = LiveStreams(verifier)
        served = _surfaces(settings, surfaces, keeper, live)
        workers: list[Worker] = [directory]
        if settings.rabbitmq_url:
            workers.append(_revocations(settings, directory, stack))
        readiness = _Readiness(directory, surfaces.get(STUDENT, {}).get("exam"))
        app, quick = assemble(settings, keeper, served, not_ready)
        yield Gateway(app, quick, workers, readiness, live)


async def openapi() -> dict[str, Any]:
    """The OpenAPI document of both surfaces. Nothing is called, so nothing need be set."""
    nowhere = GatewaySettings(auth_target=_NOWHERE, exam_target=_NOWHERE, grading_target=_NOWHERE)
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(_NOWHERE))
        directory = KeyDirectory(channel)
        verifier = TokenVerifier(
            directory, directory.revocations, nowhere.token_issuer, nowhere.token_audience
        )
        keeper = Gatekeeper(verifier, RateLimits())
        channels = dict.fromkeys(("auth", "exam", "grading", "import"), channel)
        surfaces = dict.fromkeys((STUDENT, STAFF), channels)
        return document(_surfaces(nowhere, surfaces, keeper, LiveStreams(verifier)))


def _surfaces(
    settings: GatewaySettings, channels: Mapping[str, Channels], keeper: Gatekeeper, live: LiveStreams
) -> list[Surface]:
    first = next(iter(channels.values()))
    served = [_auth(settings, first["auth"]), _files(first["exam"]), _reports()]
    if STUDENT in channels:
        served.append(_student(channels[STUDENT], keeper))
    if STAFF in channels:
        served.append(_staff(channels[STAFF], live))
    return served


def _connect(settings: GatewaySettings, surface: str, tls: TlsFiles) -> Channels:
    """A surface's own channels, with its own certificate."""
    targets = {
        "auth": settings.auth_target,
        "exam": settings.exam_target,
        "grading": settings.grading_target,
    }
    if surface == STAFF:
        targets["import"] = settings.import_target
    return {name: connect(target, server=name, tls=tls) for name, target in targets.items()}


def _auth(settings: GatewaySettings, channel: grpc.aio.Channel) -> Surface:
    from exam_gateway.auth.cookies import RefreshCookie
    from exam_gateway.auth.routes import AuthBackend, routers

    backend = AuthBackend(
        identity=identity_pb2_grpc.IdentityStub(channel),
        keys=keys_pb2_grpc.KeysStub(channel),
        cookie=RefreshCookie(settings.cookie_secure, frozenset(settings.cors_origins)),
    )
    return Surface("auth", backend, routers)


def _files(channel: grpc.aio.Channel) -> Surface:
    from examprotos.exam.v1.files_pb2_grpc import FilesStub

    from exam_gateway.files import FilesBackend, router

    return Surface("files", FilesBackend(FilesStub(channel)), [router])


def _reports() -> Surface:
    from exam_gateway.reports import router

    return Surface("reports", None, [router])


def _student(channels: Channels, keeper: Gatekeeper) -> Surface:
    from examprotos.exam.v1.attempts_pb2_grpc import AttemptsStub
    from examprotos.exam.v1.files_pb2_grpc import AnswerFilesStub
    from examprotos.grading.v1.results_pb2_grpc import ResultsStub

    from exam_gateway.student import exams, files, results, saves, sitting, submit
    from exam_gateway.student.answers import AnswerReader
    from exam_gateway.student.backend import StudentBackend
    from exam_gateway.student.documented import DOCUMENTED
    from exam_gateway.student.save_client import SaveClient

    attempts = AttemptsStub(channels["exam"])
    reader = AnswerReader()
    backend = StudentBackend(
        attempts, ResultsStub(channels["grading"]), AnswerFilesStub(channels["exam"]), reader
    )
    submits, submits_by_id = submit.routes(keeper, backend)
    saving = saves.answering(keeper, SaveClient(attempts.SaveBatch), reader)
    return Surface(
        STUDENT,
        backend,
        (exams.router, results.router, files.router),
        thin={**saves.routes(keeper, saving), submit.SUBMIT: submits},
        thin_under={**sitting.routes(keeper, backend), submit.SUBMIT: submits_by_id},
        quick=saving,
        documented=DOCUMENTED,
    )


def _staff(channels: Channels, live: LiveStreams) -> Surface:
    from examprotos.auth.v1.user_admin_pb2_grpc import UserAdminStub
    from examprotos.common.v1.audit_pb2_grpc import AuditLogStub
    from examprotos.exam.v1.authoring_pb2_grpc import AuthoringStub
    from examprotos.exam.v1.files_pb2_grpc import QuestionFilesStub
    from examprotos.exam.v1.invigilation_pb2_grpc import InvigilationStub
    from examprotos.grading.v1.keys_pb2_grpc import AnswerKeysStub
    from examprotos.grading.v1.marking_pb2_grpc import MarkingStub
    from examprotos.grading.v1.regrading_pb2_grpc import RegradingStub
    from examprotos.grading.v1.statistics_pb2_grpc import StatisticsStub
    from examprotos.imports.v1.content_pb2_grpc import ContentStub
    from examprotos.imports.v1.imports_pb2_grpc import ImportsStub

    from exam_gateway.staff import (
        accommodation_lists,
        accommodations,
        attempts,
        audit,
        exams,
        files,
        imports,
        incidents,
        marking,
        monitor,
        questions,
        regrading,
        results,
        statistics,
        users,
    )
    from exam_gateway.staff.backend import StaffBackend

    backend = StaffBackend(
        users=UserAdminStub(channels["auth"]),
        authoring=AuthoringStub(channels["exam"]),
        invigilation=InvigilationStub(channels["exam"]),
        files=QuestionFilesStub(channels["exam"]),
        keys=AnswerKeysStub(channels["grading"]),
        marking=MarkingStub(channels["grading"]),
        regrading=RegradingStub(channels["grading"]),
        statistics=StatisticsStub(channels["grading"]),
        content=ContentStub(channels["import"]),
        imports=ImportsStub(channels["import"]),
        audits={name: AuditLogStub(channel) for name, channel in channels.items()},
        live=live,
    )
    building = (questions, files, exams)
    running = (accommodations, accommodation_lists, attempts, monitor, incidents)
    grading = (marking, regrading, results, statistics)
    parts = (*building, *running, *grading, users, imports, audit)
    return Surface(STAFF, backend, [part.router for part in parts])


def _revocations(settings: GatewaySettings, directory: KeyDirectory, stack: AsyncExitStack) -> Worker:
    """Revocations by event, ahead of the next poll."""
    from examkit.messaging import Bus, LiveListener
    from examprotos.auth.v1.events_pb2 import AccessRevoked

    bus = Bus(settings.rabbitmq_url)
    stack.push_async_callback(bus.close)
    return LiveListener(
        bus, "gateway", [REVOKED], lambda delivery: directory.apply(delivery.parse(AccessRevoked))
    )


@dataclass
class _Readiness:
    """Waits once for auth's keys and, to serve students, for exam; what was there once is not asked again.

    Grading and import may be away: a submit then answers `pending`, and staff's calls are 503.
    """

    directory: KeyDirectory
    exam: grpc.aio.Channel | None
    seen: bool = False

    async def __call__(self) -> str | None:
        if self.exam is not None and not self.seen:
            if self.exam.get_state(try_to_connect=True) is not grpc.ChannelConnectivity.READY:
                return "waiting for exam"
            self.seen = True
        return None if self.directory.ready else "waiting for the keys of auth"
