"""Provisioning a database for a service, as an administrator: its schema, its two roles, and their rights.

Roles belong to the whole cluster, their rights to one database; running it again repairs what has drifted.
"""

import functools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

_Connection = psycopg.Connection[tuple[object, ...]]

# What two provisionings of one cluster at a time can do to each other; all of it passes.
_COLLISIONS = (errors.UniqueViolation, errors.DuplicateObject, errors.InternalError_, errors.DeadlockDetected)
_ATTEMPTS = 20
_SESSION_DEFAULTS = {
    "jit": "off",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "60s",
}


@dataclass(frozen=True)
class Urls:
    """libpq URLs of the two roles of one service, with their passwords."""

    migrate_dsn: str
    serve_dsn: str


def provision(admin_dsn: str, service: str, migrate_password: str, serve_password: str) -> Urls:
    """Make the database of `admin_dsn` ready for `service` (`auth`, `exam` …), whose schema has its name.

    Creates what is missing: the database, `<service>_migrate` (owns the schema), `<service>_serve` (rows
    alone). Idempotent and safe beside others. Blocks; raises psycopg.Error where the administrator may not.
    """
    migrate, serve = f"{service}_migrate", f"{service}_serve"
    with _connect(admin_dsn) as admin:
        for role, password in ((migrate, migrate_password), (serve, serve_password)):
            _repeat_collisions(admin, functools.partial(make_role, admin, role, password))
        _repeat_collisions(admin, functools.partial(_schema, admin, service, migrate, serve))
    return Urls(
        migrate_dsn=role_dsn(admin_dsn, migrate, migrate_password),
        serve_dsn=role_dsn(admin_dsn, serve, serve_password),
    )


def role_dsn(admin_dsn: str, role: str, password: str) -> str:
    """The same database as another role, as a URL."""
    parts = conninfo_to_dict(admin_dsn)
    hosts = str(parts.pop("host", "") or "").split(",")
    ports = str(parts.pop("port", "") or "").split(",")
    database = str(parts.pop("dbname", "postgres"))
    parts.pop("user", None)
    parts.pop("password", None)
    ports = ports * len(hosts) if len(ports) == 1 else ports
    places = [
        f"{_place(host)}:{port}" if port else _place(host) for host, port in zip(hosts, ports, strict=True)
    ]
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in sorted(parts.items()))
    credentials = f"{quote(role, safe='')}:{quote(password, safe='')}"
    url = f"postgresql://{credentials}@{','.join(places)}/{quote(database, safe='')}"
    return f"{url}?{query}" if query else url


def _place(host: str) -> str:
    # A socket's folder is percent-encoded, a literal IPv6 address bracketed.
    return f"[{host}]" if ":" in host else quote(host, safe="")


def _connect(admin_dsn: str) -> _Connection:
    try:
        return psycopg.connect(admin_dsn, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError:
        _create_database(admin_dsn)
        return psycopg.connect(admin_dsn, autocommit=True, connect_timeout=10)


def _create_database(admin_dsn: str) -> None:
    """Create the database that could not be connected to; raises if that wasn't the reason."""
    name = str(conninfo_to_dict(admin_dsn).get("dbname", "postgres"))
    with psycopg.connect(make_conninfo(admin_dsn, dbname="postgres"), autocommit=True) as admin:
        known = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if known is None:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _repeat_collisions(admin: _Connection, work: Callable[[], None]) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            with admin.transaction():
                work()
            return
        except _COLLISIONS:
            if attempt == _ATTEMPTS - 1:
                raise
        time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - jitter


def make_role(admin: _Connection, role: str, password: str) -> None:
    """Make sure of a role that may log in with this password, and nothing more."""
    known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    # Hashed here, so that the password never reaches a server's log.
    secret = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    admin.execute(
        sql.SQL("{} ROLE {} WITH LOGIN NOCREATEDB NOCREATEROLE NOINHERIT PASSWORD {}").format(
            sql.SQL("ALTER" if known else "CREATE"), sql.Identifier(role), sql.Literal(secret)
        )
    )


def _schema(admin: _Connection, schema: str, migrate: str, serve: str) -> None:
    admin.execute("SELECT pg_advisory_xact_lock(hashtextextended('examhall.provision', 0))")
    database = sql.Identifier(admin.info.dbname)
    names = {
        "schema": sql.Identifier(schema),
        "migrate": sql.Identifier(migrate),
        "serve": sql.Identifier(serve),
        "database": database,
    }
    # An administrator who isn't a superuser must be a member of the role to act in its name.
    superuser = admin.info.parameter_status("is_superuser") == "on"
    statements = [] if superuser else ["GRANT {migrate} TO CURRENT_USER"]
    statements += [
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {migrate}",
        "GRANT CONNECT ON DATABASE {database} TO {serve}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {migrate}",
        "GRANT USAGE ON SCHEMA {schema} TO {serve}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {migrate} IN SCHEMA {schema}"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {serve}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {migrate} IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {serve}",
        "ALTER ROLE {migrate} IN DATABASE {database} SET search_path TO {schema}",
        "ALTER ROLE {serve} IN DATABASE {database} SET search_path TO {schema}",
    ]
    for name, value in _SESSION_DEFAULTS.items():
        statements.append(f"ALTER ROLE {{serve}} IN DATABASE {{database}} SET {name} TO '{value}'")
    for statement in statements:
        admin.execute(sql.SQL(statement).format(**names))
