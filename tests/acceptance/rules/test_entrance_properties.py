"""What holds of the entrance's rules among all that happens at gates, also of what they only look at."""

import dataclasses
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from telling import (
    MORNING,
    NIGHT,
    Happens,
    at,
    barrier_closed,
    barrier_opened,
    crossing,
    door_closed,
    door_opened,
    face_of,
    face_unknown,
    granted,
    offline,
    online,
    plate,
    rules_named,
    run,
    seen,
    site,
    standing,
)

from alerts.rules import PassFacts, PersonFacts, Site, SiteDevice, VehicleFacts, WatchHit

RULES = rules_named("R-E01", "R-E02", "R-E03", "R-E04", "R-E05", "R-E06", "R-E07")
_WAY_OUT = SiteDevice("gate-reader-out", "gate", "turnstile", "gate-out", "out")
PLAN = Site(site().zones, dict(site().devices) | {_WAY_OUT.id: _WAY_OUT})
_LIVES = PersonFacts("p-1", "h-1", belongs=True)
_GUEST = PersonFacts("p-2")
_WATCHED = (WatchHit("entry-1", frozenset({"entrance"})),)
_VISIT = PassFacts("visit-1", MORNING, NIGHT, zones=frozenset({"gate", "side-gate"}), uses=1, max_uses=2)
_CAR = VehicleFacts("car-1", "h-1", guarded=True, drivers=frozenset({"p-1"}))
# What may happen at one gate for people and one for vehicles within a minute.
_PEOPLE = (
    face_unknown(),
    face_unknown(direction="out"),
    face_of("p-1", household_id="h-1", person=_LIVES),
    face_of("p-2", person=_GUEST, watch=_WATCHED),
    granted(person_id="p-1", household_id="h-1"),
    granted(credential_id="c-9"),
    granted(direction="out"),
    *(
        granted(zone, direction, visit=_VISIT)
        for zone in ("gate", "side-gate")
        for direction in ("in", "out", None)
    ),
    seen("access.denied", "gate", direction="in"),
    seen("visitor.checked_in", "gate", direction="in", visit=_VISIT),
    seen("visitor.checked_out", "gate", direction="out", visit=_VISIT),
    seen("visitor.expired", "gate", device="gate", visit=_VISIT),
    seen("visitor.extended", "gate", device="gate", visit=_VISIT),
    door_opened(),
    door_opened(),
    door_opened(cause="exit_button"),
    door_opened(cause="intercom"),
    door_closed(),
    door_closed(),
    *(crossing() for _ in range(4)),
    crossing(attributes={"count": 2}),
    crossing(attributes={"class": "trolley"}),
    crossing(direction="out"),
    seen("video.tailgating", "gate", attributes={"count": 3}),
    offline("gate-reader", "gate"),
    online("gate-reader", "gate"),
)
_VEHICLES = (
    *(plate(text) for text in ("云M7K2P5", "云M7K2P6", "云M33333")),
    plate("云M11111", vehicle_id="car-1", vehicle=_CAR),
    plate("云M7K2P5", direction="out"),
    face_of("p-1", "drive", household_id="h-1"),
    face_of("p-2", "drive"),
    seen("plate.none", "drive", direction="in"),
    *(barrier_opened() for _ in range(3)),
    barrier_opened(cause="manual_open"),
    barrier_closed(),
    barrier_closed(),
    seen("vehicle.turned_back", "drive"),
    seen("visitor.registered", "drive"),
    seen("report.created", "drive", device="", plate="云M11111", cause="owner_no"),
    offline("drive-barrier", "drive"),
    online("drive-barrier", "drive"),
)
# Something to begin with, so that the rarer rules have their say as well.
_BEGUN = (
    (),
    ((0, plate("云M11111", vehicle_id="car-1")), (1, barrier_opened()), (5, plate("云M33333"))),
    ((0, granted(visit=_VISIT)), (9, seen("visitor.expired", "gate", device="gate", visit=_VISIT))),
    ((0, granted(credential_id="c-8")), (1.5, crossing()), (2.5, crossing())),
)
_half_seconds = st.integers(0, 70).map(lambda n: n / 2) | st.integers(0, 30).map(lambda n: n / 2)


@st.composite
def minutes(draw: st.DrawFn) -> list[Happens]:
    """A minute or so at one gate, in whatever order and however odd."""
    words = draw(st.sampled_from([_PEOPLE, _VEHICLES]))
    some = draw(st.lists(st.sampled_from(words), min_size=1, max_size=7))
    steps = [
        at(when, what, name=f"b{number}") for number, (when, what) in enumerate(draw(st.sampled_from(_BEGUN)))
    ]
    steps += [
        at(draw(_half_seconds), draw(st.sampled_from(some)), name=f"n{number:02}")
        for number in range(draw(st.integers(1, 15)))
    ]
    return sorted(steps, key=lambda step: (step.at, step.name or ""))


MANY = settings(
    max_examples=int(os.environ.get("RINGWARD_HISTORIES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
BEGINNINGS = st.sampled_from([MORNING, NIGHT])


def incidents(steps: list[Happens], begins) -> list:
    return standing(run(RULES, steps, begins=begins, plan=PLAN).cases)


@MANY
@given(minutes(), BEGINNINGS, st.data())
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
@given(minutes(), BEGINNINGS)
def test_what_is_learnt_later_changes_nothing_that_was_said(steps: list[Happens], begins) -> None:
    """An answer looks at nothing later than its own moment: a replay of more says the same of the first half."""
    whole = run(RULES, steps, begins=begins, plan=PLAN)
    middle = (steps[len(steps) // 2].at) if steps else 0
    first = run(RULES, [step for step in steps if step.at <= middle], begins=begins, plan=PLAN)
    early = [change for change in whole.changes if change.at < middle]
    assert [change for change in first.changes if change.at < middle] == early


@MANY
@given(minutes(), BEGINNINGS)
def test_nobody_is_two_incidents_at_one_gate(steps: list[Happens], begins) -> None:
    """Where a stranger passed alone it is R-E01, where somebody followed R-E05: never both of one crossing."""
    told = run(RULES, steps, begins=begins, plan=PLAN)
    alone = {
        one.id
        for case in told.cases
        for signal in case.signals
        if signal.rule == "R-E01"
        for one in signal.evidence
        if one.type == "video.line_crossing"
    }
    followed = {
        signal.anchor.id
        for case in told.cases
        for signal in case.signals
        if signal.rule == "R-E05" and signal.anchor.type == "video.line_crossing"
    }
    assert not alone & followed


def test_minutes_are_not_about_nothing() -> None:
    """Every rule speaks somewhere in what the properties draw."""
    spoken: set[str] = set()

    @settings(max_examples=600, deadline=None, database=None, derandomize=True)
    @given(minutes(), BEGINNINGS)
    def look(steps: list[Happens], begins) -> None:
        for case in run(RULES, steps, begins=begins, plan=PLAN).cases:
            spoken.update(signal.rule for signal in case.signals)

    look()
    assert spoken == {rule.id for rule in RULES}
