"""The only place where exam's objects are built and joined."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from examkit.access import Access
from examkit.app import App
from examkit.audit import AuditServicer
from examkit.db import Database
from examkit.messaging import BatchConsumer, Bus
from examkit.outbox import Relay
from examkit.rpc.client import connect
from examkit.rpc.server import RpcServer
from examkit.tokens import TokenVerifier
from examkit.workers import Worker, periodic
from examprotos.common.v1 import audit_pb2_grpc
from examprotos.exam.v1 import (
    attempts_pb2_grpc,
    authoring_pb2_grpc,
    content_store_pb2_grpc,
    exam_ends_pb2_grpc,
    files_pb2_grpc,
    invigilation_pb2_grpc,
)

from exam_service.consumers import ATTEMPT_GRADED, GRADES_QUEUE, attempts_graded
from exam_service.file_store import FileStore
from exam_service.grading_papers import GradingPapers
from exam_service.pictures.process import Studio
from exam_service.reconciler import reconciler
from exam_service.repository.attempts import KnownAttempts
from exam_service.repository.papers import PaperCache
from exam_service.rpc.attempts import AttemptsServicer
from exam_service.rpc.authoring import AuthoringServicer
from exam_service.rpc.content_store import ContentStoreServicer
from exam_service.rpc.exam_ends import ExamEndsServicer
from exam_service.rpc.files import AnswerFilesServicer, FilesServicer, QuestionFilesServicer
from exam_service.rpc.invigilation import InvigilationServicer
from exam_service.rpc.policies import POLICIES
from exam_service.settings import Settings
from exam_service.sweeper import file_sweeper, gauges, settler, sweeper
from exam_service.usecases.close_attempt import ATTEMPT_CLOSED
from exam_service.usecases.exam_events import EXAM_CHANGED
from exam_service.usecases.incidents import resume_incidents
from exam_service.usecases.intervene import ATTEMPT_REOPENED, ATTEMPT_VOIDED
from exam_service.usecases.publish import resume_publications

INCIDENTS_EVERY_SECONDS = 5.0


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Everything that an exam process consists of; closed in the reverse order."""
    async with AsyncExitStack() as stack:
        db = Database(settings.database_url, schema=settings.db_schema, pool_size=settings.db_pool_size)
        stack.push_async_callback(db.close)
        sitting = _sitting(settings)
        stack.push_async_callback(sitting.close)
        bus = Bus(settings.rabbitmq_url)
        stack.push_async_callback(bus.close)
        access = await stack.enter_async_context(Access.open(settings, bus, "exam"))
        grading_channel = connect(settings.grading_target, server="grading", tls=settings.tls)
        stack.push_async_callback(grading_channel.close)
        grading = GradingPapers(grading_channel)
        papers = PaperCache(sitting, settings.paper_cache_size)
        known = KnownAttempts(settings.attempt_cache_size)
        server = _server(settings, access.verifier)
        _add_servicers(server, db, AttemptsServicer(sitting, papers, known, access.verifier), grading)
        invigilation = InvigilationServicer(db, papers)
        invigilation_pb2_grpc.add_InvigilationServicer_to_server(invigilation, server.grpc)
        store = FileStore(settings.files_url)
        _add_file_servicers(server, db, papers, store)
        # Grading's queue may not be there yet: what it must get waits in the outbox for it.
        relay = Relay(
            db, bus, "exam", mandatory={ATTEMPT_CLOSED, ATTEMPT_REOPENED, ATTEMPT_VOIDED, EXAM_CHANGED}
        )
        sitting.add_commit_listener(relay.wake)
        yield App(
            rpc_server=server,
            workers=(relay, *_workers(settings, db, bus, papers, grading), file_sweeper(db, store)),
            ready=partial(access.ready, db),
            always=access.workers,
        )


def _sitting(settings: Settings) -> Database:
    """A pool apart: nothing that staff or workers do can take the connections from those who sit."""
    return Database(
        settings.database_url,
        schema=settings.db_schema,
        pool_size=settings.db_pool_size,
        prepared=settings.db_prepared_statements,
        name="sitting",
    )


def _server(settings: Settings, verifier: TokenVerifier) -> RpcServer:
    return RpcServer(
        settings.grpc_bind,
        settings.tls,
        POLICIES,
        verifier,
        max_connection_age=settings.grpc_max_connection_age_seconds or None,
    )


def _add_servicers(
    server: RpcServer, db: Database, attempts: AttemptsServicer, grading: GradingPapers
) -> None:
    attempts_pb2_grpc.add_AttemptsServicer_to_server(attempts, server.grpc)
    authoring_pb2_grpc.add_AuthoringServicer_to_server(AuthoringServicer(db, grading), server.grpc)
    content_store_pb2_grpc.add_ContentStoreServicer_to_server(ContentStoreServicer(db), server.grpc)
    exam_ends_pb2_grpc.add_ExamEndsServicer_to_server(ExamEndsServicer(db), server.grpc)
    audit_pb2_grpc.add_AuditLogServicer_to_server(AuditServicer(db), server.grpc)


def _add_file_servicers(server: RpcServer, db: Database, papers: PaperCache, store: FileStore) -> None:
    # Not the pool of those who sit: an upload must not wait in front of a save.
    studio = Studio()
    answers = AnswerFilesServicer(db, papers, store, studio)
    files_pb2_grpc.add_AnswerFilesServicer_to_server(answers, server.grpc)
    questions = QuestionFilesServicer(db, store, studio)
    files_pb2_grpc.add_QuestionFilesServicer_to_server(questions, server.grpc)
    files_pb2_grpc.add_FilesServicer_to_server(FilesServicer(db, papers, store), server.grpc)


def _workers(
    settings: Settings, db: Database, bus: Bus, papers: PaperCache, grading: GradingPapers
) -> tuple[Worker, ...]:
    resume = partial(resume_publications, db, grading)
    return (
        BatchConsumer(bus, db, GRADES_QUEUE, [ATTEMPT_GRADED], attempts_graded),
        sweeper(db, papers),
        settler(db),
        reconciler(db, papers),
        gauges(db),
        periodic("incidents", INCIDENTS_EVERY_SECONDS, partial(resume_incidents, db)),
        periodic("publications", settings.publication_poll_seconds, resume),
    )
