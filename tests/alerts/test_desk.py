"""The desk: what the rules said is written, through failed commits and restarts."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from timeline import (
    COMPOUND,
    START,
    World,
    amended,
    at,
    barrier_opened,
    card,
    crossing,
    door_forced,
    door_opened,
    down,
    event,
    expect,
    face_unknown,
    offline,
    online,
    plate_unknown,
    raised,
)

from alerts import leases
from alerts.evaluator import Evaluator
from alerts.incidents.lifecycle import State
from alerts.leases import Lease, LeaseLostError
from bus.messages import DeviceChanged
from registry.models import Compound, Ring, Zone
from storage import Database, new_id


def now(world: World, offset: float = 0) -> dt.datetime:
    world.clock.moment = START + dt.timedelta(seconds=offset)
    return world.clock.moment


def heard(report, moment: dt.datetime):
    return report(moment, moment, False)


class FailingOnce:
    """A database whose next commits fail."""

    def __init__(self, database: Database, failures: int) -> None:
        self._database = database
        self.failures = failures

    def read(self):
        return self._database.read()

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self._database.write() as session:
            yield session
            session.flush()
            if self.failures:
                self.failures -= 1
                raise OperationalError("COMMIT", {}, Exception("disk full"))


def figure(world: World, name: str, **labels: str) -> float:
    return world.registry.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("failures", [1, 3])
def test_failed_commit_loses_nothing_and_counts_nothing_twice(database: Database, failures: int) -> None:
    world = World(FailingOnce(database, failures))
    message = heard(door_forced(), now(world))
    for _ in range(failures):
        # The message is not settled, so the bus brings it again.
        with pytest.raises(OperationalError):
            world.desk.handle(message)
        assert world.incidents() == []
    assert world.commits == 0
    world.desk.handle(message)
    assert world.incident().signal_count == 1
    world.desk.tick()
    assert world.commits == 1
    assert figure(world, "ringward_alerts_signals_total", rule="R-B05", severity="2") == 1
    assert figure(world, "ringward_alerts_incidents_total", rule="R-B05", ring="building", severity="2") == 1


def test_failed_commit_of_an_answer_is_made_good_by_the_next_tick(database: Database) -> None:
    world = World(FailingOnce(database, 1))
    moment = now(world)
    world.desk.handle(heard(face_unknown(), moment))
    world.desk.handle(heard(door_opened(), moment))
    now(world, 16)
    world.desk.tick()
    assert world.incidents() == []
    assert figure(world, "ringward_alerts_failed_turns_total", compound=COMPOUND) == 1
    world.desk.tick()
    world.desk.tick()
    assert figure(world, "ringward_alerts_failed_turns_total", compound=COMPOUND) == 1
    assert world.incident().rule == "R-E01"


def test_failed_commit_keeps_the_order_of_raising_and_clearing(database: Database) -> None:
    world = World(FailingOnce(database, 1))
    world.desk.handle(heard(offline(), now(world)))
    world.desk.handle(heard(online(), now(world, 1)))
    now(world, 5)
    world.desk.tick()
    assert world.incidents() == []
    assert figure(world, "ringward_alerts_failed_turns_total", compound=COMPOUND) == 1
    now(world, 6)
    world.desk.tick()
    assert world.incident().state == State.AUTO_CLEARED


def test_nothing_said_writes_nothing(world: World) -> None:
    world.desk.handle(heard(door_opened(), now(world)))
    world.desk.tick()
    assert world.commits == 0


def test_messages_that_are_no_business_of_rules_are_passed_over(world: World) -> None:
    world.desk.handle(DeviceChanged(device_id="cam-1", compound="willow", online=False, at=START))
    assert world.incidents() == []


def test_time_from_happening_to_raising_is_measured(world: World) -> None:
    world.play(at(+0, door_forced(), arrives=+4), expect(+4, raised("R-B05", severity=2)))
    assert figure(world, "ringward_alerts_happened_to_raised_seconds_sum", rule="R-B05") == 4


def test_question_open_before_a_restart_is_answered_after_it(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        down(+5, until=+30),
        expect(+30, raised("R-E01", severity=4)),
    )


def test_restored_desk_has_answered_before_it_hears_anything_new(world: World) -> None:
    moment = now(world)
    log = [heard(face_unknown(), moment), heard(door_opened(), moment)]
    now(world, 40)
    assert world.new_desk().restore(lambda compound, since: log) == 2
    assert world.incident().rule == "R-E01"


def test_card_after_a_forced_opening_excuses_no_more_after_a_restart_than_live(world: World) -> None:
    world.play(
        at(+0, door_opened("hall")),
        down(+0.5, until=+9),
        at(+2, card("hall")),
        at(+4, event("door.closed", "hall")),
        expect(+9, raised("R-B05", severity=2)),
    )


def test_restart_before_the_moment_of_the_answer_changes_nothing(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        down(+5, until=+6),
        expect(+15, raised("R-E01", severity=4)),
    )


def test_what_happened_while_the_desk_was_down_is_told_once(world: World) -> None:
    world.play(
        at(+0, plate_unknown("云M7K2P5")),
        down(+1, until=+120),
        at(+3, barrier_opened()),
        at(+40, door_forced()),
        expect(+120, raised("R-E04", severity=4)),
        expect(+120, raised("R-B05", severity=2)),
    )
    assert [len(one.event_ids) for one in world.evidence()] == [2, 1]


def test_card_that_came_while_the_desk_was_down_still_excuses(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        down(+3, until=+60),
        at(+6, card()),
        at(+6.5, crossing()),
    )


def test_restart_raises_nothing_twice(world: World) -> None:
    world.play(
        at(+0, face_unknown()),
        at(+2, door_opened()),
        at(+20, door_forced()),
        at(+30, offline()),
        down(+60, until=+61),
        down(+70, until=+71),
        expect(+15, raised("R-E01", severity=4)),
        expect(+20, raised("R-B05", severity=2)),
        expect(+35, raised("R-D01", severity=2)),
    )
    assert len(world.evidence()) == 3


def test_restart_neither_reopens_nor_clears_again(world: World) -> None:
    world.play(
        at(+0, offline()),
        at(+10, online()),
        at(+20, offline()),
        down(+60, until=+61),
        expect(+5, raised("R-D01", severity=2)),
        expect(+15, ("cleared", "R-D01", 2)),
        expect(+25, raised("R-D01", severity=2)),
    )
    assert [incident.state for incident in world.incidents()] == [State.AUTO_CLEARED, State.RAISED]


def test_signal_after_a_restart_still_belongs_to_the_incident_before_it(world: World) -> None:
    world.play(
        at(+0, door_forced()),
        down(+5, until=+6),
        at(+60, door_forced()),
        expect(+0, raised("R-B05", severity=2)),
        expect(+60, amended("R-B05", severity=2)),
    )


def test_mute_is_known_after_a_restart(world: World) -> None:
    world.mute("R-E01", place="gate")
    world.play(at(+0, face_unknown()), at(+2, door_opened()), down(+5, until=+30))


# ── several compounds ─────────────────────────────────────────────────────────


@pytest.fixture
def two(world: World) -> World:
    """A second compound, whose turn comes after the first one's."""
    world.add(
        Compound(id="elsewhere", name="e"),
        Zone(id="far", compound="elsewhere", name="far", ring=Ring.BUILDING, kind="hall", outline=[[0, 0]]),
    )
    for report in (face_unknown(), door_opened()):
        message = heard(report, now(world))
        world.desk.handle(message)
        world.desk.handle(msgspec.structs.replace(message, id=new_id(), compound="elsewhere"))
    return world


def only_elsewhere(plain, error: Exception):
    """What an evaluator does, failing for the compound whose turn is first."""

    def turn(evaluator: Evaluator, *seen: Any) -> None:
        if evaluator.compound == COMPOUND:
            raise error
        plain(evaluator, *seen)

    return turn


def test_a_compound_whose_time_cannot_pass_does_not_stop_the_others(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluator, "tick", only_elsewhere(Evaluator.tick, ValueError("unforeseen")))
    now(two, 20)
    two.desk.tick()
    assert [(one.compound, one.rule) for one in two.incidents()] == [("elsewhere", "R-E01")]
    assert figure(two, "ringward_alerts_failed_turns_total", compound=COMPOUND) == 1
    assert figure(two, "ringward_alerts_failed_turns_total", compound="elsewhere") == 0


def test_a_compound_that_is_somebody_elses_by_now_is_named_after_the_others_had_their_turn(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Evaluator, "tick", only_elsewhere(Evaluator.tick, LeaseLostError(COMPOUND, 7)))
    now(two, 20)
    with pytest.raises(LeaseLostError) as lost:
        two.desk.tick()
    assert (lost.value.compound, lost.value.epoch) == (COMPOUND, 7)
    assert [one.compound for one in two.incidents()] == ["elsewhere"]


def test_a_compound_whose_rules_cannot_be_read_again_does_not_stop_the_others(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        Evaluator,
        "refresh",
        only_elsewhere(lambda evaluator, *_: read.append(evaluator.compound), ValueError("unforeseen")),
    )
    two.desk.refresh()
    assert read == ["elsewhere"]
    assert figure(two, "ringward_alerts_failed_turns_total", compound=COMPOUND) == 1


def test_what_closes_late_does_not_close_what_is_evaluated_under_a_newer_lease(world: World) -> None:
    desk = world.new_desk()

    def acquired() -> Lease:
        with world.database.write() as session:
            lease = leases.acquire(session, COMPOUND, "this process", world.clock.now())
        assert lease is not None
        return lease

    old = acquired()
    desk.open(old)
    now(world, 10)
    new = acquired()
    desk.open(new)
    assert figure(world, "ringward_alerts_compounds") == 1
    desk.close(old)
    assert figure(world, "ringward_alerts_compounds") == 1
    desk.close(new)
    assert figure(world, "ringward_alerts_compounds") == 0
