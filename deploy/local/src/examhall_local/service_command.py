"""Runs a command of a service (`python -m auth_service create-admin …`) with the settings it runs with."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from examhall_local.backing import make_access
from examhall_local.binaries import MissingProgramError
from examhall_local.database_access import NoDatabaseError, database
from examhall_local.options import Options
from examhall_local.plan import Service, base_environment, discover
from examhall_local.postgres import NodeFailedError
from examhall_local.statedir import StateDir

_WITHIN = 600.0  # seconds
_SHOWN = 8  # lines of what a command said that failed


class CommandFailedError(RuntimeError):
    """The service refused, or failed; the text holds the end of what it said."""


def call(root: Path, package: str, words: Sequence[str], settings: Mapping[str, str]) -> str:
    """What the command printed. Raises CommandFailedError."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", package, *words],
            env={**base_environment(os.environ), **settings},
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_WITHIN,
        )
    except subprocess.TimeoutExpired:
        raise CommandFailedError(f"{package} {words[0]} did not end within {_WITHIN:.0f} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-_SHOWN:])
        raise CommandFailedError(f"{package} {words[0]} failed:\n{said}")
    return done.stdout


def queues(options: Options, resend: str) -> int:
    """Prints what waits and what failed for good, of every service; or sends the latter of `resend` again."""
    if resend:
        return run(options, resend.partition(".")[0], ["queues", "--resend", resend])
    return _ask(options, discover(options.root), ["queues"])


def run(options: Options, name: str, words: Sequence[str]) -> int:
    """Runs any command of the service `name`, and prints what it said."""
    asked = [service for service in discover(options.root) if service.name == name]
    if not asked:
        print(f"there is no service {name}", file=sys.stderr)
        return 1
    return _ask(options, asked, words)


def attempt(options: Options, student_exam_id: str) -> int:
    """Prints what happened in one attempt: in exam, then in grading."""
    asked = [s for s in discover(options.root) if s.name in ("exam", "grading")]
    return _ask(options, asked, ["attempt", student_exam_id])


def _ask(options: Options, services: Sequence[Service], words: Sequence[str]) -> int:
    """Has each of these services do the command, and prints what it said."""
    try:
        for service in services:
            with _settings(options, service) as settings:
                print(call(options.root, service.package, words, settings), end="")
    except (CommandFailedError, NoDatabaseError, NodeFailedError, MissingProgramError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _settings(options: Options, service: Service) -> Iterator[Mapping[str, str]]:
    """Those it runs with; of a system that is down the database alone, started for this."""
    folder = StateDir(options.state_dir)
    if folder.read_state() is not None:
        yield folder.read_settings(service.name)
        return
    with database(options) as dsn:
        access = make_access(dsn, folder, service)
        yield {"DATABASE_URL": access.database_url, "DB_SCHEMA": service.name}
