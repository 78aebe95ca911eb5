"""Loopback ports, chosen once and kept in the state folder, so that what restarts comes back where it was."""

import json
import random
import socket
import sys
import threading
from pathlib import Path

from examkit.private_files import write_private

# Below the range from which Linux and macOS take the ports of outgoing connections: nobody takes a kept
# port by accident while its owner restarts.
_LOWEST, _HIGHEST = 20000, 32000
_lock = threading.Lock()  # one process writes a state folder's ports, from several threads
_claimed: set[int] = set()  # by this process, while it lives


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now (connections of a former server in TIME_WAIT don't count)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _claim(port: int) -> bool:
    """Keeps it from copies that choose at this moment, before anyone listens there (Linux); False if one has.

    What tells them is a name without a file, which goes with the process.
    """
    if port in _claimed or sys.platform != "linux":
        return True
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0examhall-port-{port}")
    except OSError:
        mark.close()
        return False
    mark.detach()
    _claimed.add(port)
    return True


class KeptPorts:
    """The ports of one state folder, by name."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def claim(self, name: str) -> int:
        """The kept port of `name`, or another one where somebody else listens there by now."""
        return self._keep(name, only_free=True)

    def kept(self, name: str) -> int:
        """The port of `name`, whoever listens there."""
        return self._keep(name, only_free=False)

    def _keep(self, name: str, *, only_free: bool) -> int:
        with _lock:
            kept: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
            port = kept.get(name)
            if port is None or (only_free and not (is_free(port) and _claim(port))):
                port = self._choose(set(kept.values()))
                kept[name] = port
                write_private(self._file, json.dumps(kept, indent=1))
            return port

    @staticmethod
    def _choose(taken: set[int]) -> int:
        for _ in range(1000):
            port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311 - no secret
            if port not in taken | _claimed and is_free(port) and _claim(port):
                return port
        raise RuntimeError(f"no free loopback port between {_LOWEST} and {_HIGHEST}")
