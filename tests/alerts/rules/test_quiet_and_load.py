"""An engine that takes over says nothing twice, and knows what the one before it knew."""

import datetime as dt
from dataclasses import replace

import pytest

from alerts.rules import RULES, Clear, Engine, Observation, PassFacts, Signal
from alerts.rules.rule import DISORDER

T0 = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
INSTANT = dt.timedelta(microseconds=1)
# Half past eleven at night by the compound's clock.
NIGHT = dt.datetime(2026, 11, 23, 15, 30, tzinfo=dt.UTC)
DOOR = "R-B05:hall"


def forced(name: str, at: dt.datetime, *, lane: str = "hall") -> Observation:
    return Observation(
        id=name, type="door.forced", at=at, received_at=at, device=f"{lane}-door", zone="hall",
        ring="building", lane=lane,
    )  # fmt: skip


def uncertain(name: str, at: dt.datetime, **attributes: object) -> Observation:
    """Nobody knows whether a door obeyed; where it is `ended`, somebody does now, and that is said at once."""
    return replace(forced(name, at), type="command.uncertain", attributes=attributes)


def line(name: str, kind: str, at: dt.datetime) -> Observation:
    """A camera went, or is back: that it is back is said five seconds later."""
    cause = "last_will" if kind == "device.offline" else "heartbeat"
    return Observation(
        id=name, type=kind, at=at, received_at=at, device="camera", zone="square", ring="common", cause=cause
    )


def engine() -> Engine:
    return Engine(RULES)


def by_rule(said: list, rule: str) -> list:
    return [one for one in said if one.rule == rule]


# ── what was said before a restart ────────────────────────────────────────────


def test_what_was_said_up_to_a_moment_is_not_said_again() -> None:
    seen = forced("1", T0)
    first = engine()
    assert by_rule(first.feed(seen), "R-B05")
    second = engine()
    second.quiet_until = T0
    assert second.feed(seen) == []
    assert second.advance(T0) == []
    assert [one.anchor for one in second.view.signals(T0, T0)] == [seen], "it knows what was said"


def test_what_comes_in_an_instant_later_is_said() -> None:
    second = engine()
    second.quiet_until = T0
    second.feed(forced("1", T0))
    (said,) = by_rule(second.feed(forced("2", T0 + INSTANT, lane="yard")), "R-B05")
    assert said.anchor.id == "2"


@pytest.mark.parametrize(("after", "speaks"), [(dt.timedelta(), False), (INSTANT, True)])
@pytest.mark.parametrize(
    ("begun", "over", "rule", "known"),
    [
        pytest.param(
            uncertain("1", T0), uncertain("2", T0, ended=True), "R-D07", dt.timedelta(), id="at_once"
        ),
        pytest.param(
            line("1", "device.offline", T0),
            line("2", "device.online", T0),
            "R-D01",
            DISORDER,
            id="in_its_turn",
        ),
    ],
)
def test_boundary_of_an_end(
    begun: Observation,
    over: Observation,
    rule: str,
    known: dt.timedelta,
    after: dt.timedelta,
    *,
    speaks: bool,
) -> None:
    """An end that the engine before has told is not told again; one that is known an instant later is."""
    moment = T0 + 600 * SECOND
    second = engine()
    second.quiet_until = moment
    said = second.feed(begun) + second.advance(moment - 60 * SECOND)
    ends = moment + after - known
    said += second.feed(replace(over, at=ends, received_at=ends)) + second.advance(moment + after)
    assert [type(one) for one in by_rule(said, rule)] == ([Clear] if speaks else [])


@pytest.mark.parametrize(("until", "speaks"), [(6, False), (5.999999, True)])
def test_boundary_of_an_answer_that_was_due(until: float, *, speaks: bool) -> None:
    """An opening that nothing released is known after six seconds; up to when it was said decides."""
    second = engine()
    second.quiet_until = T0 + until * SECOND
    second.feed(replace(forced("1", T0), type="door.opened"))
    said = second.advance(T0 + 6 * SECOND)
    assert bool(by_rule(said, "R-B05")) is speaks


# ── what it is told by its bytes ──────────────────────────────────────────────


def handed_over(one: Engine) -> Engine:
    other = engine()
    other.load(one.dump())
    return other


def test_what_somebody_closed_stays_closed() -> None:
    one = engine()
    later = T0 + 600 * SECOND
    one.feed(forced("1", T0))
    one.advance(T0)
    one.settle(DOOR, T0 + 60 * SECOND)
    other = handed_over(one)
    assert other.view.signals(T0, later) == []
    (said,) = by_rule(other.feed(forced("2", later)), "R-B05")
    assert isinstance(said, Signal)
    assert [one.anchor.id for one in other.view.signals(T0, later) if one.rule == "R-B05"] == ["2"]


def test_what_nobody_closed_is_there() -> None:
    one = engine()
    one.feed(forced("1", T0))
    one.advance(T0)
    assert [said.anchor.id for said in handed_over(one).view.signals(T0, T0) if said.rule == "R-B05"] == ["1"]


def test_nights_from_before_the_memory_are_handed_over() -> None:
    one = engine()
    one.note_night(guest(NIGHT))
    evening = dt.date(2026, 11, 23)
    assert handed_over(one).view.nights("pass:p", "hall", evening, evening) == 1


# ── nights ────────────────────────────────────────────────────────────────────


def guest(at: dt.datetime, **facts: object) -> Observation:
    visit = PassFacts("p", T0, T0 + dt.timedelta(days=30))
    seen = Observation(
        id=f"guest@{at}", type="access.granted", at=at, received_at=at, device="reader", zone="hall",
        ring="building", lane="hall", visit=visit,
    )  # fmt: skip
    return replace(seen, **facts)


@pytest.mark.parametrize(
    ("hour", "minute", "evening"),
    [(22, 59, None), (23, 0, 23), (23, 59, 23), (0, 0, 22), (4, 59, 22), (5, 0, None), (12, 0, None)],
)
def test_boundary_of_a_night_and_the_evening_that_it_is_of(
    hour: int, minute: int, evening: int | None
) -> None:
    shanghai = dt.timezone(dt.timedelta(hours=8))
    one = engine()
    one.note_night(guest(dt.datetime(2026, 11, 23, hour, minute, tzinfo=shanghai)))
    assert one.view.nights_known() == (
        [] if evening is None else [("pass:p", "hall", [dt.date(2026, 11, evening)])]
    )


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"ring": "common"}, id="no_building"),
        pytest.param({"late": True}, id="replayed"),
        pytest.param({"received_at": NIGHT + 16 * SECOND}, id="came_too_late"),
        pytest.param({"visit": None, "token": "stranger"}, id="stranger_is_nobodys_guest"),
    ],
)
def test_same_does_not_count_live_and_afterwards(facts: dict) -> None:
    seen = guest(NIGHT, **facts)
    live, afterwards = engine(), engine()
    live.feed(seen)
    afterwards.note_night(seen)
    assert live.view.nights_known() == afterwards.view.nights_known() == []


def test_same_counts_live_and_afterwards_and_nothing_else_is_taken_in() -> None:
    live, afterwards = engine(), engine()
    live.feed(guest(NIGHT))
    afterwards.note_night(guest(NIGHT))
    assert live.view.nights_known() == afterwards.view.nights_known() != []
    assert afterwards.view.observations() == []
