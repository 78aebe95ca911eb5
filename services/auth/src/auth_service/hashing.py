"""Argon2id in two threads of its own: hashing is slow on purpose, and must not hold up anything else."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from examkit.errors import unavailable

from auth_service import metrics
from auth_service.domain.accounts import PASSWORD_BYTES

T = TypeVar("T")

THREADS = 2
NICE = 10
"""Of 19: a share of about a tenth beside a busy process, and all of a core that is idle."""
BULK_AT_ONCE = 2
_ABOUT_A_HASH_SECONDS = 0.022


class PasswordHashing:
    """Hashes and checks passwords. At most `queue` may wait; then `unavailable`, at once.

    Parameters as OWASP recommends them: 19 MiB, two passes, one lane.
    """

    def __init__(self, *, queue: int = 256) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2", initializer=_step_back)
        self._queue = queue
        self._waiting = 0
        # What no password was given for: verified where there is no account, so that it takes as long.
        self._nobody = self._hasher.hash(b"\xff" * 32)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Raises unavailable when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password belongs to the stored hash; None (nobody's) takes as long and is never right.

        Raises unavailable when too many wait.
        """
        tried = password.encode("utf-8", "replace")
        # Longer than any that can be set: the first part takes the usual time, and is not right.
        fits = len(tried) <= PASSWORD_BYTES
        right = await self._run(lambda: self._matches(stored or self._nobody, tried[:PASSWORD_BYTES]))
        return right and fits and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def hash_many(self, passwords: list[str]) -> list[str]:
        """For imports: two at a time, so that logins get their turn between them; never refused."""
        gate = asyncio.Semaphore(BULK_AT_ONCE)

        async def one(password: str) -> str:
            async with gate:
                return await self._run(lambda: self._hasher.hash(password), bounded=False)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(password)) for password in passwords]
        return [task.result() for task in tasks]

    def _matches(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T], *, bounded: bool = True) -> T:
        if bounded and self._waiting >= self._queue:
            wait = self._waiting * _ABOUT_A_HASH_SECONDS / THREADS
            raise unavailable("Too many people are signing in at this moment.", max(1.0, wait))
        self._waiting += 1
        metrics.hash_queue.inc()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _timed, work)
        finally:
            self._waiting -= 1
            metrics.hash_queue.dec()


def _step_back() -> None:
    """Whoever saves an answer on this machine goes before who signs in."""
    if sys.platform == "linux":
        # Here, and nowhere else, the nice value is each thread's own.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _timed(work: Callable[[], T]) -> T:
    started = time.perf_counter()
    try:
        return work()
    finally:
        metrics.hash_seconds.observe(time.perf_counter() - started)
