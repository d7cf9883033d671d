"""R-E01: unknown × passage × no credential. Notice by day, warning by night."""

import datetime as dt

import pytest
from timeline import (
    COMPOUND,
    START,
    World,
    amended,
    at,
    card,
    card_refused,
    crossing,
    door_opened,
    event,
    expect,
    face_of,
    face_uncertain,
    face_unknown,
    raised,
    visitor_checked_in,
    visitor_registered,
)

from registry.models import Compound

BY_DAY = raised("R-E01", severity=4)
BY_NIGHT = raised("R-E01", severity=3)


def test_stranger_who_passes_without_a_pass_raises_a_notice(world: World) -> None:
    world.play(at(+0, face_unknown()), at(+2, door_opened()), expect(+15, BY_DAY))

    incident = world.incident()
    assert (incident.kind, incident.ring, incident.lane) == ("person.unknown_passed", "entrance", "gate")
    assert incident.reason_args == {"lane": "gate", "window_s": 10, "night": False, "distance": 0.71}
    assert (incident.subject, incident.needs_comparison) == (None, False)
    (evidence,) = world.evidence()
    assert len(evidence.event_ids) == 2
    assert len(evidence.sighting_ids) == 1


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(+0, face_unknown()), at(+1, crossing())], id="crosses_the_line"),
        pytest.param([at(-2, door_opened()), at(+0, face_unknown())], id="door_two_seconds_before_the_face"),
        pytest.param([at(+0, face_unknown()), at(+10, door_opened())], id="door_at_the_end_of_the_window"),
        pytest.param(
            [at(-10.5, card()), at(+0, face_unknown()), at(+1, door_opened())], id="card_long_before"
        ),
        pytest.param(
            [at(+0, face_unknown()), at(+1, door_opened()), at(+10.5, card())], id="card_after_the_window"
        ),
        pytest.param(
            [at(+0, face_unknown()), at(+1, card("side-gate")), at(+2, door_opened())],
            id="card_on_another_lane",
        ),
        pytest.param(
            [at(+0, face_unknown()), at(+1, card_refused()), at(+2, door_opened())], id="card_was_refused"
        ),
        pytest.param(
            [at(+0, face_unknown()), at(+1, face_of("p-1")), at(+2, door_opened())],
            id="behind_a_resident_whose_face_opened_nothing",
        ),
    ],
)
def test_raises(world: World, steps: list) -> None:
    world.play(*steps, expect(+15, BY_DAY))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(+0, face_unknown()), at(+2, door_opened()), at(+8, card())], id="card_afterwards"),
        pytest.param(
            [at(+0, face_unknown()), at(+2, door_opened()), at(+10, card())], id="card_at_ten_seconds"
        ),
        pytest.param(
            [at(-10, card()), at(+0, face_unknown()), at(+2, door_opened())], id="card_ten_seconds_before"
        ),
        pytest.param([at(+0, card()), at(+1, face_unknown()), at(+2, door_opened())], id="refuser_with_card"),
        pytest.param([at(+0, face_unknown())], id="looked_and_left"),
        pytest.param([at(+0, face_unknown()), at(+2, crossing(direction="out"))], id="turned_back"),
        pytest.param([at(-2.5, door_opened()), at(+0, face_unknown())], id="door_of_the_one_before"),
        pytest.param([at(+0, face_unknown()), at(+10.5, door_opened())], id="door_of_the_one_after"),
        pytest.param([at(+0, face_unknown()), at(+2, door_opened("side-gate"))], id="another_lane_opened"),
        pytest.param([at(+0, face_unknown(direction="out")), at(+2, door_opened())], id="on_the_way_out"),
        pytest.param([at(+0, face_unknown(direction=None)), at(+2, door_opened())], id="direction_not_known"),
        pytest.param([at(+0, face_unknown("square")), at(+2, crossing("square"))], id="not_at_an_entrance"),
        pytest.param([at(+0, face_of("p-1")), at(+2, door_opened())], id="resident"),
        pytest.param([at(+0, face_uncertain()), at(+2, door_opened())], id="uncertain_is_not_unknown"),
        pytest.param(
            [at(+0, face_unknown()), at(+2, door_opened()), at(+5, visitor_checked_in("gate"))],
            id="visitor_checked_in",
        ),
        pytest.param(
            [at(+0, face_unknown()), at(+2, door_opened()), at(+5, visitor_registered("gate"))],
            id="guard_wrote_the_visitor_down",
        ),
        pytest.param([at(+0, face_unknown()), at(+2, door_opened(cause="manual_open"))], id="guard_opened"),
        pytest.param(
            [
                at(+0, face_unknown()),
                at(+2, door_opened()),
                at(+3, event("command.done", "gate", cause="intercom")),
            ],
            id="household_opened_by_intercom",
        ),
    ],
)
def test_silent(world: World, steps: list) -> None:
    world.play(*steps)


def test_same_messages_again_say_nothing_more(world: World) -> None:
    world.play(at(+0, face_unknown(), again=+5), at(+2, door_opened(), again=+30), expect(+15, BY_DAY))
    assert len(world.evidence()) == 1


def test_face_that_comes_in_after_its_door_still_raises(world: World) -> None:
    world.play(at(+0, face_unknown(), arrives=+5), at(+2, door_opened(), arrives=+4), expect(+15, BY_DAY))


def test_card_that_comes_in_five_seconds_late_still_excuses(world: World) -> None:
    world.play(at(+0, face_unknown()), at(+2, door_opened()), at(+6, card(), arrives=+11))


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([at(+0, face_unknown(), late=True), at(+2, door_opened())], id="face"),
        pytest.param([at(+0, face_unknown(), arrives=+15.5), at(+2, door_opened())], id="face_not_marked"),
        pytest.param([at(+0, face_unknown()), at(+2, door_opened(), late=True)], id="door"),
    ],
)
def test_replayed_record_raises_nothing(world: World, steps: list) -> None:
    world.play(*steps)


def test_face_of_fifteen_seconds_ago_is_still_live(world: World) -> None:
    world.play(at(+0, face_unknown(), arrives=+15), at(+2, door_opened()), expect(+15, BY_DAY))


def test_replayed_card_excuses_nobody(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        at(+3, card(), late=True, arrives=+4),
        expect(+15, BY_DAY),
    )


def test_muted_lane_is_silent_and_its_neighbour_is_not(world: World) -> None:
    world.mute("R-E01", place="gate")
    world.play(
        at(+0, face_unknown("gate")),
        at(+0, face_unknown("side-gate")),
        at(+2, door_opened("gate")),
        at(+2, door_opened("side-gate")),
        expect(+15, BY_DAY),
    )
    assert world.incident().lane == "side-gate"


@pytest.mark.parametrize(
    ("local", "change"),
    [("22:59:59", BY_DAY), ("23:00:00", BY_NIGHT), ("04:59:59", BY_NIGHT), ("05:00:00", BY_DAY)],
)
def test_night_is_from_23_to_5_by_the_compounds_clock(world: World, local: str, change: tuple) -> None:
    begins = dt.datetime.fromisoformat(f"2026-11-24T{local}+08:00").astimezone(dt.UTC)
    # The face decides, though the door opens on the other side of the hour.
    world.play(at(+0, face_unknown()), at(+2, door_opened()), expect(+15, change), begins=begins)


def test_same_moment_is_night_in_a_compound_further_west(world: World) -> None:
    with world.database.write() as session:
        # 21:00 and 23:00 there, 10:00 and 12:00 in Shanghai.
        session.get_one(Compound, COMPOUND).time_zone = "America/Bogota"
    world.play(at(+0, face_unknown()), at(+2, door_opened()), expect(+15, BY_DAY), begins=START)
    later = START + dt.timedelta(hours=2)
    world.play(at(+0, face_unknown()), at(+2, door_opened()), expect(+15, BY_NIGHT), begins=later)


def test_second_stranger_within_a_minute_belongs_to_the_first(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        at(+60, face_unknown()),
        at(+62, door_opened()),
        expect(+15, BY_DAY),
        expect(+75, amended("R-E01", severity=4)),
    )
    assert world.incident().signal_count == 2


def test_second_stranger_after_more_than_a_minute_is_another_matter(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        at(+60.5, face_unknown()),
        at(+62, door_opened()),
        expect(+15, BY_DAY),
        expect(+75.5, BY_DAY),
    )
