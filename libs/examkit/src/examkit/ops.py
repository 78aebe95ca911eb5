"""The ops port of a process: /healthz, /readyz and /metrics, over plain HTTP inside the installation."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder

ReadyCheck = Callable[[], Awaitable[str | None]]
"""None when the process is ready, else the reason why not."""

MAX_HEAD_BYTES = 8192
READ_SECONDS = 5.0
_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}

log = structlog.get_logger(__name__)


class OpsServer:
    """A small HTTP server. `/healthz` says only that the event loop turns; `/readyz` asks `ready_check`."""

    def __init__(self, bind: str, ready_check: ReadyCheck, *, registry: CollectorRegistry = REGISTRY) -> None:
        self._bind = bind
        self._ready_check = ready_check
        self._registry = registry
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> int:
        """Begins to serve; the port it is bound to."""
        host, _, port = self._bind.rpartition(":")
        self._server = await asyncio.start_server(
            self._serve, host.strip("[]"), int(port), limit=MAX_HEAD_BYTES
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, content_type, body = await self._answer(head)
            writer.write(_response(status, content_type, body, with_body=not head.startswith("HEAD ")))
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # It went away, or never spoke HTTP.
        finally:
            writer.close()

    async def _answer(self, head: str) -> tuple[int, str, bytes]:
        request_line, *header_lines = head.split("\r\n")
        method, _, rest = request_line.partition(" ")
        if method not in {"GET", "HEAD"}:
            return _json(405, {"detail": "Only GET."})
        match rest.partition(" ")[0].partition("?")[0]:
            case "/healthz":
                return _json(200, {"status": "ok"})
            case "/readyz":
                return await self._readiness()
            case "/metrics":
                encode, content_type = choose_encoder(_header(header_lines, "accept"))
                return 200, content_type, encode(self._registry)
        return _json(404, {"detail": "Not here."})

    async def _readiness(self) -> tuple[int, str, bytes]:
        try:
            reason = await self._ready_check()
        except Exception as error:
            log.warning("ready_check_failed", exc_info=True)
            reason = type(error).__name__
        return (
            _json(200, {"status": "ready"})
            if reason is None
            else _json(503, {"status": "not ready", "reason": reason})
        )


def write_ready_file(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON so that a reader sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps(content))
    partial.replace(path)


def _header(lines: list[str], name: str) -> str:
    for line in lines:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return ""


def _json(status: int, content: dict[str, Any]) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(content).encode()


def _response(status: int, content_type: str, body: bytes, *, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if with_body else b"")
