"""Waiting for a condition instead of sleeping for a guess."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any


async def eventually(condition: Callable[[], Any], *, timeout: float = 15.0, every: float = 0.02) -> Any:
    """The first truthy value of `condition` (which may be a coroutine function).

    Raises AssertionError with its last value or failure after `timeout` seconds. An AssertionError of the
    condition counts as not yet.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    last: object = None
    while True:
        try:
            found = condition()
            value = await found if inspect.isawaitable(found) else found
            if value:
                return value
            last = value
        except AssertionError as error:
            last = error
        if loop.time() > until:
            raise AssertionError(f"not within {timeout} s; the last was {last!r}")
        await asyncio.sleep(every)
