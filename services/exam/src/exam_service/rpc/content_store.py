"""The servicer of `ContentStore`: where the import service puts content, key apart."""

from collections.abc import Iterable
from typing import Any

from examkit.db import Database
from examkit.errors import invalid
from examprotos.exam.v1 import content_store_pb2 as pb
from examprotos.exam.v1 import content_store_pb2_grpc

from exam_service.domain.bank import Outcome, PutItem
from exam_service.rpc import authoring_conversions as convert
from exam_service.rpc.actors import on_behalf_of
from exam_service.usecases.questions import check_questions, put_questions

MAX_ITEMS = 500


class ContentStoreServicer(content_store_pb2_grpc.ContentStoreServicer):
    """Errors leave as AppError; the server's interceptor puts them into the trailer."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def PutQuestions(self, request: pb.PutQuestionsRequest, context: Any) -> pb.PutQuestionsResponse:
        read, items = _read(request)
        written = await put_questions(self._db, on_behalf_of(request.on_behalf_of), items) if items else ()
        return _response(read, written)

    async def CheckQuestions(self, request: pb.PutQuestionsRequest, context: Any) -> pb.PutQuestionsResponse:
        read, items = _read(request)
        return _response(read, await check_questions(self._db, items) if items else ())


def _read(request: pb.PutQuestionsRequest) -> tuple[list[PutItem | Outcome], list[PutItem]]:
    """Each item, or its refusal where it can't even be read; and the items alone."""
    if len(request.items) > MAX_ITEMS:
        raise invalid(f"At most {MAX_ITEMS} questions at once.")
    read = [convert.put_item(message) for message in request.items]
    return read, [item for item in read if isinstance(item, PutItem)]


def _response(read: Iterable[PutItem | Outcome], judged: Iterable[Outcome]) -> pb.PutQuestionsResponse:
    outcomes = [convert.outcome_message(outcome) for outcome in _in_order(read, judged)]
    return pb.PutQuestionsResponse(outcomes=outcomes)


def _in_order(read: Iterable[PutItem | Outcome], judged: Iterable[Outcome]) -> Iterable[Outcome]:
    """The outcomes of what was judged, between those of what could not even be read."""
    rest = iter(judged)
    return [item if isinstance(item, Outcome) else next(rest) for item in read]
