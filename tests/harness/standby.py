"""Two PostgreSQL nodes: a primary that commits nothing its standby has not on disk, and that standby."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from examhall_local import binaries
from examhall_local.postgres import PrivatePostgres
from psycopg.conninfo import conninfo_to_dict

from tests.harness.system import wait_until

NAME = "standby"


class Pair:
    """`dsn`: an administrator's, which finds whichever of the two takes writes."""

    def __init__(self, folder: Path) -> None:
        self._folders = folder / "primary", folder / NAME
        self._primary, self._standby = (
            PrivatePostgres(one, log=one / "postgres.log", die_with_parent=True) for one in self._folders
        )

    def start(self) -> None:
        """Returns once every commit waits for the standby."""
        dsn = self._primary.start()
        self._copy(dsn)
        self._standby.start()
        # Not in the copy: when it is promoted nobody stands by for it.
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            admin.execute("SELECT pg_reload_conf()")
        wait_until(self.is_synchronous, "the standby is synchronous")

    @property
    def dsn(self) -> str:
        primary, standby = (conninfo_to_dict(node.dsn) for node in (self._primary, self._standby))
        places = ",".join(f"{one['host']}:{one['port']}" for one in (primary, standby))
        person = f"{primary['user']}:{primary['password']}"
        return f"postgresql://{person}@{places}/{primary['dbname']}?target_session_attrs=read-write"

    def is_synchronous(self) -> bool:
        """Whether the primary waits for the standby's disk before it says that something is committed."""
        with psycopg.connect(self._primary.dsn) as admin:
            row = admin.execute(
                "SELECT application_name, sync_state, current_setting('synchronous_commit'),"
                " current_setting('fsync') FROM pg_stat_replication"
            ).fetchone()
        return row == (NAME, "sync", "on", "on")

    def kill_primary(self) -> None:
        """As when its machine is gone: it does not come back."""
        assert self._primary.process is not None
        os.kill(self._primary.process.pid, signal.SIGKILL)
        self._primary.process.wait()

    def promote(self) -> None:
        """What an operator does when the primary does not answer."""
        with psycopg.connect(self._standby.dsn, autocommit=True) as admin:
            assert admin.execute("SELECT pg_promote(wait => true)").fetchone() == (True,)

    def stop(self) -> None:
        for node in (self._primary, self._standby):
            node.stop()

    def _copy(self, dsn: str) -> None:
        """The primary's data as it is now, with what a standby needs to follow it."""
        primary, standby = self._folders
        data = standby / "postgres" / "data"
        data.parent.mkdir(parents=True)
        shutil.copy(primary / "passwords.json", standby / "passwords.json")
        program = str(binaries.postgres_folder() / "pg_basebackup")
        maintenance = dsn.rpartition("/")[0] + f"/postgres?application_name={NAME}"
        command = [program, f"--pgdata={data}", "--write-recovery-conf", "--checkpoint=fast"]
        subprocess.run([*command, f"--dbname={maintenance}"], check=True, capture_output=True)
        # PostgreSQL serves only a folder of its own, and whoever runs the tests may be root.
        owner = (primary / "postgres" / "data").stat()
        for path in (data.parent, data, *data.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def standing_by(folder: Path) -> Iterator[Pair]:
    """Both up, and down at the end."""
    pair = Pair(folder)
    try:
        pair.start()
        yield pair
    finally:
        pair.stop()
