"""Where gateway and exam spend their time while students save: flame graphs, and what costs most.

python -m tests.load.profile [--seconds 20] [--students 1000] [--out .run/profile]

Shares within one process, not speeds: the profiler takes its part of the machine, and others may work on it.
Needs to be root, or a kernel that lets a user look into processes of their own.
"""

import argparse
import asyncio
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import uvloop

from tests.load.arrivals import closed_loop
from tests.load.report import Report
from tests.load.scenarios import CONNECTIONS, Run
from tests.load.stage import pool, running
from tests.load.students import saves

PROCESSES = ("gateway", "exam")
SAMPLES_A_SECOND = 200
MOST = 15
"""Functions and packages that are listed."""
EVERYTHING = 0.6
"""What more of the samples have above them is the frame of all, and tells nothing."""

# "take (exam_gateway/student/save_client.py:131)", "poll (uvloop/loop.pyx:12)"
_FRAME = re.compile(r"(?P<name>.+) \((?P<file>.+?)(?::\d+)?\)")
_OURS = ("exam_gateway/", "exam_service/", "examkit/")
_INSTALLED = re.compile(r".*?(?:site-packages|dist-packages|/src)/")

Stack = tuple[list[str], int]
"""Frames from the outermost to the innermost, and how many samples were taken there."""


def stacks(folded: Iterable[str]) -> Iterator[Stack]:
    """From lines such as `main (a.py:1);work (b.py:7) 12`."""
    for line in folded:
        frames, _, count = line.rstrip().rpartition(" ")
        yield frames.split(";"), int(count)


def by_function(found: Iterable[Stack]) -> Counter[str]:
    """Samples by the function in which they were taken, whatever its line."""
    counts: Counter[str] = Counter()
    for frames, count in found:
        name, file = _parted(frames[-1])
        counts[f"{name} ({file})" if file else name] += count
    return counts


def by_step(found: Iterable[Stack]) -> Counter[str]:
    """Samples by each function of ours that was under way, so with all that it calls."""
    counts: Counter[str] = Counter()
    for frames, count in found:
        for name, file in {_parted(frame) for frame in frames}:
            if file.startswith(_OURS):
                counts[f"{name} ({file})"] += count
    return counts


def by_package(found: Iterable[Stack]) -> Counter[str]:
    """Samples by the package of that function: a service's, or a library's."""
    counts: Counter[str] = Counter()
    for frames, count in found:
        _, file = _parted(frames[-1])
        counts[file.partition("/")[0] if "/" in file else "Python's own"] += count
    return counts


def _parted(frame: str) -> tuple[str, str]:
    """A function's name and its file, as it is imported."""
    match = _FRAME.fullmatch(frame)
    if match is None:
        return frame or "no Python at all", ""
    return match["name"], _INSTALLED.sub("", match["file"])


def readable(process: str, found: list[Stack]) -> str:
    """Both tables of one process, in shares of its samples."""
    total = sum(count for _, count in found)
    lines = [f"{process}: {total} samples"]
    for title, counts in (
        ("by package", by_package(found)),
        ("by function", by_function(found)),
        ("by function of ours, with all that it calls", by_step(found)),
    ):
        lines.append(f"  {title}")
        told = [(count / total, name) for name, count in counts.most_common()]
        lines += [f"    {share:6.1%}  {name}" for share, name in told if share < EVERYTHING][:MOST]
    return "\n".join(lines)


async def record(pid: int, form: str, path: Path, seconds: int) -> None:
    """Let py-spy look at the process for so long. Raises RuntimeError with what it says where it can't."""
    program = shutil.which("py-spy") or ".venv/bin/py-spy"
    what = ["--pid", pid, "--format", form, "--output", path, "--duration", seconds]
    process = await asyncio.create_subprocess_exec(
        program,
        "record",
        *map(str, what),
        f"--rate={SAMPLES_A_SECOND}",
        "--nonblocking",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(said.decode())


async def profile(run: Run, out: Path) -> str:
    """Saves in a closed loop, and both processes looked at: the first half of the time for the pictures."""
    state = run.stage.system.state()
    pids = {"gateway": state["gateway"]["pid"], "exam": state["services"]["exam"]["pid"]}
    half = max(1, round(run.seconds / 2))
    async with pool(run.stage.address, CONNECTIONS) as lines:
        _, students = await run.sat(lines, run.students)
        await closed_loop(lines, saves(students), CONNECTIONS, 3)
        load = closed_loop(lines, saves(students, seed=2), CONNECTIONS, 2 * half + 4)
        async with asyncio.TaskGroup() as work:
            work.create_task(load)
            for form, ending in (("flamegraph", "svg"), ("raw", "folded")):
                await asyncio.gather(
                    *(record(pid, form, out / f"{name}.{ending}", half) for name, pid in pids.items())
                )
    found = {name: list(stacks((out / f"{name}.folded").read_text().splitlines())) for name in PROCESSES}
    return "\n\n".join(readable(name, taken) for name, taken in found.items())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.profile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument(
        "--out", type=Path, default=Path(".run/profile"), help="folder for pictures and stacks"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with running() as stage, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        run = Run(stage, Report(), options.seconds, options.students)
        told = runner.run(profile(run, options.out))
    (options.out / "profile.txt").write_text(told + "\n")
    print(told)
    print(f"\n{options.out}/gateway.svg, exam.svg: flame graphs; *.folded: the stacks, for other tools")


if __name__ == "__main__":
    main()
