"""What is told again with more in it is judged as it is known now, and raised once."""

import dataclasses
import datetime as dt

import msgspec
from timeline import START, World, at, door_opened, expect, face_unknown, raised

from alerts.rules.memory import Recent
from alerts.rules.observation import Observation


def seen(
    kind: str = "plate.none", *, seconds: float = 0, lane: str = "drive", amends: bool = False
) -> Observation:
    moment = START + dt.timedelta(seconds=seconds)
    return Observation("s-1", kind, moment, moment, "cam-1", "drive", "entrance", lane=lane, amends=amends)


def test_what_amends_takes_the_place_of_what_it_amends() -> None:
    recent = Recent(dt.timedelta(minutes=15))
    first, second = seen(), seen("plate.recognised", seconds=3, amends=True)
    assert recent.add(first)
    assert not recent.is_superseded(first)
    assert recent.add(second)
    assert recent.is_superseded(first)
    assert list(recent.at_place("drive", START, START + dt.timedelta(minutes=1))) == [second]
    assert not recent.add(dataclasses.replace(second, amends=False)), "the same once more"


def test_amendment_that_moves_to_another_place_is_found_there_alone() -> None:
    recent = Recent(dt.timedelta(minutes=15))
    recent.add(seen())
    recent.add(seen(lane="gate", amends=True))
    until = START + dt.timedelta(minutes=1)
    assert list(recent.at_place("drive", START, until)) == []
    assert len(list(recent.at_place("gate", START, until))) == 1


def told_again(report, **changes):
    """The report, and the same one amended."""
    kept = []

    def first(*times):
        kept.append(report(*times))
        return kept[0]

    def again(moment, received, _late):
        return msgspec.structs.replace(kept[0], at=moment, received_at=received, amends=True, **changes)

    return first, again


def test_stranger_who_turns_out_to_be_a_resident_raises_nothing(world: World) -> None:
    stranger, known = told_again(face_unknown(), outcome="identified", person_id="p-1")
    world.play(at(+0, stranger), at(+1, door_opened()), at(+3, known))


def test_stranger_who_stays_one_is_raised_once(world: World) -> None:
    stranger, again = told_again(face_unknown(), score=0.72)
    world.play(
        at(+0, stranger),
        at(+1, door_opened()),
        at(+3, again),
        expect(+18, raised("R-E01", severity=4)),
    )


def test_what_was_raised_already_is_not_raised_by_its_amendment(world: World) -> None:
    stranger, again = told_again(face_unknown(), score=0.72)
    world.play(
        at(+0, stranger),
        at(+1, door_opened()),
        expect(+15, raised("R-E01", severity=4)),
        at(+18, again),
        at(+19, door_opened()),
    )
    assert len(world.evidence()) == 1
