"""Creates an administrator by the auth service's own command: the first one must come from somewhere."""

import getpass
import os
import sys
from pathlib import Path

from examhall_local import service_command
from examhall_local.options import Options
from examhall_local.statedir import StateDir


def create(options: Options, email: str, name: str) -> int:
    """Asks for the password (or takes ADMIN_PASSWORD) and creates the account in the running system."""
    folder = StateDir(options.state_dir)
    if folder.read_state() is None:
        print("the system is not up: make up", file=sys.stderr)
        return 1
    password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass(f"password for {email}: ")
    try:
        call(folder, options.root, email, name or email.partition("@")[0], password)
    except service_command.CommandFailedError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"{email} is an administrator")
    return 0


def call(folder: StateDir, root: Path, email: str, name: str, password: str) -> None:
    """Runs `auth_service create-admin`, which changes nothing where the account exists.

    Raises service_command.CommandFailedError.
    """
    settings = {**folder.read_settings("auth"), "ADMIN_PASSWORD": password}
    words = ["create-admin", "--email", email, "--name", name]
    service_command.call(root, "auth_service", words, settings)
