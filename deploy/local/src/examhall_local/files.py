"""Files that are replaced as a whole and that only their owner may read."""

import json
import os
import secrets
import threading
from pathlib import Path

_passwords_lock = threading.Lock()


def write_private(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Replaces `path` atomically: a reader sees the old content or the new one, never a part."""
    data = content.encode() if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(descriptor, data)
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)


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
