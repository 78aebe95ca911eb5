"""Putting a restored state into the place of the old one, so that a kill at any point loses neither."""

import shutil

from examhall_local import archive, kept_files
from examhall_local.statedir import StateDir

# RabbitMQ starts empty: what it holds may tell of what the restored database has not seen.
# The database comes last: with it in its place the restored state is complete.
_REPLACED = ("rabbitmq", kept_files.FOLDER, archive.PASSWORDS, "postgres")
_KEPT = "replaced"
SAID = "a restore was cut off before it was complete: what was there before it is back"


def replace(folder: StateDir, staging: StateDir) -> None:
    """What is in `staging` becomes the data of `folder`. While `replaced/` is there, it has not."""
    kept = folder.path / _KEPT
    kept.mkdir()
    for source, target in ((folder.path, kept), (staging.path, folder.path)):
        for name in _REPLACED:
            if (source / name).exists():
                (source / name).rename(target / name)
    folder.forget()
    kept.rename(staging.path / _KEPT)


def was_cut_off(folder: StateDir) -> bool:
    """Whether a restore ended in the middle of that."""
    return (folder.path / _KEPT).exists()


def put_back(folder: StateDir) -> bool:
    """Undoes what was cut off; whether there was something. The caller holds the folder."""
    if not was_cut_off(folder):
        return False
    kept = folder.path / _KEPT
    for old in kept.iterdir():
        place = folder.path / old.name
        if place.is_dir():
            shutil.rmtree(place)
        old.rename(place)
    kept.rmdir()
    return True
