"""Failures for the OpenAPI: `responses=failures("not_found", "stale_version")`."""

from __future__ import annotations

from typing import Any

from exam_gateway.problems import MEDIA_TYPE, document

STATUS = {
    "invalid_credentials": 401,
    "refresh_reused": 401,
    "not_found": 404,
    "email_taken": 409,
    "link_expired": 410,
    "exam_not_open": 403,
    "access_code_wrong": 403,
    "origin_refused": 403,
    "results_not_released": 403,
    "already_started": 409,
    "attempt_limit": 409,
    "already_submitted": 409,
    "attempt_void": 409,
    "attempt_paused": 409,
    "attempt_in_progress": 409,
    "attempt_expired": 409,
    "incident_running": 409,
    "incident_undone": 409,
    "not_undoable": 409,
    "conflict": 409,
    "too_many_files": 409,
    "time_limit_exceeded": 400,
    "time_is_up": 410,
    "stale_version": 409,
    "external_id_taken": 409,
    "in_use": 409,
    "published": 409,
    "not_publishable": 409,
    "not_published": 409,
    "not_markable": 409,
    "claimed": 409,
    "already_rolled_back": 409,
    "not_a_regrade": 409,
    "not_a_workbook": 415,
    "not_a_picture": 415,
    "unsupported": 415,
    "request_timeout": 408,
    "too_large": 413,
    "invalid": 422,
    "unauthenticated": 401,
    "token_expired": 401,
    "forbidden": 403,
    "rate_limited": 429,
    "unavailable": 503,
    "internal": 500,
}
_SAID_AS = {
    "time_is_up": "time_limit_exceeded",
    "origin_refused": "forbidden",
    "not_a_workbook": "unsupported",
    "not_a_picture": "unsupported",
}
_ATTEMPT = "01890a5d-ac96-774b-bcce-b302099a8057"
_EXTRA: dict[str, dict[str, Any]] = {
    "already_started": {"student_exam_id": _ATTEMPT},
    "time_is_up": {"student_exam_id": _ATTEMPT},
    "exam_not_open": {"start_time": "2026-05-04T09:00:00Z", "end_time": "2026-05-04T11:00:00Z"},
    "claimed": {"claimed_by": _ATTEMPT, "claimed_until": "2026-05-04T09:30:00Z"},
    "conflict": {"current": {"answer": "B", "revision": 7, "saved_at": "2026-05-04T09:12:30.123456Z"}},
    "not_publishable": {"reasons": [{"code": "no_questions", "detail": "The exam has no questions."}]},
    "invalid": {"errors": [{"loc": ["body", "title"], "msg": "Field required"}]},
}


def failures(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses, one a status, with an example for each code."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        status, said = STATUS[code], _SAID_AS.get(code, code)
        response = found.setdefault(status, {"description": "", "content": {MEDIA_TYPE: _content()}})
        known = response["description"].split(" · ") if response["description"] else []
        response["description"] = " · ".join([*known, f"`{said}`"])
        examples = response["content"][MEDIA_TYPE]["examples"]
        examples[said] = {"value": _example(status, said, _EXTRA.get(code, {}))}
    return found


def merge(into: dict[str, Any], more: dict[int | str, dict[str, Any]]) -> None:
    """Adds failures to an operation's responses; where both tell of a status, codes and examples of both."""
    for status, response in more.items():
        known = into.get(str(status))
        if known is None or MEDIA_TYPE not in known.get("content", {}):
            into[str(status)] = response
            continue
        texts = dict.fromkeys([*known["description"].split(" · "), *response["description"].split(" · ")])
        known["description"] = " · ".join(texts)
        examples = known["content"][MEDIA_TYPE]["examples"]
        for code, example in response["content"][MEDIA_TYPE]["examples"].items():
            examples.setdefault(code, example)


def _content() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}


def _example(status: int, code: str, extra: dict[str, Any]) -> dict[str, Any]:
    return document(status, code, "A sentence for people.", extra) | {
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"
    }
