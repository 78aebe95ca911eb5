"""`up`, `down`, `run` and `clean` with real nodes and tiny services."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from examhall_local import amqp_probe
from examhall_local.http_probe import answers
from examhall_local.processes import ref, strays

# conftest.Checkout: conftest can't be imported from here.
MakeCheckout = Callable[[str, int], Any]


def _until(condition: Callable[[], object]) -> None:
    """Asks until the condition holds; pytest's timeout ends it otherwise."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.02)


def _kill(checkout: Any, name: str) -> None:
    os.kill(checkout.folder.read_processes()[name].pid, signal.SIGKILL)


def test_up_and_down(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    status, output = checkout.run("up")
    assert status == 0, output
    state = checkout.state
    assert state["gateway"]["url"] in output
    assert "demo" not in output

    file = checkout.state_dir / "state.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert set(state) == {"gateway", "services", "postgres", "rabbitmq", "tls", "supervisor"}
    assert set(state["gateway"]) == {"url", "pid", "ops_url"}
    assert set(state["services"]) == set(checkout.services)
    for service in state["services"].values():
        assert set(service) == {"pid", "grpc", "ops_url"}
        assert answers(f"{service['ops_url']}/readyz")
    with psycopg.connect(state["postgres"]["dsn"]) as admin:
        schemas = admin.execute("SELECT nspname FROM pg_namespace").fetchall()
        assert {(name,) for name in checkout.services} <= set(schemas)
    assert amqp_probe.answers(state["rabbitmq"]["url"])
    assert all(Path(path).is_file() for path in state["tls"].values())
    pids = [state[name]["pid"] for name in ("gateway", "postgres", "rabbitmq", "supervisor")]
    assert all(ref(pid) for pid in pids)

    status, output = checkout.run("up")
    assert (status, checkout.state) == (0, state)
    assert "already up" in output

    status, output = checkout.run("down")
    assert status == 0, output
    assert strays(checkout.state_dir) == []
    assert checkout.folder.read_state() is None

    # The second start keeps data and addresses, and skips the migrations.
    before = (checkout.state_dir / "logs" / "auth-migrate.log").stat().st_size
    status, output = checkout.run("up")
    assert status == 0, output
    assert checkout.state["postgres"]["dsn"] == state["postgres"]["dsn"]
    assert checkout.state["services"]["exam"]["grpc"] == state["services"]["exam"]["grpc"]
    assert (checkout.state_dir / "logs" / "auth-migrate.log").stat().st_size == before

    status, output = checkout.run("clean")
    assert status == 0, output
    assert not checkout.state_dir.exists()
    assert strays(checkout.state_dir) == []


def test_whatever_dies_comes_back_and_state_tells_its_pid(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    status, output = checkout.run("up")
    assert status == 0, output
    first = checkout.state
    noted = checkout.folder.read_processes()
    for name in ("gateway", "exam", "postgres", "rabbitmq", "epmd"):
        _kill(checkout, name)
    for name in ("gateway", "exam", "postgres", "rabbitmq", "epmd"):
        _until(lambda name=name: checkout.folder.read_processes().get(name, noted[name]) != noted[name])
    _until(lambda: checkout.state["rabbitmq"]["pid"] not in (None, first["rabbitmq"]["pid"]))
    state = checkout.state
    _until(lambda: answers(f"{state['services']['exam']['ops_url']}/readyz"))
    _until(lambda: answers(f"{state['gateway']['url']}/readyz"))
    with psycopg.connect(state["postgres"]["dsn"]) as admin:
        assert admin.execute("SELECT 1").fetchone() == (1,)
    assert amqp_probe.answers(state["rabbitmq"]["url"])
    assert state["services"]["exam"]["grpc"] == first["services"]["exam"]["grpc"]
    for name in ("postgres", "rabbitmq", "gateway"):
        assert state[name]["pid"] == checkout.folder.read_processes()[name].pid != first[name]["pid"]


def test_a_killed_supervisor_is_no_obstacle(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    assert checkout.run("up")[0] == 0
    first = checkout.state
    _kill(checkout, "supervisor")
    # What it left behind still serves, and is ended before the new one starts its own.
    assert answers(f"{first['gateway']['url']}/readyz")
    status, output = checkout.run("up")
    assert status == 0, output
    assert checkout.state["supervisor"]["pid"] != first["supervisor"]["pid"]
    assert checkout.state["gateway"]["url"] == first["gateway"]["url"]
    _kill(checkout, "supervisor")
    assert checkout.run("down")[0] == 0
    assert strays(checkout.state_dir) == []


def test_two_copies_and_two_ups_at_once(make_checkout: MakeCheckout) -> None:
    left, right = make_checkout("left", 0), make_checkout("right", 0)
    commands = [left.start("up"), left.start("up"), right.start("up")]
    outputs = [command.communicate(timeout=120)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0], outputs
    assert sum("already up" in output for output in outputs) == 1
    assert left.state["gateway"]["url"] != right.state["gateway"]["url"]
    assert left.run("down")[0] == 0
    assert answers(f"{right.state['gateway']['url']}/readyz")


def test_run_ends_with_everything_on_ctrl_c(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    process = checkout.start("run")
    _until(checkout.folder.read_state)
    url = checkout.state["gateway"]["url"]
    status, output = checkout.run("run")
    assert (status, "already up" in output) == (1, True)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)  # make and the terminal both send one
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert url in output
    assert strays(checkout.state_dir) == []
    assert checkout.folder.read_state() is None


def test_an_early_end_leaves_nothing(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    process = checkout.start("run")
    _until((checkout.state_dir / "postgres").exists)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert strays(checkout.state_dir) == []


def test_a_taken_port_is_named(make_checkout: MakeCheckout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output = make_checkout("one", port).run("up")
    assert status == 1
    assert f"port {port} on 127.0.0.1 is taken" in output


def test_a_failure_is_told_with_the_end_of_the_log(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    status, output = checkout.run("up", BREAK="migrate")
    assert status == 1
    assert "the migration is broken" in output
    assert strays(checkout.state_dir) == []
    status, output = checkout.run("up", BREAK="serve")
    assert status == 1
    assert "does not stay up" in output
    assert "the service is broken" in output
    assert strays(checkout.state_dir) == []


def test_no_demo_where_others_can_reach_it(make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    status, output = checkout.run("up", DEMO="1", HOST="0.0.0.0")
    assert status == 0, output
    assert "no demo data" in output
    assert "demo-admin-password" not in output


def test_nodes_that_others_run_are_used_and_left_alone(make_checkout: MakeCheckout) -> None:
    owner, guest = make_checkout("owner", 0), make_checkout("guest", 0)
    assert owner.run("up")[0] == 0
    given = {
        "DATABASE_URL": owner.state["postgres"]["dsn"].removesuffix("examhall") + "guests",
        "RABBITMQ_URL": owner.state["rabbitmq"]["url"],
    }
    status, output = guest.run("up", **given)
    assert status == 0, output
    assert guest.state["postgres"] == {"dsn": given["DATABASE_URL"], "pid": None}
    assert not (guest.state_dir / "postgres").exists()
    assert guest.run("down")[0] == 0
    assert amqp_probe.answers(given["RABBITMQ_URL"])


def test_down_and_clean_where_nothing_is(tmp_path: Path, make_checkout: MakeCheckout) -> None:
    checkout = make_checkout("one", 0)
    assert checkout.run("down") == (0, f"nothing is up in {checkout.state_dir}\n")
    assert checkout.run("clean")[0] == 0
    checkout.state_dir.mkdir()
    (checkout.state_dir / "thesis.txt").touch()
    assert checkout.run("clean")[0] == 1
    assert (checkout.state_dir / "thesis.txt").exists()
