"""What the monolith does of the same work, in the same run: so every figure is a ratio too."""

from tests.load.arrivals import burst, closed_loop
from tests.load.baseline import server
from tests.load.http import Pool
from tests.load.meter import Meter
from tests.load.report import Line
from tests.load.scenarios import CONNECTIONS, Run
from tests.load.stage import metered, pool, seated, starting
from tests.load.students import Student, ok, saves

STUDENTS = 1000
WORKERS = (1, 2)


async def measure(run: Run) -> None:
    """Saves in a closed loop, starts and submits at once, with one worker and two; the ratios to the best."""
    url, students, exam = server.prepare(run.stage.dsn, STUDENTS * len(WORKERS))
    for number, workers in enumerate(WORKERS):
        with server.serving(url, workers) as (host, port, pid):
            meter = Meter({"baseline": pid, "postgres": run.stage.system.pid("postgres")})
            async with pool((host, port), CONNECTIONS) as lines:
                people = students[number * STUDENTS : (number + 1) * STUDENTS]
                await _measured(run, lines, meter, people, str(exam), f"baseline, {workers} workers")
    for scenario in ("save", "start", "submit"):
        _compare(run, scenario)


async def _measured(run: Run, lines: Pool, meter: Meter, people: list[Student], exam: str, name: str) -> None:
    beginning, rest = people[: STUDENTS // 2], people[STUDENTS // 2 :]
    await seated(lines, beginning, exam, ok)
    await closed_loop(lines, saves(beginning), CONNECTIONS, 3)
    loop = closed_loop(lines, saves(beginning, seed=2), CONNECTIONS, run.seconds)
    run.report.add("baseline save", name, *await metered(meter, loop))
    starts = burst(lines, [starting(student, exam, ok) for student in rest])
    run.report.add("baseline start", name, *await metered(meter, starts))
    submits = burst(lines, [student.submit() for student in beginning])
    run.report.add("baseline submit", name, *await metered(meter, submits))


def _compare(run: Run, scenario: str) -> None:
    def best(name: str) -> Line | None:
        # Of what was driven as hard as it goes: a fixed rate says nothing of the most.
        found = [
            line for line in run.report.lines if line.scenario == name and not line.name.startswith("open")
        ]
        return max(found, key=lambda line: line.throughput, default=None)

    ours, theirs = best(scenario), best(f"baseline {scenario}")
    if ours and theirs and theirs.throughput:
        ratio = ours.throughput / theirs.throughput
        cpu = _cpu(theirs) / _cpu(ours)
        run.report.say(f"{scenario}: {ratio:.1f} times the monolith's best, at 1/{cpu:.1f} of its CPU each")


def _cpu(line: Line) -> float:
    """CPU seconds for one, without the generator's."""
    return line.server / line.throughput
