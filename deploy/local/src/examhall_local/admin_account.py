"""Creates an administrator by the auth service's own command: the first one must come from somewhere."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

from examhall_local.options import Options
from examhall_local.plan import base_environment
from examhall_local.statedir import StateDir


class AdminFailedError(RuntimeError):
    """The auth service would not create the account; the text holds what it said."""


def create(options: Options, email: str, name: str) -> int:
    """Asks for the password (or takes ADMIN_PASSWORD) and creates the account in the running system."""
    folder = StateDir(options.state_dir)
    if folder.read_state() is None:
        print("the system is not up: make up", file=sys.stderr)
        return 1
    password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass(f"password for {email}: ")
    try:
        call(folder, options.root, email, name or email.partition("@")[0], password)
    except AdminFailedError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{email} is an administrator")
    return 0


def call(folder: StateDir, root: Path, email: str, name: str, password: str) -> None:
    """Runs `auth_service create-admin`, which changes nothing where the account exists."""
    done = subprocess.run(
        [sys.executable, "-m", "auth_service", "create-admin", "--email", email, "--name", name],
        env={
            **base_environment(os.environ),
            **folder.read_settings("auth"),
            "ADMIN_PASSWORD": password,
        },
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise AdminFailedError(f"auth could not create {email}:\n{said}")
