"""What the database says of waiting, devices, copies and faces, on both databases."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import delete

from alerts import leases
from alerts.leases import AlertLease
from alerts.notify.models import Notification, NotificationState, Purpose
from alerts.reactions import IncidentChange
from alerts.sharing import Member
from bus import deadletters
from console.accounts import service
from console.accounts.models import Role
from devices.models import DeviceStatus
from recognition.models import SightingAnswer, Verdict
from ringward.measures import database as read
from ringward.measures.definitions import Sample
from storage import Database
from storage.audit import AuditEntry, append
from storage.backups import BackupRun
from storage.events import OutboxRow
from tests.support import keeping
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND, settle_in

S = dt.timedelta(seconds=1)


def values(samples: Iterable[Sample]) -> dict[str, float]:
    """Values by name and labels, the common beginning left out."""
    return {
        " ".join([one.measure.name.removeprefix("ringward_"), *one.labels.values()]): one.value
        for one in samples
    }


def looked(waiting: read.Waiting, database: Database, at: dt.datetime) -> tuple[float, float]:
    with database.read() as session:
        found = values(waiting.look(session, at))
    return found["storage_outbox_rows"], found["storage_outbox_oldest_seconds"]


def test_age_of_the_outbox_is_for_how_long_its_oldest_row_was_seen(either_database: Database) -> None:
    waiting = read.Waiting()
    assert looked(waiting, either_database, NOON) == (0, 0)
    rows = [OutboxRow(message_id=f"m{n}", subject="event.x", payload=b"") for n in range(2)]
    for row in rows:
        keeping.add(either_database, row)
    assert looked(waiting, either_database, NOON) == (2, 0)
    assert looked(waiting, either_database, NOON + 30 * S) == (2, 30)
    with either_database.write() as session:
        session.execute(delete(OutboxRow).where(OutboxRow.seq == rows[0].seq))
    assert looked(waiting, either_database, NOON + 40 * S) == (1, 0)
    assert looked(waiting, either_database, NOON + 55 * S) == (1, 15)
    with either_database.write() as session:
        session.execute(delete(OutboxRow))
    assert looked(waiting, either_database, NOON + 60 * S) == (0, 0)


def test_what_waits_to_be_followed_or_sent_is_counted_with_its_age(either_database: Database) -> None:
    settle_in(either_database)
    with either_database.read() as session:
        assert set(values(read.waits(session, NOON)).values()) == {0}
    change = IncidentChange(incident="i1", version=1, compound=COMPOUND, at=NOON - 7 * S)
    fields = {"compound": COMPOUND, "purpose": next(iter(Purpose)), "severity": 2, "asked_at": NOON}
    state = next(iter(NotificationState))
    due = [
        Notification(id=f"n{n}", key=f"k{n}", state=state, due_at=at, **fields)
        for n, at in enumerate((NOON - 9 * S, NOON + 5 * S, None))
    ]
    keeping.add(either_database, change, *due)
    with either_database.read() as session:
        assert values(read.waits(session, NOON)) == {
            "alerts_reactions_waiting": 1,
            "alerts_reactions_oldest_seconds": 7,
            "notify_due_notifications": 1,
            "notify_due_oldest_seconds": 9,
        }


def test_dead_letters_are_open_until_read_again_or_given_up(either_database: Database) -> None:
    outcomes = (None, "stored", "known", f"{deadletters.GIVEN_UP}test", "not_json")
    letters = [deadletters.letter("mqtt", "bad", NOON) for _ in outcomes]
    rows = [
        deadletters.DeadLetter(**fields | {"outcome": outcome})
        for fields, outcome in zip(letters, outcomes, strict=True)
    ]
    keeping.add(either_database, *rows, deadletters.DeadLetter(**deadletters.letter("bus", "x", NOON)))
    with either_database.read() as session:
        found = values(read.letters(session))
    assert found == {
        f"bus_dead_letters_open {k}": n for k, n in (("mqtt", 2), ("http", 0), ("broker", 0), ("bus", 1))
    }


def test_devices_are_there_away_or_were_never_heard(either_database: Database) -> None:
    settle_in(either_database)
    keeping.add(
        either_database,
        DeviceStatus(device_id="cam-1", online=True, since=NOON, last_seen=NOON),
        DeviceStatus(device_id="cam-2", online=False, since=NOON, last_seen=NOON, clock_off=True),
        DeviceStatus(device_id="door-1", online=False, since=NOON),
        DeviceStatus(device_id="old-1", online=False, since=NOON, last_seen=NOON),
    )
    with either_database.read() as session:
        assert values(read.devices(session)) == {
            f"devices_devices {COMPOUND} online": 1,
            f"devices_devices {COMPOUND} away": 1,
            f"devices_devices {COMPOUND} unheard": 1,
            f"devices_clocks_wrong {COMPOUND}": 1,
        }


def test_compounds_that_nobody_evaluates_are_counted(either_database: Database, clock: VirtualClock) -> None:
    settle_in(either_database)
    with either_database.write() as session:
        now = leases.database_time(clock)(session)
        leases.attend(session, Member("one", None), now)
        assert leases.acquire(session, COMPOUND, "one", now) is not None
        session.add(AlertLease(compound="gone", holder="two", epoch=1, until=now - S))
    with either_database.read() as session:
        found = values(read.attendance(session, clock))
    assert found == {"alerts_compounds_unattended": 1, "alerts_evaluators": 1}


def test_age_of_copies_counts_from_the_first_account_until_there_is_one(either_database: Database) -> None:
    def age() -> float:
        with either_database.read() as session:
            return values(read.copies(session, NOON))["storage_backup_age_seconds"]

    assert age() == 0
    with either_database.write() as session:
        service.create_user(session, "admin", Role.ADMINISTRATOR, NOON - 100 * S)
    assert age() == 100
    run = {"destination": "d", "label": "nas", "started_at": NOON}
    keeping.add(either_database, BackupRun(id="1", **run), BackupRun(id="2", verified_at=NOON - 5 * S, **run))
    assert age() == 5


def test_the_audit_log_has_its_height_and_the_database_its_size(either_database: Database) -> None:
    with either_database.write() as session:
        for _ in range(3):
            append(session, NOON, AuditEntry("u", "operator", "a", "p", "s"))
    with either_database.read() as session:
        assert values(read.copies(session, NOON))["privacy_audit_height_rows"] == 3
        assert values(read.size(session))["storage_database_bytes"] > 10_000


def test_clock_of_a_server_is_compared_and_that_of_a_file_is_ours(either_database: Database) -> None:
    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)

    with either_database.read() as session:
        offset = values(read.offset(session, now))["storage_clock_offset_seconds"]
    assert offset == 0 if either_database.is_sqlite else 3590 < offset < 3610


def named(at: dt.datetime, distance: float, **changes: object) -> list[object]:
    event = keeping.event(at)
    facts = {"score": distance, "device": "cam-1", "engine": "e", "engine_version": "1", **changes}
    return [event, keeping.decision(event, person_id="p1", **facts)]


def test_faces_that_look_less_like_their_templates_drift(either_database: Database) -> None:
    settle_in(either_database)
    for n in range(read.FEWEST):
        keeping.add(either_database, *named(NOON - dt.timedelta(days=3) + n * S, 0.30))
        keeping.add(either_database, *named(NOON - dt.timedelta(hours=3) + n * S, 0.36))
    keeping.add(either_database, *named(NOON - dt.timedelta(hours=2), 0.5, outcome="uncertain"))
    with either_database.read() as session:
        found = values(read.drift(session, NOON))
        later = values(read.drift(session, NOON + dt.timedelta(days=1)))
    assert round(found[f"recognition_score_drift {COMPOUND}"], 6) == 0.06
    assert found[f"recognition_uncertain_share {COMPOUND}"] == 1 / (read.FEWEST + 1)
    assert later == {}, "too few faces say nothing"


def test_false_names_are_a_share_of_those_that_were_judged(either_database: Database) -> None:
    settle_in(either_database)
    for verdict in (Verdict.MATCH, Verdict.MATCH, Verdict.NO_MATCH):
        event, row = named(NOON - dt.timedelta(days=1), 0.3)
        answer = SightingAnswer(
            id=row.sighting_id, sighting_id=row.sighting_id, compound=COMPOUND, device="cam-1", engine="e",
            engine_version="1", outcome="identified", score=0.3, verdict=verdict, answered_by="u", answered_at=NOON,
        )  # fmt: skip
        keeping.add(either_database, event, row)
        keeping.add(either_database, answer)
    with either_database.read() as session:
        found = values(read.answers(session, [COMPOUND, "empty"], NOON))
    assert found == {
        f"recognition_judged_matches {COMPOUND}": 3,
        f"recognition_false_match_share {COMPOUND}": 1 / 3,
        "recognition_judged_matches empty": 0,
    }
