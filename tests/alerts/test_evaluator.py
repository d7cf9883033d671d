"""A compound's rules at work: over takeovers, changes of the rules, odd events, and things that fail."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry
from shifts import Shift
from sqlalchemy import select
from sqlalchemy.orm import Session
from timeline import COMPOUND, OPERATOR, START

from alerts import knowing, leases
from alerts.deskmetrics import DeskMetrics
from alerts.evaluator import Ground
from alerts.incidents import raising
from alerts.incidents.actions import take_step
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step
from alerts.incidents.models import Evidence
from alerts.leases import Come, Lease, LeaseLostError
from alerts.mutes import RuleMute
from alerts.rulebook.models import RuleVersion
from alerts.rules import RULES, Observation
from alerts.rules.building.door_forced import DoorForced
from bus.deadletters import DeadLetter
from bus.messages import EventStored, Message
from devices.models import Device, DeviceKind, Stage
from storage import Database


def forced(shift: Shift, zone: str = "hall", **more: object) -> EventStored:
    return shift.event("door.forced", zone, **more)


# ── over a takeover ───────────────────────────────────────────────────────────


def test_what_nobody_has_handled_is_told_by_the_next(shift: Shift) -> None:
    shift.take_over()
    shift.dies()
    missed = forced(shift)
    shift.stored.append(missed)
    shift.take_over(waiting=[missed])
    assert shift.rules() == []
    shift.evaluator.take([missed])
    assert shift.rules() == ["R-B05"]


def test_what_was_told_before_the_holder_said_so_is_not_told_again(shift: Shift) -> None:
    shift.take_over()
    shift.tells()
    shift.happens(forced(shift))
    # It died before it could say that it had come so far, and the message comes once more.
    shift.dies()
    shift.take_over(waiting=shift.stored)
    shift.evaluator.take(shift.stored)
    assert shift.rules() == ["R-B05"]
    assert shift.incidents()[0].signal_count == 1


def test_a_question_that_was_open_is_answered_by_the_next(shift: Shift) -> None:
    shift.take_over()
    shift.happens(shift.stranger())
    shift.happens(shift.event("door.opened", "gate"))
    shift.passes(2)
    shift.tells()
    shift.dies()
    shift.take_over()
    shift.evaluator.take([], is_end=True)
    shift.passes(15)
    assert shift.rules() == ["R-E01"]


def test_time_does_not_pass_for_the_next_before_it_has_recalled(shift: Shift) -> None:
    shift.take_over()
    shift.happens(shift.stranger(), shift.event("door.opened", "gate"))
    shift.passes(2)
    shift.tells()
    shift.later(20)
    with shift.database.write() as session:
        lease = leases.acquire(session, COMPOUND, "next", shift.clock.now())
    assert lease is not None
    # It is listed from here on, and the process's clock ticks for all that are.
    evaluator = shift.evaluator = shift.open(lease)
    evaluator.tick()
    assert evaluator.come == lease.come
    evaluator.recall(evaluator.observed(shift.stored))
    evaluator.take([], is_end=True)
    shift.passes(1)
    assert shift.rules() == ["R-E01"]


def test_a_holder_that_takes_its_compound_again_writes_nothing_under_the_old_lease(shift: Shift) -> None:
    def acquired() -> Lease:
        with shift.database.write() as session:
            lease = leases.acquire(session, COMPOUND, "the same", shift.clock.now())
        assert lease is not None
        return lease

    old = shift.open(acquired())
    old.recall([])
    shift.dies()
    new = shift.open(acquired())
    new.recall([])
    message = forced(shift)
    with pytest.raises(LeaseLostError) as lost:
        old.take([message])
    assert lost.value.epoch == 1
    assert shift.rules() == []
    new.take([message])
    assert shift.rules() == ["R-B05"]


def test_other_rules_raise_nothing_anew_of_last_night(shift: Shift) -> None:
    shift.take_over()
    shift.sets_rules('[rules."R-B05"]\nenabled = false\n')
    shift.evaluator.refresh()
    shift.happens(forced(shift))
    shift.passes(60)
    assert shift.rules() == []
    shift.tells()
    with shift.database.write() as session:
        session.delete(session.scalars(select(RuleVersion)).one())
    shift.later(6 * 3600)
    shift.take_over()
    shift.evaluator.take([], is_end=True)
    shift.passes(10)
    assert shift.rules() == []
    shift.happens(forced(shift))
    assert shift.rules() == ["R-B05"]


def test_what_came_after_the_last_word_of_the_holder_is_judged_again_and_told_once(shift: Shift) -> None:
    shift.take_over()
    shift.passes(2)
    shift.tells()
    shift.passes(1)
    shift.happens(forced(shift))
    shift.dies()
    shift.take_over()
    assert len(shift.incidents()) == 1


def test_the_first_holder_of_all_raises_nothing_of_what_older_versions_had_handled(shift: Shift) -> None:
    shift.stored += [forced(shift)]
    shift.later(3600)
    shift.take_over()
    shift.evaluator.take([], is_end=True)
    shift.passes(5)
    assert shift.rules() == []


def test_one_that_slept_writes_nothing(shift: Shift) -> None:
    slept = shift.take_over()
    shift.dies()
    shift.take_over()
    with pytest.raises(LeaseLostError):
        slept.take([forced(shift)])
    assert shift.rules() == []
    with shift.database.read() as session:
        assert session.scalars(select(Evidence)).all() == []


def test_a_card_that_lies_in_the_backlog_is_not_missed_for_not_having_been_read(shift: Shift) -> None:
    shift.take_over()
    stranger, opened = shift.stranger(), shift.event("door.opened", "gate")
    shift.later(3)
    card = shift.event("access.granted", "gate", direction="in")
    shift.later(60)
    shift.evaluator.take([stranger, opened], is_end=False)
    shift.evaluator.tick()
    assert shift.rules() == []
    shift.evaluator.take([card], is_end=True)
    shift.passes(20)
    assert shift.rules() == []


def test_while_messages_wait_the_next_holder_is_not_ahead_of_them(shift: Shift) -> None:
    shift.take_over()
    shift.happens(shift.stranger(), shift.event("door.opened", "gate"))
    shift.passes(5)
    shift.tells()
    card = shift.event("access.granted", "gate", direction="in")
    shift.stored.append(card)
    shift.later(60)
    shift.take_over(waiting=[card])
    # Nothing was read from the bus yet: the card lies there.
    shift.passes(5)
    assert shift.rules() == []
    shift.evaluator.take([card], is_end=True)
    shift.passes(20)
    assert shift.rules() == []


def test_a_bus_that_falls_silent_holds_time_back_for_a_moment_only(shift: Shift) -> None:
    shift.take_over()
    shift.evaluator.take([shift.stranger(), shift.event("door.opened", "gate")], is_end=False)
    shift.passes(9)
    assert shift.rules() == []
    shift.passes(12)
    assert shift.rules() == ["R-E01"]


def test_nights_before_the_memory_are_told(shift: Shift) -> None:
    shift.take_over()
    night = START.replace(hour=17) - dt.timedelta(days=3)  # one o'clock in Shanghai
    guest = Observation(
        "n1", "face.identified", night, night, "hall-camera", "hall", "building", person_id="guest"
    )
    shift.evaluator.recall_nights([guest])
    view = shift.evaluator._engine.view
    evening = (night + dt.timedelta(hours=8) - dt.timedelta(hours=12)).date()
    assert view.nights("person:guest", "hall", evening, evening) == 1


# ── while it runs ─────────────────────────────────────────────────────────────


def test_the_evening_is_one_incident_that_climbs_in_the_database_too(shift: Shift) -> None:
    """§4.2, 22:40: in at the gate, six minutes at the bike sheds, and the door of a building forced."""
    shift.clock.moment = START.replace(hour=14, minute=40)
    shift.take_over()
    levels = []

    def look() -> None:
        (incident,) = shift.incidents()
        levels.append(incident.severity)

    shift.happens(shift.stranger())
    shift.later(2)
    shift.happens(shift.event("door.opened", "gate"))
    shift.passes(20)
    look()
    shift.passes(158)
    shift.happens(shift.event("video.loitering", "square", attributes={"dwell_s": 180}))
    shift.passes(10)
    look()
    shift.passes(170)
    shift.happens(shift.event("video.loitering", "square", attributes={"dwell_s": 360}))
    shift.passes(120)
    shift.happens(forced(shift))
    shift.passes(60)
    look()
    (incident,) = shift.incidents()
    assert levels == [4, 3, 1]
    assert incident.rule == "R-E01"
    assert incident.zone == "hall"
    assert incident.probable
    with shift.database.read() as session:
        told = session.scalars(select(Evidence.rule).order_by(Evidence.at, Evidence.rule)).all()
    assert set(told) == {"R-E01", "R-C01", "R-B05", "R-X01"}


def test_what_an_operator_has_closed_leads_to_nothing_more_also_after_a_restart(shift: Shift) -> None:
    shift.take_over()
    shift.happens(shift.stranger(), shift.event("door.opened", "gate"))
    shift.passes(20)
    (first,) = shift.incidents()
    with shift.database.write() as session:
        step = Step(State.FALSE_ALARM, FalseAlarmReason.FAMILY_OR_KNOWN_VISITOR)
        take_step(session, first.id, step, OPERATOR, shift.clock.now())
    shift.evaluator.refresh()
    shift.passes(100)
    shift.happens(shift.event("video.loitering", "square", attributes={"dwell_s": 180}))
    shift.passes(10)
    assert [one.severity for one in shift.incidents()] == [4, 4]
    shift.tells()
    shift.dies()
    shift.take_over()
    shift.evaluator.take([], is_end=True)
    shift.passes(60)
    shift.happens(forced(shift))
    assert [one.rule for one in shift.incidents()] == ["R-E01", "R-C01", "R-B05"]
    assert [one.severity for one in shift.incidents()] == [4, 4, 2]


def test_a_mute_and_its_end_are_heard_of_while_it_runs(shift: Shift) -> None:
    shift.take_over()
    now = shift.clock.now()
    with shift.database.write() as session:
        session.add(
            RuleMute(
                id="m1",
                compound=COMPOUND,
                rule="R-B05",
                place="hall",
                starts_at=now - dt.timedelta(hours=1),
                ends_at=now + dt.timedelta(hours=1),
                author="installer-1",
                reason="new lock",
            )
        )
    shift.evaluator.refresh()
    shift.happens(forced(shift))
    assert shift.rules() == []
    assert shift.figure("muted", rule="R-B05") == 1
    with shift.database.write() as session:
        session.get_one(RuleMute, "m1").lifted_at = shift.clock.now()
    shift.later(1)
    shift.evaluator.refresh()
    shift.happens(forced(shift))
    assert shift.rules() == ["R-B05"]


# ── what is odd, and what fails ───────────────────────────────────────────────


def test_an_unknown_zone_is_judged_by_its_ring_and_counted(shift: Shift) -> None:
    shift.take_over()
    shift.happens(forced(shift, "nowhere"))
    assert shift.rules() == ["R-B05"]
    assert shift.figure("odd_observations", why="unknown_zone") == 1


def test_an_event_from_the_future_is_history_and_counted(shift: Shift) -> None:
    shift.take_over()
    ahead = shift.clock.now() + dt.timedelta(hours=2)
    shift.happens(forced(shift, at=ahead))
    shift.happens(forced(shift))
    assert len(shift.incidents()) == 1
    assert shift.incidents()[0].happened_at < ahead
    assert shift.figure("odd_observations", why="future") == 1


def test_a_direction_that_contradicts_the_register_counts_as_it_was_seen(shift: Shift) -> None:
    with shift.database.write() as session:
        session.add(
            Device(
                id="gate-device",
                compound=COMPOUND,
                zone="gate",
                kind=DeviceKind.FACE_CAMERA,
                name="gate",
                direction="out",
                lane="gate",
                secret_hash="",
                stage=Stage.APPROVED,
            )
        )
    shift.take_over()
    shift.happens(shift.event("video.line_crossing", "gate", direction="in"))
    assert shift.figure("odd_observations", why="direction_differs") == 1
    (seen,) = shift.evaluator._engine.view.at_place("gate", START, shift.clock.now())
    assert seen.direction == "in"
    assert seen.attributes["odd"] == ["direction_differs"]


def test_a_rule_that_fails_is_counted_and_the_others_go_on(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise KeyError("a rule's mistake")

    shift.take_over()
    monkeypatch.setattr(DoorForced, "ask", staticmethod(fails))
    shift.happens(forced(shift), shift.event("access.duress", "gate"))
    assert shift.rules() == ["R-E12"]
    assert shift.figure("rule_faults", rule="R-B05") == 1
    assert {"R-B05", "R-E12"} <= {rule.id for rule in RULES}


def test_a_message_that_cannot_be_understood_is_set_aside_and_the_next_is_heard(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift.take_over()
    bad, good = forced(shift, "hall"), forced(shift, "hall")
    plain = knowing.observe

    def observe(session: Session, compound: str, messages: Sequence[Message]) -> list:
        if any(one.id == bad.id for one in messages):
            raise ValueError("what nobody had thought of")
        return plain(session, compound, messages)

    monkeypatch.setattr(knowing, "observe", observe)
    shift.evaluator.take([bad, good])
    assert shift.rules() == ["R-B05"]
    assert shift.figure("passed_over", why="not_understood") == 1
    with shift.database.read() as session:
        (letter,) = session.execute(select(DeadLetter.source, DeadLetter.reason, DeadLetter.detail)).all()
    assert tuple(letter) == ("alerts", "worker_gave_up", "ValueError")


def test_what_cannot_be_written_keeps_nothing_else_from_being_written(
    shift: Shift, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = raising.apply_all

    def apply_all(session: Session, compound: str, said: Sequence, *more: object, **named: object) -> list:
        if any(getattr(one, "dedupe_key", "") == "R-B05:poison" for one in said):
            raise ValueError("no row can hold it")
        return plain(session, compound, said, *more, **named)

    monkeypatch.setattr(raising, "apply_all", apply_all)
    shift.take_over()
    shift.happens(forced(shift, "poison"), forced(shift, "hall"))
    assert [one.lane for one in shift.incidents()] == ["hall"]
    assert shift.figure("rule_faults", rule="R-B05") == 1


def test_messages_older_than_any_rule_looks_back_are_passed_over(shift: Shift) -> None:
    shift.take_over()
    old = forced(shift)
    shift.later(30 * 3600)
    shift.evaluator.take([old])
    assert shift.rules() == []
    assert shift.figure("passed_over", why="too_old") == 1


def test_how_far_it_has_come_is_said_only_of_what_is_written(shift: Shift) -> None:
    shift.take_over()
    failing = _Failing(shift.database)
    shift.evaluator._writing._ground = Ground(
        failing, shift.clock, DeskMetrics(CollectorRegistry()), lambda: None
    )
    before = shift.evaluator.come
    with pytest.raises(OSError, match="disk"):
        shift.evaluator.take([forced(shift)], position=7, stream="s")
    assert shift.evaluator.come == before
    assert isinstance(before, Come)


class _Failing(Database):
    """A disk that is full, as an error that says nothing of whether it may be tried again."""

    def __init__(self, database: Database) -> None:
        self.__dict__ |= database.__dict__

    @contextmanager
    def write(self) -> Iterator[Session]:
        raise OSError("disk full")
        yield
