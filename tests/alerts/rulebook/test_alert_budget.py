"""The alert budget: what is held back, and that nothing grave ever is."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rulebook.budget import Asking, HeldReason, Shown, decide, released
from alerts.rulebook.values import Budget

NOON = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
BUDGET = Budget(per_operator=4, per_source=3)


def shown(count, severity=4, *, minutes=10, rule="R-1", device="cam"):
    at = NOON - dt.timedelta(minutes=minutes)
    return [Shown(at, severity, rule, f"{device}-{n}") for n in range(count)]


def asks(severity=4, *, rule="R-2", device="door", at=NOON, **more):
    return Asking(at, severity, rule, device, **more)


def test_holds_back_what_is_more_than_the_operators_can_look_at():
    assert decide(shown(3), asks(), BUDGET, 1) is None
    held = decide(shown(4), asks(), BUDGET, 1)
    assert (held.reason, held.shown, held.allowed) == (HeldReason.HOUR_FULL, 4, 4)


def test_two_operators_look_at_twice_as_many():
    assert decide(shown(7), asks(), BUDGET, 2) is None
    assert decide(shown(8), asks(), BUDGET, 2).allowed == 8


def test_without_a_roster_somebody_sits_there():
    assert decide(shown(3), asks(), BUDGET, 0) is None
    assert decide(shown(4), asks(), BUDGET, 0) is not None


def test_an_hour_later_there_is_room_again():
    assert decide(shown(4, minutes=59), asks(), BUDGET, 1) is not None
    assert decide(shown(4, minutes=60), asks(), BUDGET, 1) is None


def test_one_rule_at_one_device_does_not_use_up_the_hour():
    source = [Shown(NOON, 4, "R-2", "door")] * 3
    assert decide(source, asks(), BUDGET, 9).reason is HeldReason.SOURCE_FULL
    assert decide(source, asks(device="other"), BUDGET, 9) is None


def test_notices_use_up_no_room_of_warnings():
    assert decide(shown(100), asks(3), BUDGET, 1) is None
    assert decide(shown(4, 3), asks(3), BUDGET, 1) is not None
    assert decide(shown(4, 1), asks(3), BUDGET, 1) is not None


def test_care_is_never_held():
    assert decide(shown(100), asks(4, care=True), BUDGET, 1) is None


SEVERITIES = st.integers(1, 4)
LOAD = st.lists(
    st.builds(
        Shown,
        st.integers(0, 7200).map(lambda seconds: NOON - dt.timedelta(seconds=seconds)),
        SEVERITIES,
        st.sampled_from(["R-1", "R-2"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=60,
)
ASKED = st.builds(
    Asking,
    st.just(NOON),
    SEVERITIES,
    st.sampled_from(["R-1", "R-2"]),
    st.sampled_from(["a", "b"]),
    st.booleans(),
)
BUDGETS = st.builds(Budget, st.integers(1, 20), st.integers(1, 20))


@settings(max_examples=300)
@given(LOAD, ASKED, BUDGETS, st.integers(0, 5))
def test_whatever_the_load_nothing_grave_and_no_safety_kind_is_held(recent, asking, budget, operators):
    held = decide(recent, asking, budget, operators)
    if asking.severity <= 2 or asking.safety:
        assert held is None
    if held is not None:
        assert asking.severity >= 3
        # However many as mild as it: what is one graver is shown.
        flood = [one for one in recent if one.severity >= asking.severity]
        graver = Asking(asking.at, asking.severity - 1, asking.rule, asking.device)
        assert decide(flood, graver, budget, operators) is None


@settings(max_examples=200)
@given(LOAD, ASKED, BUDGETS, st.integers(0, 5))
def test_a_held_incident_that_becomes_graver_comes_out(recent, asking, budget, operators):
    if decide(recent, asking, budget, operators) is None:
        return
    for severity in (1, 2):
        assert released(severity, safety=False)
        graver = Asking(asking.at, severity, asking.rule, asking.device)
        assert decide(recent, graver, budget, operators) is None
    assert released(4, safety=True)
    assert not released(3, safety=False)


@settings(max_examples=100)
@given(st.lists(ASKED, max_size=80), BUDGETS, st.integers(1, 3))
def test_no_hour_shows_more_mild_ones_than_were_allowed(asked, budget, operators):
    seen: list[Shown] = []
    for one in asked:
        if decide(seen, one, budget, operators) is None:
            seen.append(Shown(one.at, one.severity, one.rule, one.device))
    mild = [one for one in seen if one.severity == 3]
    spared = [one for one in asked if one.safety and one.severity == 3]
    assert len(mild) <= budget.per_operator * operators + len(spared)
