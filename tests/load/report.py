"""What a measurement says: a line each on the screen, all of it in a JSON file, and two plots."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.load.arrivals import Samples
from tests.load.meter import GENERATOR, Cost

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


@dataclass
class Line:
    """One measurement. Latencies in milliseconds, CPU in cores, memory in MiB."""

    scenario: str
    name: str
    throughput: float
    latencies: Mapping[str, float]
    failed: int
    machine: float
    server: float
    cores: Mapping[str, float]
    memory: Mapping[str, float]
    memory_growth: Mapping[str, float]
    extra: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        latencies = "  ".join(f"{name} {value:7.1f}" for name, value in self.latencies.items())
        used = " ".join(f"{name} {cores:.2f}" for name, cores in self.cores.items() if cores >= 0.005)
        extra = "".join(f"  {name}: {value}" for name, value in self.extra.items())
        failed = f"  FAILED {self.failed}" if self.failed else ""
        return (
            f"{self.name:34} {self.throughput:8.0f}/s  {latencies} ms  machine {self.machine:4.0%}"
            f" ({used}){extra}{failed}"
        )


class Report:
    """Collects lines, and prints each as it comes."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(self, scenario: str, name: str, samples: Samples, cost: Cost, **extra: Any) -> Line:
        latencies = {name: 1000 * samples.percentile(share) for name, share in SHARES.items()}
        line = Line(
            scenario,
            name,
            samples.throughput,
            latencies,
            samples.failed,
            cost.machine,
            cost.server,
            cost.cores,
            cost.memory,
            cost.memory_growth,
            extra,
        )
        self.lines.append(line)
        print(line.text(), flush=True)
        return line

    def say(self, text: str) -> None:
        print(text, flush=True)

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps([asdict(line) for line in self.lines], indent=1))
        curve = [line for line in self.lines if line.scenario == "curve"]
        if curve:
            plot(curve, folder)
        print(f"written to {folder}")


def plot(curve: Sequence[Line], folder: Path) -> None:
    """Latency against load, and CPU against students, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    # Text as text, in the reader's own font: small, and it can be searched.
    mpl.rcParams.update({"svg.hashsalt": "examhall", "svg.fonttype": "none", "font.family": "sans-serif"})
    _plot_latencies(curve, folder / "latency.svg")
    _plot_cpu(curve, folder / "cpu.svg")


def _plot_latencies(curve: Sequence[Line], file: Path) -> None:
    figure, axes = _axes("From the moment a save is due to its durable ack")
    rates = [line.extra["rate"] for line in curve]
    for name in SHARES:
        axes.plot(rates, [line.latencies[name] for line in curve], marker="o", label=name)
    axes.set(xlabel="saves a second, two answers each (open loop)", ylabel="milliseconds", yscale="log")
    axes.set(xlim=(0, None))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend(frameon=False)
    _write(figure, file)


def _plot_cpu(curve: Sequence[Line], file: Path) -> None:
    figure, axes = _axes("CPU while students save every 30 s, two answers each")
    students = [f"{30 * line.extra['rate'] / 1000:.0f},000" for line in curve]
    bottom = [0.0] * len(curve)
    for name in ("gateway", "exam", "postgres", GENERATOR):
        cores = [line.cores.get(name, 0.0) for line in curve]
        axes.bar(students, cores, width=0.6, bottom=bottom, label=name)
        bottom = [low + more for low, more in zip(bottom, cores, strict=True)]
    axes.set(xlabel="students", ylabel=f"cores used, of {os.cpu_count()}")
    axes.legend(frameon=False)
    _write(figure, file)


def _axes(title: str) -> tuple[Any, Any]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    # Readable on a dark page too.
    figure.set_facecolor("white")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(visible=True, axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _write(figure: Any, file: Path) -> None:
    figure.savefig(file, metadata={"Date": None})
