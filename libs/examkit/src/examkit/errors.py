"""The one typed error: raised by the domain, carried in a gRPC trailer, shown as problem+json at the edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import grpc


class Kind(StrEnum):
    """What sort of failure it is; decides the HTTP and the gRPC status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"

    @property
    def http_status(self) -> int:
        return _STATUS[self][0]

    @property
    def grpc_code(self) -> grpc.StatusCode:
        return _STATUS[self][1]


_STATUS: Mapping[Kind, tuple[int, grpc.StatusCode]] = {
    Kind.INVALID: (422, grpc.StatusCode.INVALID_ARGUMENT),
    Kind.UNAUTHENTICATED: (401, grpc.StatusCode.UNAUTHENTICATED),
    Kind.FORBIDDEN: (403, grpc.StatusCode.PERMISSION_DENIED),
    Kind.NOT_FOUND: (404, grpc.StatusCode.NOT_FOUND),
    Kind.CONFLICT: (409, grpc.StatusCode.ABORTED),
    Kind.GONE: (410, grpc.StatusCode.FAILED_PRECONDITION),
    Kind.REFUSED: (400, grpc.StatusCode.FAILED_PRECONDITION),
    Kind.TOO_LARGE: (413, grpc.StatusCode.OUT_OF_RANGE),
    Kind.UNSUPPORTED: (415, grpc.StatusCode.INVALID_ARGUMENT),
    Kind.RATE_LIMITED: (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
    Kind.UNAVAILABLE: (503, grpc.StatusCode.UNAVAILABLE),
    Kind.INTERNAL: (500, grpc.StatusCode.INTERNAL),
}


@dataclass(frozen=True)
class FieldError:
    """One wrong field: `loc` is the way to it (names and list positions), `msg` a sentence for a person."""

    loc: tuple[str | int, ...]
    msg: str


class AppError(Exception):
    """A failure that the caller is told about.

    `code` is part of the public contract; `detail` is for people and never holds secrets;
    `extra` is JSON-able and becomes top-level members of problem+json;
    `retry_after` is in seconds.
    """

    def __init__(
        self,
        kind: Kind,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.kind = kind
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.extra: Mapping[str, Any] = dict(extra or {})
        self.retry_after = retry_after


def invalid(detail: str, *errors: FieldError, code: str = "invalid", **extra: Any) -> AppError:
    return AppError(Kind.INVALID, code, detail, errors=errors, extra=extra)


def unauthenticated(detail: str, code: str = "unauthenticated") -> AppError:
    return AppError(Kind.UNAUTHENTICATED, code, detail)


def forbidden(detail: str = "You may not do this.", code: str = "forbidden", **extra: Any) -> AppError:
    return AppError(Kind.FORBIDDEN, code, detail, extra=extra)


def not_found(detail: str = "There is no such thing.", code: str = "not_found", **extra: Any) -> AppError:
    return AppError(Kind.NOT_FOUND, code, detail, extra=extra)


def conflict(code: str, detail: str, **extra: Any) -> AppError:
    return AppError(Kind.CONFLICT, code, detail, extra=extra)


def gone(code: str, detail: str, **extra: Any) -> AppError:
    return AppError(Kind.GONE, code, detail, extra=extra)


def refused(code: str, detail: str, **extra: Any) -> AppError:
    """A well-formed request that the state of things does not allow (HTTP 400)."""
    return AppError(Kind.REFUSED, code, detail, extra=extra)


def too_large(detail: str = "This is too large.", code: str = "too_large", **extra: Any) -> AppError:
    return AppError(Kind.TOO_LARGE, code, detail, extra=extra)


def unsupported(
    detail: str = "This format is not supported.", code: str = "unsupported", **extra: Any
) -> AppError:
    return AppError(Kind.UNSUPPORTED, code, detail, extra=extra)


def rate_limited(detail: str, retry_after: float, code: str = "rate_limited") -> AppError:
    return AppError(Kind.RATE_LIMITED, code, detail, retry_after=retry_after)


def unavailable(detail: str, retry_after: float = 2.0, code: str = "unavailable") -> AppError:
    return AppError(Kind.UNAVAILABLE, code, detail, retry_after=retry_after)


def internal(detail: str = "Something went wrong on our side.") -> AppError:
    return AppError(Kind.INTERNAL, "internal", detail)
