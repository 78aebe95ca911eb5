"""Grading, exam and auth as an import sees them: small, but behind real gRPC and real mutual TLS."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from examkit.errors import AppError, FieldError, invalid, unauthenticated, unavailable
from examkit.principal import Principal
from examkit.rpc.client import connect
from examkit.rpc.context import maybe_user
from examkit.rpc.policy import allow
from examkit.rpc.server import RpcServer
from examkit.tls import TlsFiles
from examprotos.auth.v1 import user_admin_pb2, user_admin_pb2_grpc
from examprotos.exam.v1 import content_store_pb2, content_store_pb2_grpc
from examprotos.grading.v1 import keys_pb2, keys_pb2_grpc
from import_service.peers import Peers

Certificates = Callable[[str], TlsFiles]
ADMIN_ID = UUID("01890000-0000-7000-8000-0000000000ad")


class FakeVerifier:
    """Takes `admin` and `student` for tokens."""

    def __init__(self) -> None:
        self.ended = False

    async def verify(self, token: str) -> Principal:
        if token not in {"admin", "student"} or self.ended:
            raise unauthenticated("The access token is not valid.")
        return Principal(ADMIN_ID, token, frozenset(), uuid4(), 1, 4e9)


@dataclass
class FakeGrading(keys_pb2_grpc.AnswerKeysServicer):
    """`away`: so many calls fail; `refuse`: a key with this text in its explanation is refused."""

    keys: dict[str, keys_pb2.VersionKey] = field(default_factory=dict)
    users: list[UUID | None] = field(default_factory=list)
    behalves: set[str] = field(default_factory=set)
    away: int = 0
    calls: int = 0
    refuse: str = "refuse this key"
    gate: asyncio.Event | None = None

    async def PutKeys(self, request: keys_pb2.PutKeysRequest, context: Any) -> keys_pb2.PutKeysResponse:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            self.away -= 1
            raise unavailable("Grading is away.")
        assert len(request.items) <= 500
        wrong = [
            FieldError(("items", place, "key"), "This key does not fit.")
            for place, item in enumerate(request.items)
            if item.key.explanation == self.refuse
        ]
        if wrong:
            raise invalid("Some keys don't fit.", *wrong)
        user = maybe_user()
        self.users.append(user.user_id if user else None)
        self.behalves.add(request.on_behalf_of)
        for item in request.items:
            assert self.keys.setdefault(item.version_id, item) == item
        return keys_pb2.PutKeysResponse()


@dataclass
class FakeExam(content_store_pb2_grpc.ContentStoreServicer):
    """Keeps what it is given by version; `after` runs when a call has been stored and not yet answered.

    `ill`: text of questions that it breaks on; `failures`: what it answers to the calls to come.
    """

    grading: FakeGrading
    versions: dict[str, content_store_pb2.PutQuestion] = field(default_factory=dict)
    outcomes: dict[str, content_store_pb2.PutQuestionOutcome] = field(default_factory=dict)
    by_external_id: dict[str, str] = field(default_factory=dict)
    current: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    away: int = 0
    ill: str = "break exam"
    failures: Iterator[AppError] = field(default_factory=lambda: iter(()))
    after: Callable[[int], None] | None = None

    async def PutQuestions(
        self, request: content_store_pb2.PutQuestionsRequest, context: Any
    ) -> content_store_pb2.PutQuestionsResponse:
        self.calls += 1
        if self.away:
            self.away -= 1
            raise unavailable("Exam is away.")
        for failure in self.failures:
            raise failure
        if any(self.ill in item.content.text for item in request.items):
            raise RuntimeError("exam is ill")
        assert len(request.items) <= 500
        for item in request.items:
            assert item.version_id in self.grading.keys, "the key comes before the content"
        outcomes = [self._put(item) for item in request.items]
        if self.after is not None:
            self.after(self.calls)
        return content_store_pb2.PutQuestionsResponse(outcomes=outcomes)

    async def CheckQuestions(
        self, request: content_store_pb2.PutQuestionsRequest, context: Any
    ) -> content_store_pb2.PutQuestionsResponse:
        if self.away:
            self.away -= 1
            raise unavailable("Exam is away.")
        assert len(request.items) <= 500
        trial = replace(
            self,
            versions=dict(self.versions),
            outcomes=dict(self.outcomes),
            by_external_id=dict(self.by_external_id),
            current=dict(self.current),
        )
        return content_store_pb2.PutQuestionsResponse(outcomes=[trial._put(item) for item in request.items])

    def _put(self, item: content_store_pb2.PutQuestion) -> content_store_pb2.PutQuestionOutcome:
        outcome = content_store_pb2.PutQuestionOutcome
        if item.version_id in self.versions:
            first = self.outcomes[item.version_id]
            return outcome(outcome="repeated", question_id=first.question_id, version=first.version)
        if "reject this" in item.content.text:
            return outcome(outcome="rejected", code="invalid", detail="Exam does not want this.")
        question_id = item.question_id or self.by_external_id.get(item.content.external_id, "")
        if item.new_question_id and question_id:
            return outcome(outcome="rejected", code="external_id_taken", detail="Another question has it.")
        version = self.current.get(question_id, 0)
        if item.question_id and not version:
            return outcome(outcome="rejected", code="not_found", detail="There is no such question.")
        if item.question_id and item.expected_version not in {0, version}:
            return outcome(outcome="rejected", code="stale_version", detail="Another came first.")
        question_id = question_id or item.new_question_id or str(uuid4())
        if item.content.external_id:
            self.by_external_id[item.content.external_id] = question_id
        self.current[question_id] = version + 1
        self.versions[item.version_id] = item
        kind = "updated" if version else "created"
        self.outcomes[item.version_id] = outcome(outcome=kind, question_id=question_id, version=version + 1)
        return self.outcomes[item.version_id]


@dataclass
class FakeAuth(user_admin_pb2_grpc.UserImportServicer):
    """Knows one teacher; everyone else may become a student."""

    students: dict[str, user_admin_pb2.StudentRow] = field(default_factory=dict)
    calls: list[bool] = field(default_factory=list)
    ill: str = "break auth"

    async def PutStudents(
        self, request: user_admin_pb2.PutStudentsRequest, context: Any
    ) -> user_admin_pb2.PutStudentsResponse:
        self.calls.append(request.dry_run)
        if any(row.email == self.ill for row in request.rows):
            raise RuntimeError("auth is ill")
        return user_admin_pb2.PutStudentsResponse(
            outcomes=[self._put(row, dry_run=request.dry_run) for row in request.rows]
        )

    def _put(self, row: user_admin_pb2.StudentRow, *, dry_run: bool) -> user_admin_pb2.StudentOutcome:
        outcome = user_admin_pb2.StudentOutcome
        key = row.email.lower()
        if key == "teacher@example.com":
            message = "This address belongs to a member of staff."
            return outcome(
                row=row.row, outcome="rejected", code="not_a_student", column="email", message=message
            )
        if row.HasField("password") and len(row.password) < 10:
            message = "The password needs at least 10 characters."
            return outcome(
                row=row.row, outcome="rejected", code="invalid", column="password", message=message
            )
        before = self.students.get(key)
        if not dry_run:
            self.students[key] = row
        kind = "created" if before is None else "unchanged" if before == row else "updated"
        return outcome(row=row.row, outcome=kind)


@dataclass
class World:
    """The services around an import, and the stubs that lead to them."""

    grading: FakeGrading
    exam: FakeExam
    auth: FakeAuth
    peers: Peers
    targets: dict[str, str]


@asynccontextmanager
async def world(certificates: Certificates) -> AsyncIterator[World]:
    grading = FakeGrading()
    exam, auth = FakeExam(grading), FakeAuth()
    servers = [
        _server("grading", "examhall.grading.v1.AnswerKeys", certificates),
        _server("exam", "examhall.exam.v1.ContentStore", certificates),
        _server("auth", "examhall.auth.v1.UserImport", certificates),
    ]
    keys_pb2_grpc.add_AnswerKeysServicer_to_server(grading, servers[0].grpc)
    content_store_pb2_grpc.add_ContentStoreServicer_to_server(exam, servers[1].grpc)
    user_admin_pb2_grpc.add_UserImportServicer_to_server(auth, servers[2].grpc)
    names = ("grading", "exam", "auth")
    targets = {name: f"127.0.0.1:{await server.start()}" for name, server in zip(names, servers, strict=True)}
    own = certificates("import")
    channels = [connect(targets[name], server=name, tls=own) for name in names]
    try:
        yield World(grading, exam, auth, Peers(*channels), targets)
    finally:
        await _end(channels, servers)


async def _end(channels: Sequence[Any], servers: Sequence[RpcServer]) -> None:
    for channel in channels:
        await channel.close()
    for server in servers:
        await server.stop(0)


def _server(identity: str, service: str, certificates: Certificates) -> RpcServer:
    return RpcServer("127.0.0.1:0", certificates(identity), {service: allow("import")}, FakeVerifier())
