"""Says what is missing or wrong on this machine, and what to do about it. Uses nothing but Python itself."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from examhall_local import binaries
from examhall_local.options import Options
from examhall_local.ports import is_free
from examhall_local.statedir import StateDir

_DISK_NEEDED = 1 << 30
_MEMORY_NEEDED = 2 << 30


@dataclass(frozen=True)
class Finding:
    """One line. Not `is_good` and needed: the system won't run; not needed: it may be worse for it."""

    is_good: bool
    text: str
    remedy: str = ""
    is_needed: bool = True


def examine(options: Options) -> int:
    """Prints every finding; 0 unless something needed is missing."""
    bad = 0
    for finding in findings(options):
        mark = "ok  " if finding.is_good else "MISS" if finding.is_needed else "note"
        remedy = "" if finding.is_good else f" -> {finding.remedy}"
        print(f"{mark}  {finding.text}{remedy}")
        bad += finding.is_needed and not finding.is_good
    if bad and not shutil.which("apt-get"):
        print("Or run it in containers: docker compose -f deploy/compose.yaml up")
    return 1 if bad else 0


def findings(options: Options) -> Iterator[Finding]:
    """Everything that is looked at, in the order in which it would fail."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), f"Python {version}", "install Python 3.11 or newer")
    yield _packages(options.root)
    yield _pages(options.root)
    if not options.database_url:
        yield _postgres()
        yield from _root_needs()
    if not options.rabbitmq_url:
        yield from _rabbitmq()
    yield _localhost()
    yield from _folder(options.state_dir)
    yield _port(options)
    yield _memory()


def _packages(root: Path) -> Finding:
    python = root / ".venv" / "bin" / "python"
    stamp = root / ".venv" / ".examhall-installed"
    return Finding(
        python.exists() and stamp.exists(), f"Python packages in {root / '.venv'}", "make setup installs them"
    )


def _pages(root: Path) -> Finding:
    there = (root / "web" / "out" / "index.html").exists()
    return Finding(there, "the pages in web/out", "make web builds them", is_needed=False)


def _postgres() -> Finding:
    remedy = "apt-get install postgresql (make setup does it), or brew install postgresql"
    found = [(binaries.postgres_major(f), f) for f in binaries.postgres_folders()]
    if not found:
        return Finding(False, "PostgreSQL", remedy)
    major, folder = found[0]
    enough = major >= binaries.POSTGRES_AT_LEAST
    return Finding(
        enough, f"PostgreSQL {major} in {folder}", f"{binaries.POSTGRES_AT_LEAST} is needed: {remedy}"
    )


def _root_needs() -> Iterator[Finding]:
    if os.geteuid() == 0:
        yield Finding(
            shutil.which("setpriv") is not None,
            "setpriv, because root can't run PostgreSQL",
            "apt-get install util-linux, or be another user than root",
        )


def _rabbitmq() -> Iterator[Finding]:
    remedy = "apt-get install rabbitmq-server (make setup does it), or brew install rabbitmq"
    for what, find in (("RabbitMQ", binaries.rabbitmq_server), ("Erlang's port mapper", binaries.epmd)):
        try:
            yield Finding(True, f"{what}: {find()}")
        except binaries.MissingProgramError:
            yield Finding(False, what, remedy)
    yield Finding(shutil.which("erl") is not None, "Erlang", remedy)


def _localhost() -> Finding:
    try:
        known = "127.0.0.1" in {str(a[4][0]) for a in socket.getaddrinfo("localhost", None, socket.AF_INET)}
    except OSError:
        known = False
    return Finding(known, "localhost is 127.0.0.1", "add the line '127.0.0.1 localhost' to /etc/hosts")


def _folder(state_dir: Path) -> Iterator[Finding]:
    there = next(p for p in (state_dir, *state_dir.parents) if p.exists())
    yield Finding(
        os.access(there, os.W_OK), f"STATE_DIR {state_dir} can be written", "name another one: STATE_DIR=…"
    )
    free = shutil.disk_usage(there).free
    yield Finding(free >= _DISK_NEEDED, f"{free >> 20} MiB free on its disk", "1 GiB is needed: make room")


def _port(options: Options) -> Finding:
    ours = StateDir(options.state_dir).is_supervised
    free = ours or options.port == 0 or is_free(options.port, options.host)
    how = "is ours already" if ours else "is free" if free else "is taken"
    return Finding(free, f"port {options.port} on {options.host} {how}", "name another one: PORT=…")


def _memory() -> Finding:
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        memory = _MEMORY_NEEDED
    return Finding(
        memory >= _MEMORY_NEEDED, f"{memory >> 20} MiB memory", "2 GiB are advised", is_needed=False
    )
