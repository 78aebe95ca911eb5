"""`python -m exam_gateway serve | check-config | openapi`. Exits with 0 done, 1 failed, 2 wrong settings."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from examkit.settings import SettingsError

from exam_gateway.settings import read


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m exam_gateway")
    parser.add_argument("command", choices=["serve", "check-config", "openapi"])
    command = parser.parse_args().command
    if command == "openapi":
        print(_openapi())
        return
    try:
        settings = read(os.environ)
        problems = [problem for tls in settings.identities.values() for problem in tls.unreadable()]
        if settings.web_root and not Path(settings.web_root).is_dir():
            problems.append(f"WEB_ROOT: {settings.web_root} is no folder")
        if problems:
            raise SettingsError(problems)
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    if command == "check-config":
        print("The settings are complete.")
        return
    from exam_gateway.server import run

    run(settings)


def _openapi() -> str:
    """The API's description, for clients to be made from: the same text for the same API."""
    from exam_gateway.bootstrap import openapi

    return json.dumps(asyncio.run(openapi()), indent=2, sort_keys=True, ensure_ascii=False)


if __name__ == "__main__":
    main()
