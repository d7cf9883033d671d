"""The keeper's rounds: retention at the quiet hour, erasures followed up, and no loop of crashes."""

import asyncio
import contextlib
import datetime as dt
import json
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import select
from typer.testing import CliRunner

import ringward.housekeeping
from devices.models import Device, DeviceStatus
from privacy import erasures, retention
from privacy.models import Erasure, ErasureKind, ErasureStep, FilingTask
from registry.faces import revisions
from registry.faces.models import GalleryChange
from registry.models import Compound, Consent, FaceTemplate, Person
from ringward.cli import app
from ringward.foundation import Foundation
from ringward.housekeeping import Housekeeping, HousekeepingMetrics, StoppedError
from ringward.roles import KeeperRole
from storage.events import EventRow
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.keeping import DAY

SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture
def housekeeping(ground: Foundation) -> Housekeeping:
    return Housekeeping(ground, HousekeepingMetrics(ground.metrics))


def metric(ground: Foundation, name: str, **labels: str) -> float | None:
    return ground.metrics.get_sample_value(f"ringward_privacy_{name}", labels)


def at(ground: Foundation, moment: dt.datetime) -> None:
    ground.clock.at = moment.astimezone(dt.UTC)


def events_left(ground: Foundation) -> set[str]:
    with ground.database.read() as session:
        return set(session.scalars(select(EventRow.id)))


def old_event(ground: Foundation, compound: str = COMPOUND) -> str:
    row = keeping.event(ground.clock.now() - 400 * DAY, compound=compound)
    keeping.add(ground.database, row)
    return row.id


def test_retention_runs_once_a_day_at_the_quiet_hour_of_each_compound(ground, housekeeping):
    with ground.database.write() as session:
        # Two hours ahead of Shanghai: its quiet hour comes first.
        session.get_one(Compound, ELSEWHERE).time_zone = "Asia/Vladivostok"
    at(ground, dt.datetime(2026, 11, 24, 12, tzinfo=SHANGHAI))
    housekeeping.keep()
    here, there = old_event(ground), old_event(ground, ELSEWHERE)
    at(ground, dt.datetime(2026, 11, 25, 0, 59, tzinfo=SHANGHAI))
    housekeeping.keep()
    assert events_left(ground) == {here, there}
    at(ground, dt.datetime(2026, 11, 25, 1, 0, tzinfo=SHANGHAI))
    housekeeping.keep()
    assert events_left(ground) == {here}
    at(ground, dt.datetime(2026, 11, 25, 3, 0, tzinfo=SHANGHAI))
    housekeeping.keep()
    assert events_left(ground) == set()
    assert metric(ground, "deleted_rows_total", retention_class="passages") == 2
    again = old_event(ground)
    at(ground, dt.datetime(2026, 11, 25, 23, 0, tzinfo=SHANGHAI))
    housekeeping.keep()
    assert events_left(ground) == {again}


def test_machine_that_was_off_at_night_catches_up_and_a_restart_runs_nothing_twice(ground):
    at(ground, dt.datetime(2026, 11, 25, 9, tzinfo=SHANGHAI))
    old_event(ground)
    Housekeeping(ground, HousekeepingMetrics(CollectorRegistry())).keep()
    assert events_left(ground) == set()
    at(ground, dt.datetime(2026, 11, 25, 10, tzinfo=SHANGHAI))
    later = old_event(ground)
    Housekeeping(ground, HousekeepingMetrics(CollectorRegistry())).keep()
    assert events_left(ground) == {later}


def test_open_erasures_are_followed_up_and_counted(ground, housekeeping):
    keeping.add(ground.database, keeping.person())
    with ground.database.write() as session:
        person = session.get_one(Person, "p1")
        erasures.order(session, person, ErasureKind.PERSON, at=ground.clock.now(), by="a")
    housekeeping.round()
    with ground.database.read() as session:
        assert session.scalars(select(Erasure.completed_at)).one() is not None
        assert set(session.scalars(select(ErasureStep.state))) == {"confirmed"}
    assert metric(ground, "erasure_steps_open") == 0
    assert metric(ground, "oldest_open_erasure_seconds") == 0


def test_erasure_that_waits_for_a_terminal_grows_old_in_the_metrics(ground, housekeeping):
    now = ground.clock.now()
    keeping.add(
        ground.database,
        Erasure(
            id="e",
            compound=COMPOUND,
            person="p1",
            kind="face",
            ordered_at=now - dt.timedelta(hours=2),
            ordered_by="a",
            due_at=now + dt.timedelta(hours=22),
        ),
        ErasureStep(
            id="s",
            compound=COMPOUND,
            erasure="e",
            place="terminal:door-1",
            state="pending",
            detail={},
            at=now,
        ),
    )
    housekeeping.round()
    assert metric(ground, "erasure_steps_open") == 1
    assert metric(ground, "oldest_open_erasure_seconds") == 7200


def test_what_fails_is_counted_and_the_rest_of_the_round_goes_on(ground, housekeeping, monkeypatch):
    def broken(*_args):
        raise OSError("the disk is away")

    monkeypatch.setattr(erasures, "follow_up", broken)
    housekeeping.round()
    assert metric(ground, "housekeeping_failures_total", work="erasures") == 1
    assert metric(ground, "people_with_faces") == 0
    monkeypatch.setattr(ringward.housekeeping.retention, "run", broken)
    housekeeping.keep()
    assert metric(ground, "housekeeping_failures_total", work="retention") == 1


def test_audit_log_is_anchored_and_a_broken_anchor_is_told(ground, housekeeping):
    from storage.audit import AuditEntry, append

    with ground.database.write() as session:
        append(session, ground.clock.now(), AuditEntry("a", "r", "x", "review", "person:p1"))
    housekeeping.round()
    assert ground.settings.anchor_file.exists()
    assert metric(ground, "audit_anchor_holds") == 1
    ground.settings.anchor_file.write_text("{}")
    housekeeping.round()
    assert metric(ground, "audit_anchor_holds") == 0


def test_number_of_stored_faces_raises_a_filing_task(ground, housekeeping, monkeypatch):
    monkeypatch.setattr(ringward.housekeeping.filing, "people_with_faces", lambda _session: 100_000)
    housekeeping.round()
    assert metric(ground, "people_with_faces") == 100_000
    with ground.database.read() as session:
        assert set(session.scalars(select(FilingTask.level))) == {"warning", "filing"}


def test_picture_that_nothing_names_goes_in_the_second_night_and_no_other(ground, housekeeping):
    media = ground.media
    orphan, named, portrait = (media.put(name).media_id for name in (b"orphan", b"named", b"portrait"))
    at(ground, dt.datetime(2026, 11, 24, 3, 30, tzinfo=SHANGHAI))
    now = ground.clock.now()
    consent = Consent(
        id="c",
        compound=COMPOUND,
        person="p1",
        purpose="face_access",
        text_hash="0" * 64,
        channel="counter",
        given_by="self",
        given_at=now,
    )
    template = FaceTemplate(
        id="t",
        compound=COMPOUND,
        person="p1",
        consent="c",
        engine="dlib",
        engine_version="1",
        dimension=1,
        media_id=portrait,
        created_at=now,
    )
    template.embedding = b"\0\0\0\0"
    about = keeping.incident(now - 60 * DAY, "raised")
    held = keeping.event(now - 60 * DAY, pictures=[media.put(b"evidence").media_id])
    keeping.add(ground.database, keeping.person(), consent, template, about, held)
    keeping.add(ground.database, keeping.evidence(about, [held]), keeping.event(now, pictures=[named]))
    housekeeping.keep()
    stored = set(media.list())
    assert orphan in stored
    # Stored a moment before the second sweep; its row is about to be committed.
    at(ground, dt.datetime(2026, 11, 25, 3, 30, tzinfo=SHANGHAI))
    coming = media.put(b"coming").media_id
    housekeeping.keep()
    assert set(media.list()) == (stored | {coming}) - {orphan}
    assert metric(ground, "deleted_rows_total", retention_class="orphans") == 1


def test_photo_of_a_sign_stays_for_as_long_as_its_device(ground, housekeeping):
    picture = ground.media.put(b"\xff\xd8\xff the sign at the gate").media_id
    with ground.database.write() as session:
        session.get_one(Device, "cam-1").sign_photo = picture
    for night in range(1, 4):
        at(ground, dt.datetime(2026, 11, 24 + night, 4, tzinfo=SHANGHAI))
        housekeeping.keep()
    assert ground.media.exists(picture)


def test_device_that_was_silent_for_long_is_found_by_the_keeper(ground, housekeeping):
    since = ground.clock.now()
    with ground.database.write() as session:
        session.add(DeviceStatus(device_id="door-1", online=False, since=since))
    at(ground, since + dt.timedelta(days=30, seconds=1))
    housekeeping.round()
    with ground.database.read() as session:
        device = session.get_one(Device, "door-1")
        assert (device.stage, device.stage_reason) == ("quarantined", "silent")


def test_stopping_keeper_ends_retention_between_two_batches(ground, housekeeping):
    rows = [keeping.event(ground.clock.now() - 400 * DAY) for _ in range(300)]
    keeping.add(ground.database, *rows)
    pause = housekeeping._pause

    def stopped_after_a_batch(seconds):
        if len(events_left(ground)) < 300:
            housekeeping.stop()
        pause(seconds)

    housekeeping._pause = stopped_after_a_batch
    with pytest.raises(StoppedError):
        housekeeping.keep()
    assert 0 < len(events_left(ground)) < 300


async def test_keeper_role_makes_its_rounds_while_the_bus_is_away(ground):
    role = KeeperRole(replace(ground, metrics=CollectorRegistry()))
    made = asyncio.Event()
    loop = asyncio.get_running_loop()

    def round_once():
        loop.call_soon_threadsafe(made.set)

    role.housekeeping.round = round_once
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(role.start(), 0.5)
    await asyncio.wait_for(made.wait(), 20)
    await role.stop()


def test_keep_says_what_would_go_and_then_lets_it_go(ground):
    old_event(ground)
    where = ["--data-dir", str(ground.settings.data_dir)]
    runner = CliRunner(env={"RINGWARD_LOG_LEVEL": "error"})
    told = runner.invoke(app, ["keep", "--dry-run", "--json", *where])
    assert told.exit_code == 0, told.output
    planned = {(one["retention_class"], one["compound"]): one for one in json.loads(told.stdout)["classes"]}
    assert {name for name, _ in planned} == {one.name for one in retention.CLASSES}
    assert planned["passages", COMPOUND]["count"] == 1
    assert len(events_left(ground)) == 1
    shown = runner.invoke(app, ["keep", "--dry-run", *where])
    assert "passages" in shown.output
    done = runner.invoke(app, ["keep", "--json", *where])
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    assert {"retention_class": "passages", "compound": COMPOUND, "count": 1} in body["classes"]
    assert body["failed"] == []
    assert events_left(ground) == set()


def test_children_grow_up_at_midnight_of_their_compound(ground, housekeeping):
    with ground.database.write() as session:
        child = Person(
            id="child",
            compound=COMPOUND,
            name="张小",
            under_14=True,
            turns_14_on=dt.date(2026, 11, 25),
        )
        session.add(child)

    def is_child() -> bool:
        with ground.database.read() as session:
            return session.get_one(Person, "child").under_14

    at(ground, dt.datetime(2026, 11, 24, 23, 59, tzinfo=SHANGHAI))
    housekeeping.round()
    assert is_child()
    at(ground, dt.datetime(2026, 11, 25, 0, 0, tzinfo=SHANGHAI))
    housekeeping.round()
    assert not is_child()
    assert metric(ground, "housekeeping_failures_total", work="ages") is None


def test_changes_of_galleries_are_forgotten_when_everybody_has_followed_them(ground, housekeeping):
    with ground.database.write() as session:
        revisions.tell(session, COMPOUND, removed=["t"])

    def left() -> int:
        with ground.database.read() as session:
            return len(session.scalars(select(GalleryChange)).all())

    now = dt.datetime.now(dt.UTC)
    at(ground, now + dt.timedelta(hours=23))
    housekeeping.round()
    assert left() == 1
    at(ground, now + dt.timedelta(hours=25))
    housekeeping.round()
    assert left() == 0
