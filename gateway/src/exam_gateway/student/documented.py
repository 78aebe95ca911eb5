"""What the OpenAPI tells of the thin routes and of bodies read by msgspec."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from exam_gateway.openapi import Documented, complete
from exam_gateway.student import shapes
from exam_gateway.student.saves import SAVE_ANSWER, SAVE_ANSWERS

_ATTEMPT = "01890a5d-ac96-774b-bcce-b302099a8057"
_QUESTION = "01890a5d-ac97-7e1f-9d2f-0a3c5b7f6e11"
_TIME = "2026-05-04T09:12:30.123456Z"
_CLOCK = {
    "deadline": "2026-05-04T10:00:00Z",
    "deadline_version": 1,
    "server_time": _TIME,
    "time_remaining_seconds": 2849.877,
}
_ONE = {"student_exam_id": _ATTEMPT, "question_id": _QUESTION, "answer": "B", "revision": 3}
_ONE_SAVED = {"success": True, "outcome": "stored", "saved_at": _TIME, "revision": 3} | _CLOCK
_MANY = {
    "student_exam_id": _ATTEMPT,
    "answers": [{"question_id": _QUESTION, "answer": ["A", "C"], "revision": 4}],
}
_MANY_SAVED = {
    "saved": [{"question_id": _QUESTION, "outcome": "stored", "revision": 4, "saved_at": _TIME}],
    "rejected": [],
} | _CLOCK
_CODES = (
    "unauthenticated",
    "token_expired",
    "forbidden",
    "not_found",
    "time_limit_exceeded",
    "already_submitted",
    "attempt_void",
    "attempt_paused",
    "request_timeout",
    "too_large",
    "unsupported",
    "invalid",
    "rate_limited",
    "unavailable",
    "internal",
)


def _operation(
    operation_id: str,
    summary: str,
    description: str,
    body: tuple[type[BaseModel], Any],
    answer: tuple[type[BaseModel], Any],
    codes: tuple[str, ...],
) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "Committed to disk.", "content": _content(*answer)}}
    complete(responses, codes)
    return {
        "tags": ["taking an exam"],
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "security": [{"bearer": []}],
        "requestBody": {"required": True, "content": _content(*body)},
        "responses": responses,
    }


def _content(model: type[BaseModel], example: Any) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"application/json": {"schema": schema, "example": example}}


DOCUMENTED = (
    Documented(
        path=SAVE_ANSWER,
        models=((shapes.SaveAnswer, False), (shapes.Saved, True)),
        operation=_operation(
            "save_answer",
            "Save an answer",
            "`stored` and `repeat` are sent after the commit. A lower revision is `superseded`.",
            (shapes.SaveAnswer, _ONE),
            (shapes.Saved, _ONE_SAVED),
            (*_CODES, "conflict"),
        ),
    ),
    Documented(
        path=SAVE_ANSWERS,
        models=((shapes.SaveAnswers, False), (shapes.SavedMany, True)),
        operation=_operation(
            "save_answers",
            "Save many answers",
            "One bad answer never costs the good ones: it is listed in `rejected`.",
            (shapes.SaveAnswers, _MANY),
            (shapes.SavedMany, _MANY_SAVED),
            _CODES,
        ),
    ),
    Documented(models=((shapes.Submit, False), (shapes.SubmitAnswers, False))),
)
