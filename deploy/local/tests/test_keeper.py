"""A process that dies is started again; one that is stopped is not."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from examhall_local.keeper import Keeper
from examhall_local.processes import ProcessRef, end, is_alive, ref, spawn, strays


class Observed:
    """A keeper of `command`, with what it reported."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.starts = threading.Semaphore(0)
        self.keeper = Keeper("tiny", self._launch, changed=self.starts.release, say=self.said.append)
        self._command = command

    def _launch(self) -> subprocess.Popen[bytes]:
        env = dict(os.environ)
        return spawn(self._command, state_dir=self.folder, log=self.folder / "tiny.log", env=env)

    def wait_for_start(self) -> ProcessRef | None:
        assert self.starts.acquire(timeout=10)
        return self.keeper.process


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Observed]:
    observed = Observed(tmp_path, "sleep", "1000")
    observed.keeper.start()
    yield observed
    observed.keeper.stop(5)
    assert strays(tmp_path) == []


def test_the_first_restart_comes_at_once(sleeper: Observed) -> None:
    first = sleeper.wait_for_start()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    second = sleeper.wait_for_start()
    assert second is not None
    assert second != first
    assert not is_alive(first)
    assert is_alive(second)
    assert sleeper.said == ["tiny was ended by SIGKILL; starting it again"]


def test_a_stopped_one_stays_down(sleeper: Observed) -> None:
    running = sleeper.wait_for_start()
    assert running is not None
    sleeper.keeper.stop(5)
    assert not is_alive(running)
    assert sleeper.said == []
    assert sleeper.keeper.deaths == 0


def test_one_that_will_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    observed = Observed(tmp_path, sys.executable, "-c", deaf)
    observed.keeper.start()
    log = tmp_path / "tiny.log"
    while not log.read_text():
        assert observed.keeper.process
    observed.keeper.stop(0.2)
    assert strays(tmp_path) == []


def test_one_that_keeps_dying_is_counted(tmp_path: Path) -> None:
    observed = Observed(tmp_path, "false")
    observed.keeper.start()
    for _ in range(3):
        assert observed.starts.acquire(timeout=10)
    assert observed.keeper.deaths >= 2
    observed.keeper.stop(1)
    assert observed.said[0] == "tiny ended with status 1; starting it again"


def test_a_pid_alone_is_not_a_process() -> None:
    own = ref(os.getpid())
    assert own is not None
    assert is_alive(own)
    impostor = ProcessRef(own.pid, "0")
    assert not is_alive(impostor)
    end([impostor], 0.1)  # would end this test run if it looked at the pid alone
