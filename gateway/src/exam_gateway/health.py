"""Liveness and readiness on the public port. Metrics are on the ops port only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from exam_gateway import problems

NotReady = Callable[[], Awaitable[str | None]]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


class _Named:
    def __init__(self, path: str) -> None:
        self.path = path


def health_routes(not_ready: NotReady) -> dict[str, Endpoint]:
    """`/healthz` says that the loop turns; `/readyz` speaks of this process only, once it was ready."""

    async def healthz(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer("/healthz", None, scope, receive, send)

    async def readyz(scope: Scope, receive: Receive, send: Send) -> None:
        await _answer("/readyz", await not_ready(), scope, receive, send)

    return {"/healthz": healthz, "/readyz": readyz}


async def _answer(path: str, reason: str | None, scope: Scope, receive: Receive, send: Send) -> None:
    scope["route"] = _Named(path)
    if scope["method"] not in {"GET", "HEAD"}:
        response = problems.from_status(405, "This address takes GET.", {"allow": "GET, HEAD"})
    elif reason is None:
        response = JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})
    else:
        # What it waits for is nobody's business out here; the ops port tells.
        response = problems.from_status(503, "Not ready.", {"retry-after": "1", "cache-control": "no-store"})
    await response(scope, receive, send)
