"""Server-sent events that end when the process stops, the token dies, or the source is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import msgspec
from examkit.errors import AppError, Kind
from examkit.tokens import TokenVerifier
from starlette.responses import StreamingResponse

from exam_gateway import problems

RECHECK_SECONDS = 3.0
KEEPALIVE_EVERY = 5
"""A comment after so many quiet rechecks, so that proxies keep the line open."""


@dataclass(frozen=True)
class LiveEvent:
    """`data`: a JSON text."""

    name: str
    data: bytes


_NOTHING = LiveEvent("", b"")
_Item = LiveEvent | AppError | None


class LiveStreams:
    """Makes streams. `stop()` ends all of them: the client comes again, to another process."""

    def __init__(self, verifier: TokenVerifier, *, recheck_seconds: float = RECHECK_SECONDS) -> None:
        self._verifier = verifier
        self._recheck_seconds = recheck_seconds
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    def respond(self, source: AsyncIterator[LiveEvent], token: str) -> StreamingResponse:
        return StreamingResponse(
            self._lines(source, token),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def _lines(self, source: AsyncIterator[LiveEvent], token: str) -> AsyncIterator[bytes]:
        # The source is asked on as events leave: who is slow holds up their own alone.
        queue: asyncio.Queue[_Item] = asyncio.Queue(maxsize=1)
        pump = asyncio.create_task(_pump(source, queue))
        try:
            quiet = 0
            while not self._stopping.is_set():
                item = await self._next(queue)
                failure = await self._no_longer_welcome(token) or (
                    item if isinstance(item, AppError) else None
                )
                if failure is not None:
                    yield _event("problem", _problem(failure))
                    return
                if not isinstance(item, LiveEvent):
                    return
                quiet = quiet + 1 if item is _NOTHING else 0
                if item is not _NOTHING:
                    yield _event(item.name, item.data)
                elif quiet % KEEPALIVE_EVERY == 0:
                    yield b": still here\n\n"
        finally:
            pump.cancel()
            await asyncio.wait({pump})

    async def _next(self, queue: asyncio.Queue[_Item]) -> _Item:
        """The next item; nothing when it is time to look whether to go on."""
        getting = asyncio.ensure_future(queue.get())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait(
                {getting, stopping}, timeout=self._recheck_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            return getting.result() if getting.done() else _NOTHING
        finally:
            getting.cancel()
            stopping.cancel()

    async def _no_longer_welcome(self, token: str) -> AppError | None:
        try:
            await self._verifier.verify(token)
        except AppError as error:
            return error
        return None


async def _pump(source: AsyncIterator[LiveEvent], queue: asyncio.Queue[_Item]) -> None:
    """Moves items over; at the end None, or why it ended."""
    try:
        async with aclosing(source) as items:  # type: ignore[type-var]  # generators, in practice
            async for item in items:
                await queue.put(item)
        await queue.put(None)
    except AppError as error:
        await queue.put(error)


def _problem(error: AppError) -> bytes:
    if error.kind is Kind.INTERNAL:
        return msgspec.json.encode(problems.document(500, "internal", "Something went wrong on our side."))
    return msgspec.json.encode(
        problems.document(error.kind.http_status, error.code, error.detail, error.extra)
    )


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
