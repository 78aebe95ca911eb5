"""The folder of pictures as one part of a backup: what the database names lies in it."""

import os
import shutil
import tarfile
from pathlib import Path

FOLDER = "files"  # below the state folder
_STAGED = "#"  # in the name of what is only just being written


def pack(folder: Path, target: Path) -> None:
    """A tar of all files in `folder`. It may change meanwhile: what comes or goes now, no row of an earlier
    dump names.
    """
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            if _STAGED in path.name or not path.is_file():
                continue
            try:
                tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
            except FileNotFoundError:
                continue


def unpack(source: Path, folder: Path) -> None:
    """The same back, for the owner alone; nothing outside of `folder`, whatever the tar says."""
    folder.mkdir(mode=0o700)
    root = folder.resolve()
    with tarfile.open(source, "r:") as tar:
        for member in tar:
            path = (root / member.name).resolve()
            content = tar.extractfile(member) if member.isreg() and path.is_relative_to(root) else None
            if content is None:
                continue
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                shutil.copyfileobj(content, out)
