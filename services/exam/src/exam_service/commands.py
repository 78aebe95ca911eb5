"""Commands of an operator: look into an attempt, give lost time back, tell others everything again."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from examkit.db import Database
from examkit.errors import AppError
from examkit.ids import parse_uuid
from examkit.settings import SettingsError, from_environment

from exam_service.repository import attempts
from exam_service.repository.papers import PaperCache
from exam_service.usecases.actor import SYSTEM
from exam_service.usecases.announce_all import announce_all
from exam_service.usecases.give_time import give_time
from exam_service.usecases.timeline import timeline

COMMANDS = ("announce", "attempt", "give-time")


@dataclass(frozen=True, kw_only=True)
class CommandSettings:
    """What the commands need."""

    database_url: str = field(repr=False, metadata={"form": "postgresql"})
    db_schema: str = "exam"


def run(argv: Sequence[str]) -> int:
    """Exit status: 0 done, 1 refused, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m exam_service")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("announce", help="tell grading again of every exam, and of attempts without a grade")
    commands.add_parser("attempt", help="what happened in one attempt").add_argument("id")
    time = commands.add_parser("give-time", help="more time for everyone who sits an exam")
    time.add_argument("--minutes", type=int, required=True)
    time.add_argument("--reason", required=True, help="for the audit trail")
    time.add_argument("--exam", action="append", default=[], help="this exam alone, by its id; or several")
    arguments = parser.parse_args(argv)
    try:
        print(asyncio.run(_done(from_environment(CommandSettings), arguments)))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except AppError as error:
        said = [error.detail, *(f"{'.'.join(map(str, one.loc))} {one.msg}" for one in error.errors)]
        print("\n".join(said), file=sys.stderr)
        return 1
    return 0


async def _done(settings: CommandSettings, arguments: argparse.Namespace) -> str:
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=2)
    try:
        if arguments.command == "attempt":
            return "\n".join(await timeline(db, arguments.id))
        if arguments.command == "give-time":
            return await _give_time(db, arguments.minutes, arguments.reason, arguments.exam)
        told = await announce_all(db, PaperCache(db))
        withdrawn = f", {told.withdrawn} whose grade does not count" if told.withdrawn else ""
        return f"told again: {told.exams} exams, {told.attempts} attempts without a grade{withdrawn}"
    finally:
        await db.close()


async def _give_time(db: Database, minutes: int, reason: str, exams: Sequence[str]) -> str:
    """Each exam in its own transaction, and told when it is done: who runs it again gives the time again."""
    exam_ids = list(dict.fromkeys(parse_uuid(exam, "exam") for exam in exams))
    if not exam_ids:
        async with db.reading() as conn:
            exam_ids = await attempts.exams_under_way(conn)
    total = 0
    for place, exam_id in enumerate(exam_ids):
        try:
            given = await give_time(db, SYSTEM, exam_id, minutes, reason)
        except BaseException:
            if len(exam_ids) > 1:
                print(_left(minutes, reason, exam_ids[place:]), file=sys.stderr)
            raise
        total += given
        print(f"{exam_id}: {minutes} minutes more for {given} attempts", flush=True)
    return f"{minutes} minutes more for {total} attempts at {len(exam_ids)} exams"


def _left(minutes: int, reason: str, exam_ids: Sequence[UUID]) -> str:
    words = ["give-time", "--minutes", str(minutes), "--reason", reason]
    words += [word for exam_id in exam_ids for word in ("--exam", str(exam_id))]
    return f"stopped with {len(exam_ids)} exams left, go on with:\npython -m exam_service {shlex.join(words)}"
