"""psql in the running system's database, as its administrator; the password is on no command line."""

import signal
import subprocess
import sys

import psycopg

from examhall_local import binaries, database_dump
from examhall_local.options import Options
from examhall_local.statedir import StateDir


def run(options: Options, sql: str) -> int:
    """Interactive, or for the statements `sql` alone. Its exit status; 1 where there is no database."""
    state = StateDir(options.state_dir).read_state()
    if state is None:
        print("the system is not up: make up", file=sys.stderr)
        return 1
    dsn = state["postgres"]["dsn"]
    try:
        program = database_dump.program_for(dsn, "psql")
    except (psycopg.OperationalError, binaries.MissingProgramError) as problem:
        print(problem, file=sys.stderr)
        return 1
    words = [str(program), "--no-psqlrc", f"--dbname={database_dump.without_password(dsn)}"]
    if sql:
        words += ["--command", sql]
    signal.signal(signal.SIGINT, lambda _number, _frame: None)  # Ctrl-C is psql's: it ends the statement
    return subprocess.run(words, env=database_dump.environment(dsn), check=False).returncode
