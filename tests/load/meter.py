"""What processes cost: CPU seconds and memory, read from /proc."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
GENERATOR = "generator"


@dataclass(frozen=True)
class Usage:
    """`cpu` in seconds, `memory` in MiB, by the name of the process (a family counts as one)."""

    at: float
    cpu: Mapping[str, float]
    memory: Mapping[str, float]


@dataclass(frozen=True)
class Cost:
    """Between two looks. `cores`: CPU seconds a second."""

    seconds: float
    cores: Mapping[str, float]
    memory: Mapping[str, float]
    memory_growth: Mapping[str, float]

    @property
    def machine(self) -> float:
        """The share of all cores, the generator included."""
        return sum(self.cores.values()) / (os.cpu_count() or 1)

    @property
    def server(self) -> float:
        """The share of all cores, without the generator."""
        used = sum(cores for name, cores in self.cores.items() if name != GENERATOR)
        return used / (os.cpu_count() or 1)


class Meter:
    """Looks at these processes, each with all that it started, and at this one."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = {**roots, GENERATOR: os.getpid()}

    def look(self) -> Usage:
        parents = _parents()
        cpu, memory = {}, {}
        for name, root in self._roots.items():
            family = [root] if name == GENERATOR else list(_family(root, parents))
            cpu[name] = sum(_cpu(pid) for pid in family)
            memory[name] = sum(_memory(pid) for pid in family)
        return Usage(time.perf_counter(), cpu, memory)


def cost(before: Usage, after: Usage) -> Cost:
    seconds = after.at - before.at
    return Cost(
        seconds,
        {name: (after.cpu[name] - before.cpu[name]) / seconds for name in after.cpu},
        dict(after.memory),
        {name: after.memory[name] - before.memory[name] for name in after.memory},
    )


def _parents() -> dict[int, list[int]]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            fields = _stat(int(folder.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    return children


def _family(root: int, children: Mapping[int, list[int]]) -> Iterable[int]:
    yield root
    for child in children.get(root, ()):
        yield from _family(child, children)


def _stat(pid: int) -> list[str]:
    """The fields after the command's name: state, parent, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(pid: int) -> float:
    """Own time, and that of children that have ended."""
    fields = _stat(pid)
    return sum(int(value) for value in fields[11:15]) / TICKS if fields else 0.0


def _memory(pid: int) -> float:
    try:
        shares = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0.0
    # Without what is shared: Postgres's buffers would count once for each connection.
    return (int(shares[1]) - int(shares[2])) * PAGE / 2**20
