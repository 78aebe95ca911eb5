"""A command of an operator: what grading has of one attempt."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from examkit.db import Database
from examkit.errors import AppError
from examkit.settings import SettingsError, from_environment

from grading_service.usecases.timeline import timeline

COMMANDS = ("attempt",)


@dataclass(frozen=True, kw_only=True)
class CommandSettings:
    """What the command needs."""

    database_url: str = field(repr=False, metadata={"form": "postgresql"})
    db_schema: str = "grading"


def run(argv: Sequence[str]) -> int:
    """Exit status: 0 done, 1 refused, 2 wrong settings."""
    parser = argparse.ArgumentParser(prog="python -m grading_service")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("attempt", help="what grading has of one attempt").add_argument("id")
    arguments = parser.parse_args(argv)
    try:
        print("\n".join(asyncio.run(_timeline(from_environment(CommandSettings), arguments.id))))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    except AppError as error:
        print(error.detail, file=sys.stderr)
        return 1
    return 0


async def _timeline(settings: CommandSettings, student_exam_id: str) -> list[str]:
    db = Database(settings.database_url, schema=settings.db_schema, pool_size=1)
    try:
        return await timeline(db, student_exam_id)
    finally:
        await db.close()
