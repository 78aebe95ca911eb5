"""The command line: `python -m examhall_local COMMAND`; each is a make target of the same name."""

import argparse
import os
import sys

from examhall_local.options import BadOptionError, Options, read


def main() -> int:
    """Runs the command; its imports come late, so that `doctor` works where little is installed."""
    chosen = _parser().parse_args()
    try:
        options = read(os.environ)
    except BadOptionError as problem:
        print(problem, file=sys.stderr)
        return 2
    return _run(chosen, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examhall_local")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "run", "down", "clean", "doctor"):
        commands.add_parser(name)
    commands.add_parser("supervise").add_argument("--report", type=int, required=True)
    admin = commands.add_parser("admin")
    admin.add_argument("--email", required=True)
    admin.add_argument("--name", default="")
    commands.add_parser("backup").add_argument("--to", default="")
    restoring = commands.add_parser("restore")
    restoring.add_argument("--from", dest="source", required=True)
    restoring.add_argument("--force", action="store_true")
    commands.add_parser("attempt").add_argument("id")
    commands.add_parser("queues").add_argument("--resend", default="", metavar="QUEUE")
    observing = commands.add_parser("observe")
    observing.add_argument("--interval", type=float, default=15.0, metavar="SECONDS")
    commands.add_parser("psql").add_argument("--sql", default="")
    service = commands.add_parser("service")
    service.add_argument("name")
    service.add_argument("words", nargs=argparse.REMAINDER)
    return parser


def _run(chosen: argparse.Namespace, options: Options) -> int:
    match chosen.command:
        case "doctor":
            from examhall_local.doctor import examine

            return examine(options)
        case "admin":
            from examhall_local.admin_account import create

            return create(options, chosen.email, chosen.name)
        case "backup":
            from examhall_local import backup

            return backup.run(options, chosen.to)
        case "restore":
            from examhall_local import restore

            return restore.run(options, chosen.source, force=chosen.force)
        case "observe":
            from examhall_local import observe

            return observe.run(options, chosen.interval)
        case "attempt" | "queues" | "psql" | "service":
            return _look_into(chosen, options)
        case _:
            return _run_system(chosen, options)


def _look_into(chosen: argparse.Namespace, options: Options) -> int:
    from examhall_local import database_shell, service_command

    match chosen.command:
        case "attempt":
            return service_command.attempt(options, chosen.id)
        case "queues":
            return service_command.queues(options, chosen.resend)
        case "psql":
            return database_shell.run(options, chosen.sql)
        case _:
            return service_command.run(options, chosen.name, chosen.words)


def _run_system(chosen: argparse.Namespace, options: Options) -> int:
    from examhall_local import commands
    from examhall_local.statedir import NotOursError

    try:
        if chosen.command == "supervise":
            return commands.supervise(options, chosen.report)
        command = {"up": commands.up, "run": commands.run, "down": commands.down}
        return command.get(chosen.command, commands.clean)(options)
    except NotOursError as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
