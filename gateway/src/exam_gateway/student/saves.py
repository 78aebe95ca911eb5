"""The hot path: thin routes that FastAPI never sees, though its OpenAPI tells of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from examkit.errors import AppError, FieldError, conflict, internal, invalid
from examprotos.exam.v1 import attempts_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from exam_gateway import problems
from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.body import BodyRefused
from exam_gateway.guards.frame import QUIET, RECEIVED
from exam_gateway.student import answers
from exam_gateway.student.save_client import SaveClient

SAVE_ANSWER = "/api/v1/student/save-answer"
SAVE_ANSWERS = "/api/v1/student/save-answers"
_TAKEN = frozenset({"stored", "repeat", "superseded"})
_encode = msgspec.json.Encoder().encode

Reply = Callable[[answers.Answers, attempts_pb2.AttemptSaveResult], dict[str, Any]]


class _Template:
    """What the frame reads the route's name from."""

    def __init__(self, path: str) -> None:
        self.path = path


class SaveRoute:
    """An ASGI endpoint for one of the two forms of saving."""

    def __init__(
        self,
        path: str,
        keeper: Gatekeeper,
        saves: SaveClient,
        reader: answers.AnswerReader,
        read: Callable[[bytes], answers.Answers],
        reply: Reply,
    ) -> None:
        self._template = _Template(path)
        self._keeper = keeper
        self._saves = saves
        self._reader = reader
        self._read = read
        self._reply = reply

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self._template
        scope[QUIET] = True
        try:
            response = await self._answer(scope, receive)
        except AppError as error:
            response = problems.from_app_error(error)
        except BodyRefused as refused:
            response = refused.response
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "POST":
            return problems.from_status(405, "This address takes POST.", {"allow": "POST"})
        principal, token = await self._keeper.admit(scope, "student")
        self._keeper.limits.save(principal.user_id)
        answers.check_json(scope)
        given = await self._reader.read(self._read, await Request(scope, receive).body())
        # Many answers cost more than one, and less than as many requests.
        self._keeper.limits.save(principal.user_id, (len(given.good) + len(given.refused)) // 20)
        # Where every answer was refused the rest still goes: exam knows the attempt's faults and its clock.
        save = attempts_pb2.AttemptSave(
            token=token, student_exam_id=given.student_exam_id, answers=given.good
        )
        result = await self._saves.save(save, scope[RECEIVED])
        return Response(_encode(self._reply(given, result)), media_type="application/json")


def routes(
    keeper: Gatekeeper, saves: SaveClient, reader: answers.AnswerReader
) -> dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]]:
    """By exact path."""
    return {
        SAVE_ANSWER: SaveRoute(SAVE_ANSWER, keeper, saves, reader, answers.read_one, _one),
        SAVE_ANSWERS: SaveRoute(SAVE_ANSWERS, keeper, saves, reader, answers.read_many, _many),
    }


def _one(given: answers.Answers, result: attempts_pb2.AttemptSaveResult) -> dict[str, Any]:
    if not result.verdicts:
        raise internal()
    verdict = result.verdicts[0]
    if verdict.outcome == "conflict":
        detail = verdict.detail or "Another answer is stored under this revision."
        raise conflict(verdict.code or "conflict", detail, current=_current(verdict))
    if verdict.outcome not in _TAKEN:
        raise invalid(
            verdict.detail,
            FieldError(("body", "answer"), verdict.detail),
            **({"code": verdict.code} if verdict.code else {}),
        )
    said = {
        "success": True,
        "outcome": verdict.outcome,
        "saved_at": _time(verdict.saved_at),
        "revision": verdict.revision,
    }
    if verdict.HasField("current"):
        said["current"] = _current(verdict)
    return said | _clock(result.clock)


def _many(given: answers.Answers, result: attempts_pb2.AttemptSaveResult) -> dict[str, Any]:
    rejected: list[dict[str, Any]] = [
        {"question_id": refused.question_id, "code": refused.code, "detail": refused.detail}
        for refused in given.refused
    ]
    saved = []
    for verdict in result.verdicts:
        if verdict.outcome in _TAKEN:
            item: dict[str, Any] = {
                "question_id": verdict.question_id,
                "outcome": verdict.outcome,
                "revision": verdict.revision,
                "saved_at": _time(verdict.saved_at),
            }
            saved.append(item)
        else:
            item = {
                "question_id": verdict.question_id,
                "code": verdict.code or verdict.outcome,
                "detail": verdict.detail,
            }
            rejected.append(item)
        if verdict.HasField("current"):
            item["current"] = _current(verdict)
    return {"saved": saved, "rejected": rejected} | _clock(result.clock)


def _current(verdict: attempts_pb2.AnswerVerdict) -> dict[str, Any] | None:
    if not verdict.HasField("current"):
        return None
    current = verdict.current
    return {
        "answer": msgspec.json.decode(current.answer_json or b"null"),
        "revision": current.revision,
        "saved_at": _time(current.saved_at),
    }


def _clock(clock: attempts_pb2.Clock) -> dict[str, Any]:
    return {
        "deadline": _time(clock.deadline),
        "deadline_version": clock.deadline_version,
        "server_time": _time(clock.server_time),
        "time_remaining_seconds": round(clock.time_remaining_seconds, 3),
    }


def _time(timestamp: Timestamp) -> str:
    return timestamp.ToJsonString()
