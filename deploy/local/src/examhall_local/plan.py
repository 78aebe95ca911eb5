"""Which processes make up the system, and with what settings each is started."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from examkit.certificates import CertificateFiles

from examhall_local.options import Options
from examhall_local.ports import KeptPorts
from examhall_local.processes import without

GATEWAY = "gateway"
# An administrator's addresses and make's own variables are nothing for the services.
_WITHHELD = (
    "DATABASE_URL",
    "MIGRATE_DATABASE_URL",
    "RABBITMQ_URL",
    "MAKE",
    "MFLAGS",
    "GRPC_",
    "OPS_BIND",
    "READY_FILE",
)


@dataclass(frozen=True)
class ProcessSpec:
    """One process: how to start it and where it will be found. `grpc` is empty for the gateway.

    `settings` are the variables that make it what it is; the rest of its environment is the caller's.
    """

    name: str
    command: tuple[str, ...]
    settings: Mapping[str, str] = field(repr=False)
    ops_url: str
    grpc: str = ""


@dataclass(frozen=True)
class Service:
    """A service by its folder's name (which is its identity and schema) and its Python package."""

    name: str
    package: str


@dataclass(frozen=True)
class Access:
    """The database, as the two roles of one service see it; the URLs hold passwords."""

    database_url: str = field(repr=False)
    migrate_database_url: str = field(repr=False)


def discover(root: Path) -> list[Service]:
    """The services of the checkout: each folder of `services/` that is a distribution."""
    found = []
    for project in sorted(root.glob("services/*/pyproject.toml")):
        packages = sorted(project.parent.glob("src/*_service"))
        if packages:
            found.append(Service(project.parent.name, packages[0].name))
    return found


@dataclass(frozen=True)
class Addresses:
    """Where each process serves, chosen once and kept in the state folder."""

    grpc: Mapping[str, str]
    ops: Mapping[str, str]
    http: str

    @classmethod
    def choose(cls, options: Options, services: list[Service], ports: KeptPorts) -> "Addresses":
        """Kept ports where they are free, else others."""
        http = options.port or ports.claim("gateway-http")
        host = f"[{options.host}]" if ":" in options.host else options.host
        return cls(
            grpc={s.name: f"127.0.0.1:{ports.claim(f'{s.name}-grpc')}" for s in services},
            ops={
                name: f"127.0.0.1:{ports.claim(f'{name}-ops')}"
                for name in (*[s.name for s in services], GATEWAY)
            },
            http=f"{host}:{http}",
        )


def base_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What every process gets: the caller's environment without what is not meant for it."""
    kept = without(env, *_WITHHELD)
    # Where a proxy is set, calls between the processes must not go through it.
    direct = ",".join(filter(None, (env.get("no_proxy") or env.get("NO_PROXY"), "127.0.0.1,localhost,::1")))
    return {**kept, "no_proxy": direct, "NO_PROXY": direct, "PYTHONUNBUFFERED": "1"}


def service_spec(
    service: Service,
    addresses: Addresses,
    access: Access,
    rabbitmq_url: str,
    tls: CertificateFiles,
    own: Mapping[str, str],
) -> ProcessSpec:
    """How `serve` of a service is started, with settings that it alone has in `own`.

    The migrating role's password is not among them.
    """
    ops = addresses.ops[service.name]
    return ProcessSpec(
        name=service.name,
        command=(sys.executable, "-m", service.package, "serve"),
        settings={
            **_targets(addresses),
            "SERVICE_NAME": service.name,
            "GRPC_BIND": addresses.grpc[service.name],
            "OPS_BIND": ops,
            "DATABASE_URL": access.database_url,
            "DB_SCHEMA": service.name,
            "DB_PREPARED_STATEMENTS": "1",
            "RABBITMQ_URL": rabbitmq_url,
            "TLS_CA": str(tls.ca),
            "TLS_CERT": str(tls.cert),
            "TLS_KEY": str(tls.key),
            "WORKERS": "inline",
            **own,
        },
        ops_url=f"http://{ops}",
        grpc=addresses.grpc[service.name],
    )


def migration_settings(service: Service, access: Access) -> dict[str, str]:
    """What `migrate` of a service needs."""
    return {
        "SERVICE_NAME": service.name,
        "DB_SCHEMA": service.name,
        "MIGRATE_DATABASE_URL": access.migrate_database_url,
    }


def gateway_spec(
    options: Options, addresses: Addresses, rabbitmq_url: str, tls: Mapping[str, CertificateFiles]
) -> ProcessSpec:
    """How the gateway is started: one process for both surfaces, with an identity for each."""
    student, staff = tls["gateway-student"], tls["gateway-staff"]
    ops = addresses.ops[GATEWAY]
    port = addresses.http.rpartition(":")[2]
    origins = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost", options.reachable_host)]
    web = options.root / "web" / "out"
    return ProcessSpec(
        name=GATEWAY,
        command=(sys.executable, "-m", "exam_gateway", "serve"),
        settings={
            **_targets(addresses),
            **({"WEB_ROOT": str(web)} if (web / "index.html").is_file() else {}),
            "HTTP_BIND": addresses.http,
            "OPS_BIND": ops,
            "RABBITMQ_URL": rabbitmq_url,
            "TLS_CA": str(student.ca),
            "STUDENT_TLS_CERT": str(student.cert),
            "STUDENT_TLS_KEY": str(student.key),
            "STAFF_TLS_CERT": str(staff.cert),
            "STAFF_TLS_KEY": str(staff.key),
            "SURFACES": "student,staff",
            "CORS_ORIGINS": os.environ.get("CORS_ORIGINS") or ",".join(dict.fromkeys(origins)),
            "RATE_LIMITS": "1" if options.rate_limits else "0",
            "DOCS": "1",
            "COOKIE_SECURE": "0" if options.is_loopback else "1",
        },
        ops_url=f"http://{ops}",
    )


def _targets(addresses: Addresses) -> dict[str, str]:
    return {f"{re.sub(r'[^A-Z]', '_', n.upper())}_TARGET": where for n, where in addresses.grpc.items()}
