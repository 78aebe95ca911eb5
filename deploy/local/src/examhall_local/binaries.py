"""Finds the programs this package starts: Debian's places first, then the PATH (Homebrew and the like)."""

import re
import shutil
import subprocess
from pathlib import Path

POSTGRES_AT_LEAST = 15


class MissingProgramError(RuntimeError):
    """A program that the local run needs is not on this machine; the text says how to get it."""


def postgres_folders() -> list[Path]:
    """Folders with `postgres` and `initdb`, the newest major version first."""
    folders = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    folders += [p.parent for p in Path("/usr").glob("pgsql-*/bin/postgres")]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    found = {f: postgres_major(f) for f in folders if (f / "initdb").exists()}
    return sorted(found, key=lambda f: found[f], reverse=True)


def postgres_major(folder: Path) -> int:
    """The major version of the server in `folder`; 0 where it does not say."""
    in_path = re.search(r"/(?:postgresql|pgsql-)/?(\d+)/bin$", str(folder))
    if in_path:
        return int(in_path[1])
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"(\d+)", said.stdout)
    return int(version[1]) if version else 0


def postgres_folder(major: int | None = None) -> Path:
    """The folder with the newest PostgreSQL, or with the very `major` that made an existing cluster."""
    for folder in postgres_folders():
        found = postgres_major(folder)
        if found == major or (major is None and found >= POSTGRES_AT_LEAST):
            return folder
    wanted = f"{major}, which made this data" if major else f"{POSTGRES_AT_LEAST} or newer"
    raise MissingProgramError(f"no PostgreSQL {wanted} on this machine (Debian: apt-get install postgresql)")


def rabbitmq_server() -> Path:
    """The real start script: Debian's /usr/sbin wrapper would change the user and read /etc."""
    real = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if real.exists():
        return real
    on_path = shutil.which("rabbitmq-server")
    if on_path:
        return Path(on_path).resolve()
    raise MissingProgramError("no RabbitMQ on this machine (Debian: apt-get install rabbitmq-server)")


def epmd() -> Path:
    """Erlang's port mapper, beside `erl` or inside Erlang's own folder."""
    on_path = shutil.which("epmd")
    if on_path:
        return Path(on_path)
    inside = sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))
    if inside:
        return inside[-1]
    raise MissingProgramError("no epmd on this machine (Debian: apt-get install erlang-base)")
