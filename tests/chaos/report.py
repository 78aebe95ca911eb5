"""What a run came to, for machines (JSON) and for people."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from statistics import median

from tests.chaos.ending import Ending
from tests.chaos.history import Fault, History, Json
from tests.chaos.run import Outcome
from tests.chaos.signs import SIGN_OF, signs
from tests.chaos.violation import Violation

MOST_LISTED = 100


def summary(outcome: Outcome, *, seed: int, seconds: float) -> Json:
    """Everything that is told of a run. Times in seconds."""
    history, ending = outcome.history, outcome.ending
    applied = [fault for fault in history.faults if not fault.skipped]
    return {
        "seed": seed,
        "seconds": seconds,
        "faults": len(applied),
        "faults_by_kind": dict(Counter(_name(fault) for fault in applied).most_common()),
        "faults_skipped": len(history.faults) - len(applied),
        "done_by_students": outcome.harm,
        "requests": len(history.calls),
        "requests_by_answer": _by_answer(history),
        "answers_by_outcome": dict(Counter(save.outcome for save in history.saves).most_common()),
        "acknowledged": sum(save.is_acknowledged for save in history.saves),
        "resumes": len(history.resumes),
        "attempts": dict(Counter(row.status for row in ending.attempts)),
        "healed_in": _healing(history, applied),
        "graded_in": _spread(_grading(ending)),
        "settled_in": None if ending.settled_in is None else round(ending.settled_in, 1),
        "violations": len(outcome.violations),
        "violations_by_rule": dict(Counter(one.rule for one in outcome.violations).most_common()),
        "first_violations": [_told(one, outcome.began) for one in outcome.violations[:MOST_LISTED]],
    }


def _name(fault: Fault) -> str:
    return fault.kind if fault.kind == "several" else f"{fault.kind} {fault.targets[0]}"


def _by_answer(history: History) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for call in history.calls:
        answer = f"{call.status} {call.code}".strip() if call.status else "no answer"
        counts[call.name][answer] += 1
    return {name: dict(found.most_common()) for name, found in sorted(counts.items())}


def _told(violation: Violation, began: float) -> Json:
    at = None if violation.at == float("inf") else round(violation.at - began, 3)
    return {"at": at, "rule": violation.rule, "subject": violation.subject, "detail": violation.detail}


def _grading(ending: Ending) -> list[float]:
    closed = {row.id: row.closed_at for row in ending.attempts}
    return [grade.graded_at - (closed.get(grade.attempt) or grade.graded_at) for grade in ending.grades]


def _healing(history: History, faults: Sequence[Fault]) -> dict[str, Json]:
    """How long after a fault was lifted its target gave its sign of life, whatever else fell meanwhile."""
    found = signs(history)
    spans: dict[str, list[float]] = defaultdict(list)
    for fault in faults:
        for target in fault.targets:
            later = found[SIGN_OF[target]]
            later = later[bisect_left(later, fault.lifted, key=attrgetter("began")) :]
            if later:
                spans[f"{fault.kind} {target}"].append(min(call.ended for call in later[:20]) - fault.lifted)
    return {name: _spread(found) for name, found in sorted(spans.items())}


def _spread(values: Iterable[float]) -> Json:
    found = sorted(values)
    if not found:
        return {"count": 0}
    return {
        "count": len(found),
        "median": round(median(found), 2),
        "p95": round(found[int(len(found) * 0.95)], 2),
        "most": round(found[-1], 2),
    }


def readable(told: Json) -> str:
    """The summary as a page."""
    lines = [
        f"seed {told['seed']}: {told['faults']} faults in {told['seconds']:.0f} s"
        f" ({told['faults_skipped']} found nothing to harm), {told['requests']} requests,"
        f" {told['acknowledged']} answers acknowledged",
        _line("faults", told["faults_by_kind"]),
        _line("by students", told["done_by_students"]),
        _line("answers", told["answers_by_outcome"]),
        _line("attempts", told["attempts"]),
        *(_line(name, found) for name, found in told["requests_by_answer"].items()),
        f"graded in {_figures(told['graded_in'])}; at rest after {told['settled_in']} s",
        "healed, in seconds:",
        *(f"  {name:24} {_figures(found)}" for name, found in told["healed_in"].items()),
    ]
    if not told["violations"]:
        return "\n".join([*lines, "no violation"])
    lines.append(f"{told['violations']} VIOLATIONS: {_line('by rule', told['violations_by_rule'])}")
    for one in told["first_violations"][:20]:
        at = "at the end" if one["at"] is None else f"{one['at']:8.3f} s"
        lines.append(f"  {at}  {one['rule']}: {one['subject']}: {one['detail']}")
    return "\n".join(lines)


def _line(name: str, counts: dict[str, int]) -> str:
    return f"{name}: " + ", ".join(f"{what} {count}" for what, count in counts.items())


def _figures(spread: Json) -> str:
    if not spread["count"]:
        return "-"
    return "  ".join(f"{name} {spread[name]:6}" for name in ("count", "median", "p95", "most"))
