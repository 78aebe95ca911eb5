"""Saving: each request joins the next call to exam, and gets its own verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from examkit.errors import FieldError, conflict, internal, invalid
from examkit.principal import Principal
from examprotos.exam.v1 import attempts_pb2
from starlette.types import Scope

from exam_gateway.guards.access import Gatekeeper
from exam_gateway.guards.frame import RECEIVED
from exam_gateway.guards.quick import Begun
from exam_gateway.student import answers
from exam_gateway.student.save_client import Save, SaveClient, Verdict, unfaulted
from exam_gateway.student.thin import Call, ThinRoute
from exam_gateway.wire import text_of

SAVE_ANSWER = "/api/v1/student/save-answer"
SAVE_ANSWERS = "/api/v1/student/save-answers"
_TAKEN = frozenset({"stored", "repeat", "superseded"})
_encode = msgspec.json.Encoder().encode

Reply = Callable[[answers.Answers, attempts_pb2.AttemptSaveResult], msgspec.Struct]


class SaveAnswering:
    """Answers one of the two forms of saving, the long way by a call and the short way by `begin`."""

    def __init__(
        self,
        keeper: Gatekeeper,
        saves: SaveClient,
        reader: answers.AnswerReader,
        read: Callable[[bytes], answers.Answers],
        reply: Reply,
    ) -> None:
        self._keeper = keeper
        self._limits = keeper.limits
        self._saves = saves
        self._reader = reader
        self._read = read
        self._reply = reply

    async def __call__(self, call: Call) -> bytes:
        self._check(call.principal, call.scope)
        body = await call.body()
        given = await self._reader.read(self._read, body)
        save = Save(call.token, given.student_exam_id, given.good, call.received, len(body))
        return self._finish(given, await self._ask(call.principal, given, save))

    def begin(self, scope: Scope, body: bytes) -> Begun | None:
        admitted = self._keeper.known(scope, "student")
        if admitted is None:
            return None
        principal, token = admitted
        self._check(principal, scope)
        given = self._read(body)
        save = Save(token, given.student_exam_id, given.good, scope[RECEIVED], len(body))
        return self._ask(principal, given, save), partial(self._finish, given)

    def _check(self, principal: Principal, scope: Scope) -> None:
        self._limits.save(principal.user_id)
        answers.check_json(scope)

    def _ask(self, principal: Principal, given: answers.Answers, save: Save) -> Verdict:
        # Many answers cost more than one, and less than as many requests.
        self._limits.save(principal.user_id, (len(given.good) + len(given.refused)) // 20)
        # Where every answer was refused the rest still goes: exam knows the attempt's faults and its clock.
        return self._saves.save(save)

    def _finish(self, given: answers.Answers, result: attempts_pb2.AttemptSaveResult) -> bytes:
        return _encode(self._reply(given, unfaulted(result)))


def answering(
    keeper: Gatekeeper, saves: SaveClient, reader: answers.AnswerReader
) -> dict[str, SaveAnswering]:
    """By exact path."""
    return {
        SAVE_ANSWER: SaveAnswering(keeper, saves, reader, answers.read_one, _one),
        SAVE_ANSWERS: SaveAnswering(keeper, saves, reader, answers.read_many, _many),
    }


def routes(keeper: Gatekeeper, found: Mapping[str, SaveAnswering]) -> dict[str, ThinRoute]:
    """The long way."""
    return {path: ThinRoute(keeper, "POST", path, answer) for path, answer in found.items()}


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
            FieldError(("body", verdict.field or "answer"), verdict.detail),
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
