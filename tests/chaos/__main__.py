"""`make chaos`: a run on a copy of its own, kept in a folder of STATE_DIR, and its report.

python -m tests.chaos [--seconds 600] [--seed N] [--students 24] [--state-dir .run]
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from pathlib import Path

from examhall_local.statedir import StateDir

from tests.chaos.disk import NoDiskError, SmallDisk
from tests.chaos.faults import plan
from tests.chaos.report import readable, summary
from tests.chaos.run import Outcome, run
from tests.harness.system import System

FAULTS_A_SECOND = 200 / 600
"""What a run of ten minutes must bring, to prove anything; a short one its share."""


def main() -> int:
    """0 where no promise was broken; 2 where too few faults fell for that to say much."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--students", type=int, default=24)
    parser.add_argument("--state-dir", type=Path, default=Path(os.environ.get("STATE_DIR") or ".run"))
    options = parser.parse_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    folder = StateDir(options.state_dir.resolve())
    folder.create()
    reports = folder.path / "chaos"
    reports.mkdir(exist_ok=True)
    outcome = _with_system(reports, options.seconds, seed, options.students)
    outcome.history.write(reports / "history.jsonl")
    told = summary(outcome, seed=seed, seconds=options.seconds)
    (reports / "report.json").write_text(json.dumps(told, indent=1) + "\n")
    (reports / "report.txt").write_text(readable(told) + "\n")
    print(readable(told))
    print(f"\n{reports}/report.json, report.txt, history.jsonl; the copy's logs in {reports}/system/logs")
    if outcome.violations:
        return 1
    wanted = options.seconds * FAULTS_A_SECOND
    if told["faults"] < wanted:
        print(f"only {told['faults']} faults fell, {wanted:.0f} were to", file=sys.stderr)
        return 2
    return 0


def _with_system(reports: Path, seconds: float, seed: int, students: int) -> Outcome:
    """A fresh copy, up for the run and down after it, whatever happens."""
    system = System(reports / "system")
    disk = _small_disk(system)
    try:
        system.up()
        faults = plan(seed, seconds, disk=disk is not None)
        _say(f"seed {seed}")
        return asyncio.run(
            run(system, faults, seconds=seconds, seed=seed, students=students, disk=disk, say=_say)
        )
    finally:
        system.down()
        if disk is not None:
            disk.unmount()


def _small_disk(system: System) -> SmallDisk | None:
    """The state folder emptied, whatever a run that was killed has left, and a disk in it for Postgres."""
    disk = SmallDisk(system.state_dir / "postgres.img", system.state_dir / "postgres")
    system.command("down")
    disk.unmount()
    system.command("clean")
    StateDir(system.state_dir).create()
    try:
        disk.mount()
    except NoDiskError as problem:
        _say(f"no full disk in this run: {problem}")
        return None
    return disk


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
