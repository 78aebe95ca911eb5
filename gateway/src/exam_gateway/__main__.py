"""`python -m exam_gateway serve | check-config`. Exits with 0 done, 1 failed, 2 wrong settings."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from examkit import logs, telemetry
from examkit.settings import SettingsError

from exam_gateway.settings import GatewaySettings, read


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m exam_gateway")
    parser.add_argument("command", choices=["serve", "check-config"])
    command = parser.parse_args().command
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
    _serve(settings)


def _serve(settings: GatewaySettings) -> None:
    import uvloop

    from exam_gateway.server import Process

    logs.setup(settings.service_name, settings.log_level)
    if settings.ready_file:
        # Until this run serves, the file of an earlier one would point at a dead process.
        Path(settings.ready_file).unlink(missing_ok=True)
    telemetry.setup(
        settings.service_name, settings.otel_exporter_otlp_endpoint, settings.otel_traces_sampler_arg
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(Process(settings).run())
    finally:
        telemetry.shutdown()


if __name__ == "__main__":
    main()
