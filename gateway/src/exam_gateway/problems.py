"""Every failure as problem+json (RFC 9457): the one place where errors become HTTP."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from examkit import telemetry
from examkit.errors import AppError, Kind, internal
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
PLACES = frozenset({"body", "query", "path", "header", "cookie"})

_TITLES = {
    "invalid": "The request is not valid",
    "unauthenticated": "Sign in first",
    "token_expired": "The access token has expired",
    "forbidden": "Not allowed",
    "not_found": "Not found",
    "method_not_allowed": "Method not allowed",
    "request_timeout": "The request took too long to come",
    "too_large": "Too large",
    "unsupported": "Unsupported media type",
    "rate_limited": "Too many requests",
    "unavailable": "Temporarily unavailable",
    "internal": "Internal error",
}
_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported",
    422: "invalid",
    503: "unavailable",
}


def from_app_error(error: AppError) -> Response:
    """What a client is told of a failure. Of one on our side it learns no more than that."""
    if error.kind is Kind.INTERNAL:
        error = internal()
    status = error.kind.http_status
    body: dict[str, Any] = dict(error.extra)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        body["errors"] = _errors(error)
    return _response(status, error.code, error.detail, body, _headers(error))


def from_status(status: int, detail: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """For what the HTTP layer itself refuses: unknown routes, wrong methods."""
    code = _CODES.get(status, "internal" if status >= 500 else "bad_request")
    return _response(status, code, detail or HTTPStatus(status).phrase + ".", {}, dict(headers or {}))


def unexpected() -> Response:
    """For what nobody thought of; the log has the rest."""
    return from_status(500, "Something went wrong on our side.")


def _errors(error: AppError) -> list[dict[str, Any]]:
    if not error.errors:
        return [{"loc": ["body"], "msg": error.detail}]
    return [{"loc": _location(field.loc), "msg": field.msg} for field in error.errors]


def _location(loc: tuple[str | int, ...]) -> list[str | int]:
    """Services know fields, not whether they came in a body."""
    return list(loc) if loc and loc[0] in PLACES else ["body", *loc]


def _headers(error: AppError) -> dict[str, str]:
    headers = {}
    if error.kind in {Kind.RATE_LIMITED, Kind.UNAVAILABLE}:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after or 1)))
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    return headers


def document(status: int, code: str, detail: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The members of a problem; `extra` never hides the standard ones."""
    return {
        **(extra or {}),
        "type": f"urn:examhall:problem:{code}",
        "title": _TITLES.get(code) or code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "trace_id": telemetry.trace_id(),
    }


def _response(
    status: int, code: str, detail: str, extra: Mapping[str, Any], headers: dict[str, str]
) -> Response:
    content = msgspec.json.encode(document(status, code, detail, extra))
    return Response(content, status_code=status, headers=headers, media_type=MEDIA_TYPE)
