"""How we connect to Postgres: a fixed pool that heals, safe behind PgBouncer's transaction pooling."""

import functools
import select
import traceback
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from prometheus_client import Gauge, Histogram
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import event
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, QueuePool

from examkit.database_errors import is_away


@dataclass(frozen=True, kw_only=True)
class Limits:
    """All in seconds. Past `pool_wait` a caller is told `unavailable`, rather than left to queue."""

    pool_wait: float = 2.0
    connect: int = 3
    statement: float = 15.0
    answer: float = 20.0
    """For the answer to a statement, as we count it: a server that hangs does not count any more."""
    lock: float = 5.0
    idle_in_transaction: float = 30.0


# Ours unless the DSN says otherwise: a host that vanished is noticed in some 20 s, not in hours.
_CONNECTION_DEFAULTS = {
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}

_USED = "examhall_used"
"""In the pool's notes on a connection: it was given out before."""

_SETTINGS = """
    SELECT set_config('search_path', %s, false), set_config('jit', 'off', false),
           set_config('timezone', 'UTC', false), set_config('statement_timeout', %s, false),
           set_config('lock_timeout', %s, false),
           set_config('idle_in_transaction_session_timeout', %s, false)
"""


def conninfo(dsn: str, limits: Limits, application_name: str) -> str:
    """The DSN with our defaults for what it leaves open."""
    defaults = _CONNECTION_DEFAULTS | {
        "connect_timeout": str(limits.connect),
        "application_name": application_name,
    }
    return make_conninfo("", **{**defaults, **conninfo_to_dict(dsn)})


@dataclass(frozen=True)
class PoolMetrics:
    """How many wait for a connection, and how long each did."""

    waiting: Gauge
    seconds: Histogram

    def pool(self) -> type[AsyncAdaptedQueuePool]:
        """A pool that keeps these."""
        waiting, seconds = self.waiting, self.seconds

        class MeasuredPool(AsyncAdaptedQueuePool):
            def _do_get(self) -> ConnectionPoolEntry:
                with waiting.track_inprogress(), seconds.time():
                    return super()._do_get()

        return MeasuredPool


def build_engine(
    dsn: str,
    schema: str,
    pool_size: int,
    limits: Limits,
    *,
    prepared: bool = False,
    metrics: PoolMetrics | None = None,
) -> AsyncEngine:
    """An engine whose sessions see only this schema. Nothing connects before the first use.

    `prepared`: statements are parsed and planned once a connection, for any parameters, and go by indexes
    alone. They must name their columns: after a migration a prepared `*` would fail.
    """
    connect = functools.partial(
        _connect,
        conninfo(dsn, limits, f"examhall-{schema}"),
        prepared=prepared,
        answer_seconds=limits.answer,
    )
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=connect,
        poolclass=metrics.pool() if metrics else AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,  # an elastic pool reconnects all the time under load
        pool_timeout=limits.pool_wait,
        pool_use_lifo=True,  # few warm connections rather than all of them in turn
        use_native_hstore=False,
        hide_parameters=True,  # answers and names stay out of logs
    )
    event.listen(
        engine.sync_engine,
        "connect",
        functools.partial(_configure, schema=schema, limits=limits, prepared=prepared),
    )
    event.listen(engine.sync_engine, "checkout", _refuse_stale)
    event.listen(engine.sync_engine, "handle_error", _recognise_disconnect)
    return engine


def autocommit_engine(engine: AsyncEngine) -> AsyncEngine:
    """The same pool, where each statement is a transaction of its own."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def reading_engine(engine: AsyncEngine) -> AsyncEngine:
    """The same, for queries alone."""
    reading = autocommit_engine(engine)
    event.listen(reading.sync_engine, "before_execute", _refuse_writes)
    return reading


def connections_in_use(engine: AsyncEngine) -> int:
    pool = engine.pool
    return pool.checkedout() if isinstance(pool, QueuePool) else 0


class _Line(psycopg.AsyncConnection[Any]):
    """A connection that is given up where the server does not answer in time."""

    answer_seconds = Limits.answer

    async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Raises OperationalError, as for a connection that was lost."""
        try:
            return await super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except psycopg.errors._WaitTimeout as error:
            # Half way through a statement it is of no use any more.
            self.pgconn.finish()
            raise psycopg.OperationalError("the server does not answer") from error


async def _connect(dsn: str, *, prepared: bool, answer_seconds: float) -> _Line:
    """A new connection. One that comes to nothing is closed at once. Raises psycopg.OperationalError."""
    try:
        # A PgBouncer that is not told to carry prepared statements hands them to changing servers.
        line = await _Line.connect(dsn, prepare_threshold=0 if prepared else None)
    except psycopg.Error as error:
        # The error and psycopg's frames hold each other, and the socket (psycopg issue 565): until the
        # garbage collector comes by, a Postgres that shuts down waits for the rest of what we had to say.
        traceback.clear_frames(error.__traceback__)
        raise
    line.answer_seconds = answer_seconds
    return line


def _configure(connection: Any, _record: Any, *, schema: str, limits: Limits, prepared: bool) -> None:
    # Set by a statement and not by `options`, which PgBouncer refuses; provisioning gives both roles
    # the same, for server connections that PgBouncer opens by itself.
    timeouts = (limits.statement, limits.lock, limits.idle_in_transaction)
    cursor = connection.cursor()
    cursor.execute(_SETTINGS, (f'"{schema}"', *(f"{int(seconds * 1000)}ms" for seconds in timeouts)))
    if prepared:
        # Else the planner tries plans of its own for the first five batches, and goes on to compare.
        cursor.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', false)")
        # A plan that was made while a table was small would go through all of it for good.
        cursor.execute("SELECT set_config('enable_seqscan', 'off', false)")
    cursor.close()
    connection.commit()


def _refuse_stale(connection: Any, record: Any, _proxy: Any) -> None:
    """Notice at no cost that the server has hung up: nothing should be waiting on an idle connection.

    One closed line means that the server went down: the whole pool is renewed as it is used. A server that
    hangs up on a new one as well is going down at this moment; SQLAlchemy would try once more, and then raise
    what looks like a fault of ours.
    """
    fault = _is_stale(connection.driver_connection)
    if fault and record.info.get(_USED):
        raise InvalidatePoolError(fault)
    if fault:
        raise psycopg.OperationalError(fault)
    record.info[_USED] = True


def _is_stale(driver: "psycopg.AsyncConnection[Any]") -> str | None:
    if driver.closed or driver.broken:
        return "the connection was closed"
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return "the server has closed the connection" if poll.poll(0) else None


def _recognise_disconnect(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if isinstance(error, DBAPIError) and is_away(error):
        context.is_disconnect = True


def _refuse_writes(
    _connection: Connection, statement: Any, _multiparams: Any, _params: Any, _options: Any
) -> None:
    # A write here would commit at once, outside of any unit of work: a fault of the program.
    if isinstance(statement, sa.TextClause):
        allowed = statement.text.split(None, 1)[0].lower() in {"select", "with", "show", "values", "table"}
    else:
        allowed = not getattr(statement, "is_dml", False)
    if not allowed:
        raise RuntimeError("reading() is for queries alone; write in transaction()")
