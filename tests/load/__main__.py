"""Measurements against a copy of its own on loopback: they report, they don't judge.

python -m tests.load [save curve start submit login day import sustain] [--seconds 15] [--students 5000]
"""

import argparse
import asyncio
from pathlib import Path

import uvloop

from tests.load.baseline import compared
from tests.load.report import Report
from tests.load.scenarios import SCENARIOS, Run
from tests.load.stage import running


async def measure(run: Run, names: list[str], baseline: bool) -> None:
    for name in names:
        run.report.say(f"--- {name}: {(SCENARIOS[name].__doc__ or '').splitlines()[0]}")
        await SCENARIOS[name](run)
    if baseline:
        run.report.say("--- baseline: the same by a plain monolith, in the same run")
        await compared.measure(run)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("scenarios", nargs="*", default=list(SCENARIOS), help=" ".join(SCENARIOS))
    parser.add_argument("--seconds", type=float, default=15, help="of each steady load")
    parser.add_argument("--students", type=int, default=5000, help="who have begun")
    parser.add_argument("--no-baseline", action="store_true", help="without the monolith")
    parser.add_argument("--out", type=Path, default=Path(".run/bench"), help="folder for results and plots")
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    report = Report()
    with running() as stage, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        run = Run(stage, report, options.seconds, options.students)
        runner.run(measure(run, options.scenarios, not options.no_baseline))
    report.write(options.out)


if __name__ == "__main__":
    main()
