"""The command line: `python -m examhall_local up | run | down | clean | doctor | admin`."""

import argparse
import os
import sys

from examhall_local.options import BadOptionError, read


def main() -> int:
    """Runs the command; its imports come late, so that `doctor` works where little is installed."""
    parser = argparse.ArgumentParser(prog="python -m examhall_local")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "run", "down", "clean", "doctor"):
        commands.add_parser(name)
    commands.add_parser("supervise").add_argument("--report", type=int, required=True)
    admin = commands.add_parser("admin")
    admin.add_argument("--email", required=True)
    admin.add_argument("--name", default="")
    chosen = parser.parse_args()
    try:
        options = read(os.environ)
    except BadOptionError as problem:
        print(problem, file=sys.stderr)
        return 2
    if chosen.command == "doctor":
        from examhall_local.doctor import examine

        return examine(options)
    if chosen.command == "admin":
        from examhall_local.admin_account import create

        return create(options, chosen.email, chosen.name)
    from examhall_local import commands as run_commands
    from examhall_local.statedir import NotOursError

    try:
        if chosen.command == "supervise":
            return run_commands.supervise(options, chosen.report)
        command = {"up": run_commands.up, "run": run_commands.run, "down": run_commands.down}
        return command.get(chosen.command, run_commands.clean)(options)
    except NotOursError as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
