"""What the gateway is told by its environment, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from examkit.settings import SettingsError, load
from examkit.tls import TlsFiles

STUDENT = "student"
STAFF = "staff"


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """A field is set by the variable of its name in upper case.

    `identities` holds the certificate of each surface that this process serves: STUDENT_TLS_CERT/_KEY,
    STAFF_TLS_CERT/_KEY, with TLS_CA.
    """

    service_name: str = "gateway"
    http_bind: str = field(default="127.0.0.1:8000", metadata={"form": "host:port"})
    ops_bind: str = field(default="127.0.0.1:0", metadata={"form": "host:port"})
    auth_target: str
    exam_target: str
    grading_target: str
    import_target: str = ""
    surfaces: tuple[str, ...] = (STUDENT, STAFF)
    cors_origins: tuple[str, ...] = ()
    rate_limits: bool = True
    docs: bool = True
    cookie_secure: bool = True
    trusted_proxies: int = field(default=0, metadata={"minimum": 0})
    web_root: str = ""
    rabbitmq_url: str = field(default="", repr=False, metadata={"form": "amqp"})
    """Empty: revocations come by polling alone."""
    ready_file: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otel_exporter_otlp_endpoint: str = ""
    otel_traces_sampler_arg: float = field(default=0.01, metadata={"minimum": 0.0, "maximum": 1.0})
    sentry_dsn: str = field(default="", repr=False)
    """Where faults are told; empty: nowhere."""
    sentry_environment: str = ""
    sentry_pseudonym_key: str = field(default="", repr=False)
    """Makes the names of users and attempts there; without it each run of a process has names of its own."""
    token_issuer: str = "examhall"  # noqa: S105 - a name, not a secret
    token_audience: str = "examhall-api"  # noqa: S105 - a name, not a secret
    drain_seconds: float = field(default=0.0, metadata={"minimum": 0.0})
    """Time between "not ready" and the end of listening, for load balancers to notice."""
    max_connections: int = field(default=10_000, metadata={"minimum": 1})
    """Of clients, at a time; fewer where the system lets the process open fewer files."""
    identities: Mapping[str, TlsFiles] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _StudentIdentity:
    student_tls: TlsFiles


@dataclass(frozen=True, kw_only=True)
class _StaffIdentity:
    staff_tls: TlsFiles


def read(env: Mapping[str, str]) -> GatewaySettings:
    """The settings from variables. Raises SettingsError, which names all that is missing or wrong."""
    problems: list[str] = []
    identities: dict[str, TlsFiles] = {}
    surfaces = tuple(part.strip() for part in env.get("SURFACES", "").split(",") if part.strip())
    for surface in surfaces or (STUDENT, STAFF):
        try:
            identities[surface] = _identity(surface, env)
        except SettingsError as error:
            problems += error.problems
    if STAFF in (surfaces or (STAFF,)) and not env.get("IMPORT_TARGET", "").strip():
        problems.append("IMPORT_TARGET is not set")
    problems += [
        f"CORS_ORIGINS must name origins such as https://exams.example.org, not {origin!r}"
        for origin in (part.strip() for part in env.get("CORS_ORIGINS", "").split(",") if part.strip())
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2
    ]
    try:
        settings = load(GatewaySettings, env)
    except SettingsError as error:
        problems = error.problems + problems
    if problems:
        raise SettingsError(problems)
    return replace(settings, identities=identities)


def _identity(surface: str, env: Mapping[str, str]) -> TlsFiles:
    if surface == STUDENT:
        return load(_StudentIdentity, env).student_tls
    if surface == STAFF:
        return load(_StaffIdentity, env).staff_tls
    raise SettingsError([f"SURFACES must be of student and staff, not {surface!r}"])
