"""A private RabbitMQ node, with its own port mapper, that keeps data, users and ports in a state folder."""

import json
import os
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from examkit.broker_access import BrokerUser, definitions, with_administrator
from examkit.private_files import write_private

from examhall_local import amqp_probe, binaries
from examhall_local.files import kept_password, tail
from examhall_local.ports import KeptPorts
from examhall_local.postgres import NodeFailedError
from examhall_local.processes import end, ref, spawn, without

ADMINISTRATOR = "administrator"
VHOST = "examhall"
USERS = ("auth", "exam", "grading", "import", "gateway")
# Under which topic a user publishes (none: it does not), and whose events it hears beside its own.
RIGHTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "exam": ("exam", ("grading",)),
    "grading": ("grading", ("exam",)),
    "import": ("imports", ()),
    "gateway": ("", ()),
}
_READY_WITHIN = 120.0  # seconds


class PrivateRabbit:
    """One node on 127.0.0.1. `start` and `stop` block; `process` and `epmd` are what runs, None before."""

    def __init__(
        self,
        state_dir: Path,
        *,
        log: Path | None = None,
        users: Sequence[str] = USERS,
        management: bool = False,
        die_with_parent: bool = False,
    ) -> None:
        self._state_dir = state_dir.resolve()
        self._folder = self._state_dir / "rabbitmq"
        self._log = log or self._state_dir / "logs" / "rabbitmq.log"
        self._ports = KeptPorts(self._state_dir / "ports.json")
        self._users = tuple(users)
        self._management = management
        self._last_signal = signal.SIGTERM if die_with_parent else None
        self._port = 0
        self._epmd_lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.epmd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The administrator's, with the password."""
        return self.url_of(ADMINISTRATOR)

    def url_of(self, user: str) -> str:
        """The URL with which `user` (a service's name) connects."""
        return f"amqp://{user}:{self._password(user)}@127.0.0.1:{self._port}/{VHOST}"

    @property
    def management_url(self) -> str:
        """Of the management API, as the administrator, where the node has one."""
        port = self._ports.kept("rabbitmq-management")
        return f"http://{ADMINISTRATOR}:{self._password(ADMINISTRATOR)}@127.0.0.1:{port}"

    def start(self) -> str:
        """Starts port mapper and node, and returns the administrator's URL when the node lets him in."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        self.start_epmd()
        env = self._environment()
        self._port = self._port or self._ports.claim("rabbitmq")
        self._configure()
        process = self.process = spawn(
            [binaries.rabbitmq_server()],
            state_dir=self._state_dir,
            log=self._log,
            env={
                **env,
                "RABBITMQ_NODE_PORT": str(self._port),
                "RABBITMQ_DIST_PORT": str(self._ports.claim("rabbitmq-distribution")),
            },
            cwd=self._folder,
            die_with_parent=self._last_signal,
        )
        self._wait_until_it_answers(process)
        return self.url

    def start_epmd(self) -> subprocess.Popen[bytes]:
        """Starts the port mapper unless it runs. A node registers again by itself after a restart of it."""
        with self._epmd_lock:
            if self.epmd is None or self.epmd.poll() is not None:
                # A node that lives keeps looking for its port mapper where it was.
                port = self._ports.kept("epmd") if self.process else self._ports.claim("epmd")
                self.epmd = spawn(
                    [binaries.epmd(), "-port", str(port), "-address", "127.0.0.1"],
                    state_dir=self._state_dir,
                    log=self._log.with_name("epmd.log"),
                    env=self._environment(),
                    die_with_parent=self._last_signal,
                )
            return self.epmd

    def export_metrics(self, port: int) -> None:
        """Has the node of this state folder answer /metrics on the loopback `port` until it starts again."""
        listener = f'[{{ip, "127.0.0.1"}}, {{port, {port}}}]'
        self.control("eval", f"application:set_env(rabbitmq_prometheus, tcp_config, {listener}).")
        self.control("enable", "rabbitmq_prometheus", program="rabbitmq-plugins")

    def control(self, *words: str, program: str = "rabbitmqctl") -> subprocess.CompletedProcess[str]:
        """Runs `rabbitmqctl WORDS` on the node of this state folder, whoever started it."""
        return subprocess.run(
            [binaries.rabbitmq_server().with_name(program), *words],
            env={
                **self._environment(),
                "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            },
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def settle(self, timeout: float = 3.0) -> None:
        """Waits until the names of the queues just declared are on disk.

        RabbitMQ 3.10 gets to it within a second. After a crash before that it makes a new queue anew, and no
        leader is ever elected for it: who publishes to it or reads from it waits for ever.
        """
        until = time.monotonic() + timeout
        while not self._are_names_saved() and time.monotonic() < until:
            time.sleep(0.05)

    def _are_names_saved(self) -> bool:
        """By the third word of the file, with which Erlang marks one that holds all that is known."""
        files = list((self._folder / "data").glob("*/quorum/*/names.dets"))
        return all(file.read_bytes()[8:12] == b"\0\0\0\1" for file in files)

    def stop(self, grace: float = 30.0) -> None:
        """Ends the node, then its port mapper."""
        for process in (self.process, self.epmd):
            if process is not None:
                running = ref(process.pid) if process.poll() is None else None
                if running:
                    end([running], grace)
                process.wait()
        self.process = self.epmd = None

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _READY_WITHIN
        while not amqp_probe.answers(self.url):
            if process.poll() is not None:
                raise NodeFailedError(f"RabbitMQ did not start; the end of {self._log}:\n{tail(self._log)}")
            if time.monotonic() > until:
                raise NodeFailedError(f"RabbitMQ does not answer on port {self._port}; see {self._log}")
            time.sleep(0.05)

    def _password(self, user: str) -> str:
        return kept_password(self._state_dir / "passwords.json", f"rabbitmq-{user}")

    def _configure(self) -> None:
        """Writes all that the node reads at boot; nothing under /etc has a say."""
        file = self._folder / "definitions.json"
        write_private(file, json.dumps(self._definitions(), indent=1))
        plugins = "rabbitmq_management" if self._management else ""
        write_private(self._folder / "enabled_plugins", f"[{plugins}].\n")
        write_private(self._folder / "rabbitmq-env.conf", "")
        write_private(
            self._folder / "rabbitmq.conf",
            f"listeners.tcp.local = 127.0.0.1:{self._port}\n"
            f"load_definitions = {file}\n"
            "log.console = true\nlog.console.level = info\nlog.file = false\n"
            "disk_free_limit.absolute = 100MB\n"
            # The largest event is an attempt with all its texts.
            "max_message_size = 536870912\n"
            "raft.wal_max_size_bytes = 67108864\n" + self._management_listener(),
        )

    def _management_listener(self) -> str:
        if not self._management:
            return ""
        port = self._ports.claim("rabbitmq-management")
        return f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"

    def _definitions(self) -> dict[str, object]:
        users = [BrokerUser(user, self._password(user), *RIGHTS.get(user, (user,))) for user in self._users]
        made = definitions(VHOST, users)
        return with_administrator(made, ADMINISTRATOR, self._password(ADMINISTRATOR))

    def _environment(self) -> dict[str, str]:
        home = self._folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, secrets.token_hex(20), mode=0o400)
        folder = str(self._folder)
        return {
            **without(os.environ, "RABBITMQ_", "ERL_", "LC_", "NOTIFY_SOCKET"),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "ERL_EPMD_PORT": str(self._ports.kept("epmd")),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # The start script then becomes the node, instead of waiting for it and translating signals.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": "examhall@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # RabbitMQ's default, "none", costs a thread switch for each file that Erlang looks at while it
            # loads its code: measured on 2 cores, a start takes 9 s with it and 3 s with this.
            "RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD": "very_short",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
        }
