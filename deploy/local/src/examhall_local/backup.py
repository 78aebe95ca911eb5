"""`make backup`: everything that must survive, as of one moment, in one file, while exams go on."""

import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg import sql

from examhall_local import archive, database_dump, kept_files
from examhall_local.binaries import MissingProgramError
from examhall_local.database_access import NoDatabaseError, private_database
from examhall_local.options import Options
from examhall_local.postgres import NodeFailedError

FOLDER = "backups"  # below the checkout, where `make clean` does not reach
_NICENESS = 10


class BackupFailedError(RuntimeError):
    """No backup was written; the text says why."""


_FAILURES = (
    BackupFailedError,
    NoDatabaseError,
    database_dump.DumpFailedError,
    NodeFailedError,
    MissingProgramError,
    OSError,
)


def run(options: Options, to: str) -> int:
    """Writes a backup into `to` (a folder, a new file, or empty for the usual folder) and tells where."""
    os.nice(_NICENESS)  # an exam may be under way
    try:
        target = _target(options.root, to)
        with private_database(options) as dsn:
            manifest = _write(options, dsn, target)
    except _FAILURES as problem:
        print(f"no backup was written: {problem}", file=sys.stderr)
        return 1
    print(f"{target}\n{target.stat().st_size / 1e6:.1f} MB, as of {manifest.taken_at}")
    if options.files_url:
        print(f"The pictures are not in it: back up {options.files_url} by its own means.")
    print("It holds passwords, answers and keys: keep it where nobody else can read it.")
    return 0


def _target(root: Path, to: str) -> Path:
    place = root / (to or FOLDER)
    if not to or to.endswith("/") or place.is_dir():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        place /= f"examhall-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
    if place.exists():
        raise BackupFailedError(f"{place} is there already: name another file")
    if not place.parent.is_dir():
        raise BackupFailedError(f"there is no folder {place.parent}")
    return place


def _write(options: Options, dsn: str, target: Path) -> archive.Manifest:
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as temporary:  # mode 0700
        parts = Path(temporary)
        with psycopg.connect(dsn) as admin:
            taken_at, revisions = _moment(admin), _revisions(admin)
        database_dump.save(dsn, parts / archive.DATABASE, parts / archive.ROLES)
        shutil.copyfile(options.state_dir / "passwords.json", parts / archive.PASSWORDS)
        # After the database: what a row names was there before the row's picture was acknowledged.
        pictures = options.state_dir / kept_files.FOLDER
        if pictures.is_dir() and not options.files_url:
            kept_files.pack(pictures, parts / archive.FILES)
        manifest = archive.Manifest(
            version=version("examhall-local"),
            taken_at=taken_at,
            postgres=database_dump.server_version(dsn),
            revisions=revisions,
            files=archive.describe(parts),
        )
        archive.write(target, parts, manifest)
    return manifest


def _moment(admin: psycopg.Connection[tuple[object, ...]]) -> str:
    """Just before the snapshot is taken: whatever was acknowledged by then is in it."""
    row = admin.execute("SELECT now()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _revisions(admin: psycopg.Connection[tuple[object, ...]]) -> dict[str, str]:
    """Where the migrations of each schema stand."""
    schemas = admin.execute(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relname = 'alembic_version' ORDER BY 1"
    ).fetchall()
    found = {}
    for (schema,) in schemas:
        query = sql.SQL("SELECT version_num FROM {}.alembic_version").format(sql.Identifier(str(schema)))
        row = admin.execute(query).fetchone()
        found[str(schema)] = str(row[0]) if row else ""
    return found
