"""What is known about the call being served: the user, the peer, the token, the request id, the deadline.

Set by the server's interceptor (and by the gateway for an HTTP request), read anywhere below it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from examkit.errors import unauthenticated
from examkit.principal import Principal

T = TypeVar("T")

current_token: ContextVar[str | None] = ContextVar("current_token", default=None)
"""The user's access token, which travels with each further call."""

principal_var: ContextVar[Principal | None] = ContextVar("principal", default=None)
caller_var: ContextVar[str] = ContextVar("caller", default="")
request_id_var: ContextVar[str] = ContextVar("request_id", default="")
request_var: ContextVar[Any] = ContextVar("request", default=None)
"""The message of the call that is served, for whoever tells of a fault."""
deadline_var: ContextVar[float | None] = ContextVar("deadline", default=None)
"""On `time.monotonic()`; None where there is no deadline."""


def current_user() -> Principal:
    """The signed-in user. Raises unauthenticated where the call came without one."""
    principal = principal_var.get()
    if principal is None:
        raise unauthenticated("Sign in first.")
    return principal


def maybe_user() -> Principal | None:
    """The signed-in user, or None for a call without one (a worker's, or a login)."""
    return principal_var.get()


def current_caller() -> str:
    """The identity from the peer's certificate (`gateway-student`, `grading` …); empty outside of a call."""
    return caller_var.get()


def current_request_id() -> str:
    """The id of the request that led here; empty outside of one."""
    return request_id_var.get()


def remaining_seconds() -> float | None:
    """Time left until the caller gives up, never below 0; None without a deadline."""
    deadline = deadline_var.get()
    return None if deadline is None else max(0.0, deadline - time.monotonic())


@contextmanager
def acting(
    *,
    principal: Principal | None = None,
    token: str | None = None,
    caller: str = "",
    request_id: str = "",
    timeout: float | None = None,
) -> Iterator[None]:
    """Everything inside acts for this user: for HTTP requests in the gateway, for tests of servicers."""
    deadline = None if timeout is None else time.monotonic() + timeout
    with ExitStack() as undo:
        _set(undo, principal_var, principal)
        _set(undo, current_token, token)
        _set(undo, caller_var, caller)
        _set(undo, request_id_var, request_id)
        _set(undo, deadline_var, deadline)
        yield


def act_for(principal: Principal, token: str, *, timeout: float) -> None:
    """From here on this task acts for this user, for at most `timeout` seconds: for a task of one request."""
    principal_var.set(principal)
    current_token.set(token)
    deadline_var.set(time.monotonic() + timeout)


def _set(undo: ExitStack, variable: ContextVar[T], value: T) -> None:
    undo.callback(variable.reset, variable.set(value))
