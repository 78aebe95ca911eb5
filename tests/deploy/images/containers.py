"""The system from its images, hardened as in the chart, beside private servers; podman runs them."""

import json
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from examhall_local.postgres import PrivatePostgres
from examhall_local.rabbitmq import PrivateRabbit
from examkit.provision import role_dsn

from tests.harness.api import ADMIN
from tests.harness.system import free_port, wait_until

SERVICES = ("auth", "exam", "grading", "import")
IDENTITIES = (*SERVICES, "gateway-student", "gateway-staff", "operator")
HARDENED = (
    "--network=host",
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--user=10001:10001",
    "--pids-limit=512",
)
REPOSITORY = os.environ.get("REPOSITORY", "localhost/examhall")
VERSION = os.environ.get("VERSION", "0.1.0")


def podman(*words: str, env: Mapping[str, str] | None = None) -> str:
    """What it printed; values of `env` travel by its own environment, not on the command line."""
    done = subprocess.run(
        ["podman", *words], env={**os.environ, **(env or {})}, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, f"podman {words}: {done.stdout}{done.stderr}"
    return done.stdout


class Images:
    """Has what the scenarios ask of a running system: `url`, `pid`, `kill`, `not_ready`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = f"examhall-test-{secrets.token_hex(3)}"
        self._postgres = PrivatePostgres(folder / "postgres")
        self._rabbit = PrivateRabbit(folder / "rabbitmq", users=(), management=True)
        self._grpc = {name: free_port() for name in SERVICES}
        self._ops = {name: free_port() for name in (*SERVICES, "gateway")}
        self._port = free_port()
        self._running: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def up(self) -> None:
        """From nothing to ready, in the order of the chart's Job."""
        for name in ("tls", "files"):
            (self._folder / name).mkdir()
        admin = self._postgres.start()
        self._rabbit.start()
        env = self._addresses(admin)
        self._once("auth", {}, "python", "-m", "examkit.certificates", "/tls", *IDENTITIES)
        provision = {**env, "ADMIN_DATABASE_URL": admin, "RABBITMQ_ADMIN_URL": self._rabbit.management_url}
        self._once("auth", provision, "python", "-m", "examkit.provisioning")
        for name in SERVICES:
            own = {"DB_SCHEMA": name, "MIGRATE_DATABASE_URL": env[f"{name.upper()}_MIGRATE_DATABASE_URL"]}
            self._once(name, own, "python", "-m", f"{name}_service", "migrate")
            settings = self._service(name, env)
            self._once(name, settings, "python", "-m", f"{name}_service", "await-schema")
            self._start(name, settings)
        self._start("gateway", self._gateway(env))
        try:
            wait_until(lambda: not self.not_ready(), "ready", 60)
        except AssertionError as error:
            raise AssertionError(f"{self.not_ready()} not ready:\n{self.logs()}") from error
        account = ("create-admin", "--email", ADMIN[0], "--name", "Admin")
        podman(
            *("exec", "--env=ADMIN_PASSWORD", self._name("auth"), "python", "-m", "auth_service", *account),
            env={"ADMIN_PASSWORD": ADMIN[1]},
        )

    def down(self) -> None:
        for name in reversed(self._running):
            podman("rm", "--force", "--time=40", name)
        self._rabbit.stop()
        self._postgres.stop()

    def pid(self, name: str) -> int:
        (found,) = json.loads(podman("inspect", self._name(name)))
        state: dict[str, Any] = found["State"]
        return int(state["Pid"])

    def kill(self, name: str) -> int:
        """End a process without a warning; the pid it had."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def not_ready(self) -> list[str]:
        urls = {name: f"http://127.0.0.1:{port}" for name, port in self._ops.items()}
        return [name for name, url in {**urls, "the public port": self.url}.items() if not _is_ready(url)]

    def logs(self) -> str:
        words = [("podman", "logs", "--tail=20", name) for name in self._running]
        done = [subprocess.run(one, text=True, capture_output=True, check=False) for one in words]
        return "\n".join(one.stdout + one.stderr for one in done)

    def _name(self, service: str) -> str:
        return f"{self._mark}-{service}"

    def _once(self, service: str, env: Mapping[str, str], *command: str) -> None:
        program, *arguments = command
        mounts = f"--volume={self._folder / 'tls'}:/tls:U"
        image = f"{REPOSITORY}/{service}:{VERSION}"
        words = ("run", "--rm", *HARDENED, mounts, *_named(env), f"--entrypoint={program}", image)
        podman(*words, *arguments, env=env)

    def _start(self, service: str, env: Mapping[str, str]) -> None:
        mounts = [f"--volume={self._folder / 'tls'}:/tls:ro"]
        if service == "exam":
            mounts.append(f"--volume={self._folder / 'files'}:/files:U")
        words = ("run", "--detach", "--restart=always", "--name", self._name(service), *HARDENED, *mounts)
        podman(*words, *_named(env), f"{REPOSITORY}/{service}:{VERSION}", env=env)
        self._running.append(self._name(service))

    def _addresses(self, admin: str) -> dict[str, str]:
        broker = self._rabbit.url.rpartition("@")[2].partition("/")[0]
        found = {
            "SERVICES": ",".join(SERVICES),
            "BROKER_USERS": "auth:auth,exam:exam:grading,grading:grading:exam,import:imports,gateway",
            "GATEWAY_RABBITMQ_URL": f"amqp://gateway:{secrets.token_hex(8)}@{broker}/examhall",
        }
        for name in SERVICES:
            for role, infix in (("serve", ""), ("migrate", "MIGRATE_")):
                url = role_dsn(admin, f"{name}_{role}", secrets.token_hex(8))
                found[f"{name.upper()}_{infix}DATABASE_URL"] = url
            found[f"{name.upper()}_RABBITMQ_URL"] = f"amqp://{name}:{secrets.token_hex(8)}@{broker}/examhall"
        return found

    def _targets(self) -> dict[str, str]:
        return {f"{name.upper()}_TARGET": f"127.0.0.1:{port}" for name, port in self._grpc.items()}

    def _service(self, name: str, env: Mapping[str, str]) -> dict[str, str]:
        own = {"auth": {"KEY_ENCRYPTION_KEY": "A" * 43 + "="}, "exam": {"FILES_URL": "file:///files"}}
        return {
            **self._targets(),
            "GRPC_BIND": f"127.0.0.1:{self._grpc[name]}",
            "OPS_BIND": f"127.0.0.1:{self._ops[name]}",
            "DB_SCHEMA": name,
            "DATABASE_URL": env[f"{name.upper()}_DATABASE_URL"],
            "RABBITMQ_URL": env[f"{name.upper()}_RABBITMQ_URL"],
            "GRPC_MAX_CONNECTION_AGE_SECONDS": "5",
            "TLS_CA": "/tls/ca.pem",
            "TLS_CERT": f"/tls/{name}.pem",
            "TLS_KEY": f"/tls/{name}.key",
            **own.get(name, {}),
        }

    def _gateway(self, env: Mapping[str, str]) -> dict[str, str]:
        return {
            **self._targets(),
            "HTTP_BIND": f"127.0.0.1:{self._port}",
            "OPS_BIND": f"127.0.0.1:{self._ops['gateway']}",
            "RABBITMQ_URL": env["GATEWAY_RABBITMQ_URL"],
            "RATE_LIMITS": "0",
            "COOKIE_SECURE": "0",
            "CORS_ORIGINS": self.url,
            "TLS_CA": "/tls/ca.pem",
            **{
                f"{one.upper()}_TLS_{part}": f"/tls/gateway-{one}.{ending}"
                for one in ("student", "staff")
                for part, ending in (("CERT", "pem"), ("KEY", "key"))
            },
        }


def _named(env: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"--env={name}" for name in env)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
