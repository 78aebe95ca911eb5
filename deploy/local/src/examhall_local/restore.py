"""`make restore`: a backup becomes the data of a state folder, whose system is down."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examhall_local import (
    archive,
    backing,
    database_dump,
    kept_files,
    migrations,
    replacing,
    service_command,
)
from examhall_local.archive import BadBackupError, Manifest
from examhall_local.binaries import MissingProgramError
from examhall_local.database_access import OTHERS_DATABASE, has_data
from examhall_local.options import Options
from examhall_local.plan import Access, Service, discover
from examhall_local.postgres import NodeFailedError, PrivatePostgres
from examhall_local.processes import is_alive, strays
from examhall_local.statedir import NotOursError, StateDir

# What is told again after a restore: what was under way in RabbitMQ is not in a backup.
_ANNOUNCES = "exam"
_FAILURES = (
    BadBackupError,
    NotOursError,
    NodeFailedError,
    MissingProgramError,
    database_dump.DumpFailedError,
    migrations.MigrationFailedError,
    service_command.CommandFailedError,
    OSError,
)


class RestoreRefusedError(RuntimeError):
    """The backup was not restored, and nothing was changed; the text says why."""


def run(options: Options, source: str, *, force: bool) -> int:
    """Restores the file `source`; `force`: also where that replaces data."""
    file = options.root / source
    folder = StateDir(options.state_dir)
    try:
        if options.database_url:
            raise RestoreRefusedError(OTHERS_DATABASE)
        manifest = archive.verify(file)
        services = discover(options.root)
        _refuse_what_is_newer(options.root, services, manifest)
        with _alone(folder):
            if has_data(folder) and not force:
                raise RestoreRefusedError(
                    f"{folder.path} holds data: FORCE=1 replaces it for good (make backup keeps it first)"
                )
            print(f"restoring what was taken at {manifest.taken_at}", flush=True)
            _restore(options.root, folder, services, file)
    except RestoreRefusedError as problem:
        print(problem, file=sys.stderr)
        return 1
    except _FAILURES as problem:
        print(f"not restored: {problem}", file=sys.stderr)
        return 1
    print(f"restored into {folder.path}; make up starts it")
    return 0


def _refuse_what_is_newer(root: Path, services: list[Service], manifest: Manifest) -> None:
    """Migrations lead forward only: what a newer version wrote, this one can't read."""
    packages = {service.name: service.package for service in services}
    for schema, revision in manifest.revisions.items():
        versions = root / "services" / schema / "src" / packages.get(schema, "") / "migrations" / "versions"
        if not any(versions.glob(f"{revision}_*.py")):
            raise RestoreRefusedError(
                f"the backup was made by another version of Examhall ({manifest.version}): this one does not"
                f" know migration {revision} of {schema}; restore it with that version or a newer one"
            )


@contextmanager
def _alone(folder: StateDir) -> Iterator[None]:
    """Nothing of the folder runs, and nothing starts meanwhile. Raises RestoreRefusedError, NotOursError."""
    folder.create()
    with folder.one_at_a_time():
        if not folder.take():
            raise RestoreRefusedError(f"the system of {folder.path} is up: make down first")
        try:
            left = [p for p in folder.read_processes().values() if is_alive(p) and p.pid != os.getpid()]
            if left or strays(folder.path):
                raise RestoreRefusedError(f"something of {folder.path} still runs: make down first")
            if replacing.put_back(folder):
                print(replacing.SAID, flush=True)
            yield
        finally:
            folder.release()


def _restore(root: Path, folder: StateDir, services: list[Service], file: Path) -> None:
    """Builds everything beside what is there, and puts it in its place when it is complete."""
    staging = StateDir(folder.path / "restoring")
    shutil.rmtree(staging.path, ignore_errors=True)
    staging.create()
    try:
        parts = staging.path / "parts"
        parts.mkdir(mode=0o700)
        archive.unpack(file, parts)
        (parts / archive.PASSWORDS).rename(staging.passwords)
        if (parts / archive.FILES).exists():
            kept_files.unpack(parts / archive.FILES, staging.path / kept_files.FOLDER)
        node = PrivatePostgres(staging.path, die_with_parent=True)
        try:
            database_dump.load(node.start(), parts / archive.DATABASE, parts / archive.ROLES)
            _make_current(root, staging, services, node.dsn)
        finally:
            node.stop()
        replacing.replace(folder, staging)
    finally:
        shutil.rmtree(staging.path, ignore_errors=True)


def _make_current(root: Path, staging: StateDir, services: list[Service], dsn: str) -> None:
    """Rights and schemas as this version has them, and events for what was under way."""
    accesses: dict[Service, Access] = {s: backing.make_access(dsn, staging, s) for s in services}
    stamp = staging.path / "postgres" / "migrated.json"
    migrations.migrate(root, staging.path, accesses, python=sys.executable, stamp=stamp)
    for service, access in accesses.items():
        if service.name == _ANNOUNCES:
            settings = {"DATABASE_URL": access.database_url, "DB_SCHEMA": service.name}
            service_command.call(root, service.package, ["announce"], settings)
