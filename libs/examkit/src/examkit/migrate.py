"""Migrations: a service's Alembic revisions, run one at a time, as the migrating role, never for long."""

import itertools
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
import structlog
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from psycopg import sql

from examkit import shared_tables

STEPS = ("pre", "post")

_log = structlog.get_logger(__name__)
# A migration that must wait for a lock holds up everyone behind it: it gives up and is run again.
_LOCK_TIMEOUT = "5s"
_STATEMENT_TIMEOUT = "10min"
_TURN_TIMEOUT = "10min"


class MigrationError(Exception):
    """The package has no migrations, or the role may not do what they ask for."""


def upgrade(
    package: str,
    url: str,
    schema: str,
    serve_role: str | None = None,
    *,
    steps: Collection[str] = STEPS,
) -> str | None:
    """Bring `schema` to the newest revision of `<package>/migrations/versions`; returns where it is then.

    `url` is a libpq URL of the migrating role, straight to Postgres (not through a transaction pooler).
    `serve_role` is `<schema>_serve` unless told. Does nothing when current; runs that meet take turns.
    A schema that newer code has brought further than this code knows is left alone (a roll-back).
    A revision whose module says `step = "post"` runs only when `steps` has "post" (after the roll-out of
    the code), and so do those after it. Blocks; raises MigrationError, sqlalchemy's or psycopg's errors.
    """
    script = _script(package)
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=10, application_name=f"{schema}-migrate"),
        poolclass=sa.NullPool,
        use_native_hstore=False,
    )
    with engine.connect() as connection, _turn(connection, schema):
        role = serve_role or f"{schema}_serve"
        with EnvironmentContext(Config(), script, fn=_plan(script, steps)) as environment:
            environment.configure(
                connection=connection,
                version_table_schema=schema,
                transaction_per_migration=True,
                serve_role=role,
            )
            with environment.begin_transaction():
                environment.run_migrations()
            reached = environment.get_context().get_current_revision()
    _log.info("migrated", schema=schema, revision=reached)
    return reached


def is_current(package: str, url: str, schema: str) -> bool:
    """Whether `schema` is as far as this code needs it: all of its `pre` revisions are there.

    `url` is of either role. True too for a schema of newer code; False while there is no schema, no role
    or no server yet.
    """
    script = _script(package)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            query = sql.SQL("SELECT version_num FROM {}.alembic_version").format(sql.Identifier(schema))
            row = connection.execute(query).fetchone()
    except (psycopg.OperationalError, psycopg.ProgrammingError):
        return False
    if row is None:
        return False
    return not _knows(script, row[0]) or not _plan(script, ("pre",))(row[0], None)


def _knows(script: ScriptDirectory, revision: str) -> bool:
    return any(known.revision == revision for known in script.walk_revisions())


def _script(package: str) -> ScriptDirectory:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise MigrationError(f"there is no package {package}")
    folder = Path(spec.origin).parent / "migrations"
    versions = folder / "versions"
    if not versions.is_dir():
        raise MigrationError(f"{package} has no migrations/versions")
    return ScriptDirectory(str(folder), version_locations=[str(versions)])


def _plan(script: ScriptDirectory, steps: Collection[str]) -> Any:
    """What Alembic asks for: the revisions to run, given where the schema is."""

    def is_wanted(step: Any) -> bool:
        return getattr(step.revision.module, "step", "pre") in steps

    def plan(current: Any, _context: Any) -> list[Any]:
        reached = current[0] if isinstance(current, tuple) and current else current
        if reached and not _knows(script, reached):
            _log.warning("schema_of_newer_code", revision=reached)
            return []
        return list(itertools.takewhile(is_wanted, script._upgrade_revs("heads", current)))

    return plan


@contextmanager
def _turn(connection: sa.Connection, schema: str) -> Iterator[None]:
    """One run a schema at a time: replicas and jobs that start together wait for each other."""
    key = {"key": f"examhall.migrate.{schema}"}
    connection.execute(
        sa.text(
            "SELECT set_config('search_path', :path, false), set_config('lock_timeout', :turn, false),"
            " set_config('statement_timeout', :statement, false)"
        ),
        {"path": f'"{schema}"', "turn": _TURN_TIMEOUT, "statement": _STATEMENT_TIMEOUT},
    )
    connection.execute(sa.text("SELECT pg_advisory_lock(hashtextextended(:key, 0))"), key)
    connection.execute(sa.text("SELECT set_config('lock_timeout', :lock, false)"), {"lock": _LOCK_TIMEOUT})
    connection.commit()
    # The lock is the session's, which ends with this run: nothing to give back, whatever happens.
    yield


def serve_role() -> str:
    """The serving role's name, inside a migration."""
    from alembic import op

    return str(op.get_context().opts["serve_role"])


def create_shared_tables(op: Any) -> None:
    """Create outbox, inbox and audit, and make audit append-only. For a service's first migration."""
    tables = shared_tables.define(sa.MetaData())
    for table in (tables.outbox, tables.inbox, tables.audit):
        table.create(op.get_bind())
    # The outbox is always nearly empty and never still: vacuum by the number of dead rows, often.
    op.execute(
        "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"
    )
    append_only(op, "audit", serve_role())


def append_only(op: Any, table: str, serve_role: str) -> None:
    """Leave the serving role INSERT and SELECT on this table: history is not rewritten by the service."""
    quote = op.get_bind().dialect.identifier_preparer.quote_identifier
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON TABLE {quote(table)} FROM {quote(serve_role)}")
