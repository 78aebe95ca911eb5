"""The whole system of one state folder: what starts after what, what ends before what, and state.json."""

import base64
import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from examkit import certificates
from examkit.certificates import CertificateFiles

from examhall_local import migrations
from examhall_local.backing import Backing
from examhall_local.files import kept_password, tail
from examhall_local.http_probe import answers
from examhall_local.keeper import Keeper
from examhall_local.options import Options
from examhall_local.plan import (
    GATEWAY,
    Access,
    Addresses,
    ProcessSpec,
    Service,
    base_environment,
    discover,
    gateway_spec,
    service_spec,
)
from examhall_local.ports import KeptPorts, is_free
from examhall_local.processes import ProcessRef, end, ref, spawn
from examhall_local.statedir import StateDir
from examhall_local.sweep import sweep

_READY_WITHIN = 120.0  # seconds
_DEATHS_AT_START = 3  # so often a process may die before it was ever ready
_GRACE = 30.0  # seconds between SIGTERM and SIGKILL: 20 for calls under way, the rest for workers
_BOOT_GRACE = 20.0


class StartFailedError(RuntimeError):
    """The system did not come up; the text says what failed, with the end of its log."""


class System:
    """Starts, watches and stops everything. `start` blocks until all is ready; `stop` may come any time."""

    def __init__(self, options: Options, folder: StateDir, say: Callable[[str], None]) -> None:
        self.options = options
        self.folder = folder
        self.services = discover(options.root)
        self._say = say
        self._lock = threading.Lock()
        self._is_ready = False
        self._keepers: dict[str, Keeper] = {}
        self._specs: dict[str, ProcessSpec] = {}
        self._tls: dict[str, CertificateFiles] = {}
        self._accesses: dict[Service, Access] = {}
        self._backing = Backing(options, folder, self.services, changed=self._note, say=say)
        self._addresses: Addresses | None = None
        self._rabbit_start: Future[None] | None = None

    @property
    def url(self) -> str:
        """The gateway's, for people and clients on this machine."""
        assert self._addresses is not None
        return f"http://{self.options.reachable_host}:{self._addresses.http.rpartition(':')[2]}"

    def start(self) -> None:
        """Brings everything up. Raises StartFailedError or what a node raised; `stop` cleans up then too."""
        sweep(self.folder)
        self._check_port()
        self._addresses = Addresses.choose(self.options, self.services, KeptPorts(self.folder.ports))
        self._note()
        identities = (*(s.name for s in self.services), "gateway-student", "gateway-staff", "operator")
        self._tls = certificates.ensure(self.folder.tls, identities)
        # RabbitMQ takes the longest: the database is made ready meanwhile.
        pool = ThreadPoolExecutor(1)
        rabbit = self._rabbit_start = pool.submit(self._backing.start_rabbitmq)
        pool.shutdown(wait=False)
        self._prepare_database()
        rabbit.result()
        self._say("PostgreSQL and RabbitMQ answer")
        self._start_processes()
        self._wait_until_ready()
        self._backing.settle()

    def announce(self) -> None:
        """Writes state.json, which says that all is ready, and keeps it up to date from here on."""
        self._is_ready = True
        self._note()

    def stop(self) -> None:
        """Ends who observes, the gateway, the services, then the nodes; at last whatever is left."""
        self._is_ready = False
        observer = self.folder.read_observer()
        end([observer] if observer else [], _GRACE)
        for keeper in list(self._keepers.values()):
            keeper.let_go()
        if GATEWAY in self._keepers:
            self._keepers[GATEWAY].stop(_GRACE)
        services = [k for name, k in self._keepers.items() if name != GATEWAY]
        if services:
            with ThreadPoolExecutor(len(services)) as pool:
                list(pool.map(lambda keeper: keeper.stop(_GRACE), services))
        if self._rabbit_start is not None:
            # While it boots, RabbitMQ hears no signal, and killed at its first start it may leave half a
            # database: it gets the few seconds that it needs.
            wait([self._rabbit_start], _BOOT_GRACE)
        self._backing.stop()
        sweep(self.folder)

    def _check_port(self) -> None:
        port = self.options.port
        if port and not is_free(port, self.options.host):
            raise StartFailedError(
                f"port {port} on {self.options.host} is taken by another program (or the address is not this"
                f" machine's); name another one, for example: make up PORT={port + 1}"
            )

    def _prepare_database(self) -> None:
        self._backing.start_postgres()
        self._accesses = {service: self._backing.access(service) for service in self.services}
        stamp = self.folder.path / "postgres" / "migrated.json" if self._backing.is_postgres_private else None
        migrations.migrate(
            self.options.root, self.folder.path, self._accesses, python=sys.executable, stamp=stamp
        )

    def _start_processes(self) -> None:
        assert self._addresses is not None
        for service in self.services:
            tls = self._tls[service.name]
            access, bus = self._accesses[service], self._backing.rabbitmq_url(service.name)
            self._specs[service.name] = service_spec(
                service, self._addresses, access, bus, tls, self._own_settings(service)
            )
        gateway_bus = self._backing.rabbitmq_url(GATEWAY)
        self._specs[GATEWAY] = gateway_spec(self.options, self._addresses, gateway_bus, self._tls)
        self.folder.write_settings({name: dict(spec.settings) for name, spec in self._specs.items()})
        for name, spec in self._specs.items():
            keeper = Keeper(name, partial(self._spawn, spec), changed=self._note, say=self._say)
            self._keepers[name] = keeper
            keeper.start()

    def _own_settings(self, service: Service) -> dict[str, str]:
        """Settings that one service alone has, and that must outlive a restart."""
        if service.name == "exam":
            return {"FILES_URL": self.options.files_url or self.folder.files.as_uri()}
        if service.name != "auth":
            return {}
        secret = kept_password(self.folder.passwords, "auth-key-encryption")
        sealing = base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()
        return {"KEY_ENCRYPTION_KEY": os.environ.get("KEY_ENCRYPTION_KEY") or sealing}

    def _spawn(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        return spawn(
            spec.command,
            state_dir=self.folder.path,
            log=self.folder.logs / f"{spec.name}.log",
            env={**base_environment(os.environ), **spec.settings},
            cwd=self.options.root,
        )

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _READY_WITHIN
        waiting = {name: f"{spec.ops_url}/readyz" for name, spec in self._specs.items()}
        waiting["the gateway's public port"] = f"{self.url}/readyz"
        while waiting:
            waiting = {name: url for name, url in waiting.items() if not answers(url)}
            for name, keeper in self._keepers.items():
                if name in waiting and keeper.deaths >= _DEATHS_AT_START:
                    raise StartFailedError(f"{name} does not stay up; {self._log_of(name)}")
            if waiting and time.monotonic() > until:
                name = next(iter(waiting))
                raise StartFailedError(
                    f"not ready after {_READY_WITHIN:.0f} s: {', '.join(waiting)}; {self._log_of(name)}"
                )
            if waiting:
                time.sleep(0.05)

    def _log_of(self, name: str) -> str:
        log = self.folder.logs / f"{name if name in self._specs else GATEWAY}.log"
        return f"the end of {log}:\n{tail(log)}"

    def _note(self) -> None:
        """Writes down what runs now. Called after every start of a process, from any thread."""
        with self._lock:
            running = {**self._backing.processes}
            running |= {k.name: p for k in list(self._keepers.values()) if (p := k.process) is not None}
            own = ref(os.getpid())
            assert own is not None
            self.folder.write_processes({**running, "supervisor": own})
            if self._is_ready:
                self.folder.write_state(self._state(running))

    def _state(self, running: dict[str, ProcessRef]) -> dict[str, Any]:
        def pid(name: str) -> int | None:
            return running[name].pid if name in running else None

        operator = self._tls["operator"]
        return {
            "gateway": {"url": self.url, "pid": pid(GATEWAY), "ops_url": self._specs[GATEWAY].ops_url},
            "services": {
                s.name: {
                    "pid": pid(s.name),
                    "grpc": self._specs[s.name].grpc,
                    "ops_url": self._specs[s.name].ops_url,
                }
                for s in self.services
            },
            "postgres": {"dsn": self._backing.admin_dsn, "pid": pid("postgres")},
            "rabbitmq": {"url": self._backing.rabbitmq_url(), "pid": pid("rabbitmq")},
            "tls": {"ca": str(operator.ca), "cert": str(operator.cert), "key": str(operator.key)},
            "supervisor": {"pid": os.getpid()},
        }
