"""Two steps for each item, in order: while one is in the second, the next is in the first."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def one_ahead(
    items: AsyncGenerator[T, None], first_step: Callable[[T], Coroutine[Any, Any, R]]
) -> AsyncGenerator[tuple[T, R], None]:
    """Each item with what `first_step` made of it; that of the next runs while the caller has this one.

    Close it (`aclosing`), so that a step under way ends with the caller. Raises what the steps raise.
    """
    ahead: tuple[T, asyncio.Task[R]] | None = None
    try:
        async for item in items:
            current, ahead = ahead, (item, asyncio.create_task(first_step(item)))
            if current is not None:
                yield current[0], await current[1]
        if ahead is not None:
            yield ahead[0], await ahead[1]
    finally:
        await items.aclose()
        if ahead is not None:
            ahead[1].cancel()
            await asyncio.gather(ahead[1], return_exceptions=True)
