"""The doctor: one line a finding, a remedy where there is something to do."""

import dataclasses
import os
import socket
from pathlib import Path

import pytest

from examhall_local import doctor, options


def _options(tmp_path: Path, **changes: object) -> options.Options:
    chosen = options.read(os.environ | {"STATE_DIR": str(tmp_path / "state"), "PORT": "0"})
    return dataclasses.replace(chosen, **changes)


def test_what_is_missing_comes_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status = doctor.examine(_options(tmp_path, root=tmp_path, port=port))
    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert any(line.startswith("MISS  Python packages") and "make setup" in line for line in lines)
    assert "note  the pages in web/out -> make web builds them" in lines
    assert f"MISS  port {port} on 127.0.0.1 is taken -> name another one: PORT=…" in lines
    assert any(line.startswith("ok    PostgreSQL") for line in lines)
    assert any(line.startswith("ok    RabbitMQ") for line in lines)


def test_a_machine_without_the_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> Path:
        raise doctor.binaries.MissingProgramError("none")

    monkeypatch.setattr(doctor.binaries, "postgres_folders", list)
    monkeypatch.setattr(doctor.binaries, "rabbitmq_server", nothing)
    bad = {f.text for f in doctor.findings(_options(tmp_path)) if not f.is_good and f.is_needed}
    assert {"PostgreSQL", "RabbitMQ"} <= bad
    elsewhere = _options(tmp_path, database_url="postgresql://x", rabbitmq_url="amqp://x")
    assert not {"PostgreSQL", "RabbitMQ"} & {f.text for f in doctor.findings(elsewhere)}
