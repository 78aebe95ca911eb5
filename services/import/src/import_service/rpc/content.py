"""The servicer of `Content`: one question with its key."""

from typing import Any

from examkit.rpc.context import current_user
from examprotos.imports.v1 import content_pb2 as pb
from examprotos.imports.v1 import content_pb2_grpc

from import_service import wire
from import_service.peers import Peers
from import_service.usecases.put_question import put_question


class ContentServicer(content_pb2_grpc.ContentServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def PutQuestion(self, request: pb.PutQuestionRequest, context: Any) -> pb.PutQuestionResponse:
        outcome, version_id = await put_question(
            self._peers,
            wire.question_from_wire(request.content, request.key),
            question_id=request.question_id,
            expected_version=request.expected_version,
            media_json=wire.media_from_wire(request.content.media_json),
            on_behalf_of=current_user().user_id,
        )
        return pb.PutQuestionResponse(
            question_id=outcome.question_id, version=outcome.version, version_id=str(version_id)
        )
