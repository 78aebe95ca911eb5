"""A backup as one file: a tar of what was saved, with a manifest: when, of what, sizes, checksums."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

DATABASE = "database.dump"  # what `pg_dump --format=custom` wrote
ROLES = "roles.sql"
PASSWORDS = "passwords.json"  # auth's signing keys are sealed by one of them
FILES = "files.tar"  # pictures; not where something else keeps them, nor before there were any
_PARTS = (DATABASE, ROLES, PASSWORDS)
_MANIFEST = "manifest.json"
_MANIFEST_SUM = "manifest.sha256"  # what is in the manifest guards the parts; this guards the manifest
_FORMAT = 1
_MANIFEST_LIMIT = 1 << 20
_CHUNK = 1 << 20


class BadBackupError(RuntimeError):
    """The file is no backup, or not the one that was written; the text says what is wrong with it."""


@dataclass(frozen=True)
class Manifest:
    """`taken_at`: RFC 3339, the moment whose data it holds; `revisions`: of each schema, where its migrations
    stood; `files`: size in bytes and SHA-256 of each part.
    """

    version: str
    taken_at: str
    postgres: str
    revisions: dict[str, str]
    files: dict[str, tuple[int, str]]
    format: int = _FORMAT


def describe(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and checksum of each part in `folder`, as a manifest has them."""
    return {name: _described(folder / name) for name in (*_PARTS, FILES) if (folder / name).exists()}


def write(target: Path, folder: Path, manifest: Manifest) -> None:
    """Packs the parts in `folder` into `target`, which must not exist: mode 0600, whole or not at all."""
    text = json.dumps(asdict(manifest), indent=1).encode()
    total = f"{hashlib.sha256(text).hexdigest()}  {_MANIFEST}\n".encode()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                _add(tar, _MANIFEST, io.BytesIO(text), len(text))
                _add(tar, _MANIFEST_SUM, io.BytesIO(total), len(total))
                for name in manifest.files:
                    with (folder / name).open("rb") as part:
                        _add(tar, name, part, manifest.files[name][0])
            out.flush()
            os.fsync(out.fileno())
        beside.rename(target)
    except BaseException:
        beside.unlink()
        raise


def verify(source: Path) -> Manifest:
    """Reads the whole file and compares it with its manifest. Raises BadBackupError."""
    return _read(source, None)


def unpack(source: Path, folder: Path) -> Manifest:
    """The same, and lays the parts into `folder`, readable by their owner alone."""
    return _read(source, folder)


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    tar.addfile(member, content)


def _described(part: Path) -> tuple[int, str]:
    with part.open("rb") as content:
        return part.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()


def _read(source: Path, folder: Path | None) -> Manifest:
    with _opened(source) as tar:
        manifest = _manifest(source, tar)
        for name, (size, digest) in manifest.files.items():
            found = hashlib.sha256()
            with _sink(folder, name) as out:
                for chunk in _chunks(source, tar, name, size):
                    found.update(chunk)
                    out.write(chunk)
            if found.hexdigest() != digest:
                raise _damaged(source, f"{name} is not what was written")
    return manifest


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, "r:") as tar:
            yield tar
    except FileNotFoundError:
        raise BadBackupError(f"there is no file {source}") from None
    except IsADirectoryError:
        raise BadBackupError(f"{source} is a folder: name the backup's file") from None
    except tarfile.TarError as problem:
        raise _damaged(source, f"it can't be read as a tar ({problem})") from None


def _manifest(source: Path, tar: tarfile.TarFile) -> Manifest:
    text = b"".join(_chunks(source, tar, _MANIFEST))
    total = b"".join(_chunks(source, tar, _MANIFEST_SUM))
    if total.split()[:1] != [hashlib.sha256(text).hexdigest().encode()]:
        raise _damaged(source, "its manifest is not what was written")
    told = json.loads(text)
    if told["format"] != _FORMAT:
        raise BadBackupError(f"{source} has the form {told['format']}; this version knows form {_FORMAT}")
    files = {name: (int(size), str(digest)) for name, (size, digest) in told.pop("files").items()}
    if not set(_PARTS) <= files.keys() <= {*_PARTS, FILES}:
        raise _damaged(source, "it does not hold what a backup does")
    return Manifest(**told, files=files)


def _chunks(source: Path, tar: tarfile.TarFile, name: str, size: int | None = None) -> Iterator[bytes]:
    try:
        member = tar.getmember(name)
    except KeyError:
        raise _damaged(source, f"{name} is missing") from None
    most = _MANIFEST_LIMIT if size is None else size
    content = tar.extractfile(member) if member.isreg() else None
    if content is None or member.size > most or (size is not None and member.size != size):
        raise _damaged(source, f"{name} has another size than was written")
    while chunk := content.read(_CHUNK):
        yield chunk


@contextmanager
def _sink(folder: Path | None, name: str) -> Iterator[IO[bytes]]:
    if folder is None:
        with Path(os.devnull).open("wb") as nothing:
            yield nothing
        return
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        yield out


def _damaged(source: Path, what: str) -> BadBackupError:
    return BadBackupError(f"{source} is damaged, or no backup of Examhall: {what}; nothing was changed")
