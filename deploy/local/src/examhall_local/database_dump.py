"""The database as a dump and back, by PostgreSQL's own programs of the server's version.

pg_dump reads one snapshot, so that all schemas are as of one moment, and keeps nobody from writing.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from examhall_local import binaries
from examhall_local.processes import without

_SHOWN = 5  # lines of what a program said that failed


class DumpFailedError(RuntimeError):
    """One of PostgreSQL's programs failed; the text holds the end of what it said."""


def save(dsn: str, dump: Path, roles: Path) -> None:
    """Writes the database of `dsn`, an administrator's, and the server's roles. Raises DumpFailedError."""
    with dump.open("wb") as out:
        _run(dsn, "pg_dump", ["--format=custom", "--compress=6"], stdout=out.fileno())
    with roles.open("wb") as out:
        _run(dsn, "pg_dumpall", ["--roles-only"], stdout=out.fileno())


def load(dsn: str, dump: Path, roles: Path) -> None:
    """Makes the roles, then everything in the database of `dsn`, which must be new and empty.

    Raises DumpFailedError; what it has made by then is of no use.
    """
    # The administrator is there already: initdb made him.
    own = f"CREATE ROLE {conninfo_to_dict(dsn)['user']};\n".encode()
    others = roles.read_bytes().replace(own, b"")
    # Terse: an error quotes no statement, and with it no password.
    psql = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=terse", "--output=/dev/null"]
    _run(dsn, "psql", psql, text=others)
    jobs = f"--jobs={os.cpu_count() or 1}"
    _run(dsn, "pg_restore", ["--exit-on-error", jobs, f"--dbname={without_password(dsn)}", str(dump)])
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute("ANALYZE")  # a dump holds no statistics


def server_version(dsn: str) -> str:
    """The server's, such as `15.18`."""
    with psycopg.connect(dsn) as admin:
        major, minor = divmod(admin.info.server_version, 10_000)
    return f"{major}.{minor}"


def program_for(dsn: str, name: str) -> Path:
    """One of PostgreSQL's programs, of the version of this server. Raises MissingProgramError."""
    return binaries.postgres_folder(int(server_version(dsn).partition(".")[0])) / name


def environment(dsn: str) -> dict[str, str]:
    """With the password, which has no place on a command line, and without what the caller's shell set."""
    return {**without(os.environ, "PG"), "PGPASSWORD": str(conninfo_to_dict(dsn).get("password", ""))}


def _run(
    dsn: str, program: str, words: Sequence[str], *, text: bytes | None = None, stdout: int | None = None
) -> None:
    place = [] if program == "pg_restore" else [f"--dbname={without_password(dsn)}"]
    done = subprocess.run(
        [program_for(dsn, program), *place, *words],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=environment(dsn),
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.decode(errors="replace").splitlines()[-_SHOWN:])
        raise DumpFailedError(f"{program} failed:\n{said}")


def without_password(dsn: str) -> str:
    """For a command line, which everybody on the machine may read."""
    return make_conninfo(dsn, password=None)
