"""A small disk of its own for Postgres's data, which can be filled to the last byte."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

SIZE = 3 * 2**30
"""Bytes; as a sparse file it takes what is written alone. More than Postgres may keep of its log."""


class NoDiskError(RuntimeError):
    """This machine lets us mount nothing; the text says why."""


class SmallDisk:
    """An ext4 file system in a file, mounted at `mount_point`. Needs to be root, and loop devices."""

    def __init__(self, image: Path, mount_point: Path) -> None:
        self._image = image
        self._mount_point = mount_point

    def mount(self) -> None:
        """Raises NoDiskError."""
        if os.geteuid() != 0:
            raise NoDiskError("mounting needs root")
        self._mount_point.mkdir(parents=True, exist_ok=True)
        with self._image.open("wb") as image:
            image.truncate(SIZE)
        # Nothing is kept back for root, who is not the one that needs it.
        _run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        _run("mount", "-o", "loop", str(self._image), str(self._mount_point))

    def unmount(self) -> None:
        """Also while something still has a file open there."""
        with contextlib.suppress(NoDiskError):
            _run("umount", "-l", str(self._mount_point))
        self._image.unlink(missing_ok=True)

    @contextlib.contextmanager
    def filled(self) -> Iterator[None]:
        """Within it there is no byte left."""
        filler = self._mount_point / "filler"
        try:
            with filler.open("wb") as file:
                for step in (2**26, 2**20, 2**12):
                    _grow(file.fileno(), step)
            yield
        finally:
            filler.unlink(missing_ok=True)


def _grow(file: int, step: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            os.posix_fallocate(file, os.fstat(file).st_size, step)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        raise NoDiskError(f"{missing.filename} is missing") from None
    if done.returncode:
        raise NoDiskError((done.stderr or done.stdout).strip())
