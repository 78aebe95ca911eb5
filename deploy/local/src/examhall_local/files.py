"""What is kept in files of the state folder: passwords; and the ends of logs."""

import json
import secrets
import threading
from pathlib import Path

from examkit.private_files import write_private

_passwords_lock = threading.Lock()


def kept_password(file: Path, name: str) -> str:
    """The password `name` of this state folder: random, made at first use (letters and digits only)."""
    with _passwords_lock:
        kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
        if name not in kept:
            kept[name] = secrets.token_hex(24)
            write_private(file, json.dumps(kept, indent=1))
        return kept[name]


def tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, for messages about what failed."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 16_384))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
