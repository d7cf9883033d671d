"""R-D01: a device fell silent; the incident ends by itself when it is back, unless confirmed."""

import pytest
from timeline import World, amended, at, cleared, expect, offline, online, operator, raised

from alerts.incidents.lifecycle import FalseAlarmReason, State, Step

URGENT = raised("R-D01", severity=2)
WARNING = raised("R-D01", severity=3)


def test_device_at_an_entrance_that_is_gone_is_urgent(world: World) -> None:
    world.play(at(+0, offline(cause="last_will")), expect(+5, URGENT))
    assert world.incident().reason_args == {"cause": "last_will", "ring_share": 0.0}


@pytest.mark.parametrize(
    ("online_count", "offline_count", "change"),
    [
        pytest.param(8, 2, WARNING, id="two_of_ten"),
        pytest.param(5, 2, WARNING, id="two_of_seven"),
        pytest.param(7, 3, URGENT, id="three_of_ten"),
        pytest.param(0, 2, URGENT, id="all"),
    ],
)
def test_ring_is_urgent_from_three_tenths_gone(
    world: World, online_count: int, offline_count: int, change: tuple
) -> None:
    world.devices("common", online=online_count, offline=offline_count)
    world.play(at(+0, offline("common-0", "square")), expect(+5, change))
    share = round(offline_count / (online_count + offline_count), 2)
    assert world.incident().reason_args["ring_share"] == share


def test_devices_of_other_rings_do_not_count(world: World) -> None:
    world.devices("building", online=0, offline=9, lane="hall")
    world.devices("common", online=9, offline=1)
    world.play(at(+0, offline("common-9", "square")), expect(+5, WARNING))


def test_device_that_is_back_clears_its_incident(world: World) -> None:
    world.play(
        at(+0, offline()), at(+40, online()), expect(+5, URGENT), expect(+45, cleared("R-D01", severity=2))
    )
    assert world.incident().state == State.AUTO_CLEARED


def test_acknowledged_incident_still_clears(world: World) -> None:
    world.play(
        at(+0, offline()),
        operator(+10, Step(State.ACKNOWLEDGED)),
        at(+40, online()),
        expect(+5, URGENT),
        expect(+45, cleared("R-D01", severity=2)),
    )


def test_confirmed_incident_stays_with_its_people_and_the_next_failure_is_another(world: World) -> None:
    world.play(
        at(+0, offline()),
        operator(+10, Step(State.CONFIRMED)),
        at(+40, online()),
        at(+50, offline()),
        expect(+5, URGENT),
        expect(+55, URGENT),
    )
    assert [incident.state for incident in world.incidents()] == [State.CONFIRMED, State.RAISED]


def test_device_that_is_back_clears_only_its_own_incident(world: World) -> None:
    world.play(
        at(+0, offline("cam-1")),
        at(+1, offline("cam-2")),
        at(+40, online("cam-2")),
        expect(+5, URGENT),
        expect(+6, URGENT),
        expect(+45, cleared("R-D01", severity=2)),
    )
    assert [incident.state for incident in world.incidents()] == [State.RAISED, State.AUTO_CLEARED]


def test_device_that_comes_and_goes_is_one_incident_each_time(world: World) -> None:
    world.play(
        at(+0, offline()),
        at(+10, online()),
        at(+20, offline()),
        expect(+5, URGENT),
        expect(+15, cleared("R-D01", severity=2)),
        expect(+25, URGENT),
    )


def test_two_words_of_one_absence_are_one_incident(world: World) -> None:
    world.play(
        at(+0, offline(cause="last_will")),
        at(+50_000, offline(cause="silence")),
        expect(+5, URGENT),
        expect(+50_005, amended("R-D01", severity=2)),
    )


def test_after_a_false_alarm_the_next_absence_is_told_again(world: World) -> None:
    world.play(
        at(+0, offline()),
        operator(+5, Step(State.FALSE_ALARM, reason=FalseAlarmReason.TEST_DRILL)),
        at(+20, offline()),
        expect(+5, URGENT),
        expect(+25, URGENT),
    )


def test_same_messages_again_say_nothing_more(world: World) -> None:
    world.play(
        at(+0, offline(), again=+50),
        at(+40, online(), again=+60),
        expect(+5, URGENT),
        expect(+45, cleared("R-D01", severity=2)),
    )
    assert len(world.evidence()) == 1


def test_word_of_going_overtaken_by_that_of_return_leaves_nothing_open(world: World) -> None:
    world.play(
        at(+0, offline(), arrives=+5),
        at(+3, online()),
        expect(+5, URGENT),
        expect(+8, cleared("R-D01", severity=2)),
    )
    assert world.incident().state == State.AUTO_CLEARED


def test_return_of_a_neighbour_on_the_lane_excuses_nobody(world: World) -> None:
    world.play(at(+0, offline("cam-1"), arrives=+5), at(+3, online("cam-2")), expect(+5, URGENT))


def test_old_word_of_return_clears_no_newer_absence(world: World) -> None:
    world.play(at(+5, offline()), at(+2, online(), arrives=+7), expect(+10, URGENT))


def test_replayed_records_say_nothing(world: World) -> None:
    world.play(
        at(+0, offline("cam-1"), late=True, arrives=+1),
        at(+2, offline("cam-2")),
        at(+5, online("cam-2"), late=True, arrives=+6),
        expect(+7, URGENT),
    )


def test_muted_device_is_silent(world: World) -> None:
    world.mute("R-D01", place="gate-camera")
    world.play(at(+0, offline("gate-camera")), at(+1, offline("gate-door")), expect(+6, URGENT))


def test_online_without_an_incident_says_nothing(world: World) -> None:
    world.play(at(+0, online()))
