"""Made histories of the building ring over days, where its rules wait for hours: order changes nothing."""

import dataclasses
import datetime as dt
import random

from hypothesis import given
from hypothesis import strategies as st
from residents import HOUR, lives, visits
from telling import (
    MORNING,
    Happens,
    at,
    denied,
    door_closed,
    door_opened,
    granted,
    offline,
    online,
    plate,
    rules_named,
    run,
    seen,
    standing,
)
from test_r_b09_elder_silent import BACK, HER, LONG, NOT_ANY_MORE, STIRS, away, plan, water

from alerts.rules import VehicleFacts

MEI = lives("mei", "hall-9")
GUEST = visits("pass-1", "gate", "hall-9")

CARE = (
    STIRS,
    water(0.0),
    water(0.004),
    water(0.02),
    granted("gate", **HER),
    away(20),
    BACK,
    seen("care.began", "hall-9", device="", **HER),
    seen("care.ended", "hall-9", device="", **NOT_ANY_MORE),
    offline("hub-1801", "hall-9"),
    online("hub-1801", "hall-9"),
)
DOOR = (
    door_opened("hall-9"),
    door_closed("hall-9"),
    seen("door.held_open", "hall-9", device="hall-9-door"),
    seen("door.held_open", "hall-9", device="hall-9-door", attributes={"ended": True}),
    door_opened("hall-9", cause="fire_release"),
    offline("hall-9-door", "hall-9"),
    online("hall-9-door", "hall-9"),
)
WAY = (
    granted("gate", **MEI),
    granted("gate", direction="out", **MEI),
    granted("hall-9", **MEI),
    granted("hall-9", direction="out", **MEI),
    plate("云M12345", vehicle=VehicleFacts("v-1", household_id="family-mei")),
    granted("gate", **GUEST),
    denied("gate", **GUEST),
    granted("hall-9", **GUEST),
    granted("hall-3", **GUEST),
    granted("gate", direction="out", **GUEST),
    offline("side-gate-camera", "side-gate"),
    online("side-gate-camera", "side-gate"),
)
# Near each other and near the rules' hours, so that windows and their edges meet.
hours = st.integers(0, 30).map(lambda n: n * HOUR) | st.integers(0, 9).map(float)
seconds = st.integers(0, 20).map(float) | st.sampled_from(
    [55.0, 58.0, 60.0, 62.0, 65.0, 295.0, 300.0, 303.0, 400.0]
)


def histories(
    things: tuple, moments: st.SearchStrategy, *, most: int = 9
) -> st.SearchStrategy[list[Happens]]:
    """Some of these things at some of these moments, each with a name of its own."""
    return st.lists(
        st.tuples(moments, st.sampled_from(range(len(things)))),
        min_size=1,
        max_size=most,
        # A door that opens and shuts at the same moment has no order of its own.
        unique_by=lambda one: one[0],
    ).map(
        lambda told: [
            at(moment, things[which], name=f"n{number:02}")
            for number, (moment, which) in enumerate(sorted(told))
        ]
    )


def out_of_order(steps: list[Happens], chance: random.Random) -> list[Happens]:
    return [dataclasses.replace(step, arrives=step.at + chance.choice([0, 1, 2.5, 4, 4.9])) for step in steps]


def twice(steps: list[Happens]) -> list[Happens]:
    return [*steps, *(dataclasses.replace(step, arrives=step.at + 0.25) for step in steps)]


@given(histories(CARE, hours), st.randoms(use_true_random=False))
def test_care_is_the_same_in_any_order(steps: list[Happens], chance: random.Random) -> None:
    def told(some: list[Happens]):
        return run(rules_named("R-B09"), some, plan=plan(), afterwards=LONG)

    first = told(steps)
    assert standing(told(out_of_order(steps, chance)).cases) == standing(first.cases)
    assert told(twice(steps)).changes == first.changes
    # Nobody is looked after whose last word was that they no longer wish it, and never as an emergency.
    assert all(case.severity in {2, 3, 4} for case in first.cases)
    ended = [step.at for step in steps if step.what.type == "care.ended"]
    for case in first.cases:
        for signal in case.signals:
            since = (signal.anchor.at - MORNING).total_seconds()
            until = (signal.window[1] - MORNING).total_seconds()
            assert not any(since < moment <= until for moment in ended)


@given(histories(DOOR, seconds), st.randoms(use_true_random=False))
def test_doors_are_the_same_in_any_order(steps: list[Happens], chance: random.Random) -> None:
    def told(some: list[Happens]):
        return run(rules_named("R-B05", "R-B06", "R-B10"), some, afterwards=dt.timedelta(minutes=20))

    first = told(steps)
    assert standing(told(out_of_order(steps, chance)).cases) == standing(first.cases)
    assert told(twice(steps)).changes == first.changes
    # A door that was shut at last leaves no notice of standing open.
    if steps[-1].what.type == "door.closed":
        assert all(case.cleared_at is not None for case in first.cases if case.rule == "R-B06")


@given(histories(WAY, hours), st.randoms(use_true_random=False))
def test_ways_are_the_same_in_any_order(steps: list[Happens], chance: random.Random) -> None:
    def told(some: list[Happens]):
        return run(rules_named("R-B01", "R-B02", "R-B03", "R-B04", "R-X04"), some)

    first = told(steps)
    assert standing(told(out_of_order(steps, chance)).cases) == standing(first.cases)
    assert told(twice(steps)).changes == first.changes
    # Whoever an entrance saw come in last, is not in a building without an entrance.
    for case in first.cases:
        if case.rule != "R-B01":
            continue
        for signal in case.signals:
            subject = signal.anchor.subjects[0]
            theirs = [
                step
                for step in steps
                if step.what.zone == "gate"
                and MORNING + dt.timedelta(seconds=step.at) < signal.anchor.at
                and subject == ("person:mei" if step.what.facts.get("person_id") == "mei" else "pass:pass-1")
                and step.what.type == "access.granted"
            ]
            last = max(theirs, key=lambda step: step.at, default=None)
            assert (
                last is None
                or last.what.facts["direction"] == "out"
                or (signal.anchor.at - MORNING - dt.timedelta(seconds=last.at) > dt.timedelta(hours=24))
            )
