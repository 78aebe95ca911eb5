"""The database of a state folder for a command beside the system, whether or not that is up."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from examhall_local import replacing
from examhall_local.options import Options
from examhall_local.postgres import PrivatePostgres
from examhall_local.statedir import StateDir

OTHERS_DATABASE = (
    "DATABASE_URL names a database that others run: back it up and restore it there, by its own means"
    " (docs/operations.md says how). What STATE_DIR adds is passwords.json: keep it with their backup."
)


class NoDatabaseError(RuntimeError):
    """There is none to work on; the text says why."""


@contextmanager
def private_database(options: Options) -> Iterator[str]:
    """The same, where it is the system's own and not one that DATABASE_URL names. Raises NoDatabaseError."""
    state = StateDir(options.state_dir).read_state()
    if options.database_url or (state and state["postgres"]["pid"] is None):
        raise NoDatabaseError(OTHERS_DATABASE)
    with database(options) as dsn:
        yield dsn


@contextmanager
def database(options: Options) -> Iterator[str]:
    """The administrator's DSN: of the running system, or of its PostgreSQL, started for this alone.

    Raises NoDatabaseError, and what a node raises that does not start.
    """
    folder = StateDir(options.state_dir)
    state = folder.read_state()
    dsn = state["postgres"]["dsn"] if state else options.database_url
    if dsn and _answers(dsn):
        yield dsn
        return
    if not (has_data(folder) or replacing.was_cut_off(folder)):
        raise NoDatabaseError(f"there is no data in {folder.path}")
    if not folder.take():
        raise NoDatabaseError("PostgreSQL is just starting or stopping: try again, or make down first")
    replacing.put_back(folder)
    node = PrivatePostgres(folder.path, die_with_parent=True)
    try:
        yield node.start()
    finally:
        node.stop()
        folder.release()


def has_data(folder: StateDir) -> bool:
    """Whether a database was ever made in this state folder."""
    return folder.is_ours and (folder.path / "postgres" / "data").exists()


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True
