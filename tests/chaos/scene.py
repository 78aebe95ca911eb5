"""What all who take part in a run share: where the system is, what is asked, what is recorded."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.ending import Window
from tests.chaos.history import History
from tests.chaos.line import Line
from tests.harness.oracle import Authored


@dataclass
class Scene:
    """`doors`: the gateways. `bank`: the questions as authored, by text. `over`: nobody begins anything any
    more. `harm`: what students do to themselves, by kind."""

    history: History
    doors: Sequence[tuple[str, int]]
    bank: dict[str, Authored]
    windows: Sequence[Window]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    harm: Counter[str] = field(default_factory=Counter)

    def line(self) -> Line:
        """A new line to the gateways."""
        return Line(self.history, self.doors)
