"""Starting processes that can be found again, and ending exactly those.

A pid alone may be somebody else's by now: a process is known by its pid and its start time. Every process
started here also carries the state folder's path in its environment, so that strays can be found even when
nobody wrote their pid down.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MARKER = "EXAMHALL_STATE_DIR"
_PROC = Path("/proc")
_LOG_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class ProcessRef:
    """One process, not confused with a later one of the same pid."""

    pid: int
    started: str


def ref(pid: int) -> ProcessRef | None:
    """The process that has this pid now; None where none lives (a zombie does not live)."""
    if _PROC.joinpath("self/stat").exists():
        try:
            after_name = _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if after_name[0] in "ZX" else ProcessRef(pid, after_name[19])
    said = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return ProcessRef(pid, said[2:].strip()) if said and not said.startswith("Z") else None


def is_alive(process: ProcessRef) -> bool:
    """Whether this very process still runs."""
    return ref(process.pid) == process


def send(process: ProcessRef, number: signal.Signals) -> None:
    """Signals the process if it is still the one meant."""
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def wait_gone(processes: Iterable[ProcessRef], timeout: float) -> list[ProcessRef]:
    """Waits until all have ended, at most `timeout` seconds; gives those that still live."""
    until = time.monotonic() + timeout
    left = [p for p in processes if is_alive(p)]
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left = [p for p in left if is_alive(p)]
    return left


def end(processes: Iterable[ProcessRef], grace: float, first: signal.Signals = signal.SIGTERM) -> None:
    """Asks all to end with `first`, kills those that live on after `grace` seconds, and sees them gone."""
    asked = list(processes)
    for process in asked:
        send(process, first)
    for process in wait_gone(asked, grace):
        send(process, signal.SIGKILL)
    wait_gone(asked, 5)


def strays(state_dir: Path) -> list[ProcessRef]:
    """Every other process that carries this state folder's marker, or serves its database (Linux only).

    PostgreSQL's backends overwrite their environment with their title, so they are known by where they work.
    """
    marker = f"{MARKER}={state_dir}".encode()
    found = []
    for entry in _PROC.glob("[0-9]*"):
        pid = int(entry.name)
        if pid == os.getpid():
            continue
        with contextlib.suppress(OSError):
            ours = marker in entry.joinpath("environ").read_bytes().split(b"\0")
            if not ours and entry.joinpath("comm").read_text().strip() in ("postgres", "postmaster"):
                ours = entry.joinpath("cwd").readlink() == state_dir / "postgres" / "data"
            living = ref(pid) if ours else None
            if living:
                found.append(living)
    return found


def working_in(folder: Path) -> list[ProcessRef]:
    """The `postgres` processes whose working folder is `folder` (Linux only)."""
    found = []
    for entry in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                entry.joinpath("cwd").readlink() == folder
                and "postgres" in entry.joinpath("comm").read_text()
            ):
                living = ref(int(entry.name))
                if living:
                    found.append(living)
    return found


def open_log(log: Path) -> int:
    """A descriptor that appends to `log`; a log that has grown big is set aside first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".1.log"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def spawn(
    command: Sequence[str | Path],
    *,
    state_dir: Path,
    log: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    die_with_parent: signal.Signals | None = None,
) -> subprocess.Popen[bytes]:
    """Starts `command` in a session of its own, its output going to `log`.

    `die_with_parent` is the signal it gets when the thread that started it ends, however that ends (Linux).
    """
    words = [str(part) for part in command]
    setpriv = shutil.which("setpriv")
    if die_with_parent and setpriv:
        name = die_with_parent.name.removeprefix("SIG")
        if Path(words[0]).name == "setpriv":
            words[1:1] = ["--pdeathsig", name]
        else:
            words = [setpriv, "--pdeathsig", name, "--", *words]
    descriptor = open_log(log)
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env={**env, MARKER: str(state_dir)},
            cwd=cwd,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def without(env: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """The environment without what the caller's shell may have set for another installation."""
    pattern = re.compile("|".join(re.escape(p) for p in prefixes))
    return {name: value for name, value in env.items() if not pattern.match(name)}
