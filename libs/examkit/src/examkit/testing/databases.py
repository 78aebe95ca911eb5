"""Fresh databases for tests: a service's schema is migrated once in a session, then copied or emptied."""

import itertools
import os
import secrets
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from examkit import migrate
from examkit.provision import Urls, provision, role_dsn

_PASSWORD = "only-for-tests"  # noqa: S105 - roles of a private node
_DISCONNECT = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> 'alembic_version'"


@dataclass(frozen=True)
class TestDatabase:
    """A database of its own with the schema of one service, migrated."""

    __test__ = False  # not a class of tests

    name: str
    schema: str
    admin_dsn: str
    migrate_dsn: str
    serve_dsn: str


class DatabaseMaker:
    """Makes databases on one server and drops them at the end.

    `make("exam")` has the schema `exam` of the package `exam_service`, its roles, and nothing in it.
    `lend("exam")` is the same to a test that leaves the schema as it is and gives it back.
    """

    def __init__(self, admin_dsn: str) -> None:
        self._admin_dsn = admin_dsn
        self._run = f"{os.getpid()}_{secrets.token_hex(3)}"
        self._numbers = itertools.count(1)
        self._templates: dict[tuple[str, str], TestDatabase] = {}
        self._made: list[str] = []
        self._given_back: dict[str, list[TestDatabase]] = {}

    def __call__(self, service: str, *, package: str | None = None) -> TestDatabase:
        """A fresh copy; takes some 0.1 s after the first of its service. `package`: `<service>_service`."""
        package = package or f"{service}_service"
        template = self._templates.get((service, package))
        if template is None:
            template = self._create(f"template_{service}", service)
            migrate.upgrade(package, template.migrate_dsn, service)
            self._templates[service, package] = template
        return self._create(f"test_{service}", service, copy_of=template.name)

    def lend(self, service: str) -> TestDatabase:
        """One that was given back, or else a fresh copy."""
        idle = self._given_back.get(service)
        return idle.pop() if idle else self(service)

    def give_back(self, database: TestDatabase) -> None:
        """Empty it for whoever comes next: a tenth of the time of a copy. Who is connected is thrown out."""
        with psycopg.connect(self._admin_dsn, autocommit=True) as admin:
            admin.execute(_DISCONNECT, [database.name])
        with psycopg.connect(database.admin_dsn, autocommit=True) as admin:
            names = [name for (name,) in admin.execute(_TABLES, [database.schema])]
            tables = sql.SQL(", ").join(sql.Identifier(database.schema, name) for name in names)
            admin.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
        self._given_back.setdefault(database.schema, []).append(database)

    def empty(self, service: str) -> TestDatabase:
        """A database that is provisioned for the service, and not migrated."""
        return self._create(f"test_{service}", service)

    def join(self, database: TestDatabase, service: str, *, package: str | None = None) -> TestDatabase:
        """Another service's schema in the same database, migrated: as production has it."""
        urls = provision(database.admin_dsn, service, _PASSWORD, _PASSWORD)
        migrate.upgrade(package or f"{service}_service", urls.migrate_dsn, service)
        return replace(database, schema=service, migrate_dsn=urls.migrate_dsn, serve_dsn=urls.serve_dsn)

    def drop(self, database: TestDatabase) -> None:
        """Drop it now, rather than at the end; whoever is connected is thrown out."""
        self._drop(database.name)
        self._made.remove(database.name)

    def drop_all(self) -> None:
        for name in self._made:
            self._drop(name)
        self._made.clear()
        self._templates.clear()
        self._given_back.clear()

    def _create(self, prefix: str, service: str, copy_of: str = "template1") -> TestDatabase:
        name = f"{prefix}_{self._run}_{next(self._numbers)}"
        with psycopg.connect(self._admin_dsn, autocommit=True) as admin:
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(copy_of)
                )
            )
        self._made.append(name)
        admin_dsn = _with_database(self._admin_dsn, name)
        # Again for a copy: rights on the database and the roles' settings in it do not come along.
        urls: Urls = provision(admin_dsn, service, _PASSWORD, _PASSWORD)
        return TestDatabase(name, service, admin_dsn, urls.migrate_dsn, urls.serve_dsn)

    def _drop(self, name: str) -> None:
        with psycopg.connect(self._admin_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _with_database(dsn: str, name: str) -> str:
    parts = conninfo_to_dict(dsn) | {"dbname": name}
    user, password = str(parts.get("user", "postgres")), str(parts.get("password", ""))
    return role_dsn(psycopg.conninfo.make_conninfo("", **parts), user, password)
