"""The hot path: thin routes that FastAPI never sees, though its OpenAPI tells of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from examkit.errors import AppError, FieldError, conflict, internal, invalid
from examprotos.exam.v1 import attempts_pb2
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from exam_gateway import problems
from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.body import BodyRefused
from exam_gateway.guards.frame import QUIET, RECEIVED
from exam_gateway.student import answers
from exam_gateway.student.save_client import SaveClient
from exam_gateway.wire import text_of

SAVE_ANSWER = "/api/v1/student/save-answer"
SAVE_ANSWERS = "/api/v1/student/save-answers"
_TAKEN = frozenset({"stored", "repeat", "superseded"})
_encode = msgspec.json.Encoder().encode

Reply = Callable[[answers.Answers, attempts_pb2.AttemptSaveResult], msgspec.Struct]


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
        if scope["method"] != "POST":
            refusal = problems.from_status(405, "This address takes POST.", {"allow": "POST"})
            await refusal(scope, receive, send)
            return
        try:
            content = await self._answer(scope, receive)
        except AppError as error:
            await problems.from_app_error(error)(scope, receive, send)
        except BodyRefused as refused:
            await refused.response(scope, receive, send)
        else:
            length = str(len(content)).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", length)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": content})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        principal, token = await self._keeper.admit(scope, "student")
        self._keeper.limits.save(principal.user_id)
        answers.check_json(scope)
        given = await self._reader.read(self._read, await _body(receive))
        # Many answers cost more than one, and less than as many requests.
        self._keeper.limits.save(principal.user_id, (len(given.good) + len(given.refused)) // 20)
        # Where every answer was refused the rest still goes: exam knows the attempt's faults and its clock.
        save = attempts_pb2.AttemptSave(
            token=token, student_exam_id=given.student_exam_id, answers=given.good
        )
        result = await self._saves.save(save, scope[RECEIVED])
        return _encode(self._reply(given, result))


async def _body(receive: Receive) -> bytes:
    """Raises BodyRefused, ClientDisconnect."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts) if len(parts) > 1 else parts[0]


def routes(
    keeper: Gatekeeper, saves: SaveClient, reader: answers.AnswerReader
) -> dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]]:
    """By exact path."""
    return {
        SAVE_ANSWER: SaveRoute(SAVE_ANSWER, keeper, saves, reader, answers.read_one, _one),
        SAVE_ANSWERS: SaveRoute(SAVE_ANSWERS, keeper, saves, reader, answers.read_many, _many),
    }


class _Current(msgspec.Struct):
    """What is stored, where that is not what was sent."""

    answer: msgspec.Raw
    revision: int
    saved_at: str


class _Clock(msgspec.Struct, kw_only=True):
    deadline: str
    deadline_version: int
    server_time: str
    time_remaining_seconds: float


class _Saved(msgspec.Struct):
    question_id: str
    outcome: str
    revision: int
    saved_at: str
    current: _Current | msgspec.UnsetType = msgspec.UNSET


class _Rejected(msgspec.Struct):
    question_id: str
    code: str
    detail: str
    current: _Current | msgspec.UnsetType = msgspec.UNSET


class _SavedOne(_Clock):
    success: bool
    outcome: str
    saved_at: str
    revision: int
    current: _Current | msgspec.UnsetType = msgspec.UNSET


class _SavedMany(_Clock):
    saved: list[_Saved]
    rejected: list[_Rejected]


def _one(given: answers.Answers, result: attempts_pb2.AttemptSaveResult) -> _SavedOne:
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
    return _SavedOne(
        success=True,
        outcome=verdict.outcome,
        saved_at=text_of(verdict.saved_at),
        revision=verdict.revision,
        current=_current(verdict),
        **_clock(result.clock),
    )


def _many(given: answers.Answers, result: attempts_pb2.AttemptSaveResult) -> _SavedMany:
    rejected = [_Rejected(refused.question_id, refused.code, refused.detail) for refused in given.refused]
    saved = []
    for verdict in result.verdicts:
        outcome = verdict.outcome
        if outcome in _TAKEN:
            at = text_of(verdict.saved_at)
            saved.append(_Saved(verdict.question_id, outcome, verdict.revision, at, _current(verdict)))
        else:
            code = verdict.code or outcome
            rejected.append(_Rejected(verdict.question_id, code, verdict.detail, _current(verdict)))
    return _SavedMany(saved=saved, rejected=rejected, **_clock(result.clock))


def _current(verdict: attempts_pb2.AnswerVerdict) -> _Current | msgspec.UnsetType:
    if not verdict.HasField("current"):
        return msgspec.UNSET
    current = verdict.current
    return _Current(msgspec.Raw(current.answer_json or b"null"), current.revision, text_of(current.saved_at))


def _clock(clock: attempts_pb2.Clock) -> dict[str, Any]:
    return {
        "deadline": text_of(clock.deadline),
        "deadline_version": clock.deadline_version,
        "server_time": text_of(clock.server_time),
        "time_remaining_seconds": round(clock.time_remaining_seconds, 3),
    }
