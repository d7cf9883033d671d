"""The built-in scenarios, and the times that a drill is measured by."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.drills.scenarios import LONGEST, SCENARIOS
from alerts.drills.timing import MEASURED, Moment, measure, median
from alerts.incidents.deadlines import LIMITS, Timer
from alerts.incidents.lifecycle import State
from alerts.intake.kinds import RULE, ReportKind
from alerts.rules.registered import RULES
from console.texts import load

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
S = dt.timedelta(seconds=1)
RULES_BY_ID = {rule.id: rule for rule in RULES}


def at(seconds, to, **more):
    return Moment(to, NOW + seconds * S, **more)


def test_there_are_the_five_that_every_compound_practises():
    assert set(SCENARIOS) == {"fire", "sos", "forced_door", "missing_elder", "intrusion"}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=lambda one: one.id)
def test_what_is_played_is_what_a_rule_could_say(scenario):
    offsets = [one.offset_s for one in scenario.played]
    assert offsets == sorted(offsets)
    assert offsets[0] == 0
    assert dt.timedelta(seconds=offsets[-1]) < scenario.limit <= LONGEST
    for one in scenario.played:
        if one.rule == RULE:
            assert one.kind in {kind.incident_kind for kind in ReportKind}
            continue
        rule = RULES_BY_ID[one.rule]
        assert (one.kind, one.ring in rule.rings) == (rule.kind, True)
        # Nothing of people's care is played: it would ring at somebody's family.
        assert not rule.care


@pytest.mark.parametrize("locale", ["en", "zh_CN"])
def test_every_scenario_has_its_words(locale):
    texts = load(locale)
    for scenario in SCENARIOS.values():
        assert f"scenario.{scenario.id}" in texts.keys
        for one in scenario.played:
            assert f"kind.{one.kind}" in texts.keys
            said = texts.sentence(f"reason.{one.reason}", dict(one.reason_args) | {"place": "x"})
            assert said != f"reason.{one.reason}"
            assert "%(" not in said


def test_each_step_is_measured_from_the_one_before():
    steps = [
        at(0, State.RAISED),
        at(12, State.ACKNOWLEDGED),
        at(50, State.CONFIRMED),
        at(60, State.DISPATCHED),
        at(75, State.ACCEPTED),
        at(90, State.EN_ROUTE),
        at(200, State.ARRIVED),
        at(800, State.RESOLVED),
    ]
    found = {one.timer: one.took for one in measure(steps, 1)}
    assert found == {
        Timer.ACKNOWLEDGE: 12 * S,
        Timer.CONFIRM: 38 * S,
        Timer.DISPATCH: 10 * S,
        Timer.ACCEPT: 15 * S,
        Timer.ARRIVE: 125 * S,
        Timer.RESOLVE: 600 * S,
    }
    assert all(one.within for one in measure(steps, 1))


def test_what_was_never_done_is_said_and_is_not_within():
    [one] = measure([at(0, State.RAISED)], 1)
    assert (one.timer, one.took, one.within) == (Timer.ACKNOWLEDGE, None, False)
    [notice] = measure([at(0, State.RAISED)], 4)
    assert notice.within is None


def test_the_end_of_the_drill_is_no_answer():
    [one] = measure([at(0, State.RAISED), at(30, State.FALSE_ALARM, closing=True)], 1)
    assert one.took is None
    [other] = measure([at(0, State.RAISED), at(30, State.FALSE_ALARM)], 2)
    assert other.took == 30 * S


def test_who_confirms_at_once_has_looked_at_it():
    found = {one.timer: one.took for one in measure([at(0, State.RAISED), at(9, State.CONFIRMED)], 1)}
    assert found == {Timer.ACKNOWLEDGE: 9 * S, Timer.DISPATCH: None}


def test_a_step_said_again_is_no_slower():
    steps = [at(0, State.RAISED), at(20, State.RAISED), at(25, State.ACKNOWLEDGED)]
    assert measure(steps, 1)[0].took == 25 * S


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.sampled_from(list(State))), max_size=12),
    st.integers(1, 4),
)
def test_no_time_is_negative_and_each_timer_is_measured_once(rows, severity):
    steps = [at(seconds, to) for seconds, to in sorted(rows, key=lambda row: row[0])]
    found = measure(steps, severity)
    timers = [one.timer for one in found]
    assert timers == [timer for timer in MEASURED if timer in timers]
    assert all(one.took is None or one.took >= dt.timedelta(0) for one in found)
    assert all(one.limit == LIMITS[one.timer].get(severity) for one in found)


@given(st.lists(st.integers(0, 10_000), max_size=9))
def test_the_median_lies_between(values):
    found = median(dt.timedelta(seconds=value) for value in values)
    if not values:
        assert found is None
    else:
        assert min(values) * S <= found <= max(values) * S
        below = sum(value * S <= found for value in values)
        assert below * 2 >= len(values)
