"""Working one item ahead: in order, overlapping, and leaving nothing behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from import_service.usecases.one_ahead import one_ahead


async def numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number


@pytest.mark.parametrize("count", [0, 1, 2, 5])
async def test_order_and_overlap(count: int) -> None:
    begun: list[int] = []

    async def square(number: int) -> int:
        begun.append(number)
        return number * number

    seen = []
    async with aclosing(one_ahead(numbers(count), square)) as pairs:
        async for number, squared in pairs:
            await asyncio.sleep(0)
            assert begun == list(range(min(number + 2, count)))
            seen.append((number, squared))
    assert seen == [(number, number * number) for number in range(count)]


async def test_a_step_under_way_ends_with_its_caller() -> None:
    ended = asyncio.Event()

    async def wait(number: int) -> int:
        if number == 0:
            return 0
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return number

    async with aclosing(one_ahead(numbers(3), wait)) as pairs:
        await anext(pairs)
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_a_failed_step_is_raised_in_its_turn() -> None:
    async def fail(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        return number

    async with aclosing(one_ahead(numbers(3), fail)) as pairs:
        assert await anext(pairs) == (0, 0)
        with pytest.raises(ValueError, match="one"):
            await anext(pairs)
