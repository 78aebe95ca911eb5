"""Who may import whom."""

import re
from pathlib import Path

import pytest

from tests.architecture.rooms import EXAMKIT, GATEWAY, ROOMS, ROOT, SERVICES, imports, modules

EXAM_WORDS = re.compile(r"attempt_|student|question|invigil|exam_service|\bpaper\b", re.IGNORECASE)


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_no_room_imports_anothers_code(room: str) -> None:
    others = (set(ROOMS) | {"examhall_local"}) - {room, "examkit"}
    if room == "examkit":
        others |= {"exam_gateway"}
    for path in modules(ROOMS[room]):
        for name in imports(path):
            if name.startswith("examhall_local") and "testing" in path.parts:
                continue
            assert name.split(".")[0] not in others, f"{path.relative_to(ROOT)} imports {name}"


def test_examkit_knows_of_the_protos_only_the_keys_and_the_audit() -> None:
    allowed = ("examprotos.auth.v1", "examprotos.common.v1")
    for path in modules(EXAMKIT):
        for name in imports(path):
            if name.startswith("examprotos"):
                assert name.startswith(allowed), f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_the_domain_is_pure(service: str) -> None:
    forbidden = ("sqlalchemy", "psycopg", "grpc", "aio_pika", "examprotos", "os", "time", "random", "asyncio")
    for path in modules(SERVICES[service] / "domain"):
        for name in imports(path):
            assert name.split(".")[0] not in forbidden, f"{path.relative_to(ROOT)} imports {name}"
            assert name not in ("examkit.db", "examkit.clock.utc_now"), path


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_use_cases_know_nothing_of_rpc(service: str) -> None:
    for path in modules(SERVICES[service] / "usecases"):
        for name in imports(path):
            assert not name.startswith(f"{service}.rpc"), f"{path.relative_to(ROOT)} imports {name}"


def test_the_gateway_has_no_database() -> None:
    for path in modules(GATEWAY):
        for name in imports(path):
            assert name.split(".")[0] not in ("sqlalchemy", "psycopg", "alembic"), path
            assert not name.startswith(("examkit.db", "examkit.outbox")), path


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_services_have_the_same_rooms(service: str) -> None:
    home = SERVICES[service]
    for name in ("__main__.py", "bootstrap.py", "settings.py", "consumers.py", "tables.py", "metrics.py"):
        assert (home / name).exists(), f"{service} has no {name}"
    for name in ("rpc", "usecases", "domain", "migrations/versions"):
        assert (home / name).is_dir(), f"{service} has no {name}/"
    assert (home.parents[1] / "README.md").exists()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_environment_is_read_in_one_place(room: str) -> None:
    for path in modules(ROOMS[room]):
        if path.name in ("settings.py", "__main__.py") or "testing" in path.parts:
            continue
        assert "os.environ" not in path.read_text(), path.relative_to(ROOT)


def _code_files() -> list[Path]:
    return [path for room in ROOMS.values() for path in modules(room)]


def test_files_are_read_at_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _code_files()
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    import ast

    silent = [
        str(path.relative_to(ROOT))
        for path in _code_files()
        if (text := path.read_text()).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert not silent
