"""`backup` and `restore` with a real PostgreSQL and tiny services; tests/e2e has them with the real ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

MakeCheckout = Callable[[str, int], Any]
_ROLE_KEPT = "SELECT has_table_privilege('exam_serve', 'exam.kept', 'DELETE')"


def _sql(checkout: Any, *statements: str) -> Any:
    with psycopg.connect(checkout.state["postgres"]["dsn"], autocommit=True) as admin:
        for statement in statements:
            done = admin.execute(statement)
        return done.fetchall() if done.description else None


@pytest.fixture
def checkout(make_checkout: MakeCheckout) -> Any:
    """One that is up, with data that the serving role may not delete."""
    made = make_checkout("one", 0)
    status, output = made.run("up")
    assert status == 0, output
    _sql(
        made,
        "SET ROLE exam_migrate",
        "CREATE TABLE exam.kept (answer text)",
        "REVOKE DELETE ON exam.kept FROM exam_serve",
        "INSERT INTO exam.kept VALUES ('acknowledged')",
    )
    return made


def _backup(checkout: Any, to: str = "") -> Path:
    status, output = checkout.run("backup", *(["--to", to] if to else []))
    assert status == 0, output
    return Path(output.splitlines()[0])


def test_from_up_to_wiped_and_back(checkout: Any) -> None:
    picture = checkout.state_dir / "files" / "answers" / "one"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"PNG")
    file = _backup(checkout)
    assert file.parent == checkout.root / "backups"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path for path in file.parent.iterdir() if path != file] == []
    status, output = checkout.run("backup", "--to", str(file))
    assert (status, "there already" in output) == (1, True)
    status, output = checkout.run("backup", "--to", "nowhere/kept.tar")
    assert (status, "no folder" in output) == (1, True)
    assert checkout.run("clean")[0] == 0
    passwords = checkout.state_dir / "passwords.json"

    status, output = checkout.run("restore", "--from", str(file))
    assert status == 0, output
    assert not any(secret in output for secret in json.loads(passwords.read_text()).values())
    assert sorted(path.name for path in checkout.state_dir.iterdir()) == [
        ".examhall-state",
        "command.lock",
        "files",
        "logs",
        "passwords.json",
        "postgres",
        "supervisor.lock",
    ]
    status, output = checkout.run("up")
    assert status == 0, output
    assert picture.read_bytes() == b"PNG"
    assert _sql(checkout, "SELECT answer FROM exam.kept") == [("acknowledged",)]
    assert _sql(checkout, _ROLE_KEPT) == [(False,)]
    assert _sql(checkout, "SELECT rolname FROM pg_roles WHERE rolname = 'exam_serve'") == [("exam_serve",)]


def test_restoring_replaces_only_when_told_and_only_what_is_down(checkout: Any) -> None:
    file = str(_backup(checkout))
    _sql(checkout, "INSERT INTO exam.kept VALUES ('after the backup')")
    status, output = checkout.run("restore", "--from", file, "--force")
    assert (status, "make down first" in output) == (1, True)
    assert checkout.run("down")[0] == 0
    status, output = checkout.run("restore", "--from", file)
    assert (status, "FORCE=1" in output) == (1, True)
    assert _backup(checkout, "later.tar") == checkout.root / "later.tar"  # started for it, and ended
    assert checkout.folder.read_state() is None

    (checkout.state_dir / "rabbitmq" / "of the old one").touch()
    status, output = checkout.run("restore", "--from", file, "--force")
    assert status == 0, output
    assert not (checkout.state_dir / "rabbitmq").exists()
    assert checkout.run("up")[0] == 0
    assert _sql(checkout, "SELECT answer FROM exam.kept") == [("acknowledged",)]
    assert checkout.run("down")[0] == 0
    assert checkout.run("restore", "--from", "later.tar", "--force")[0] == 0
    assert checkout.run("up")[0] == 0
    assert len(_sql(checkout, "SELECT * FROM exam.kept")) == 2


def test_a_restore_that_was_cut_off_is_undone(checkout: Any) -> None:
    file = str(_backup(checkout))
    _sql(checkout, "INSERT INTO exam.kept VALUES ('after the backup')")
    assert checkout.run("down")[0] == 0
    _cut_off(checkout)

    status, output = checkout.run("restore", "--from", file)
    assert (status, "FORCE=1" in output, "cut off" in output) == (1, True, True), output
    _cut_off(checkout)
    assert checkout.run("backup", "--to", "both.tar")[0] == 0
    _cut_off(checkout)
    status, output = checkout.run("up")
    assert (status, "cut off" in output) == (0, True), output
    assert len(_sql(checkout, "SELECT * FROM exam.kept")) == 2


def _cut_off(checkout: Any) -> None:
    """As a kill leaves it when the old state has gone and the new one has not come."""
    kept = checkout.state_dir / "replaced"
    kept.mkdir()
    for name in ("postgres", "rabbitmq", "passwords.json"):
        (checkout.state_dir / name).rename(kept / name)


def test_what_is_refused_changes_nothing(checkout: Any, make_checkout: MakeCheckout) -> None:
    file = _backup(checkout)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (file.parent / "damaged.tar").write_bytes(damaged)
    _sql(
        checkout,
        "CREATE TABLE exam.alembic_version (version_num text)",
        "INSERT INTO exam.alembic_version VALUES ('0042')",
    )
    newer = _backup(checkout, "newer.tar")
    assert checkout.run("down")[0] == 0
    before = _data(checkout)
    for what, why in (("backups/damaged.tar", "is damaged"), (str(newer), "migration 0042 of exam")):
        status, output = checkout.run("restore", "--from", what, "--force")
        assert (status, why in output) == (1, True), output
    # Complete as a file, and yet it does not become a system.
    status, output = checkout.run("restore", "--from", str(file), "--force", BREAK="announce")
    assert (status, "the broker is gone" in output) == (1, True)
    assert _data(checkout) == before

    other = make_checkout("other", 0)
    status, output = other.run("backup")
    assert (status, "no data" in output) == (1, True)
    for words in (["backup"], ["restore", "--from", str(file)]):
        status, output = other.run(*words, DATABASE_URL="postgresql://nobody@127.0.0.1:1/others")
        assert (status, "database that others run" in output) == (1, True)
    assert not other.state_dir.exists()
    other.state_dir.mkdir()
    (other.state_dir / "thesis.txt").touch()
    status, output = other.run("restore", "--from", str(file))
    assert (status, "holds other things" in output) == (1, True)
    assert [path.name for path in other.state_dir.iterdir()] == ["thesis.txt"]


def _data(checkout: Any) -> dict[Path, int]:
    """What a restore would replace: every file, with the time of its last change."""
    places = (checkout.state_dir / name for name in ("postgres", "rabbitmq"))
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in [*files, checkout.state_dir / "passwords.json"]}


def test_pictures_that_lie_elsewhere_are_said_to(checkout: Any) -> None:
    status, output = checkout.run("backup", FILES_URL="s3://exams/pictures")
    assert status == 0, output
    assert "s3://exams/pictures" in output
