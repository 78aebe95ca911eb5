"""`run`, `up`, `down` and `clean`: the system in the foreground and in the background."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

from examhall_local.files import tail
from examhall_local.options import Options
from examhall_local.processes import MARKER, end, is_alive, open_log
from examhall_local.replacing import SAID, put_back
from examhall_local.statedir import StateDir
from examhall_local.sweep import sweep

if TYPE_CHECKING:
    from examhall_local.system import System

Say = Callable[[str], None]
_STOPS_WITHIN = 120.0  # seconds that a supervisor gets to stop everything in order
_UP_WITHIN = 180.0  # seconds to wait for a system that somebody else is just starting


class _StopRequested(BaseException):
    """SIGINT or SIGTERM, wherever the main thread was."""


def run(options: Options) -> int:
    """Everything in the foreground until Ctrl-C or SIGTERM."""
    folder = StateDir(options.state_dir)
    folder.create()
    if not _take(folder):
        print(f"already up: {_address(folder)} (make down ends it)")
        return 1
    started = time.monotonic()

    def ready(system: "System") -> None:
        _print_address(system, f"up in {time.monotonic() - started:.1f} s; Ctrl-C ends it")

    return _serve(options, folder, _print, ready)


def supervise(options: Options, report: int) -> int:
    """The same in the background: `up` started it, and reads from the pipe `report` how it goes."""
    folder = StateDir(options.state_dir)

    def tell(**message: object) -> None:
        with suppress(OSError):  # nobody listens any more
            os.write(report, json.dumps(message).encode() + b"\n")

    def say(line: str) -> None:
        _print(line)
        tell(say=line)

    def ready(system: "System") -> None:
        tell(ready=system.url)

    if not _take(folder):
        tell(failed="another supervisor works in this folder")
        return 1
    status = _serve(options, folder, say, ready, failed=lambda reason: tell(failed=reason))
    with suppress(OSError):
        os.close(report)
    return status


def up(options: Options) -> int:
    """Starts the supervisor in the background; 0 once everything is ready."""
    folder = StateDir(options.state_dir)
    folder.create()
    with folder.one_at_a_time():
        if folder.is_supervised:
            return _wait_for_other(options, folder)
        return _start_supervisor(options, folder)


def down(options: Options) -> int:
    """Ends every process of the folder; the data stays."""
    folder = StateDir(options.state_dir)
    if not folder.is_ours:
        print(f"nothing is up in {options.state_dir}")
        return 0
    with folder.one_at_a_time():
        ended = _end_supervisor(folder) + sweep(folder)
    print("down" if ended else "nothing was up")
    return 0


def clean(options: Options) -> int:
    """`down`, then everything that was kept goes too."""
    folder = StateDir(options.state_dir)
    if folder.path.exists() and folder.is_ours:
        down(options)
    folder.remove()
    print(f"{options.state_dir} is gone")
    return 0


def _serve(
    options: Options,
    folder: StateDir,
    say: Say,
    ready: "Callable[[System], None]",
    failed: Say = lambda reason: print(reason, file=sys.stderr),
) -> int:
    """Starts the system, watches it until a signal comes, and stops it. The caller holds the folder."""
    from examhall_local.system import System  # not needed where `up` only looks whether it is up

    system = System(options, folder, say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _request_stop)
    status = 0
    try:
        if put_back(folder):
            say(SAID)
        system.start()
        _make_demo(options, system, say)
        system.announce()
        ready(system)
        threading.Event().wait()
    except _StopRequested:
        say("stopping")
    except Exception as problem:
        failed(str(problem))
        status = 1
    # A terminal sends Ctrl-C to make and to us, make once more: from here on it is being done.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    system.stop()
    folder.release()
    return status


def _request_stop(_number: int, _frame: FrameType | None) -> None:
    raise _StopRequested


def _make_demo(options: Options, system: "System", say: Say) -> None:
    if not options.demo:
        return
    if not options.is_loopback:
        say("no demo data: others can reach this address, and its passwords are public")
        return
    from examhall_local import demo

    try:
        demo.make(system.url, system.folder, options.root, say)
    except demo.DemoFailedError as problem:
        say(f"the system is up, but the demo data is not complete: {problem}")


def _take(folder: StateDir) -> bool:
    """Tries for a moment: somebody may just be looking whether the place is taken."""
    for _ in range(20):
        if folder.take():
            return True
        time.sleep(0.02)
    return False


def _start_supervisor(options: Options, folder: StateDir) -> int:
    reading, report = os.pipe()
    log = folder.logs / "supervisor.log"
    descriptor = open_log(log)
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "examhall_local", "supervise", "--report", str(report)],
        stdin=subprocess.DEVNULL,
        stdout=descriptor,
        stderr=descriptor,
        env={**os.environ, MARKER: str(folder.path), "PYTHONUNBUFFERED": "1"},
        pass_fds=[report],
        start_new_session=True,
    )
    os.close(report)
    os.close(descriptor)
    started = time.monotonic()
    try:
        with os.fdopen(reading) as reports:
            for line in reports:
                message = json.loads(line)
                if "say" in message:
                    _print(message["say"])
                elif "ready" in message:
                    _print_up(options, message["ready"], f"up in {time.monotonic() - started:.1f} s")
                    return 0
                elif "failed" in message:
                    print(message["failed"], file=sys.stderr)
                    supervisor.wait()
                    return 1
    except KeyboardInterrupt:
        supervisor.terminate()
        print("stopping")
    supervisor.wait()
    print(f"it ended before it was ready; the end of {log}:\n{tail(log)}", file=sys.stderr)
    return 1


def _wait_for_other(options: Options, folder: StateDir) -> int:
    """A supervisor is there already: ready, or about to be."""
    from examhall_local.http_probe import answers

    until = time.monotonic() + _UP_WITHIN
    while folder.is_supervised and time.monotonic() < until:
        state = folder.read_state()
        if state and answers(f"{state['gateway']['url']}/readyz"):
            url = state["gateway"]["url"]
            if not _serves(url, options):
                print(f"already up: {url}, not on port {options.port}; make down first", file=sys.stderr)
                return 1
            print(f"already up: {url}")
            return 0
        time.sleep(0.1)
    print(f"it is up, but not ready; see the logs in {folder.logs}", file=sys.stderr)
    return 1


def _serves(url: str, options: Options) -> bool:
    return not options.port or url.endswith(f":{options.port}")


def _end_supervisor(folder: StateDir) -> list[str]:
    supervisor = folder.read_processes().get("supervisor")
    if supervisor is None or not is_alive(supervisor):
        return []
    end([supervisor], _STOPS_WITHIN)
    return ["supervisor"]


def _address(folder: StateDir) -> str:
    state = folder.read_state()
    return str(state["gateway"]["url"]) if state else "(still starting)"


def _print(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


def _print_address(system: "System", how: str) -> None:
    _print_up(system.options, system.url, how)


def _print_up(options: Options, url: str, how: str) -> None:
    lines = ["", f"  Examhall   {url}", f"  API        {url}/api/v1/docs"]
    if options.demo and options.is_loopback:
        from examhall_local.demo_accounts import ADMIN, ADMIN_PASSWORD, STUDENT_PASSWORD, student

        lines.append(f"  admin      {ADMIN} / {ADMIN_PASSWORD}")
        lines.append(f"  students   {student(1)} … {student(100)} / {STUDENT_PASSWORD}")
    print("\n".join([*lines, "", f"  {how}", ""]), flush=True)
