"""A restored state takes the old one's place, wherever a kill comes in between."""

from pathlib import Path

import pytest

from examhall_local.replacing import put_back, replace, was_cut_off
from examhall_local.statedir import StateDir

OLD = {"postgres/data": "old", "rabbitmq/data": "old", "files/a": "old", "passwords.json": "old"}
NEW = {"postgres/data": "new", "files/a": "new", "passwords.json": "new"}


class Killed(BaseException):
    pass


def _filled(path: Path, files: dict[str, str]) -> StateDir:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    folder = StateDir(path)
    path.mkdir(exist_ok=True)
    return folder


def _holds(folder: StateDir) -> dict[str, str]:
    return {name: (folder.path / name).read_text() for name in OLD if (folder.path / name).exists()}


def _killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    rename, left = Path.rename, iter(range(step))

    def counted(self: Path, target: Path) -> Path:
        if next(left, None) is None:
            raise Killed
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", counted)


@pytest.mark.parametrize("step", range(9))
@pytest.mark.parametrize("again", range(5))
def test_until_the_last_step_the_old_state_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, again: int
) -> None:
    folder, staging = _filled(tmp_path, OLD), _filled(tmp_path / "restoring", NEW)
    with monkeypatch.context() as patch:
        _killed_at(patch, step)
        if step < 8:
            with pytest.raises(Killed):
                replace(folder, staging)
        else:
            replace(folder, staging)
    assert was_cut_off(folder) == (step < 8)
    with monkeypatch.context() as patch:
        _killed_at(patch, again)
        try:
            put_back(folder)
        except Killed:
            assert was_cut_off(folder)
    put_back(folder)
    assert _holds(folder) == (OLD if step < 8 else NEW)
    assert not was_cut_off(folder)


@pytest.mark.parametrize("step", range(5))
def test_into_an_empty_folder_there_is_all_or_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    folder, staging = _filled(tmp_path, {}), _filled(tmp_path / "restoring", NEW)
    with monkeypatch.context() as patch:
        _killed_at(patch, step)
        try:
            replace(folder, staging)
        except Killed:
            assert put_back(folder)
    assert "postgres/data" not in _holds(folder) or _holds(folder) == NEW
