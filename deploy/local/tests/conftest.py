"""A checkout in miniature, whose services are tiny, and the commands run against it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from examhall_local.processes import strays
from examhall_local.statedir import StateDir

# Ready at once on its ops address (and on HTTP_BIND, for the gateway). BREAK makes it fail on purpose.
_TINY = """
import os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *args):
        pass

def listen(bind):
    host, _, port = bind.rpartition(":")
    return ThreadingHTTPServer((host, int(port)), Handler)

if sys.argv[1] == "migrate":
    print("migrating", os.environ["DB_SCHEMA"])
    sys.exit("the migration is broken" if os.environ.get("BREAK") == "migrate" else 0)
if sys.argv[1] not in ("serve", "migrate"):
    print(os.environ["DB_SCHEMA"], *sys.argv[1:], "RABBITMQ_URL" in os.environ)
    sys.exit("the broker is gone" if os.environ.get("BREAK") == sys.argv[1] else 0)
if os.environ.get("BREAK") == "serve":
    sys.exit("the service is broken")
servers = [listen(os.environ[name]) for name in ("OPS_BIND", "HTTP_BIND") if name in os.environ]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("serving", flush=True)
servers[0].serve_forever()
"""
SERVICES = ("auth", "exam", "grading", "import")


@dataclass
class Checkout:
    """A miniature checkout with one state folder, and how to run commands on it."""

    root: Path
    state_dir: Path
    port: int
    services: tuple[str, ...] = SERVICES

    @property
    def folder(self) -> StateDir:
        return StateDir(self.state_dir)

    @property
    def state(self) -> dict[str, Any]:
        state = self.folder.read_state()
        assert state is not None
        return state

    def env(self, **more: str) -> dict[str, str]:
        sources = ":".join(str(p) for p in self.root.glob("*/**/src"))
        return os.environ | {
            "EXAMHALL_ROOT": str(self.root),
            "STATE_DIR": str(self.state_dir),
            "PORT": str(self.port),
            "DEMO": "0",
            "PYTHONPATH": sources,
            **more,
        }

    def start(self, *words: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "examhall_local", *words],
            env=self.env(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, **more: str) -> tuple[int, str]:
        """Exit status and all output."""
        process = self.start(*words, **more)
        output, _ = process.communicate(timeout=120)
        return process.returncode, output


MakeCheckout = Callable[[str, int], Checkout]


@pytest.fixture
def make_checkout(tmp_path: Path) -> Iterator[MakeCheckout]:
    made: list[Checkout] = []

    def make(name: str, port: int = 0) -> Checkout:
        root = tmp_path / name
        for service in SERVICES:
            _package(root / "services" / service, f"{service}_service")
        _package(root / "gateway", "exam_gateway")
        made.append(Checkout(root, root / ".run", port))
        return made[-1]

    yield make
    for checkout in made:
        checkout.run("down")
        assert strays(checkout.state_dir) == []


def _package(folder: Path, package: str) -> None:
    source = folder / "src" / package
    source.mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    (source / "__init__.py").touch()
    (source / "__main__.py").write_text(_TINY)
