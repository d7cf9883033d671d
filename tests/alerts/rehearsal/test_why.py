"""Why an incident was raised: what is said would have changed it does change it, when it is tried."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rehearsal.why import Scene, Target, explain
from alerts.rehearsal.why.trying import rules_for, with_value
from alerts.rules import RULES, Engine, Observation, RuleBook, Signal, Site, SiteDevice, SiteZone

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
NIGHT = dt.datetime(2026, 11, 22, 18, 0, tzinfo=dt.UTC)
LANES = {"gate": "entrance", "drive": "entrance", "square": "common", "hall": "building"}
SITE = Site(
    {lane: SiteZone(lane, ring, ring, frozenset(LANES) - {lane}) for lane, ring in LANES.items()},
    {f"{lane}-door": SiteDevice(f"{lane}-door", lane, "door", lane, "in", 0.0, 0.0) for lane in LANES},
)


def seen(name: str, kind: str, lane: str, at: dt.datetime, **facts) -> Observation:
    given = {"direction": "in"} | facts
    return Observation(
        id=name,
        event_id=f"e-{name}",
        type=kind,
        at=at,
        received_at=at,
        device=f"{lane}-door",
        zone=lane,
        lane=lane,
        ring=LANES[lane],
        **given,
    )


def said(observations: list[Observation], book: RuleBook, until: dt.datetime) -> list[Signal]:
    """All that the rules say, with the engine itself."""
    engine = Engine(RULES, book, SITE)
    found: list = []
    for one in sorted(observations, key=lambda one: (one.received_at, one.id)):
        while engine.next_due is not None and engine.next_due <= one.received_at:
            found += engine.advance(engine.next_due)
        found += engine.feed(one)
    while engine.next_due is not None and engine.next_due <= until:
        found += engine.advance(engine.next_due)
    assert not engine.faults
    return [one for one in found if isinstance(one, Signal)]


def why(observations: list[Observation], signal: Signal, book: RuleBook | None = None):
    rules = rules_for(signal.rule, RULES)
    rule = next(one for one in rules if one.id == signal.rule)
    until = max(one.at for one in observations) + dt.timedelta(hours=1)
    scene = Scene(rules, tuple(observations), SITE, book or RuleBook(), until)
    target = Target(signal.rule, signal.dedupe_key, signal.anchor.id, signal.anchor.at, signal.stage)
    return explain(scene, target, rule), scene, target, rule


def stranger(at: dt.datetime = T0) -> list[Observation]:
    second = dt.timedelta(seconds=1)
    return [
        seen("face", "face.unknown", "gate", at),
        seen("door", "door.opened", "gate", at + 2 * second),
        seen("cross", "video.line_crossing", "gate", at + 3 * second),
        seen("elsewhere", "access.granted", "hall", at + 4 * second),
    ]


def of_rule(observations: list[Observation], rule: str, book: RuleBook | None = None) -> Signal:
    found = said(observations, book or RuleBook(), observations[-1].at + dt.timedelta(hours=1))
    return next(one for one in found if one.rule == rule)


def test_stranger_is_explained_by_the_card_that_was_not_shown() -> None:
    past = stranger()
    found, *_ = why(past, of_rule(past, "R-E01"))
    card = next(one for one in found.excuses if one.excuse.type == "access.granted")
    window = dict(found.parameters)["window_s"]
    assert (card.outcome, card.first_s, card.last_s) == (None, -window, window)
    assert [one.observation.id for one in found.missing if one.outcome is None] == ["face"]
    assert (found.night, found.levels, found.signal.severity) == (False, ("day",), 4)
    assert (found.hour.night, found.hour.outcome) == (True, 3)


def test_by_night_it_would_have_been_milder_by_day() -> None:
    past = stranger(NIGHT)
    found, *_ = why(past, of_rule(past, "R-E01"))
    assert (found.night, found.signal.severity, found.hour.night, found.hour.outcome) == (True, 3, False, 4)


def test_late_card_is_the_boundary_of_the_window() -> None:
    past = [*stranger(), seen("card", "access.granted", "gate", T0 + dt.timedelta(seconds=14))]
    found, *_ = why(past, of_rule(past, "R-E01"))
    moved = next(one for one in found.moved if one.parameter.name == "window_s")
    assert (moved.now, moved.value, moved.outcome) == (10, 14, None)


def test_what_the_rule_does_not_say_is_not_explained() -> None:
    past = stranger()
    signal = of_rule(past, "R-E01")
    assert why([*past, seen("card", "access.granted", "gate", T0)], signal)[0] is None


def test_forced_door_needs_what_it_stands_on() -> None:
    past = [seen("door", "door.opened", "hall", T0, cause=None)]
    found, *_ = why(past, of_rule(past, "R-B05"))
    card = next(one for one in found.excuses if one.excuse.type == "access.granted")
    assert card.outcome is None
    assert card.first_s <= 0 <= card.last_s
    assert {one.outcome for one in found.missing} == {None}


KINDS = (
    *("face.unknown", "door.opened", "door.closed", "door.forced", "access.granted", "access.denied"),
    *("video.line_crossing", "barrier.opened", "barrier.closed", "plate.recognised"),
    *("device.offline", "device.online"),
)
kinds = st.sampled_from(KINDS)
AS_THEY_COME = RuleBook()


@st.composite
def pasts(draw: st.DrawFn) -> list[Observation]:
    found = []
    for number in range(draw(st.integers(2, 8))):
        kind = draw(kinds)
        lane = draw(st.sampled_from(["drive"] if kind.startswith(("plate", "barrier")) else ["gate", "hall"]))
        at = draw(st.sampled_from([T0, NIGHT])) + dt.timedelta(seconds=draw(st.integers(0, 90)))
        plate = draw(st.sampled_from(["云M11111", "云M22222"])) if kind.startswith("plate") else None
        found.append(seen(f"{number}", kind, lane, at, plate=plate, score=0.97 if plate else None))
    return sorted(found, key=lambda one: (one.at, one.id))


@settings(max_examples=25, deadline=None)
@given(pasts())
def test_every_counterfactual_is_true(past: list[Observation]) -> None:
    until = past[-1].at + dt.timedelta(hours=1)
    for signal in said(past, RuleBook(), until)[:2]:
        found, scene, target, rule = why(past, signal)
        assert found is not None

        def outcome(observations: list[Observation], book: RuleBook = AS_THEY_COME, target: Target = target):
            """With the engine and all rules, not with what searched."""
            last = max([until, *(one.at + dt.timedelta(hours=1) for one in observations)])
            return min(
                (
                    one.severity
                    for one in said(observations, book, min(last, scene.until))  # noqa: B023
                    if (one.rule, one.dedupe_key) == (target.rule, target.key)
                    and (
                        one.anchor.id == target.anchor
                        or abs(one.anchor.at - target.at) <= dt.timedelta(minutes=2)
                    )
                ),
                default=None,
            )

        before = outcome(past)
        assert before is not None
        for one in found.moved:
            if one.value is not None:
                assert one.parameter.low <= one.value <= one.parameter.high
                book = with_value(RuleBook(), rule.id, one.parameter.name, one.value)
                assert outcome(past, book) == one.outcome != before
        for one in found.missing:
            left = [kept for kept in past if kept.id != one.observation.id]
            assert outcome(left) == one.outcome != before
        for one in found.excuses:
            if one.observation is not None:
                assert outcome([*past, one.observation]) is None
        if found.hour is not None:
            assert found.hour.outcome != before


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_every_rule_is_explained_with_what_it_hears(rule: str) -> None:
    wanted = rules_for(rule, RULES)
    assert rule in {one.id for one in wanted}
    assert {name for one in wanted for name in one.hears} <= {one.id for one in wanted} | {
        name for one in wanted for name in one.hears if name not in {known.id for known in RULES}
    }
