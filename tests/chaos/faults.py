"""Which faults a run has, and when: a plan that a seed repeats. How they are done is in `injector`."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

SERVICES = ("auth", "exam", "grading", "import", "gateway")
NODES = ("postgres", "rabbitmq")

STORM_SECONDS = 30.0
CALM_SECONDS = 10.0
"""Between two storms everything gets the time to heal; well under the minute after which a closed attempt
without a grade is announced again, so that this net must never be needed."""

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
_WITH_POSTGRES = {"exam": 4, "grading": 3, "auth": 1, "import": 1}
_KINDS: dict[str, tuple[int, float, float, dict[str, int]]] = {
    # its connections to Postgres are ended by Postgres
    "disconnect": (14, 0, 0, _WITH_POSTGRES),
    # its connections to Postgres hang, with whatever locks they hold: cut off from it
    "cut off": (13, 0.3, 4.0, _WITH_POSTGRES),
    # SIGSTOP, later SIGCONT: hung, connections stay open
    "pause": (15, 0.3, 4.0, _EVERYBODY | {"rabbitmq": 2}),
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


def one_of_each(seed: int, *, gap: float = 1.0) -> list[Planned]:
    """Every kind once but for the full disk, the lighter ones first, `gap` seconds apart: a short run."""
    chance = random.Random(seed)
    kinds = [kind for kind in _KINDS if kind != "full disk"]
    return [_one(chance, 1.0 + place * gap, kind) for place, kind in enumerate(kinds)]


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
        yield planned
        at += 0.1 + chance.expovariate(1 / gap)
        if at % (STORM_SECONDS + CALM_SECONDS) > STORM_SECONDS:
            at += CALM_SECONDS - at % (STORM_SECONDS + CALM_SECONDS) + STORM_SECONDS


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
    return Planned(round(at, 3), kind, tuple(targets), round(chance.uniform(shortest, longest), 3))
