"""Options, kept ports and the state folder: the small parts under the commands."""

import itertools
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from examkit.private_files import write_private

from examhall_local import options
from examhall_local.files import kept_password
from examhall_local.plan import base_environment, discover
from examhall_local.ports import KeptPorts, is_free
from examhall_local.statedir import NotOursError, StateDir


def test_the_defaults_are_the_contracts() -> None:
    chosen = options.read({"PORT": "", "STATE_DIR": ""})
    assert (chosen.host, chosen.port, chosen.demo, chosen.rate_limits) == ("127.0.0.1", 8000, True, True)
    assert chosen.state_dir == chosen.root / ".run"
    assert (chosen.root / "deploy" / "local").is_dir()
    assert {s.name: s.package for s in discover(chosen.root)}["import"] == "import_service"


@pytest.mark.parametrize(
    ("host", "loopback", "reachable"),
    [
        ("127.0.0.1", True, "127.0.0.1"),
        ("localhost", True, "localhost"),
        ("::1", True, "[::1]"),
        ("0.0.0.0", False, "127.0.0.1"),
        ("192.168.1.5", False, "192.168.1.5"),
        ("exams.example.com", False, "exams.example.com"),
    ],
)
def test_who_can_reach_a_host(host: str, loopback: bool, reachable: str) -> None:
    chosen = options.read({"HOST": host})
    assert (chosen.is_loopback, chosen.reachable_host) == (loopback, reachable)


@pytest.mark.parametrize("env", [{"PORT": "http"}, {"PORT": "70000"}, {"DEMO": "perhaps"}])
def test_a_wrong_value_is_named(env: dict[str, str]) -> None:
    with pytest.raises(options.BadOptionError, match=next(iter(env))):
        options.read(env)


def test_processes_do_not_get_what_is_the_administrators() -> None:
    given = dict.fromkeys(("DATABASE_URL", "RABBITMQ_URL", "MAKEFLAGS"), "x")
    env = base_environment(given | {"PATH": "/bin", "no_proxy": "a.example"})
    assert not env.keys() & given.keys()
    assert env["PATH"] == "/bin"
    assert env["no_proxy"] == "a.example,127.0.0.1,localhost,::1"


def test_copies_that_start_at_once_take_different_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = (
        "import pathlib, sys; from examhall_local.ports import KeptPorts;"
        "print(KeptPorts(pathlib.Path(sys.argv[1])).claim('exam'), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", claim, tmp_path / "other.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout
        chosen = int(other.stdout.readline())
        assert is_free(chosen)
        chance = random.Random(1)
        offers = itertools.chain([chosen], iter(lambda: chance.randint(20000, 32000), None))
        monkeypatch.setattr(random, "randint", lambda *_: next(offers))
        assert KeptPorts(tmp_path / "ports.json").claim("exam") != chosen
        other.communicate()


def test_ports_are_kept_until_somebody_else_has_them(tmp_path: Path) -> None:
    ports = KeptPorts(tmp_path / "ports.json")
    port = ports.claim("exam")
    assert ports.claim("exam") == port == KeptPorts(tmp_path / "ports.json").claim("exam")
    assert ports.claim("auth") != port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert not is_free(port)
        assert ports.kept("exam") == port
        assert ports.claim("exam") != port


def test_passwords_are_kept_and_private(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    password = kept_password(file, "a")
    assert kept_password(file, "a") == password != kept_password(file, "b")
    assert len(password) == 48
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_private_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    file.write_text("old")
    write_private(file, "new")
    assert (file.read_text(), list(tmp_path.iterdir())) == ("new", [file])


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    folder = StateDir(tmp_path)
    with pytest.raises(NotOursError):
        folder.create()
    with pytest.raises(NotOursError):
        folder.remove()
    assert (tmp_path / "thesis.txt").exists()


def test_one_supervisor_a_folder(tmp_path: Path) -> None:
    folder = StateDir(tmp_path / "state")
    folder.create()
    assert not folder.is_supervised
    assert folder.take()
    assert StateDir(folder.path).is_supervised
    assert not StateDir(folder.path).take()
    folder.release()
    assert not folder.is_supervised
