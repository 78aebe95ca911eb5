"""A copy of Examhall, started and stopped by the project's own commands, with a state folder of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class System:
    """`up`, `down` and the state file of one copy; `env` goes on top of the environment."""

    def __init__(self, state_dir: Path, env: Mapping[str, str] | None = None) -> None:
        self.state_dir = state_dir
        self.port = free_port()
        self._env = os.environ | {
            "STATE_DIR": str(state_dir),
            "PORT": str(self.port),
            "HOST": "127.0.0.1",
            "RATE_LIMITS": "0",
            **(env or {}),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m examhall_local WORDS`."""
        return subprocess.run(
            [sys.executable, "-m", "examhall_local", *words],
            env=self._env,
            text=True,
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `python -m examhall_local WORDS`, which goes on until it is ended."""
        command = [sys.executable, "-m", "examhall_local", *words]
        return subprocess.Popen(command, env=self._env, text=True, stdout=subprocess.DEVNULL)

    def port_of(self, name: str) -> int:
        """A port by its name in the state folder."""
        port: int = json.loads((self.state_dir / "ports.json").read_text())[name]
        return port

    @staticmethod
    def answers_on(port: int) -> bool:
        """Whether anybody listens there."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def up(self) -> None:
        done = self.command("up")
        assert done.returncode == 0, done.stdout + done.stderr + self.logs()

    def down(self) -> None:
        done = self.command("down")
        assert done.returncode == 0, done.stdout + done.stderr

    def state(self) -> dict[str, Any]:
        """What the state file says now."""
        found: dict[str, Any] = json.loads((self.state_dir / "state.json").read_text())
        return found

    def pid(self, name: str) -> int:
        """The process of a service, `gateway`, `postgres` or `rabbitmq`."""
        state = self.state()
        entry = state["services"].get(name) or state[name]
        pid: int = entry["pid"]
        return pid

    def kill(self, name: str) -> int:
        """End a process without a warning; the pid it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def not_ready(self) -> list[str]:
        """Who does not say that it is ready."""
        state = self.state()
        urls = {name: one["ops_url"] for name, one in state["services"].items()}
        urls |= {"gateway": state["gateway"]["ops_url"], "the public port": self.url}
        return [name for name, url in urls.items() if not _is_ready(url)]

    def logs(self, lines: int = 30) -> str:
        """The last lines of every log."""
        parts = []
        for path in sorted((self.state_dir / "logs").glob("*.log")):
            parts.append(f"--- {path.name}\n" + "\n".join(path.read_text().splitlines()[-lines:]))
        return "\n".join(parts)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(condition: Any, what: str, seconds: float = 60) -> None:
    """Ask again until it is true. Raises AssertionError after so many seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.05)
