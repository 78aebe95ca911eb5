"""A backup's file: whole, for its owner alone, and refused where it is not what was written."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from examhall_local import archive, kept_files
from examhall_local.archive import BadBackupError, Manifest

_PARTS = {archive.DATABASE: b"dump" * 5000, archive.ROLES: b"CREATE ROLE", archive.PASSWORDS: b"{}"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, content in _PARTS.items():
        (parts / name).write_bytes(content)
    target = tmp_path / "a.tar"
    manifest = Manifest("0.1.0", "2026-03-02T09:00:00Z", "15.18", {"exam": "0001"}, archive.describe(parts))
    archive.write(target, parts, manifest)
    return target


def test_it_holds_what_was_saved(file: Path, tmp_path: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    folder = tmp_path / "unpacked"
    folder.mkdir()
    manifest = archive.unpack(file, folder)
    assert manifest == archive.verify(file)
    assert (manifest.taken_at, manifest.revisions) == ("2026-03-02T09:00:00Z", {"exam": "0001"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == _PARTS
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


def _of_members(file: Path) -> list[int]:
    """A place in the content of each member, and one in each header."""
    with tarfile.open(file) as tar:
        return [place for member in tar for place in (member.offset_data, member.offset + 3)]


def test_damage_is_found_wherever_it_is(file: Path) -> None:
    good = file.read_bytes()
    for place in _of_members(file):
        file.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(BadBackupError, match="damaged"):
            archive.verify(file)
    for size in (0, 100, 600, 5000, len(good) - 11_000):
        file.write_bytes(good[:size])
        with pytest.raises(BadBackupError, match="damaged"):
            archive.verify(file)


def test_what_is_no_backup_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(BadBackupError, match="no file"):
        archive.verify(tmp_path / "missing.tar")
    with pytest.raises(BadBackupError, match="folder"):
        archive.verify(tmp_path)
    (tmp_path / "text").write_text("Dear diary" * 200)
    with pytest.raises(BadBackupError, match="no backup of Examhall"):
        archive.verify(tmp_path / "text")


def test_members_that_point_elsewhere_are_not_followed(file: Path) -> None:
    with tarfile.open(file) as tar:
        kept = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    with tarfile.open(file, "w") as tar:
        for name, content in kept.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if name == archive.PASSWORDS:
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "/etc/passwd", 0
            tar.addfile(member, io.BytesIO(content))
    with pytest.raises(BadBackupError):
        archive.verify(file)


def test_another_form_is_told_apart_from_damage(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, content in _PARTS.items():
        (parts / name).write_bytes(content)
    manifest = Manifest("9.0.0", "2036-03-02T09:00:00Z", "25.1", {}, archive.describe(parts), format=2)
    archive.write(tmp_path / "b.tar", parts, manifest)
    with pytest.raises(BadBackupError, match="form 2"):
        archive.verify(tmp_path / "b.tar")


def test_one_that_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    files = {name: (len(content) + 1, "") for name, content in _PARTS.items()}
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, content in _PARTS.items():
        (parts / name).write_bytes(content)
    with pytest.raises(OSError, match="unexpected end"):
        archive.write(tmp_path / "c.tar", parts, Manifest("0.1.0", "", "15", {}, files))
    assert [path.name for path in tmp_path.iterdir()] == ["parts"]


def test_the_manifest_is_for_people_too(file: Path) -> None:
    with tarfile.open(file) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert manifest["files"][archive.ROLES][0] == len(_PARTS[archive.ROLES])


def test_pictures_are_a_part_where_there_are_some(file: Path, tmp_path: Path) -> None:
    """One from before there were pictures is as good."""
    assert archive.FILES not in archive.verify(file).files
    pictures, parts = tmp_path / "pictures", tmp_path / "parts"
    (pictures / "answers" / "one").mkdir(parents=True)
    (pictures / "answers" / "one" / "a").write_bytes(b"PNG")
    (pictures / "answers" / "one" / "b#1").write_bytes(b"half")
    kept_files.pack(pictures, parts / archive.FILES)
    manifest = Manifest("0.1.0", "2026-03-02T09:00:00Z", "15", {}, archive.describe(parts))
    archive.write(tmp_path / "with.tar", parts, manifest)
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    archive.unpack(tmp_path / "with.tar", unpacked)
    back = tmp_path / "back"
    kept_files.unpack(unpacked / archive.FILES, back)
    kept = {path.relative_to(back).as_posix(): path for path in back.rglob("*") if path.is_file()}
    assert {name: path.read_bytes() for name, path in kept.items()} == {"answers/one/a": b"PNG"}
    assert kept["answers/one/a"].stat().st_mode & 0o777 == 0o600


def test_no_picture_leaves_its_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "files.tar", "w") as tar:
        for name, kind in (
            ("../outside", tarfile.REGTYPE),
            ("/outside", tarfile.REGTYPE),
            ("a", tarfile.SYMTYPE),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    kept_files.unpack(tmp_path / "files.tar", tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "files.tar"]


def test_other_parts_are_no_backup_of_ours(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, content in _PARTS.items():
        (parts / name).write_bytes(content)
    (parts / "more").write_bytes(b"x")
    files = archive.describe(parts)
    for number, named in enumerate(({**files, "more": (1, "")}, {archive.ROLES: files[archive.ROLES]})):
        target = tmp_path / f"{number}.tar"
        archive.write(target, parts, Manifest("0.1.0", "", "15", {}, named))
        with pytest.raises(BadBackupError, match="does not hold"):
            archive.verify(target)
