"""What the person at the keyboard chose: make variables and environment, read once."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parents[4]


class BadOptionError(ValueError):
    """A variable holds what it can't; the text says which and what it may hold."""


@dataclass(frozen=True)
class Options:
    """`port` 0 means any free one. The URLs are an administrator's, of nodes that others run; `files_url` of
    where pictures lie, if not in the state folder.
    """

    root: Path
    state_dir: Path
    host: str
    port: int
    demo: bool
    rate_limits: bool
    database_url: str
    rabbitmq_url: str
    files_url: str

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the gateway."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def reachable_host(self) -> str:
        """The host for URLs: the wildcard addresses are none that a client could ask for."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"[{host}]" if ":" in host else host


def read(env: Mapping[str, str]) -> Options:
    """The options from the environment; an empty variable counts as unset. Raises BadOptionError."""
    root = Path(env.get("EXAMHALL_ROOT") or _REPOSITORY).resolve()
    port = env.get("PORT") or "8000"
    if not (port.isdigit() and int(port) < 65536):
        raise BadOptionError(f"PORT must be a number below 65536, not {port!r}")
    return Options(
        root=root,
        state_dir=(root / (env.get("STATE_DIR") or ".run")).resolve(),
        host=(env.get("HOST") or "127.0.0.1").strip("[]"),
        port=int(port),
        demo=_is_on(env, "DEMO"),
        rate_limits=_is_on(env, "RATE_LIMITS"),
        database_url=env.get("DATABASE_URL") or "",
        rabbitmq_url=env.get("RABBITMQ_URL") or "",
        files_url=env.get("FILES_URL") or "",
    )


def _is_on(env: Mapping[str, str], name: str) -> bool:
    value = (env.get(name) or "1").lower()
    if value not in ("0", "1", "false", "true", "no", "yes", "off", "on"):
        raise BadOptionError(f"{name} must be 0 or 1, not {value!r}")
    return value in ("1", "true", "yes", "on")
