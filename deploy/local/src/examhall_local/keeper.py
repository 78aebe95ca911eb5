"""Keeps one process alive: starts it again when it dies, at once the first time, then with growing pauses."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable

from examhall_local.processes import ProcessRef, end, ref

_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds before each restart in a row
_SETTLED = 30.0  # seconds of life after which earlier deaths are forgotten


class Keeper:
    """One process that should run until `stop`.

    `launch` starts it (and may block until it is ready). `changed` is called after each start, `say` with a
    line for people at each death.
    """

    def __init__(
        self,
        name: str,
        launch: Callable[[], subprocess.Popen[bytes]],
        *,
        changed: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        self.name = name
        self.deaths = 0
        self._launch = launch
        self._changed = changed
        self._say = say
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._watcher = threading.Thread(target=self._watch, name=f"keeper-{name}", daemon=True)

    def start(self) -> None:
        """Starts the process for the first time; what `launch` raises goes to the caller."""
        self._started()
        self._watcher.start()

    @property
    def process(self) -> ProcessRef | None:
        """What runs now; None between two lives."""
        return ref(self._process.pid) if self._process is not None else None

    def stop(self, grace: float, first: signal.Signals = signal.SIGTERM) -> None:
        """Ends the process for good: asked with `first`, killed after `grace` seconds."""
        self.let_go()
        running = self.process
        if running:
            end([running], grace, first)
        if self._watcher.is_alive():
            self._watcher.join(5)

    def let_go(self) -> None:
        """From here on a death is no accident: whoever calls this ends the process himself."""
        self._stopping.set()

    def _started(self) -> None:
        self._process = self._launch()
        self._started_at = time.monotonic()
        self._changed()

    def _watch(self) -> None:
        in_a_row = 0
        while True:
            assert self._process is not None
            code = self._process.wait()
            if self._stopping.is_set():
                return
            self.deaths += 1
            in_a_row = 0 if time.monotonic() - self._started_at > _SETTLED else in_a_row
            self._say(f"{self.name} {_ending(code)}; starting it again")
            if not self._start_again(in_a_row):
                return
            in_a_row += 1

    def _start_again(self, in_a_row: int) -> bool:
        """Whether it runs again (False: it should not any more)."""
        while not self._stopping.wait(_PAUSES[min(in_a_row, len(_PAUSES) - 1)]):
            try:
                self._started()
            except Exception as problem:  # whatever it was, the next try may do better
                self._say(f"{self.name} could not be started: {problem}")
                in_a_row += 1
                continue
            if self._stopping.is_set():
                self.stop_now()
            return True
        return False

    def stop_now(self) -> None:
        """Kills what a late restart brought up while everything stops."""
        running = self.process
        if running:
            end([running], 1)


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with status {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
