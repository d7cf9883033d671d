"""A draft of the rules tried on a stored past: from the row that asks for it to the row that answers."""

import datetime as dt
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from alerts.incidents import raising
from alerts.incidents.actor import Actor
from alerts.incidents.models import Incident, Transition
from alerts.knowing import site
from alerts.rulebook import trials
from alerts.rulebook.models import RuleTrial
from alerts.rules import RULES, Engine, RuleBook
from bus.messages import EventStored, Sighting
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry.errors import StaleEditError
from registry.models import Compound, Ring, Zone
from ringward import schema
from ringward.bench import madelog
from ringward.foundation import lay
from ringward.rehearsal.trial import TrialRunner, run_trial
from ringward.replay import came_in
from ringward.settings import Settings
from storage import Database, migrate
from tests.support.waiting import wait_until

START = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
NOW = START + dt.timedelta(hours=2)
SECOND = dt.timedelta(seconds=1)
BY = Actor("u-admin", "administrator")
LONGER = "version = 1\n\n[rules.R-E01]\nwindow_s = 30\n"


class Stopped:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> dt.datetime:
        return self.moment


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Database]:
    """A gate with a stranger who showed a card after twenty seconds, and one who never did."""
    assert schema.metadata.tables
    ground = lay(Settings(data_dir=tmp_path))
    migrate.upgrade(ground.database)
    with ground.database.write() as session:
        session.add(Compound(id="willow", name="柳荫小区", time_zone="Asia/Shanghai"))
        session.flush()
        session.add(
            Zone(id="gate", compound="willow", name="g", ring=Ring.ENTRANCE, kind="gate", outline=[[0, 0]])
        )
        session.flush()
        session.add(
            Device(
                id="cam", compound="willow", zone="gate", kind=DeviceKind.FACE_CAMERA, name="c", lane="walk",
                secret_hash="", stage=Stage.APPROVED,
            )
        )  # fmt: skip
        session.flush()
        session.add(DeviceStatus(device_id="cam", online=True, since=START - dt.timedelta(days=3)))
    madelog.log(ground.database, [*stranger("a", 0), *stranger("b", 1800, card=20)])
    yield ground.database
    ground.database.close()


def event(name: str, kind: str, seconds: float) -> EventStored:
    at = START + seconds * SECOND
    return EventStored(
        id=name, compound="willow", device_id="cam", type=kind, ring="entrance", zone="gate",
        device_time=at, at=at, received_at=at, lane="walk", direction="in",
    )  # fmt: skip


def stranger(name: str, seconds: float, *, card: float | None = None) -> list:
    face = event(f"{name}-face", "face.captured", seconds)
    seen = Sighting(
        f"s-{name}", face.id, "willow", "cam", "face", "unknown", "entrance", "gate", face.at,
        face.received_at, "walk", "in", score=0.7,
    )  # fmt: skip
    told = [face, seen, event(f"{name}-door", "door.opened", seconds + 2)]
    return told if card is None else [*told, event(f"{name}-card", "access.granted", seconds + card)]


def raise_live(database: Database) -> str:
    """What the rules raised when it happened; the incident of the one with the late card."""
    with database.read() as session:
        engine = Engine(RULES, RuleBook(), site(session, "willow", START - dt.timedelta(days=1)))
    said = []
    for one in came_in(database, "willow", START - dt.timedelta(days=1), NOW):
        said += engine.advance(one.received_at)
        said += engine.feed(one)
    said += engine.advance(NOW)
    with database.write() as session:
        raising.apply_all(session, "willow", said, NOW)
    with database.read() as session:
        late = START + 1800 * SECOND
        return session.scalars(select(Incident.id).where(Incident.happened_at >= late)).one()


def asked(database: Database, text: str = LONGER) -> str:
    with database.write() as session:
        return trials.ask(session, "willow", text, 1, BY, NOW, base=0, rule="R-E01").id


def found(database: Database, trial: str) -> RuleTrial:
    with database.read() as session:
        row = trials.find(session, "willow", trial)
        session.expunge(row)
    return row


def count(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_what_a_longer_wait_would_not_have_raised_is_told_with_the_incident_there_was(past: Database) -> None:
    incident = raise_live(past)
    before = (count(past, Incident), count(past, Transition))
    trial = asked(past)
    run_trial(past, "willow", trial, Stopped(), every_s=0)
    row = found(past, trial)
    assert (row.state, row.done, row.why) == ("done", 1000, None)
    assert row.result is not None
    assert row.result["whole"]["gone"] == 1
    assert row.result["kinds"] == {"person.unknown_passed": row.result["whole"]}
    told = next(one for one in row.result["differences"] if one["what"] == "gone")
    assert (told["incident"], told["zone"], told["severity"]) == (incident, "gate", None)
    # Nothing live has been touched.
    assert (count(past, Incident), count(past, Transition)) == before


def test_nobody_stands_in_a_result(past: Database) -> None:
    trial = asked(past)
    run_trial(past, "willow", trial, Stopped())
    row = found(past, trial)
    assert row.result is not None
    assert all("said" not in one and "key" not in one for one in row.result["differences"])


def test_a_trial_that_was_cancelled_reads_no_further_and_stays_cancelled(past: Database) -> None:
    trial = asked(past)
    with past.write() as session:
        trials.cancel(session, "willow", trial, NOW)
    run_trial(past, "willow", trial, Stopped(), every_s=0)
    row = found(past, trial)
    assert (row.state, row.why, row.result) == ("cancelled", "asked", None)


def test_a_trial_whose_page_was_left_ends_by_itself(past: Database) -> None:
    trial, clock = asked(past), Stopped()
    clock.moment += trials.LEFT_AFTER + SECOND
    run_trial(past, "willow", trial, clock, every_s=0)
    assert (found(past, trial).state, found(past, trial).why) == ("cancelled", "left")


def test_what_reads_too_much_is_stopped(past: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "SEEN_MOST", 3)
    trial = asked(past)
    run_trial(past, "willow", trial, Stopped())
    assert (found(past, trial).state, found(past, trial).why) == ("failed", "too_much")


def test_a_reading_that_breaks_says_so(past: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("ringward.rehearsal.trial.stage", breaks)
    trial = asked(past)
    run_trial(past, "willow", trial, Stopped())
    assert (found(past, trial).state, found(past, trial).why) == ("failed", "broken")


def test_a_process_of_its_own_tries_it(past: Database, tmp_path: Path) -> None:
    trial = asked_now(past)
    runner = TrialRunner(past, RealClock(), {**os.environ, "RINGWARD_DATA_DIR": str(tmp_path)})
    runner("willow", trial)
    wait_until(lambda: found(past, trial).state != "running", "it ends", 60)
    assert (found(past, trial).state, found(past, trial).why) == ("done", None)


def test_a_process_that_dies_leaves_no_trial_running(past: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    trial = asked(past)
    TrialRunner(past, Stopped(), {})("willow", trial)
    wait_until(lambda: found(past, trial).state != "running", "it ends", 30)
    assert (found(past, trial).state, found(past, trial).why) == ("failed", "broken")


class RealClock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


def asked_now(database: Database) -> str:
    with database.write() as session:
        return trials.ask(session, "willow", LONGER, 1, BY, RealClock().now(), base=0).id


def test_saving_takes_what_was_tried_and_nothing_that_came_between(past: Database) -> None:
    first, second = asked(past), None
    run_trial(past, "willow", first, Stopped())
    second = asked(past, LONGER.replace("30", "40"))
    run_trial(past, "willow", second, Stopped())
    with past.write() as session:
        version = trials.save(session, "willow", first, BY, NOW, "slow cards")
        assert (version.number, version.text, version.note) == (1, LONGER, "slow cards")
    with pytest.raises(StaleEditError), past.write() as session:
        trials.save(session, "willow", second, BY, NOW, "slower cards")
