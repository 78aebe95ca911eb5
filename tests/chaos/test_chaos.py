"""A short run of the history checker on the running copy. `make chaos` is the long one."""

import pytest

from tests.chaos.faults import CALM_SECONDS, SAVE_LIMIT, STORM_SECONDS, one_of_each, plan
from tests.chaos.report import readable, summary
from tests.chaos.run import run
from tests.harness.system import System

SEED = 1


@pytest.mark.usefixtures("healing")
async def test_nothing_promised_is_broken_while_everything_dies_once(system: System) -> None:
    faults = one_of_each(SEED)
    seconds = faults[-1].at + CALM_SECONDS
    outcome = await run(system, faults, seconds=seconds, seed=SEED, students=12)
    told = summary(outcome, seed=SEED, seconds=seconds)
    print(readable(told))
    assert not outcome.violations, readable(told)
    # A slow machine may still be bringing back what was to die next.
    assert told["faults"] > len(faults) / 2, told["faults_by_kind"]
    assert told["acknowledged"] > 0
    assert {"submitted", "expired"} <= told["attempts"].keys()


def test_a_seed_repeats_its_plan() -> None:
    assert plan(7, 600) == plan(7, 600) != plan(8, 600)
    assert len(plan(7, 600)) >= 200
    assert "full disk" not in {one.kind for one in plan(7, 600)}
    assert "full disk" in {one.kind for one in plan(7, 600, disk=True)}


def test_some_faults_outlast_a_save_and_none_the_calm() -> None:
    planned = plan(7, 600)
    assert sum(one.lasts > 2 * SAVE_LIMIT for one in planned) > 5
    cycle = STORM_SECONDS + CALM_SECONDS
    assert all(one.at % cycle + one.lasts < STORM_SECONDS + 2 for one in planned)
