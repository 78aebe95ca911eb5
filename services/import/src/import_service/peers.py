"""The services that an import needs, as it calls them."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

import grpc
from examkit.errors import too_large
from examkit.rpc.client import call
from examkit.rpc.server import MAX_MESSAGE_BYTES
from examprotos.auth.v1 import user_admin_pb2 as users
from examprotos.auth.v1 import user_admin_pb2_grpc as users_grpc
from examprotos.exam.v1 import content_store_pb2 as content
from examprotos.exam.v1 import content_store_pb2_grpc as content_grpc
from examprotos.grading.v1 import keys_pb2 as keys
from examprotos.grading.v1 import keys_pb2_grpc as keys_grpc
from google.protobuf.message import Message

KEYS_SECONDS = 30.0
CONTENT_SECONDS = 60.0
STUDENTS_SECONDS = 120.0
"""Up to 100 new passwords are hashed, while others log in."""
NO_USER = ""
MAX_REQUEST_BYTES = MAX_MESSAGE_BYTES - 64 * 1024
"""The transport refuses larger ones, and its refusal looks like a service that is away."""

Request = TypeVar("Request", bound=Message)


class Peers:
    """Stubs of grading, exam and auth. All of these calls can be repeated."""

    def __init__(self, grading: grpc.aio.Channel, exam: grpc.aio.Channel, auth: grpc.aio.Channel) -> None:
        self._keys = keys_grpc.AnswerKeysStub(grading)
        self._content = content_grpc.ContentStoreStub(exam)
        self._users = users_grpc.UserImportStub(auth)

    async def put_keys(
        self, items: Sequence[keys.VersionKey], on_behalf_of: UUID, *, token: str | None = NO_USER
    ) -> None:
        """At most 500 keys. `token` None: the current user's. Raises invalid, key_immutable, unavailable."""
        request = _sendable(keys.PutKeysRequest(items=items, on_behalf_of=str(on_behalf_of)))
        await call(self._keys.PutKeys, request, timeout=KEYS_SECONDS, idempotent=True, token=token)

    async def put_questions(
        self, items: Sequence[content.PutQuestion], on_behalf_of: UUID, *, token: str | None = NO_USER
    ) -> list[content.PutQuestionOutcome]:
        """At most 500 questions, whose keys are put; one outcome each, in their order."""
        request = _sendable(content.PutQuestionsRequest(items=items, on_behalf_of=str(on_behalf_of)))
        response = await call(
            self._content.PutQuestions, request, timeout=CONTENT_SECONDS, idempotent=True, token=token
        )
        return list(response.outcomes)

    async def check_questions(self, items: Sequence[content.PutQuestion]) -> list[content.PutQuestionOutcome]:
        """What `put_questions` would answer for at most 500; nothing is stored."""
        request = _sendable(content.PutQuestionsRequest(items=items))
        response = await call(
            self._content.CheckQuestions, request, timeout=CONTENT_SECONDS, idempotent=True, token=NO_USER
        )
        return list(response.outcomes)

    async def put_students(
        self, rows: Sequence[users.StudentRow], *, dry_run: bool
    ) -> list[users.StudentOutcome]:
        """At most 500 students; one outcome each, in their order."""
        request = _sendable(users.PutStudentsRequest(rows=rows, dry_run=dry_run))
        response = await call(
            self._users.PutStudents, request, timeout=STUDENTS_SECONDS, idempotent=True, token=NO_USER
        )
        return list(response.outcomes)


def _sendable(request: Request) -> Request:
    """Raises too_large, for a chunk to be halved."""
    if request.ByteSize() > MAX_REQUEST_BYTES:
        raise too_large("These rows are too large to be sent together.")
    return request
