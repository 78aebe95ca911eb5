"""psql in the system's database, as its administrator; the password is on no command line."""

import signal
import subprocess
import sys

from examhall_local import database_dump
from examhall_local.binaries import MissingProgramError
from examhall_local.database_access import NoDatabaseError, database
from examhall_local.options import Options
from examhall_local.postgres import NodeFailedError


def run(options: Options, sql: str) -> int:
    """Interactive, or for the statements `sql` alone. Its exit status; 1 where there is no database."""
    try:
        with database(options) as dsn:
            place = f"--dbname={database_dump.without_password(dsn)}"
            words = [str(database_dump.program_for(dsn, "psql")), "--no-psqlrc", place]
            if sql:
                words += ["--command", sql]
            signal.signal(signal.SIGINT, lambda _number, _frame: None)  # Ctrl-C ends psql's statement
            return subprocess.run(words, env=database_dump.environment(dsn), check=False).returncode
    except (NoDatabaseError, NodeFailedError, MissingProgramError) as problem:
        print(problem, file=sys.stderr)
        return 1
