"""A private PostgreSQL node that keeps its data, password and port in a state folder."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from examkit.private_files import write_private

from examhall_local import binaries
from examhall_local.files import kept_password, tail
from examhall_local.ports import KeptPorts
from examhall_local.processes import (
    MARKER,
    ProcessRef,
    end,
    is_alive,
    ref,
    spawn,
    wait_gone,
    without,
    working_in,
)

ADMINISTRATOR = "examhall_admin"
DATABASE = "examhall"
# Durability is never traded for speed here: what is measured and tested is what an exam gets.
_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "cluster_name": "examhall",
}
_READY_WITHIN = 180.0  # seconds; recovery after a crash may have much to replay


class NodeFailedError(RuntimeError):
    """A node did not start; the text holds the end of its log."""


class PrivatePostgres:
    """One server on 127.0.0.1. `start` and `stop` block; `process` is the running server, None before."""

    def __init__(self, state_dir: Path, *, log: Path | None = None, die_with_parent: bool = False) -> None:
        self._state_dir = state_dir.resolve()
        self._folder = self._state_dir / "postgres"
        self._data = self._folder / "data"
        self._log = log or self._state_dir / "logs" / "postgres.log"
        self._ports = KeptPorts(self._state_dir / "ports.json")
        self._last_signal = signal.SIGINT if die_with_parent else None
        self._port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The administrator's, with the password."""
        return f"postgresql://{ADMINISTRATOR}:{self._password()}@127.0.0.1:{self._port}/{DATABASE}"

    def start(self) -> str:
        """Makes the cluster at first, starts the server, gives the administrator's DSN once it answers.

        Started again by the same object, it keeps its port: clients know it.
        """
        self._end_left_over()
        self._make_cluster()
        self._port = self._port or self._ports.claim("postgres")
        binary = binaries.postgres_folder(self._made_by()) / "postgres"
        chosen = _SETTINGS | _statistics(binary)
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
        process = self.process = spawn(
            [*self._as_user(), binary, "-D", self._data, "-p", str(self._port), *settings],
            state_dir=self._state_dir,
            log=self._log,
            env=_environment(),
            die_with_parent=self._last_signal,
        )
        self._wait_until_it_answers(process)
        self._make_database()
        return self.dsn

    def stop(self, grace: float = 30.0) -> None:
        """Ends the server (fast shutdown: open transactions roll back), and sees its children gone."""
        if self.process is None:
            return
        running = ref(self.process.pid) if self.process.poll() is None else None
        if running:
            end([running], grace, signal.SIGINT)
        self.process.wait()
        self.process = None
        self._end_left_over()

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _READY_WITHIN
        while time.monotonic() < until:
            if process.poll() is not None:
                raise NodeFailedError(f"PostgreSQL did not start; the end of {self._log}:\n{tail(self._log)}")
            try:
                psycopg.connect(self._maintenance_dsn(), connect_timeout=3).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.03)
        raise NodeFailedError(f"PostgreSQL does not answer on port {self._port}; see {self._log}")

    def _make_database(self) -> None:
        with psycopg.connect(self._maintenance_dsn(), autocommit=True) as admin:
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                admin.execute(f"CREATE DATABASE {DATABASE}")

    def _maintenance_dsn(self) -> str:
        return self.dsn.removesuffix(DATABASE) + "postgres"

    def _password(self) -> str:
        return kept_password(self._state_dir / "passwords.json", "postgres")

    def _made_by(self) -> int:
        return int((self._data / "PG_VERSION").read_text())

    def _make_cluster(self) -> None:
        if self._data.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        password = self._folder / "password"
        write_private(password, self._password())
        self._give_to_user(self._folder, password)
        made = subprocess.run(
            [
                *(*self._as_user(), str(binaries.postgres_folder() / "initdb"), "-D", str(unfinished)),
                *("-U", ADMINISTRATOR, "--auth=scram-sha-256", f"--pwfile={password}"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"),
            ],
            env={**_environment(), MARKER: str(self._state_dir)},
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        password.unlink()
        if made.returncode != 0:
            raise NodeFailedError(f"initdb failed in {self._folder}:\n{made.stdout}{made.stderr}")
        unfinished.rename(self._data)

    def _end_left_over(self) -> None:
        """Sees a former server of this cluster gone, orphaned backends too, so that a new one may start.

        After `kill -9` of the postmaster its children notice and end by themselves within moments; until then
        the shared memory is in use and a new postmaster would refuse to start.
        """
        end([p for p in self._left_over() if self._is_postmaster(p)], 30, signal.SIGINT)
        end(wait_gone(self._left_over(), 5), 5, signal.SIGQUIT)
        # Only now: the pid inside may belong to somebody else after a reboot, and would stop a new server.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _left_over(self) -> list[ProcessRef]:
        if Path("/proc/self").exists():
            return working_in(self._data)
        recorded = self._recorded_pid()
        living = ref(recorded) if recorded else None
        said = subprocess.run(["ps", "-o", "args=", "-p", str(recorded)], capture_output=True, check=False)
        return [living] if living and is_alive(living) and str(self._data).encode() in said.stdout else []

    def _is_postmaster(self, process: ProcessRef) -> bool:
        return process.pid == self._recorded_pid()

    def _recorded_pid(self) -> int:
        try:
            return int((self._data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return 0

    def _give_to_user(self, *paths: Path) -> None:
        user = _server_user()
        if user:
            for path in paths:
                os.chown(path, user.pw_uid, user.pw_gid)
        self._folder.chmod(0o700)

    def _as_user(self) -> list[str]:
        """The words in front of a command that must not run as root: PostgreSQL refuses to."""
        user = _server_user()
        if user is None:
            return []
        words = ["setpriv", f"--reuid={user.pw_name}", f"--regid={user.pw_gid}", "--clear-groups"]
        if not _can_reach(user, self._folder):
            # A checkout below /root (0700): one capability lets the server through to its own folder.
            words += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        return [*words, "--"]


def _server_user() -> pwd.struct_passwd | None:
    """Whom root runs the server as; None where one is not root and runs it as oneself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise binaries.MissingProgramError("root can't run PostgreSQL, and there is no user postgres or nobody")


def _statistics(server: Path) -> dict[str, str]:
    """Which statements take the time is counted where the server comes with what counts it (contrib).

    Only those whose values are taken out of the text: the others (ALTER ROLE …) may hold secrets.
    """
    places = (server.parent.parent / "lib", server.parent.parent / "lib" / "postgresql")
    if not any(next(place.glob("pg_stat_statements.*"), None) for place in places):
        return {}
    return {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_utility": "off"}


def _can_reach(user: pwd.struct_passwd, folder: Path) -> bool:
    for above in folder.parents:
        status = above.stat()
        own = status.st_uid == user.pw_uid and status.st_mode & 0o100
        if not (own or status.st_mode & 0o001):
            return False
    return True


def _environment() -> dict[str, str]:
    return {**without(os.environ, "PG", "LC_"), "LANG": "C.UTF-8", "TZ": "UTC"}
