"""Commands of an operator: tell others everything again, and look into one attempt."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from examkit.db import Database
from examkit.errors import AppError
from examkit.settings import SettingsError, from_environment

from exam_service.repository.papers import PaperCache
from exam_service.usecases.announce_all import announce_all
from exam_service.usecases.timeline import timeline

COMMANDS = ("announce", "attempt")


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
    arguments = parser.parse_args(argv)
    try:
        print(asyncio.run(_done(from_environment(CommandSettings), arguments)))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except AppError as error:
        print(error.detail, file=sys.stderr)
        return 1
    return 0


async def _done(settings: CommandSettings, arguments: argparse.Namespace) -> str:
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=2)
    try:
        if arguments.command == "attempt":
            return "\n".join(await timeline(db, arguments.id))
        told = await announce_all(db, PaperCache(db))
        return f"told again: {told.exams} exams, {told.attempts} attempts without a grade"
    finally:
        await db.close()
