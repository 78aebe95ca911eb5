"""What the OpenAPI tells of the thin routes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from exam_gateway.openapi import Documented, complete
from exam_gateway.student import shapes
from exam_gateway.student.saves import SAVE_ANSWER, SAVE_ANSWERS
from exam_gateway.student.sitting import RESUME, START
from exam_gateway.student.submit import SUBMIT

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
_SIGNED_IN = ("unauthenticated", "token_expired", "forbidden", "rate_limited", "unavailable", "internal")
_WITH_BODY = ("request_timeout", "too_large", "unsupported", "invalid")

Body = tuple[type[BaseModel], Any]


def _operation(
    operation_id: str,
    summary: str,
    description: str,
    answer: Body | type[BaseModel],
    codes: tuple[str, ...],
    *,
    body: Body | type[BaseModel] | None = None,
    body_required: bool = True,
    path_id: str = "",
    status: int = 200,
    said: str = "OK",
) -> dict[str, Any]:
    codes = (*codes, *_SIGNED_IN, *(_WITH_BODY if body is not None else ()))
    responses: dict[str, Any] = {str(status): {"description": said, "content": _content(answer)}}
    complete(responses, codes)
    operation = {
        "tags": ["taking an exam"],
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "security": [{"bearer": []}],
        "responses": responses,
    }
    if body is not None:
        operation["requestBody"] = {"required": body_required, "content": _content(body)}
    if path_id:
        schema = {"type": "string", "format": "uuid"}
        operation["parameters"] = [{"name": path_id, "in": "path", "required": True, "schema": schema}]
    return operation


def _content(body: Body | type[BaseModel]) -> dict[str, Any]:
    model, example = body if isinstance(body, tuple) else (body, None)
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    return {"application/json": content | ({} if example is None else {"example": example})}


_ATTEMPT_FAULTS = ("not_found", "time_limit_exceeded", "already_submitted", "attempt_void", "attempt_paused")
_SUBMIT_FAULTS = ("not_found", "attempt_void", "attempt_paused")

DOCUMENTED = (
    Documented(
        path=f"{START}/{{exam_id}}",
        models=((shapes.Start, False), (shapes.Attempt, True)),
        operation=_operation(
            "start",
            "Start an attempt",
            "The order of the questions and the letters of the options are this attempt's own.",
            shapes.Attempt,
            ("not_found", "exam_not_open", "access_code_wrong", "already_started", "attempt_limit"),
            body=(shapes.Start, {"access_code": "room-7"}),
            body_required=False,
            path_id="exam_id",
            status=201,
            said="The attempt has begun.",
        ),
    ),
    Documented(
        path=f"{RESUME}/{{exam_id}}",
        method="get",
        models=((shapes.Attempt, True),),
        operation=_operation(
            "resume",
            "Go on with an attempt",
            "The attempt in progress with every acknowledged answer.",
            shapes.Attempt,
            ("not_found", "time_is_up"),
            path_id="exam_id",
        ),
    ),
    Documented(
        path=SAVE_ANSWER,
        models=((shapes.SaveAnswer, False), (shapes.Saved, True)),
        operation=_operation(
            "save_answer",
            "Save an answer",
            "`stored` and `repeat` are sent after the commit. A lower revision is `superseded`.",
            (shapes.Saved, _ONE_SAVED),
            (*_ATTEMPT_FAULTS, "conflict"),
            body=(shapes.SaveAnswer, _ONE),
            said="Committed to disk.",
        ),
    ),
    Documented(
        path=SAVE_ANSWERS,
        models=((shapes.SaveAnswers, False), (shapes.SavedMany, True)),
        operation=_operation(
            "save_answers",
            "Save many answers",
            "One bad answer never costs the good ones: it is listed in `rejected`.",
            (shapes.SavedMany, _MANY_SAVED),
            _ATTEMPT_FAULTS,
            body=(shapes.SaveAnswers, _MANY),
            said="Committed to disk.",
        ),
    ),
    Documented(
        path=SUBMIT,
        models=((shapes.Submit, False), (shapes.Submitted, True)),
        operation=_operation(
            "submit",
            "Submit an attempt",
            "The answers sent along are saved in the transaction that closes the attempt. Repeatable.",
            shapes.Submitted,
            _SUBMIT_FAULTS,
            body=shapes.Submit,
        ),
    ),
    Documented(
        path=f"{SUBMIT}/{{student_exam_id}}",
        models=((shapes.SubmitAnswers, False), (shapes.Submitted, True)),
        operation=_operation(
            "submit_by_id",
            "Submit an attempt",
            "The same, with the attempt in the path; the body may be left out.",
            shapes.Submitted,
            _SUBMIT_FAULTS,
            body=shapes.SubmitAnswers,
            body_required=False,
            path_id="student_exam_id",
        ),
    ),
)
