"""Which faults a run has, and when: a plan that a seed repeats. How they are done is in `injector`."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

SERVICES = ("auth", "exam", "grading", "import", "gateway")

STORM_SECONDS = 30.0
CALM_SECONDS = 10.0
"""Between two storms everything gets the time to heal; well under the minute after which a closed attempt
without a grade is announced again, so that this net must never be needed."""
_CYCLE = STORM_SECONDS + CALM_SECONDS

SAVE_LIMIT = 4.0
"""Seconds after which the gateway gives up a save. Most of what lasts is shorter, some thrice as long."""
LONG_SHARE = 0.2

REST_SECONDS = 30.0
"""So long nobody dies twice: the supervisor takes who does for one that can't live, and waits ever longer."""


@dataclass(frozen=True, slots=True)
class Planned:
    """`at`: seconds from the start; `lasts`: seconds until it is lifted, 0 for what happens at once."""

    at: float
    kind: str
    targets: tuple[str, ...]
    lasts: float = 0.0


# kind → (weight, shortest, longest, targets with their weights), the lighter ones first
_EVERYBODY = {"exam": 5, "postgres": 4, "grading": 4, "gateway": 3, "auth": 2, "import": 1}
_EVERYBODY |= {"exam 2": 2, "gateway 2": 2, "grading 2": 1}
_WIRES = {
    "gateway to exam": 4,
    "exam to postgres": 3,
    "grading to postgres": 2,
    "grading to rabbitmq": 2,
    "exam to rabbitmq": 2,
    "gateway to auth": 1,
}
_WITH_POSTGRES = {"exam": 4, "grading": 3, "auth": 1, "import": 1}
_KINDS: dict[str, tuple[int, float, float, dict[str, int]]] = {
    # its connections to Postgres are ended by Postgres
    "disconnect": (14, 0, 0, _WITH_POSTGRES),
    # its connections to Postgres hang, with whatever locks they hold: cut off from it
    "cut off": (11, 0.3, 12.0, _WITH_POSTGRES),
    # nothing comes through in either direction; connections stay, and what was sent arrives late
    "silence": (16, 0.3, 12.0, _WIRES),
    # every connection on the wire is reset
    "cut wire": (10, 0, 0, _WIRES),
    # the same, and no new one comes through
    "refuse": (10, 0.3, 12.0, _WIRES),
    # SIGSTOP, later SIGCONT: hung, connections stay open
    "pause": (15, 0.3, 12.0, _EVERYBODY | {"rabbitmq": 2}),
    # every connection to RabbitMQ is closed by it
    "drop": (4, 0, 0, {"rabbitmq": 1}),
    # what waits for grading is handed to it in one heap, and Postgres dies under it
    "backlog": (12, 1.0, 3.0, {"grading": 1}),
    # asked to end, as by a roll-out
    "restart": (9, 0, 0, _EVERYBODY),
    # one backend dies, and Postgres recovers as a whole
    "kill backend": (8, 0, 0, _WITH_POSTGRES),
    # kill -9; the supervisor starts it again
    "kill": (26, 0, 0, _EVERYBODY),
    "kill broker": (3, 0, 0, {"rabbitmq": 1}),
    "full disk": (4, 1.0, 3.0, {"postgres": 1}),
    "several": (14, 0, 0, {}),
}


def plan(seed: int, seconds: float, *, gap: float = 1.7, disk: bool = False) -> list[Planned]:
    """The faults of a run, in order of time; the same for the same arguments.

    `gap`: seconds between two in a storm, on the average. `disk`: whether Postgres's disk can be filled. The
    run ends with a calm.
    """
    chance = random.Random(seed)
    return list(_planned(chance, seconds, gap, disk=disk))


def one_of_each(seed: int, *, gap: float = 0.75) -> list[Planned]:
    """Every kind once but for the full disk, the lighter ones first, `gap` seconds apart, and none that lasts
    long: a short run."""
    chance = random.Random(seed)
    kinds = [kind for kind in _KINDS if kind != "full disk"]
    found = [_one(chance, 1.0 + place * gap, kind) for place, kind in enumerate(kinds)]
    return [replace(one, lasts=min(one.lasts, SAVE_LIMIT)) for one in found]


def _planned(chance: random.Random, seconds: float, gap: float, *, disk: bool) -> Iterator[Planned]:
    weights = {kind: weight for kind, (weight, *_) in _KINDS.items() if disk or kind != "full disk"}
    died: dict[str, float] = {}
    at = 0.5
    while at < seconds - CALM_SECONDS:
        tired = {name for name, when in died.items() if at - when < REST_SECONDS}
        (kind,) = chance.choices([*weights], [*weights.values()])
        planned = _one(chance, at, kind)
        if tired & _dying(planned):
            continue
        died |= dict.fromkeys(_dying(planned), at)
        # What lasts ends with its storm, so that the calm is one.
        yield replace(planned, lasts=min(planned.lasts, max(1.0, STORM_SECONDS - at % _CYCLE)))
        at += 0.1 + chance.expovariate(1 / gap)
        if at % _CYCLE > STORM_SECONDS:
            at += _CYCLE - at % _CYCLE


def _dying(planned: Planned) -> set[str]:
    """Whose process ends by it."""
    if planned.kind == "backlog":
        return {"postgres"}
    return set(planned.targets) if planned.kind in ("kill", "kill broker", "restart", "several") else set()


def _one(chance: random.Random, at: float, kind: str) -> Planned:
    _, shortest, longest, weighted = _KINDS[kind]
    if kind == "several":
        targets = chance.sample((*SERVICES, "postgres"), chance.randint(2, 5))
    else:
        targets = chance.choices([*weighted], [*weighted.values()])
    limit = min(longest, SAVE_LIMIT)
    bounds = (limit, longest) if chance.random() < LONG_SHARE else (shortest, limit)
    return Planned(round(at, 3), kind, tuple(targets), round(chance.uniform(*bounds), 3))
