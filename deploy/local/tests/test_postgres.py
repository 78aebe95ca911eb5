"""The private PostgreSQL, for real: kept, durable, back after the worst."""

import os
import pwd
import signal
from pathlib import Path

import psycopg
import pytest

from examhall_local import postgres as module
from examhall_local.postgres import NodeFailedError, PrivatePostgres
from examhall_local.processes import strays, working_in


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that, for root, lies below a folder that the server's user can't enter."""
    closed = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    return closed / "state"


@pytest.fixture
def node(state_dir: Path):
    node = PrivatePostgres(state_dir, die_with_parent=True)
    node.start()
    yield node
    node.stop()
    assert strays(state_dir) == []


def _value(node: PrivatePostgres, query: str) -> object:
    with psycopg.connect(node.dsn) as connection:
        row = connection.execute(query).fetchone()
        return row[0] if row else None


def test_it_trades_no_durability_and_listens_on_this_machine_alone(node: PrivatePostgres) -> None:
    expected = {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "server_encoding": "UTF8",
    }
    assert {name: _value(node, f"SHOW {name}") for name in expected} == expected
    assert _value(node, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C.UTF-8"


def test_nobody_comes_in_without_the_password(node: PrivatePostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(node.dsn, password="wrong")
    passwords = node._state_dir / "passwords.json"
    assert passwords.stat().st_mode & 0o777 == 0o600


def test_a_crash_loses_nothing_and_it_comes_back_at_the_same_address(node: PrivatePostgres) -> None:
    dsn = node.dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (what text)")
        connection.execute("INSERT INTO kept VALUES ('answer')")
        assert node.process is not None
        os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait()
    # Backends of the dead server may live on for a moment, and its pid file is still there.
    assert node.start() == dsn
    assert _value(node, "SELECT count(*) > 0 FROM kept") is True


def test_a_new_object_finds_the_data_the_password_and_the_port(state_dir: Path) -> None:
    first = PrivatePostgres(state_dir, die_with_parent=True)
    dsn = first.start()
    first.stop()
    assert working_in(state_dir / "postgres" / "data") == []
    second = PrivatePostgres(state_dir, die_with_parent=True)
    assert second.start() == dsn
    second.stop()


def test_a_server_that_was_left_behind_is_ended_first(state_dir: Path) -> None:
    lost = PrivatePostgres(state_dir, die_with_parent=True)
    lost.start()
    successor = PrivatePostgres(state_dir, die_with_parent=True)
    successor.start()
    assert lost.process is not None
    assert lost.process.wait(10) is not None
    assert _value(successor, "SELECT 1") == 1
    successor.stop()


def test_it_says_why_it_does_not_start(node: PrivatePostgres, tmp_path: Path) -> None:
    broken = PrivatePostgres(tmp_path)
    broken._port = node._port
    with pytest.raises(NodeFailedError, match="Address already in use"):
        broken.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_lends_the_server_a_way_only_where_it_needs_one(node: PrivatePostgres, tmp_path: Path) -> None:
    assert node.process is not None
    server = Path(f"/proc/{node.process.pid}")
    assert server.stat().st_uid == pwd.getpwnam("postgres").pw_uid
    capabilities = next(
        line for line in (server / "status").read_text().splitlines() if line.startswith("CapEff")
    )
    assert int(capabilities.split()[1], 16) == 1 << 1  # CAP_DAC_OVERRIDE and nothing else
    user = pwd.getpwnam("postgres")
    assert not module._can_reach(user, node._folder)
    assert module._can_reach(user, Path("/usr/lib/postgresql"))
