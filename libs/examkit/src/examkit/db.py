"""The unit of work on a service's own schema: one transaction for the change, its events and its audit."""

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn, ParamSpec, TypeVar

import sqlalchemy as sa
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

from examkit import telemetry
from examkit.audit import AuditEntry, insert_entries
from examkit.database_errors import Contended, DatabaseAway, sqlstate, translated, violated_constraint
from examkit.engine import (
    Limits,
    PoolMetrics,
    autocommit_engine,
    build_engine,
    connections_in_use,
    reading_engine,
)
from examkit.events import Envelope, Event

__all__ = [
    "Contended",
    "Database",
    "DatabaseAway",
    "Limits",
    "Tx",
    "retry_deadlocks",
    "sqlstate",
    "violated_constraint",
]

P = ParamSpec("P")
R = TypeVar("R")

_pool_size = Gauge("examhall_db_pool_size", "Connections that the pool may hold", ["schema", "pool"])
_in_use = Gauge("examhall_db_pool_in_use", "Connections that are in use", ["schema", "pool"])
_waiting = Gauge("examhall_db_pool_waiting", "Units of work that wait for a connection", ["schema", "pool"])
_wait_seconds = Histogram(
    "examhall_db_pool_wait_seconds",
    "Time until a connection was there",
    ["schema", "pool"],
    buckets=telemetry.LATENCY_BUCKETS,
)
_failures = Counter(
    "examhall_db_failures",
    "Units of work that ended because Postgres was away or contended",
    ["schema", "kind"],
)

# One statement whatever the number of events; positions follow the order of publishing.
_INSERT_EVENTS = sa.text(
    """
    INSERT INTO outbox (id, type, subject, time, body, traceparent)
    SELECT id, type, subject, time, body, traceparent
    FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subjects AS text[]),
                CAST(:times AS timestamptz[]), CAST(:bodies AS bytea[]), CAST(:traces AS text[]))
         WITH ORDINALITY AS event (id, type, subject, time, body, traceparent, n)
    ORDER BY n
    """
)


class Tx:
    """One transaction. Queries go to `conn`; events are kept until just before the commit."""

    __slots__ = ("_committed", "_events", "conn")

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self._events: list[Envelope] = []
        self._committed: list[Callable[[], None]] = []

    def publish(self, event: Event, *, traceparent: str | None = None) -> None:
        """Have this event delivered if, and only if, the transaction commits.

        `traceparent`: the trace that it belongs to, where that is another than the current one.
        """
        self._events.append(Envelope.of(event, source="", traceparent=traceparent or telemetry.traceparent()))

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call this right after the commit, if there is one; it must not block or raise."""
        self._committed.append(callback)

    def tell_committed(self) -> None:
        """`Database` calls it."""
        for callback in self._committed:
            callback()

    async def audit(self, *entries: AuditEntry) -> None:
        """Write to the audit trail in this transaction."""
        await insert_entries(self.conn, entries)

    async def flush(self) -> bool:
        """Write what was published to the outbox; True if there was any. `Database` calls it."""
        events, self._events = self._events, []
        if not events:
            return False
        columns = {
            "ids": [event.id for event in events],
            "types": [event.type for event in events],
            "subjects": [event.subject for event in events],
            "times": [event.time for event in events],
            "bodies": [event.body for event in events],
            "traces": [event.traceparent for event in events],
        }
        await self.conn.execute(_INSERT_EVENTS, columns)
        return True


class Database:
    """A fixed pool of connections to one schema, as the serving role.

    `name` tells it from other pools of the process; `prepared`: see `build_engine`.

    Every error that means "Postgres is away" leaves as `DatabaseAway`, and every one that means "lost
    against others" as `Contended`: both are `unavailable` for the caller. All else is raised as it is.
    """

    def __init__(
        self,
        dsn: str,
        *,
        schema: str,
        pool_size: int = 10,
        on_commit: Callable[[], None] | None = None,
        limits: Limits | None = None,
        prepared: bool = False,
        name: str = "main",
    ) -> None:
        self.schema = schema
        pool = PoolMetrics(_waiting.labels(schema, name), _wait_seconds.labels(schema, name))
        self._engine = build_engine(
            dsn, schema, pool_size, limits or Limits(), prepared=prepared, metrics=pool
        )
        self._alone = autocommit_engine(self._engine)
        self._reading = reading_engine(self._engine)
        _pool_size.labels(schema, name).set(pool_size)
        _in_use.labels(schema, name).set_function(functools.partial(connections_in_use, self._engine))
        self._commit_listeners: list[Callable[[], None]] = [] if on_commit is None else [on_commit]

    def add_commit_listener(self, listener: Callable[[], None]) -> None:
        """Call this after each commit that published something; it must not block."""
        self._commit_listeners.append(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Commits on a clean exit, rolls back on an exception. Raises DatabaseAway, Contended."""
        try:
            async with self._engine.begin() as conn:
                tx = Tx(conn)
                yield tx
                published = await tx.flush()
        except Exception as error:
            self._raise_translated(error)
        tx.tell_committed()
        if published:
            for listener in self._commit_listeners:
                listener()

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """For one statement that changes something: a transaction of its own, committed once it has a result.

        It costs a third of the round trips of `transaction`. Raises DatabaseAway, Contended.
        """
        try:
            async with self._alone.connect() as conn:
                yield conn
        except Exception as error:
            self._raise_translated(error)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """For queries alone: no transaction is opened, each statement sees its own snapshot."""
        try:
            async with self._reading.connect() as conn:
                yield conn
        except Exception as error:
            self._raise_translated(error)

    def _raise_translated(self, error: Exception) -> NoReturn:
        problem = translated(error)
        if problem is None:
            raise error
        _failures.labels(self.schema, type(problem).__name__).inc()
        raise problem from error

    async def ping(self) -> None:
        """Raises DatabaseAway unless Postgres answers."""
        async with self.reading() as conn:
            await conn.execute(sa.text("SELECT 1"))

    async def close(self) -> None:
        await self._engine.dispose()


def retry_deadlocks(
    function: Callable[P, Awaitable[R]], *, attempts: int = 4, pause: float = 0.02
) -> Callable[P, Awaitable[R]]:
    """Run the use case again when Postgres picked its transaction as the victim (deadlock, serialization).

    The function must open its transaction itself, so that each run starts anew. The last failure is
    raised as it is (`unavailable`). `pause`: seconds before the second run, doubled and jittered after.
    """

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(attempts):
            try:
                return await function(*args, **kwargs)
            except Contended as error:
                if not error.retryable or attempt == attempts - 1:
                    raise
            await asyncio.sleep(pause * 2**attempt * (0.5 + random.random()))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    return run
