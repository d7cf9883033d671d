"""What holds of all rules together, whatever happens.

`RINGWARD_HISTORIES` is how many histories are made of each property (10,000 by `make properties`).
"""

import dataclasses
import os

import pytest
from histories import histories
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telling import (
    MORNING,
    NIGHT,
    Happens,
    at,
    crossing,
    door_closed,
    door_opened,
    granted,
    run,
    standing,
)

from alerts.rules import RULES, PersonFacts

MANY = settings(
    max_examples=int(os.environ.get("RINGWARD_HISTORIES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
BEGINNINGS = st.sampled_from([MORNING, NIGHT])
# The one rule that is about records which come late.
ABOUT_LATE = "R-D04:"


def incidents(steps: list[Happens], begins) -> list:
    return standing(run(RULES, steps, begins=begins).cases)


def about_news(steps: list[Happens], begins) -> list:
    return [case for case in incidents(steps, begins) if not case[0][0].startswith(ABOUT_LATE)]


@MANY
@given(histories(RULES), BEGINNINGS, st.data())
def test_five_seconds_of_disorder_change_no_incident(
    steps: list[Happens], begins, data: st.DataObject
) -> None:
    delays = data.draw(
        st.lists(st.sampled_from([0, 0.5, 2, 3.5, 4.9]), min_size=len(steps), max_size=len(steps))
    )
    shuffled = [
        dataclasses.replace(step, arrives=step.at + delay) for step, delay in zip(steps, delays, strict=True)
    ]
    assert incidents(shuffled, begins) == incidents(steps, begins)


@MANY
@given(histories(RULES), BEGINNINGS)
def test_every_event_twice_changes_no_incident(steps: list[Happens], begins) -> None:
    again = [dataclasses.replace(step, arrives=step.at + 1) for step in steps]
    assert incidents([*steps, *again], begins) == incidents(steps, begins)


@MANY
@given(histories(RULES), histories(RULES), BEGINNINGS)
def test_dropping_all_late_events_changes_no_incident(
    live: list[Happens], old: list[Happens], begins
) -> None:
    late = [dataclasses.replace(step, late=True, name=f"late-{step.name}") for step in old]
    assert about_news([*live, *late], begins) == about_news(live, begins)


@MANY
@given(histories(RULES), BEGINNINGS, st.integers(0, 400))
def test_an_engine_that_takes_over_says_what_the_other_would_have(
    steps: list[Happens], begins, second: int
) -> None:
    alone = run(RULES, steps, begins=begins)
    taken_over = run(RULES, steps, begins=begins, hands_over=float(second))
    assert sorted(taken_over.changes) == sorted(alone.changes)


@MANY
@given(histories(RULES), BEGINNINGS)
def test_severity_never_falls_by_itself(steps: list[Happens], begins) -> None:
    told = run(RULES, steps, begins=begins)
    for case in told.cases:
        assert case.severity == min(signal.severity for signal in case.signals)
    for _, levels in told.levels:
        assert levels == sorted(levels, reverse=True)


@MANY
@given(histories(RULES, most=20), BEGINNINGS)
def test_no_rule_ever_fails_and_every_signal_stands_on_what_was_seen(steps: list[Happens], begins) -> None:
    told = run(RULES, steps, begins=begins)
    names = {step.name for step in steps}
    for case in told.cases:
        for signal in case.signals:
            assert {one.id for one in signal.evidence} <= names
            assert signal.evidence
            assert signal.severity in {1, 2, 3, 4}
            if signal.window is not None:
                assert signal.window[0] <= signal.window[1]


@pytest.mark.parametrize("lag", [0.2, 0.9, 1.8])
def test_a_school_run_of_forty_people_in_forty_seconds_raises_nothing(lag: float) -> None:
    """Cards held up one after the other, leaves that hardly close, crossings that lag behind their cards."""
    steps = []
    for number in range(40):
        who = PersonFacts(f"p-{number}", f"h-{number // 2}", belongs=True, buildings=frozenset({"hall-9"}))
        steps += [
            at(number, granted(direction="in", person_id=who.id, person=who)),
            at(number + 0.1, door_opened()),
            at(number + lag, crossing()),
            at(number + 0.95, door_closed()),
        ]
    assert run(RULES, sorted(steps, key=lambda step: step.at)).changes == []


def test_histories_are_not_about_nothing() -> None:
    """Every rule that needs no long memory speaks somewhere in what the properties draw."""
    spoken: set[str] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(histories(RULES, most=20), BEGINNINGS)
    def look(steps: list[Happens], begins) -> None:
        spoken.update(
            signal.rule for case in run(RULES, steps, begins=begins).cases for signal in case.signals
        )

    look()
    missing = {rule.id for rule in RULES} - spoken
    # Those that look back for hours or nights have their own timelines.
    assert len(missing) <= len(RULES) // 2, sorted(missing)
