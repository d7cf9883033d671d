"""R-B05: a building's door opened and nothing had released it."""

import datetime as dt

import pytest
from timeline import (
    World,
    amended,
    at,
    card,
    card_refused,
    door_forced,
    door_opened,
    event,
    expect,
    raised,
    visitor_checked_in,
)


@pytest.fixture(autouse=True)
def about_this_rule(world: World) -> None:
    world.about = frozenset({"R-B05"})


def opens(seconds: float, cause: str | None = None, **how: object) -> tuple:
    """The door opens, and is shut ten seconds later: that it stands open is another rule's."""
    shut = {"arrives": how["arrives"] + 10} if "arrives" in how else {}
    return (
        at(seconds, door_opened("hall", cause=cause), **how),
        at(seconds + 10, event("door.closed", "hall"), **shut),
    )


BY_DAY = raised("R-B05", severity=2)
BY_NIGHT = raised("R-B05", severity=1)


def test_door_that_nothing_released_raises_when_no_release_can_come_any_more(world: World) -> None:
    world.play(*opens(+0), expect(+6, BY_DAY))

    incident = world.incident()
    assert (incident.kind, incident.ring, incident.needs_comparison) == ("door.forced", "building", False)
    assert incident.reason_args == {"lane": "hall", "window_s": 3, "night": False}


def test_what_the_door_itself_reports_as_forced_raises_at_once(world: World) -> None:
    world.play(at(-1, card("hall")), at(+0, door_forced("hall")), expect(+0, BY_DAY))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(-3.5, card("hall")), *opens(+0)], id="card_too_long_ago"),
        pytest.param([at(-1, card("gate")), *opens(+0)], id="card_on_another_lane"),
        pytest.param([at(-1, card_refused("hall")), *opens(+0)], id="card_refused"),
        pytest.param([*opens(+0), at(+1.5, card("hall"))], id="card_only_afterwards"),
        pytest.param([*opens(+0, cause="unknown")], id="cause_that_releases_nothing"),
    ],
)
def test_raises(world: World, steps: list) -> None:
    world.play(*steps, expect(+6, BY_DAY))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(-3, card("hall")), *opens(+0)], id="card_three_seconds_before"),
        pytest.param([at(+0, card("hall")), *opens(+0)], id="card_at_the_same_moment"),
        pytest.param([*opens(+0), at(+1, card("hall"))], id="reader_whose_clock_is_ahead"),
        pytest.param([at(-1, visitor_checked_in("hall")), *opens(+0)], id="visitor"),
        pytest.param([*opens(+0, cause="exit_button")], id="exit_button"),
        pytest.param(
            [at(-1, event("door.released", "hall", cause="exit_button")), *opens(+0)],
            id="exit_button_told_by_another_device",
        ),
        pytest.param([*opens(+0, cause="fire_release")], id="fire_release"),
        pytest.param(
            [at(-2, event("alarm.smoke", "hall", cause="fire_release")), *opens(+0)],
            id="fire_signal_before_it",
        ),
        pytest.param([*opens(+0, cause="remote_open")], id="opened_from_the_control_room"),
        pytest.param([*opens(+0, cause="schedule")], id="open_by_schedule"),
        pytest.param([at(+0, door_opened("gate"))], id="gate_is_no_building_door"),
        pytest.param([at(+0, door_opened("square"))], id="common_area"),
        pytest.param([at(+0, event("door.closed", "hall"))], id="closes"),
    ],
)
def test_silent(world: World, steps: list) -> None:
    world.play(*steps)


def test_same_message_again_says_nothing_more(world: World) -> None:
    world.play(*opens(+0, again=+30), expect(+6, BY_DAY))
    assert world.incident().signal_count == 1


def test_opening_that_comes_in_before_its_card_is_excused(world: World) -> None:
    world.play(*opens(+0), at(-2, card("hall"), arrives=+1))


def test_opening_that_comes_in_five_seconds_late_is_decided_at_the_same_moment(world: World) -> None:
    world.play(*opens(+0, arrives=+5), expect(+6, BY_DAY))


def test_opening_and_card_that_both_come_in_five_seconds_late_are_in_order(world: World) -> None:
    world.play(at(-1, card("hall"), arrives=+4), *opens(+0, arrives=+5))


@pytest.mark.parametrize("report", [door_opened("hall"), door_forced("hall")], ids=["opened", "forced"])
def test_replayed_record_raises_nothing(world: World, report) -> None:
    world.play(at(+0, report, late=True, arrives=+1))


def test_replayed_card_excuses_nobody(world: World) -> None:
    world.play(at(-1, card("hall"), late=True, arrives=+0), *opens(+0), expect(+6, BY_DAY))


@pytest.mark.parametrize(
    ("local", "change"),
    [("22:59:59", BY_DAY), ("23:00:00", BY_NIGHT), ("04:59:59", BY_NIGHT), ("05:00:00", BY_DAY)],
)
def test_night_is_from_23_to_5_by_the_compounds_clock(world: World, local: str, change: tuple) -> None:
    begins = dt.datetime.fromisoformat(f"2026-11-24T{local}+08:00").astimezone(dt.UTC)
    world.play(*opens(+0), expect(+6, change), begins=begins)


@pytest.mark.parametrize("place", ["hall", "hall-door", None], ids=["lane", "device", "whole_compound"])
def test_maintenance_window_silences_the_door(world: World, place: str | None) -> None:
    world.mute("R-B05", place=place, start=0, end=100)
    world.play(
        *opens(-0.5),
        *opens(+10),
        at(+20, door_forced("hall")),
        *opens(+99.5),
        *opens(+100),
        expect(+5.5, BY_DAY),
        expect(+106, amended("R-B05", severity=2)),
    )


def test_maintenance_elsewhere_silences_nothing(world: World) -> None:
    world.mute("R-B05", place="gate")
    world.play(*opens(+0), expect(+6, BY_DAY))


def test_mute_read_while_a_question_is_open_still_counts(world: World) -> None:
    world.desk.handle(door_opened("hall")(world.clock.now(), world.clock.now(), False))
    world.mute("R-B05", place="hall", start=-10)
    world.clock.moment += dt.timedelta(seconds=10)
    world.desk.tick()
    assert world.incidents() == []


@pytest.mark.parametrize(("second", "count"), [(300, 1), (300.5, 2)])
def test_door_that_opens_again_within_five_minutes_is_the_same_incident(
    world: World, second: float, count: int
) -> None:
    again = amended("R-B05", severity=2) if count == 1 else BY_DAY
    world.play(
        *opens(+0),
        *opens(second),
        expect(+6, BY_DAY),
        expect(second + 6, again),
    )
    assert len(world.incidents()) == count
