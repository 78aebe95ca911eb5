"""Brings every schema up to date, each service by its own `migrate`; skips what is known to be current."""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examkit.private_files import write_private

from examhall_local.files import tail
from examhall_local.plan import Access, Service, base_environment, migration_settings
from examhall_local.processes import spawn

_AT_MOST = 900.0  # seconds


class MigrationFailedError(RuntimeError):
    """A schema could not be brought up to date; the text holds the end of the log."""


def migrate(
    root: Path, state_dir: Path, accesses: Mapping[Service, Access], python: str, stamp: Path | None
) -> None:
    """Migrates all services side by side.

    `stamp` remembers with which migrations that was done. It lies beside a private cluster's data, so that
    it can't outlive it; None where others may have changed the database.
    """
    done: dict[str, str] = json.loads(stamp.read_text()) if stamp and stamp.exists() else {}
    wanted = {service: _digest(root, service) for service in accesses}
    due = [s for s in accesses if stamp is None or done.get(s.name) != wanted[s]]
    with ThreadPoolExecutor(max(1, len(due))) as pool:
        for _ in pool.map(lambda s: _migrate(root, state_dir, s, accesses[s], python), due):
            pass
    if stamp and due:
        write_private(stamp, json.dumps({s.name: digest for s, digest in wanted.items()}, indent=1))


def _migrate(root: Path, state_dir: Path, service: Service, access: Access, python: str) -> None:
    log = state_dir / "logs" / f"{service.name}-migrate.log"
    process = spawn(
        [python, "-m", service.package, "migrate"],
        state_dir=state_dir,
        log=log,
        env={**base_environment(os.environ), **migration_settings(service, access)},
        cwd=root,
    )
    try:
        status = process.wait(_AT_MOST)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    if status != 0:
        raise MigrationFailedError(f"migrating {service.name} failed; the end of {log}:\n{tail(log)}")


def _digest(root: Path, service: Service) -> str:
    """Changes with every change of the service's migrations, or of what they share."""
    files = sorted(root.glob(f"services/{service.name}/src/{service.package}/migrations/**/*.py"))
    files += [root / "libs/examkit/src/examkit" / name for name in ("migrate.py", "shared_tables.py")]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
