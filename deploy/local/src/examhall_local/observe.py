"""`observe`: Prometheus and Alertmanager beside a running system, with exporters for its private nodes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

import psycopg
from examkit.private_files import write_private
from examkit.provision import make_role, role_dsn
from psycopg import sql
from psycopg.conninfo import make_conninfo

from examhall_local import observe_config
from examhall_local.binaries import MissingProgramError
from examhall_local.files import kept_password
from examhall_local.http_probe import answers
from examhall_local.keeper import Keeper
from examhall_local.options import Options
from examhall_local.ports import KeptPorts
from examhall_local.processes import ref, spawn, without
from examhall_local.rabbitmq import PrivateRabbit
from examhall_local.statedir import StateDir

OBSERVER = "examhall_observer"
_LOOKS_EVERY = 2.0  # seconds: whether the system is still up, and where
_READY_WITHIN = 60.0
_GRACE = 10.0


class SystemDownError(RuntimeError):
    """There is nothing to observe."""


class NotReadyError(RuntimeError):
    """A program was started and does not answer; the text says where its log is."""


@dataclass(frozen=True)
class Ports:
    """Loopback ports, the same at every start of this state folder."""

    prometheus: int
    alertmanager: int
    postgres: int
    rabbitmq: int

    @classmethod
    def choose(cls, ports: KeptPorts) -> "Ports":
        """Kept ones where they are free."""
        return cls(
            prometheus=ports.claim("prometheus"),
            alertmanager=ports.claim("alertmanager"),
            postgres=ports.claim("metrics-of-postgres"),
            rabbitmq=ports.kept("metrics-of-rabbitmq"),  # where the node may listen already
        )


def run(options: Options, interval: float) -> int:
    """Scrapes each `interval` seconds, in the foreground, until Ctrl-C or until the system is down."""
    folder = StateDir(options.state_dir)
    try:
        return _Observatory(options, folder, interval).run()
    except (SystemDownError, NotReadyError, MissingProgramError) as problem:
        print(problem, file=sys.stderr)
        return 1


class _Observatory:
    """The processes of one `observe`."""

    def __init__(self, options: Options, folder: StateDir, interval: float) -> None:
        if folder.read_state() is None or not folder.is_supervised:
            raise SystemDownError(f"nothing is up in {folder.path}: make up first, then make observe")
        self._options = options
        self._folder = folder
        self._interval = interval
        self._place = folder.path / "observe"
        self._ports = Ports.choose(KeptPorts(folder.ports))
        self._keepers: list[Keeper] = []
        self._ending = threading.Event()

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._end)
        try:
            self._start()
            self._tell()
            while not self._ending.wait(_LOOKS_EVERY) and self._folder.is_supervised:
                self._write_targets()
                self._export_rabbitmq()
        finally:
            for keeper in self._keepers:
                keeper.stop(_GRACE)
        return 0

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending.set()

    def _start(self) -> None:
        own = ref(os.getpid())
        assert own is not None
        self._folder.write_observer(own)
        self._place.mkdir(mode=0o700, exist_ok=True)
        rules = self._options.root / "deploy" / "prometheus" / "rules"
        alerting = f"127.0.0.1:{self._ports.alertmanager}"
        self._write("prometheus.json", observe_config.prometheus(rules, self._interval, alerting))
        self._write("alertmanager.json", observe_config.alertmanager())
        self._write_targets()
        self._export_rabbitmq()
        self._keep("metrics-of-postgres", self._postgres_exporter())
        self._keep("alertmanager", self._alertmanager())
        self._keep("prometheus", self._prometheus())
        for url in (f"http://127.0.0.1:{self._ports.prometheus}", f"http://{alerting}"):
            self._wait_until_ready(f"{url}/-/ready")

    def _tell(self) -> None:
        prometheus = f"http://127.0.0.1:{self._ports.prometheus}"
        print(
            f"\n  Prometheus    {prometheus}"
            f"\n  targets       {prometheus}/targets"
            f"\n  alerts        {prometheus}/alerts"
            f"\n  Alertmanager  http://127.0.0.1:{self._ports.alertmanager}"
            f"\n  dashboards    {self._options.root}/deploy/grafana/dashboards, for a Grafana of yours"
            "\n\n  Ctrl-C ends it; what was measured stays in the state folder\n",
            flush=True,
        )

    def _prometheus(self) -> tuple[Sequence[str], dict[str, str]]:
        address = f"127.0.0.1:{self._ports.prometheus}"
        return [
            _program("prometheus"),
            f"--config.file={self._place / 'prometheus.json'}",
            f"--storage.tsdb.path={self._place / 'measured'}",
            "--storage.tsdb.retention.time=15d",
            f"--web.listen-address={address}",
            "--log.level=warn",
        ], {}

    def _alertmanager(self) -> tuple[Sequence[str], dict[str, str]]:
        return [
            _program("prometheus-alertmanager", "alertmanager"),
            f"--config.file={self._place / 'alertmanager.json'}",
            f"--storage.path={self._place / 'alerts'}",
            f"--web.listen-address=127.0.0.1:{self._ports.alertmanager}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ], {}

    def _postgres_exporter(self) -> tuple[Sequence[str], dict[str, str]]:
        queries = self._options.root / "deploy" / "prometheus" / "postgres-queries.yml"
        return [
            _program("prometheus-postgres-exporter", "postgres_exporter"),
            f"--web.listen-address=127.0.0.1:{self._ports.postgres}",
            f"--extend.query-path={queries}",
            "--log.level=warn",
        ], {"DATA_SOURCE_NAME": self._observer()}

    def _observer(self) -> str:
        """The DSN of a role that sees figures and nothing else; made as the administrator.

        In the server's own database: what is made in ours goes into its backups, and must be wherever they
        are restored.
        """
        state = self._folder.read_state()
        if state is None:
            raise SystemDownError("the system is down")
        dsn = make_conninfo(state["postgres"]["dsn"], dbname="postgres")
        password = kept_password(self._folder.passwords, "postgres-observer")
        with psycopg.connect(dsn, autocommit=True) as admin:
            make_role(admin, OBSERVER, password)
            role = sql.Identifier(OBSERVER)
            admin.execute(sql.SQL("ALTER ROLE {} INHERIT").format(role))
            admin.execute(sql.SQL("GRANT pg_monitor TO {}").format(role))
            with suppress(psycopg.Error):  # where the server comes without it, its panels stay empty
                admin.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        # The exporter asks for TLS where nothing is said; the private node has none.
        return role_dsn(dsn, OBSERVER, password) + ("" if self._options.database_url else "?sslmode=disable")

    def _export_rabbitmq(self) -> None:
        """Has the private node tell its metrics; it forgets when it starts again."""
        if self._options.rabbitmq_url or answers(f"http://127.0.0.1:{self._ports.rabbitmq}/metrics"):
            return
        PrivateRabbit(self._folder.path).export_metrics(self._ports.rabbitmq)

    def _write_targets(self) -> None:
        state = self._folder.read_state()
        if state is None:
            return
        others = {"postgres": self._ports.postgres}
        if not self._options.rabbitmq_url:
            others["rabbitmq"] = self._ports.rabbitmq
        self._write("targets.json", observe_config.targets(state, others))

    def _write(self, name: str, content: object) -> None:
        text = json.dumps(content, indent=1) + "\n"
        file = self._place / name
        if not file.exists() or file.read_text() != text:
            write_private(file, text)

    def _keep(self, name: str, command: tuple[Sequence[str], dict[str, str]]) -> None:
        words, settings = command

        def launch() -> subprocess.Popen[bytes]:
            if not self._folder.is_supervised:
                self._ending.set()
                raise SystemDownError("the system is down")
            return spawn(
                words,
                state_dir=self._folder.path,
                log=self._folder.logs / f"{name}.log",
                env={**without(os.environ, "PG", "DATA_SOURCE"), **settings},
                cwd=self._place,
                die_with_parent=signal.SIGTERM,
            )

        keeper = Keeper(name, launch, changed=lambda: None, say=print)
        self._keepers.append(keeper)
        keeper.start()

    def _wait_until_ready(self, url: str) -> None:
        until = time.monotonic() + _READY_WITHIN
        while not answers(url):
            if time.monotonic() > until or self._ending.is_set():
                raise NotReadyError(f"{url} does not answer; see the logs in {self._folder.logs}")
            time.sleep(0.05)


def _program(*names: str) -> str:
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise MissingProgramError(f"no {names[0]} on this machine (Debian: apt-get install {names[0]})")
