"""Settings: read once from the environment into frozen dataclasses, with one error for all that is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from examkit.tls import TlsFiles

__all__ = [
    "BrokerSettings",
    "MigrationSettings",
    "SchemaSettings",
    "ServiceSettings",
    "SettingsError",
    "TlsFiles",
    "environment",
    "from_environment",
    "load",
]

S = TypeVar("S")


class SettingsError(Exception):
    """Names every variable that is missing or wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings are wrong:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """What the four services share. A field is set by the variable of its name in upper case.

    A subclass adds fields; one that needs another service redeclares its target without a default:
    `grading_target: str = field()`.
    """

    service_name: str = ""
    grpc_bind: str = field(default="127.0.0.1:0", metadata={"form": "host:port"})
    ops_bind: str = field(default="127.0.0.1:0", metadata={"form": "host:port"})
    database_url: str = field(repr=False, metadata={"form": "postgresql"})
    migrate_database_url: str = field(default="", repr=False, metadata={"form": "postgresql"})
    db_schema: str
    db_pool_size: int = field(default=10, metadata={"minimum": 1})
    db_prepared_statements: bool = False
    """1 without a pooler, or behind one that carries prepared statements (PgBouncer 1.22 and later)."""
    rabbitmq_url: str = field(repr=False, metadata={"form": "amqp"})
    tls: TlsFiles
    workers: Literal["inline", "off"] = "inline"
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
    ready_file: str = ""
    grpc_max_connection_age_seconds: float = field(default=0.0, metadata={"minimum": 0.0})
    """0: connections live on; in a cluster some minutes, so that new replicas get their share."""
    auth_target: str = ""
    exam_target: str = ""
    grading_target: str = ""
    import_target: str = ""


@dataclass(frozen=True, kw_only=True)
class MigrationSettings:
    """What `migrate` needs: a migration job has neither certificates nor the serving role's password."""

    migrate_database_url: str = field(repr=False, metadata={"form": "postgresql"})
    db_schema: str
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


@dataclass(frozen=True, kw_only=True)
class SchemaSettings:
    """What waiting for the schema needs."""

    database_url: str = field(repr=False, metadata={"form": "postgresql"})
    db_schema: str


@dataclass(frozen=True, kw_only=True)
class BrokerSettings:
    """What looking into queues needs."""

    rabbitmq_url: str = field(repr=False, metadata={"form": "amqp"})


def load(cls: type[S], env: Mapping[str, str]) -> S:
    """An instance of a settings dataclass, from variables. An empty variable counts as unset.

    Raises SettingsError, which names every missing or wrong variable at once.
    """
    hints = get_type_hints(cls)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for spec in fields(cls):  # type: ignore[arg-type]  # S is a dataclass by contract
        try:
            if hints[spec.name] is TlsFiles:
                values[spec.name] = _tls_files(spec.name, env)
            else:
                _read(spec, hints[spec.name], env, values)
        except ValueError as problem:
            problems.append(str(problem))
    if problems:
        raise SettingsError(problems)
    try:
        return cls(**values)
    except ValueError as problem:
        raise SettingsError([str(problem)]) from None


def from_environment(cls: type[S]) -> S:
    """The same, from the process's environment: the only place that reads it."""
    return load(cls, os.environ)


def environment() -> Mapping[str, str]:
    """All of it, for settings whose names are not known beforehand."""
    return os.environ


def _read(spec: Field[Any], kind: Any, env: Mapping[str, str], values: dict[str, Any]) -> None:
    name = spec.name.upper()
    text = env.get(name, "").strip()
    if text:
        values[spec.name] = _checked(spec, name, _parsed(name, text, kind))
    elif spec.default is MISSING and spec.default_factory is MISSING:
        raise ValueError(f"{name} is not set")


def _tls_files(field_name: str, env: Mapping[str, str]) -> TlsFiles:
    """`tls` reads TLS_CA, TLS_CERT, TLS_KEY; `student_tls` reads STUDENT_TLS_CERT/_KEY and shares TLS_CA."""
    prefix = field_name.upper()
    names = {"ca": f"{prefix}_CA" if env.get(f"{prefix}_CA") else "TLS_CA"}
    names |= {part: f"{prefix}_{part.upper()}" for part in ("cert", "key")}
    missing = [name for name in names.values() if not env.get(name, "").strip()]
    if missing:
        raise ValueError(", ".join(f"{name} is not set" for name in missing))
    return TlsFiles(**{part: Path(env[name]) for part, name in names.items()})


def _parsed(name: str, text: str, kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return _choice(name, text, get_args(kind))
    if get_origin(kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if kind is bool:
        return _choice(name, text.lower(), ("1", "true", "0", "false")) in {"1", "true"}
    if kind in {int, float}:
        try:
            return kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"{name} must be {what}, not {text!r}") from None
    return kind(text)


def _choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    for choice in choices:
        if text.lower() == choice.lower():
            return choice
    raise ValueError(f"{name} must be one of {', '.join(choices)}, not {text!r}")


def _checked(spec: Field[Any], name: str, value: Any) -> Any:
    limits = spec.metadata
    if "minimum" in limits and not value >= limits["minimum"]:
        raise ValueError(f"{name} must be at least {limits['minimum']}, not {value}")
    if "maximum" in limits and not value <= limits["maximum"]:
        raise ValueError(f"{name} must be at most {limits['maximum']}, not {value}")
    match limits.get("form"):
        case "host:port" if not _is_bind(value):
            raise ValueError(f"{name} must be host:port, not {value!r}")
        # The value of a URL may hold a password, so it isn't shown.
        case "postgresql" if not value.startswith(("postgresql://", "postgres://")):
            raise ValueError(f"{name} must begin with postgresql://")
        case "amqp" if not value.startswith(("amqp://", "amqps://")):
            raise ValueError(f"{name} must begin with amqp:// or amqps://")
    return value


def _is_bind(value: str) -> bool:
    host, colon, port = value.rpartition(":")
    return bool(host and colon and port.isdigit() and int(port) < 65536)
