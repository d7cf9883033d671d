"""What the nemesis plans: by its seed alone, each sort once, and single faults by themselves."""

import random

from tests.chaos.history import Fault, single
from tests.chaos.nemesis import FULL, KILL, PAUSE, SKEW, Planned, plan

KINDS = (KILL, PAUSE, FULL, SKEW)
EACH = {(kind.what, target) for kind in KINDS for target in kind.targets}


def planned(seed: int = 1, **how: float) -> list[Planned]:
    return plan(random.Random(seed), KINDS, **{"faults": 400, "seconds": 3000.0} | how)  # type: ignore[arg-type]


def test_seed_makes_the_plan() -> None:
    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


def test_there_are_as_many_as_were_asked_for_in_the_time_that_there_is() -> None:
    made = planned()
    assert len(made) == 400
    assert made[-1].at_s < 3200.0
    assert {(one.what, one.target) for one in made} == EACH


def test_short_plan_strikes_everything_once() -> None:
    made = planned(faults=len(EACH), seconds=50.0, single=0.0, longest_s=3.0)
    assert {(one.what, one.target) for one in made} == EACH
    assert max(one.lasts_s for one in made) <= 3.0


def test_share_of_single_faults_has_nothing_near() -> None:
    made = planned()
    alone = single([Fault(one.what, one.target, one.at_s, one.ends_s) for one in made])
    assert len(alone) >= 40


def test_nothing_is_broken_twice_at_once() -> None:
    until: dict[tuple[str, str], float] = {}
    for one in planned(faults=1500):
        assert one.at_s >= until.get((one.what, one.target), 0.0)
        until[one.what, one.target] = one.ends_s
