"""What goes wrong between us and Postgres, told apart: away, contended, or a rule of the schema."""

import psycopg
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError, TimeoutError

from examkit.errors import AppError, Kind

UNIQUE_VIOLATION = "23505"
_CONTENTION = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
_IMPATIENCE = frozenset({"55P03", "57014"})  # lock_not_available, query_canceled (statement_timeout)
_AWAY = frozenset(
    {
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
        "57P05",  # idle_session_timeout
        "25P03",  # idle_in_transaction_session_timeout
        "25006",  # read_only_sql_transaction: a standby after a failover
        "53300",  # too_many_connections
        "53400",  # configuration_limit_exceeded
    }
)
# It answers, and has nothing left to serve with. The line is as good as it was.
_EXHAUSTED = frozenset(
    {
        "53000",  # insufficient_resources
        "53100",  # disk_full
        "53200",  # out_of_memory
        "58030",  # io_error
    }
)
_CONNECTION_EXCEPTION = "08"


class DatabaseAway(AppError):  # noqa: N818 - named for what it tells
    """Postgres cannot be reached or will not serve now. A commit under way may have taken effect."""

    def __init__(self) -> None:
        super().__init__(
            Kind.UNAVAILABLE, "unavailable", "The database is unavailable, try again.", retry_after=2.0
        )


class Contended(AppError):  # noqa: N818 - named for what it tells
    """The statement lost against others (deadlock, serialization, timeout). Nothing was committed."""

    def __init__(self, *, retryable: bool) -> None:
        super().__init__(Kind.UNAVAILABLE, "unavailable", "The database is busy, try again.", retry_after=1.0)
        self.retryable = retryable


def sqlstate(error: BaseException) -> str | None:
    """Postgres's five-character code of this error, if it has one."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlstate", None)
    return code if isinstance(code, str) else None


def violated_constraint(error: BaseException) -> str | None:
    """The name of the constraint or unique index that refused the row, or None for any other error.

    Covers unique, foreign key, check, exclusion and not-null violations (the last have no name: None).
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    if not (isinstance(error, IntegrityError) or (sqlstate(error) or "").startswith("23")):
        return None
    name = getattr(getattr(original, "diag", None), "constraint_name", None)
    return name if isinstance(name, str) else None


def is_away(error: DBAPIError | psycopg.Error) -> bool:
    """Whether this error says that Postgres, or the line to it, is gone."""
    code = sqlstate(error)
    if code is not None and (code in _AWAY or code.startswith(_CONNECTION_EXCEPTION)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # Without a code from the server only libpq can have spoken: it could not connect, or lost the line.
    original = error.orig if isinstance(error, DBAPIError) else error
    return code is None and isinstance(original, psycopg.OperationalError)


def translated(error: Exception) -> AppError | None:
    """The AppError that stands for this database error; None if it is the program's own affair."""
    if isinstance(error, TimeoutError | PendingRollbackError):
        return DatabaseAway()
    if not isinstance(error, DBAPIError | psycopg.Error):
        return None
    code = sqlstate(error)
    if code in _CONTENTION:
        return Contended(retryable=True)
    if code in _IMPATIENCE:
        return Contended(retryable=False)
    return DatabaseAway() if code in _EXHAUSTED or is_away(error) else None
