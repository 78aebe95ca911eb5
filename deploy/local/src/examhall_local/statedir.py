"""The state folder: what lies where, whose it is, and who may work in it."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examkit.private_files import write_private

from examhall_local import kept_files
from examhall_local.processes import ProcessRef

_SIGN = ".examhall-state"


class NotOursError(RuntimeError):
    """The folder holds something else; nothing in it is touched."""


class StateDir:
    """One run's folder. Everything the run writes is below it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.tls = path / "tls"
        self.files = path / kept_files.FOLDER
        self.passwords = path / "passwords.json"
        self.ports = path / "ports.json"
        self._state = path / "state.json"
        self._processes = path / "processes.json"
        self._settings = path / "settings.json"
        self._observer = path / "observer.json"
        self._lock: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this program made the folder."""
        return (self.path / _SIGN).is_file()

    def create(self) -> None:
        """Makes the folder. Raises NotOursError where one with other content is there."""
        if self.path.exists() and not self.is_ours and any(self.path.iterdir()):
            raise NotOursError(f"STATE_DIR {self.path} holds other things; name an empty or new folder")
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / _SIGN).write_text("What a local run of Examhall keeps. `make clean` removes it.\n")
        self.logs.mkdir(exist_ok=True)

    def remove(self) -> None:
        """Removes the folder with everything in it, if it is ours."""
        if self.path.exists():
            if not self.is_ours:
                raise NotOursError(f"STATE_DIR {self.path} was not made by this program: not removed")
            shutil.rmtree(self.path)

    def take(self) -> bool:
        """Becomes the one supervisor of this folder, until the process ends; False if another one is."""
        descriptor = os.open(self.path / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True

    def release(self) -> None:
        """Gives the place back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def is_supervised(self) -> bool:
        """Whether a supervisor lives in this folder."""
        if not self.is_ours:
            return False
        free = self.take()
        if free:
            self.release()
        return not free

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Two `up`, or an `up` and a `down`, wait for each other."""
        descriptor = os.open(self.path / "command.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read_state(self) -> dict[str, Any] | None:
        """state.json as it was last written; None while the system is not up."""
        try:
            state: dict[str, Any] = json.loads(self._state.read_text())
        except FileNotFoundError:
            return None
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        """Replaces state.json."""
        write_private(self._state, json.dumps(state, indent=2) + "\n")

    def write_processes(self, running: dict[str, ProcessRef]) -> None:
        """Notes what runs, so that `down` finds it even where the supervisor was killed."""
        write_private(
            self._processes, json.dumps({name: [p.pid, p.started] for name, p in running.items()}, indent=1)
        )

    def read_processes(self) -> dict[str, ProcessRef]:
        """What was last noted to run, by name; some of it may have ended since."""
        try:
            noted: dict[str, tuple[int, str]] = json.loads(self._processes.read_text())
        except FileNotFoundError:
            return {}
        return {name: ProcessRef(pid, started) for name, (pid, started) in noted.items()}

    def write_settings(self, settings: dict[str, dict[str, str]]) -> None:
        """Notes with which variables each process was started, for commands that work beside it."""
        write_private(self._settings, json.dumps(settings, indent=1))

    def read_settings(self, process: str) -> dict[str, str]:
        """The variables of one process of the running system. Raises FileNotFoundError while none runs."""
        settings: dict[str, dict[str, str]] = json.loads(self._settings.read_text())
        return settings[process]

    def write_observer(self, process: ProcessRef) -> None:
        """Notes who observes the system, for whoever ends the system."""
        write_private(self._observer, json.dumps([process.pid, process.started]))

    def read_observer(self) -> ProcessRef | None:
        """Who observed the system last, and may have ended since."""
        try:
            pid, started = json.loads(self._observer.read_text())
        except FileNotFoundError:
            return None
        return ProcessRef(pid, started)

    def forget(self) -> None:
        """Removes what tells of a running system."""
        self._state.unlink(missing_ok=True)
        self._processes.unlink(missing_ok=True)
        self._settings.unlink(missing_ok=True)
