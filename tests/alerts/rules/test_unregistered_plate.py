"""R-E04: a plate nobody knows came in, and no guard wrote it down within a minute."""

import datetime as dt

import pytest
from timeline import (
    COMPOUND,
    START,
    World,
    amended,
    at,
    barrier_opened,
    expect,
    plate_of,
    plate_uncertain,
    plate_unknown,
    raised,
    visitor_checked_in,
    visitor_registered,
)

from registry.models import PassKind, PassState, PassUse, VisitorPass

PLATE = "云M7K2P5"
BY_DAY = raised("R-E04", severity=4)
BY_NIGHT = raised("R-E04", severity=3)


def a_pass(
    *, starts: float, ends: float, plate: str = PLATE, compound: str = COMPOUND, **more: object
) -> VisitorPass:
    return VisitorPass(
        id="pass-1",
        compound=compound,
        kind=PassKind.VISITOR,
        plate=plate,
        starts_at=START + dt.timedelta(seconds=starts),
        ends_at=START + dt.timedelta(seconds=ends),
        **more,
    )


def a_use(seconds: float, *, counted: bool = True, number: int = 1) -> PassUse:
    return PassUse(
        id=f"use-{number}",
        compound=COMPOUND,
        visitor_pass="pass-1",
        zone="drive",
        at=START + dt.timedelta(seconds=seconds),
        counted=counted,
    )


def test_unknown_plate_behind_an_open_barrier_raises_after_a_minute(world: World) -> None:
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), expect(+65, BY_DAY))

    incident = world.incident()
    assert (incident.kind, incident.subject_kind, incident.subject) == (
        "vehicle.unregistered",
        "plate",
        PLATE,
    )
    assert incident.reason_args == {"lane": "drive", "plate": PLATE, "window_s": 60, "night": False}
    assert len(world.evidence()[0].event_ids) == 2


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+30, barrier_opened())], id="barrier_after_half_a_minute"
        ),
        pytest.param(
            [at(-5, barrier_opened()), at(+0, plate_unknown(PLATE))], id="barrier_five_seconds_before"
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), at(+60.5, visitor_registered("drive"))],
            id="guard_after_the_minute",
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), at(+9, visitor_registered("gate"))],
            id="guard_on_another_lane",
        ),
        pytest.param([at(+0, plate_unknown("云M1234学")), at(+3, barrier_opened())], id="learners_plate"),
    ],
)
def test_raises(world: World, steps: list) -> None:
    world.play(*steps, expect(+65, BY_DAY))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(+0, plate_of("car-1", PLATE)), at(+3, barrier_opened())], id="registered"),
        pytest.param(
            [at(+0, plate_uncertain(PLATE)), at(+3, barrier_opened())], id="near_match_is_the_guards"
        ),
        pytest.param([at(+0, plate_unknown(PLATE))], id="barrier_stayed_shut"),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+30.5, barrier_opened())], id="opened_for_somebody_later"
        ),
        pytest.param(
            [at(-5.5, barrier_opened()), at(+0, plate_unknown(PLATE))], id="opened_for_somebody_before"
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened("gate"))], id="another_lane_opened"
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE, direction="out")), at(+3, barrier_opened())], id="drives_out"
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE, lane="square")), at(+3, barrier_opened("square"))], id="inside"
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), at(+20, visitor_registered("drive"))],
            id="guard_registers",
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), at(+60, visitor_registered("drive"))],
            id="guard_registers_at_the_last_second",
        ),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), at(+20, visitor_checked_in("drive"))],
            id="visitor_checks_in",
        ),
        pytest.param([at(+0, plate_unknown("云M1234应急")), at(+3, barrier_opened())], id="emergency"),
        pytest.param([at(+0, plate_unknown("云M1234警")), at(+3, barrier_opened())], id="police"),
        pytest.param([at(+0, plate_unknown("WJ云1234X")), at(+3, barrier_opened())], id="armed_police"),
        pytest.param([at(+0, plate_unknown("KA12345")), at(+3, barrier_opened())], id="army"),
    ],
)
def test_silent(world: World, steps: list) -> None:
    world.play(*steps)


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        pytest.param(-600, +600, id="in_the_middle"),
        pytest.param(0, +600, id="from_this_second"),
        pytest.param(-600, 0, id="until_this_second"),
    ],
)
def test_valid_pass_keeps_silent(world: World, starts: float, ends: float) -> None:
    world.add(a_pass(starts=starts, ends=ends))
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"starts": -600, "ends": -1}, id="ended_a_second_ago"),
        pytest.param({"starts": +1, "ends": +600}, id="begins_in_a_second"),
        pytest.param({"starts": -600, "ends": +600, "plate": "云M7K2P6"}, id="of_another_plate"),
        pytest.param({"starts": -600, "ends": +600, "state": PassState.REQUESTED}, id="not_yet_approved"),
        pytest.param({"starts": -600, "ends": +600, "state": PassState.REFUSED}, id="refused"),
        pytest.param({"starts": -600, "ends": +600, "state": PassState.REVOKED}, id="revoked"),
        pytest.param({"starts": -600, "ends": +600, "max_uses": 2, "uses": 2}, id="used_up"),
    ],
)
def test_pass_that_does_not_hold_excuses_nobody(world: World, given: dict) -> None:
    world.add(a_pass(**given))
    for number in range(given.get("uses", 0)):
        world.add(a_use(-500 + number, number=number))
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), expect(+65, BY_DAY))


def test_pass_with_a_use_left_keeps_silent(world: World) -> None:
    world.add(a_pass(starts=-600, ends=+600, max_uses=2, uses=1))
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()))


@pytest.mark.parametrize("seconds", [-120, +5], ids=["two_minutes_before", "after_the_plate_was_read"])
def test_last_use_of_a_pass_explains_the_passage_it_was_for(world: World, seconds: float) -> None:
    world.add(a_pass(starts=-600, ends=+600, max_uses=1, uses=1))
    world.add(a_use(seconds))
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()))


@pytest.mark.parametrize(
    ("seconds", "counted"), [(-121, True), (-60, False)], ids=["an_earlier_visit", "a_door_further_in"]
)
def test_use_of_another_passage_gives_nothing_back(world: World, seconds: float, *, counted: bool) -> None:
    world.add(a_pass(starts=-600, ends=+600, max_uses=1, uses=1))
    world.add(a_use(seconds, counted=counted))
    if not counted:
        world.add(a_use(-500, number=2))
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), expect(+65, BY_DAY))


def test_same_messages_again_say_nothing_more(world: World) -> None:
    world.play(
        at(+0, plate_unknown(PLATE), again=+70),
        at(+3, barrier_opened(), again=+4),
        expect(+65, BY_DAY),
    )
    assert len(world.evidence()) == 1


def test_plate_that_comes_in_after_its_barrier_still_raises(world: World) -> None:
    world.play(at(+0, plate_unknown(PLATE), arrives=+5), at(+2, barrier_opened()), expect(+65, BY_DAY))


def test_registration_that_comes_in_five_seconds_late_still_excuses(world: World) -> None:
    world.play(
        at(+0, plate_unknown(PLATE)),
        at(+3, barrier_opened()),
        at(+55, visitor_registered("drive"), arrives=+60),
    )


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(+0, plate_unknown(PLATE), late=True), at(+3, barrier_opened())], id="plate"),
        pytest.param([at(+0, plate_unknown(PLATE)), at(+3, barrier_opened(), late=True)], id="barrier"),
        pytest.param(
            [at(+0, plate_unknown(PLATE)), at(+3, barrier_opened(), arrives=+18.5)], id="barrier_not_marked"
        ),
    ],
)
def test_replayed_record_raises_nothing(world: World, steps: list) -> None:
    world.play(*steps)


def test_muted_rule_is_silent(world: World) -> None:
    world.mute("R-E04")
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()))


def test_mute_of_another_rule_silences_nothing(world: World) -> None:
    world.mute("R-E01")
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), expect(+65, BY_DAY))


@pytest.mark.parametrize(
    ("local", "change"),
    [("22:59:59", BY_DAY), ("23:00:00", BY_NIGHT), ("04:59:59", BY_NIGHT), ("05:00:00", BY_DAY)],
)
def test_night_is_from_23_to_5_by_the_compounds_clock(world: World, local: str, change: tuple) -> None:
    begins = dt.datetime.fromisoformat(f"2026-11-24T{local}+08:00").astimezone(dt.UTC)
    world.play(at(+0, plate_unknown(PLATE)), at(+3, barrier_opened()), expect(+65, change), begins=begins)


def test_plate_that_comes_again_within_half_an_hour_is_the_same_incident(world: World) -> None:
    half_hour = 1800
    world.play(
        at(+0, plate_unknown(PLATE)),
        at(+3, barrier_opened()),
        at(half_hour, plate_unknown(PLATE)),
        at(half_hour + 3, barrier_opened()),
        expect(+65, BY_DAY),
        expect(half_hour + 65, amended("R-E04", severity=4)),
    )


def test_two_unknown_plates_are_two_incidents(world: World) -> None:
    # Further apart than what R-X02 would put before a person as one thing.
    world.play(
        at(+0, plate_unknown(PLATE)),
        at(+3, barrier_opened()),
        at(+130, plate_unknown("云M2222F")),
        at(+133, barrier_opened()),
        expect(+65, BY_DAY),
        expect(+195, BY_DAY),
    )
