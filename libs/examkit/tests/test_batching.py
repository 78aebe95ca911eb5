"""Natural batching: who goes together, who gets what, and that none costs another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar

import pytest
from examkit import telemetry
from examkit.batching import Batcher, SetAside
from examkit.database_errors import DatabaseAway
from examkit.errors import AppError, Kind, conflict
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

whose = ContextVar("whose", default="nobody's")


class Kitchen:
    """Answers `n` with `n * 10`, each run once its turn is given; refuses, fails and sets aside on demand."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.contexts: set[str] = set()
        self.turns = asyncio.Semaphore(0)
        self.refused: set[int] = set()
        self.poison: set[int] = set()
        self.aside: set[int] = set()
        self.away = False

    async def run(self, items: Sequence[int]) -> list[int | Exception]:
        self.runs.append(list(items))
        self.contexts.add(whose.get())
        await self.turns.acquire()
        if self.away:
            raise DatabaseAway
        if self.poison.intersection(items):
            raise ValueError("poison")
        return [self._outcome(item, alone=len(items) == 1) for item in items]

    def _outcome(self, item: int, *, alone: bool) -> int | Exception:
        if item in self.refused:
            return conflict("refused", f"not {item}")
        return SetAside() if item in self.aside and not alone else item * 10

    def open(self, runs: int = 1000) -> None:
        for _ in range(runs):
            self.turns.release()


@pytest.fixture
async def kitchen() -> AsyncIterator[Kitchen]:
    made = Kitchen()
    yield made
    made.open()
    await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def ask(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batcher.do(item)) for item in items]


async def test_an_idle_batcher_runs_each_at_once_and_what_waits_goes_together(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run, in_flight=2, most=3)
    tasks = ask(batcher, 1)
    await settle()
    tasks += ask(batcher, 2)
    await settle()
    tasks += ask(batcher, 3, 4, 5, 6)
    await settle()
    assert kitchen.runs == [[1], [2]]

    kitchen.open(1)
    await settle()
    assert kitchen.runs == [[1], [2], [3, 4, 5]]
    kitchen.open()

    assert await asyncio.gather(*tasks) == [10, 20, 30, 40, 50, 60]
    assert kitchen.runs == [[1], [2], [3, 4, 5], [6]]


async def test_each_gets_its_own_refusal(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run)
    kitchen.refused = {2, 3}
    kitchen.open()

    one, two, three = await asyncio.gather(*ask(batcher, 1, 2, 3), return_exceptions=True)

    assert one == 10
    assert isinstance(two, AppError)
    assert isinstance(three, AppError)
    assert (two.detail, three.detail) == ("not 2", "not 3")
    assert kitchen.runs == [[1, 2, 3]]


async def test_what_poisons_a_batch_costs_the_others_nothing(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run)
    kitchen.poison = {2}
    kitchen.open()

    one, two, three = await asyncio.gather(*ask(batcher, 1, 2, 3), return_exceptions=True)

    assert (one, three) == (10, 30)
    assert isinstance(two, ValueError)
    assert kitchen.runs == [[1, 2, 3], [1], [2], [3]]


async def test_nobody_waits_for_what_is_set_aside(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run, in_flight=1)
    kitchen.aside = {2}
    first, slow, third = ask(batcher, 1, 2, 3)
    await settle()
    kitchen.open(1)

    assert await asyncio.gather(first, third) == [10, 30]
    await settle()
    (fourth,) = ask(batcher, 4)
    await settle()
    assert kitchen.runs == [[1, 2, 3], [2], [4]]
    assert not slow.done()
    kitchen.open()
    assert await asyncio.gather(slow, fourth) == [20, 40]


async def test_a_full_batcher_says_so_at_once_and_recovers(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run, in_flight=1, capacity=2)
    tasks = ask(batcher, 1)
    await settle()
    tasks += ask(batcher, 2, 3)
    await settle()

    with pytest.raises(AppError) as error:
        await batcher.do(4)
    assert (error.value.kind, error.value.retry_after) == (Kind.UNAVAILABLE, 1.0)

    kitchen.open()
    assert await asyncio.gather(*tasks) == [10, 20, 30]
    assert await batcher.do(5) == 50


async def test_who_gives_up_is_passed_over_and_takes_nobody_along(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run, in_flight=1)
    running, beside = ask(batcher, 1, 2)
    await settle()
    waiting, after = ask(batcher, 3, 4)
    await settle()
    running.cancel()
    waiting.cancel()
    await settle()
    kitchen.open()

    assert await asyncio.gather(beside, after) == [20, 40]
    assert kitchen.runs == [[1, 2], [4]]
    assert running.cancelled()
    assert waiting.cancelled()


async def test_a_run_belongs_to_none_of_its_callers(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run)
    whose.set("the first caller's")
    kitchen.open()

    await asyncio.gather(*ask(batcher, 1, 2))

    assert kitchen.contexts == {"nobody's"}


async def test_while_postgres_is_away_all_are_told_at_once(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run)
    kitchen.away = True
    kitchen.open()

    results = await asyncio.gather(*ask(batcher, 1, 2, 3), return_exceptions=True)

    assert all(isinstance(result, DatabaseAway) for result in results)
    assert len({id(result) for result in results}) == 3
    assert kitchen.runs == [[1, 2, 3]]


async def test_a_run_that_loses_an_outcome_is_a_failure() -> None:
    async def careless(items: Sequence[int]) -> list[int | Exception]:
        return [item for item in items if item != 2]

    one, two = await asyncio.gather(*ask(Batcher("test", careless), 1, 2), return_exceptions=True)

    assert one == 1
    assert isinstance(two, RuntimeError)


async def test_a_run_that_is_stopped_tells_its_callers(kitchen: Kitchen) -> None:
    batcher = Batcher("test", kitchen.run)
    tasks = ask(batcher, 1, 2)
    await settle()
    for task in set(batcher._tasks):
        task.cancel()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(result, AppError) and result.kind for result in results] == [Kind.UNAVAILABLE] * 2
    kitchen.open()
    assert await batcher.do(3) == 30


async def test_a_run_belongs_to_the_trace_of_its_first_and_is_linked_to_the_others(kitchen: Kitchen) -> None:
    batcher, exporter = Batcher("test", kitchen.run, in_flight=1), InMemorySpanExporter()
    telemetry.setup("test", "", 0.0, processor=SimpleSpanProcessor(exporter))

    async def traced(digit: str, item: int) -> int:
        with telemetry.span("request", parent=telemetry.parse(f"00-{digit * 32}-{digit * 16}-01")):
            return await batcher.do(item)

    try:
        tasks = ask(batcher, 1)
        await settle()
        tasks += ask(batcher, 2)
        tasks += [asyncio.create_task(traced(digit, int(digit))) for digit in "34"]
        await settle()
        kitchen.open()
        assert await asyncio.gather(*tasks) == [10, 20, 30, 40]
    finally:
        telemetry.shutdown()
    spans = {span.name: span for span in exporter.get_finished_spans() if span.name != "request"}
    requests = {
        f"{span.context.trace_id:032x}"[0]: span.context.span_id
        for span in exporter.get_finished_spans()
        if span.name == "request" and span.context is not None
    }
    run = spans["batch of test"]
    assert kitchen.runs == [[1], [2, 3, 4]]
    assert run.parent is not None
    assert run.attributes == {"examhall.batch.size": 3}
    assert run.parent.span_id == requests["3"]
    assert [link.context.span_id for link in run.links] == [requests["4"]]
