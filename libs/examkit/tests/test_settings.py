"""Settings: complete or refused with every fault at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from examkit.settings import MigrationSettings, ServiceSettings, SettingsError, TlsFiles, load

COMPLETE = {
    "DATABASE_URL": "postgresql://exam_serve:hidden@db:5432/examhall",
    "DB_SCHEMA": "exam",
    "RABBITMQ_URL": "amqp://exam:hidden@mq:5672/examhall",
    "TLS_CA": "/tls/ca.pem",
    "TLS_CERT": "/tls/exam.pem",
    "TLS_KEY": "/tls/exam.key",
}


@dataclass(frozen=True, kw_only=True)
class ExamSettings(ServiceSettings):
    grading_target: str = field()
    sweep: bool = True
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    student_tls: TlsFiles
    staff_tls: TlsFiles


def test_defaults_hold_where_nothing_is_said() -> None:
    settings = load(ServiceSettings, COMPLETE)
    assert (settings.grpc_bind, settings.db_pool_size, settings.workers) == ("127.0.0.1:0", 10, "inline")
    assert settings.tls == TlsFiles(Path("/tls/ca.pem"), Path("/tls/exam.pem"), Path("/tls/exam.key"))


def test_values_are_read_as_their_types() -> None:
    more = {
        "GRADING_TARGET": "grading:7000",
        "DB_POOL_SIZE": "4",
        "OTEL_TRACES_SAMPLER_ARG": "0.5",
        "SWEEP": "0",
        "ORIGINS": "https://a, https://b,",
        "WORKERS": "off",
        "LOG_LEVEL": "debug",
    }
    settings = load(ExamSettings, COMPLETE | more)
    assert (settings.db_pool_size, settings.otel_traces_sampler_arg, settings.sweep) == (4, 0.5, False)
    assert settings.origins == ("https://a", "https://b")
    assert (settings.workers, settings.log_level, settings.grading_target) == ("off", "DEBUG", "grading:7000")


def test_one_error_names_everything_that_is_missing_or_wrong() -> None:
    wrong = {
        "DATABASE_URL": "mysql://root:hidden@db/exam",
        "DB_POOL_SIZE": "many",
        "OTEL_TRACES_SAMPLER_ARG": "7",
        "GRPC_BIND": "7000",
        "WORKERS": "sometimes",
        "SWEEP": "maybe",
        "TLS_CERT": "",
    }
    with pytest.raises(SettingsError) as caught:
        load(ExamSettings, wrong)
    message = str(caught.value)
    expected = [*wrong, "DB_SCHEMA", "RABBITMQ_URL", "TLS_CA", "TLS_KEY", "GRADING_TARGET"]
    assert [name for name in expected if name not in message] == []
    assert "hidden" not in message


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(ServiceSettings, COMPLETE | {"DB_POOL_SIZE": " "}).db_pool_size == 10


def test_a_field_is_printed_without_its_password() -> None:
    assert "hidden" not in repr(load(ServiceSettings, COMPLETE))


def test_two_certificates_share_one_ca() -> None:
    env = {"TLS_CA": "/ca"} | {
        f"{who}_TLS_{part}": f"/{who}.{part}" for who in ("STUDENT", "STAFF") for part in ("CERT", "KEY")
    }
    settings = load(GatewaySettings, env)
    assert settings.student_tls == TlsFiles(Path("/ca"), Path("/STUDENT.CERT"), Path("/STUDENT.KEY"))
    assert settings.staff_tls.ca == settings.student_tls.ca


def test_a_migration_needs_no_more_than_its_database() -> None:
    env = {"MIGRATE_DATABASE_URL": "postgresql://exam_migrate@db/examhall", "DB_SCHEMA": "exam"}
    assert load(MigrationSettings, env).db_schema == "exam"
