"""`AnswerKeys` and `Papers`: keys come in, and papers are frozen on them."""

import grpc
from examkit.db import Database
from examkit.rpc.context import maybe_user
from examprotos.grading.v1 import keys_pb2, keys_pb2_grpc

from grading_service.rpc import conversions
from grading_service.usecases.freeze_paper import freeze_paper
from grading_service.usecases.get_keys import get_keys
from grading_service.usecases.put_keys import put_keys


class AnswerKeysServicer(keys_pb2_grpc.AnswerKeysServicer):
    def __init__(self, db: Database) -> None:
        self._db = db

    async def PutKeys(
        self, request: keys_pb2.PutKeysRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> keys_pb2.PutKeysResponse:
        user = maybe_user()
        behalf = conversions.uuid_of(request.on_behalf_of, "on_behalf_of") if request.on_behalf_of else None
        new = [conversions.stored_key(item) for item in request.items]
        await put_keys(self._db, new, user.user_id if user else behalf)
        return keys_pb2.PutKeysResponse()

    async def GetKeys(
        self, request: keys_pb2.GetKeysRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> keys_pb2.GetKeysResponse:
        wanted = [conversions.uuid_of(text, "version_ids") for text in request.version_ids]
        found = await get_keys(self._db, wanted)
        return keys_pb2.GetKeysResponse(items=[conversions.version_key(one) for one in found])


class PapersServicer(keys_pb2_grpc.PapersServicer):
    def __init__(self, db: Database) -> None:
        self._db = db

    async def FreezePaper(
        self, request: keys_pb2.FreezePaperRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> keys_pb2.FreezePaperResponse:
        missing = await freeze_paper(
            self._db,
            conversions.uuid_of(request.exam_id, "exam_id"),
            conversions.scoring_policy(request.scoring),
            [conversions.paper_question(one) for one in request.questions],
            conversions.exam_policy(request),
        )
        return keys_pb2.FreezePaperResponse(missing_question_ids=[str(one) for one in missing])
