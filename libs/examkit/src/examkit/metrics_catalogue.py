"""Lists every metric of these programs, as Markdown: `python -m examkit.metrics_catalogue exam_service …`.

What is in this library is every process's; what a package's `metrics` module adds is that package's own.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import examkit

_SUFFIXES = {"counter": "_total"}
_OURS = "examhall_"


@dataclass(frozen=True, order=True)
class Entry:
    """A metric by the name that Prometheus queries; a histogram has its `_bucket`, `_sum` and `_count`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def catalogue(packages: Sequence[str]) -> dict[str, list[Entry]]:
    """The metrics of the library, under `examkit`, and of each package, by name."""
    for module in pkgutil.walk_packages(examkit.__path__, "examkit."):
        if not module.name.startswith("examkit.testing"):
            importlib.import_module(module.name)
    found = {"examkit": sorted(_known())}
    for package in packages:
        before = set(_known())
        importlib.import_module(f"{package}.metrics")
        found[package] = sorted(set(_known()) - before)
    return found


def _known() -> Iterator[Entry]:
    # What is registered is told by no public way that also tells the labels.
    for collector in set(REGISTRY._collector_to_names):
        if not isinstance(collector, MetricWrapperBase):
            continue
        for family in collector.describe():
            if family.name.startswith(_OURS):
                name = family.name + _SUFFIXES.get(family.type, "")
                yield Entry(name, family.type, tuple(collector._labelnames), family.documentation)


def markdown(found: dict[str, list[Entry]]) -> str:
    """The page, with a table for each."""
    lines = [_OPENING]
    for owner, entries in found.items():
        lines += [f"## {_TITLES.get(owner, f'`{owner}`')}", "", *_HEAD]
        for entry in entries:
            labels = ", ".join(f"`{label}`" for label in entry.labels)
            lines.append(f"| `{entry.name}` | {entry.kind} | {labels} | {entry.help} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


_HEAD = ("| name | type | labels | meaning |", "| --- | --- | --- | --- |")
_TITLES = {"examkit": "Every process, as far as it has what is measured"}
_OPENING = """\
# Metrics

Generated from the code by `make metrics`; a test compares. Every process serves them on `/metrics` of its
ops port, beside Python's and the process's own (`python_…`, `process_…`). A histogram `x` has `x_bucket`,
`x_sum` and `x_count`. Labels hold templates and words of ours, never an id, a name or an address.

Counters and histograms are of one process: sum them over replicas. A gauge whose meaning says *take the
max* is read from the database or the broker, so that every process that has it says the same. In OpenMetrics
the buckets of calls carry the trace id of a sampled one as their exemplar.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*")
    print(markdown(catalogue(parser.parse_args().packages)), end="")


if __name__ == "__main__":
    main()
