"""AppError over the wire: a gRPC status, and the whole error as JSON in a binary trailer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
import msgspec

from examkit.errors import AppError, FieldError, Kind

ERROR_TRAILER = "examhall-error-bin"
MAX_TRAILER_BYTES = 192 * 1024
MAX_METADATA_BYTES = 256 * 1024
"""What both sides accept as metadata: room for the largest error trailer."""

_MAX_ERRORS = 200


class _WireField(msgspec.Struct):
    loc: list[str | int]
    msg: str


class _WireError(msgspec.Struct, omit_defaults=True):
    kind: Kind
    code: str
    detail: str
    errors: list[_WireField] = []
    extra: dict[str, Any] = {}
    retry_after: float | None = None


def encode(error: AppError) -> bytes:
    """The trailer's value. An error too large for metadata loses its extra and its field errors."""
    wire = _WireError(
        error.kind,
        error.code,
        error.detail,
        [_WireField(list(field.loc), field.msg) for field in error.errors[:_MAX_ERRORS]],
        dict(error.extra),
        error.retry_after,
    )
    encoded = msgspec.json.encode(wire)
    if len(encoded) > MAX_TRAILER_BYTES:
        encoded = msgspec.json.encode(_WireError(error.kind, error.code, error.detail[:1000]))
    return encoded


def decode(trailers: Iterable[tuple[str, str | bytes]] | None) -> AppError | None:
    """The AppError in the trailers; None where there is none that can be read."""
    for key, value in trailers or ():
        if key == ERROR_TRAILER and isinstance(value, bytes):
            try:
                wire = msgspec.json.decode(value, type=_WireError)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
            return AppError(
                wire.kind,
                wire.code,
                wire.detail,
                errors=[FieldError(tuple(field.loc), field.msg) for field in wire.errors],
                extra=wire.extra,
                retry_after=wire.retry_after,
            )
    return None


_KIND_OF_CODE = {
    grpc.StatusCode.INVALID_ARGUMENT: Kind.INVALID,
    grpc.StatusCode.UNAUTHENTICATED: Kind.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED: Kind.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: Kind.NOT_FOUND,
}
_UNREACHABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
}


def from_rpc_error(error: grpc.aio.AioRpcError) -> AppError:
    """The AppError that a failed call amounts to. What the transport says is not repeated to anyone."""
    carried = decode(error.trailing_metadata())
    if carried is not None:
        return carried
    if error.code() in _UNREACHABLE:
        return AppError(Kind.UNAVAILABLE, "unavailable", "A service is unavailable.", retry_after=2.0)
    kind = _KIND_OF_CODE.get(error.code(), Kind.INTERNAL)
    return AppError(
        kind, kind.value, "A service refused the call." if kind != Kind.INTERNAL else "Internal error."
    )
