import datetime as dt

import pytest
from sqlalchemy import select

from bus.messages import DeviceChanged, EventStored, decode
from devices import presence
from devices.directory import DeviceDirectory, DeviceFacts
from devices.models import DeviceStatus
from storage import Database
from storage.events import EventRow, OutboxRow
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, facts, settle_in, status_of

TICK = dt.timedelta(microseconds=1)
SILENCE = dt.timedelta(seconds=90)


class Watch:
    """A compound whose devices come and go."""

    def __init__(self, database: Database) -> None:
        settle_in(database)
        self.database = database
        with database.write() as session:
            presence.ensure_rows(session, NOON)

    def change(self, at: dt.datetime, cause: str, *, online: bool, device_id: str = "cam-1") -> bool:
        with self.database.write() as session:
            return presence.change(session, facts(self.database, device_id), at, online=online, cause=cause)

    def seen(self, at: dt.datetime, device_id: str = "cam-1") -> None:
        with self.database.write() as session:
            presence.seen(session, {device_id: at})

    def sweep(
        self, now: dt.datetime, since: dt.datetime = NOON, known: dict[str, DeviceFacts] | None = None
    ) -> list[str]:
        devices = {found.device_id: found for found in DeviceDirectory(self.database).all()}
        with self.database.write() as session:
            return presence.sweep(session, devices if known is None else known, now, since)

    def status(self, device_id: str = "cam-1") -> DeviceStatus:
        return status_of(self.database, device_id)

    def changes(self) -> list[tuple[str, str]]:
        with self.database.read() as session:
            rows = session.scalars(select(EventRow).order_by(EventRow.received_at, EventRow.id))
            return [(row.type, row.body["attributes"]["cause"]) for row in rows]


@pytest.fixture
def watch(either_database: Database) -> Watch:
    return Watch(either_database)


def test_device_that_was_never_seen_is_offline(watch: Watch) -> None:
    status = watch.status()
    assert (status.online, status.since, status.last_seen, status.clock_offset_ms) == (
        False,
        NOON,
        None,
        None,
    )
    assert watch.changes() == []


def test_row_of_a_known_device_is_left_alone(watch: Watch) -> None:
    watch.change(NOON, "heartbeat", online=True)
    with watch.database.write() as session:
        presence.ensure_rows(session, NOON + SILENCE)
    assert (watch.status().online, watch.status().since) == (True, NOON)


def test_change_is_an_event_and_a_message(watch: Watch) -> None:
    at = NOON + dt.timedelta(seconds=1)
    assert watch.change(at, "heartbeat", online=True)
    with watch.database.read() as session:
        row = session.scalars(select(EventRow)).one()
        outbox = list(session.scalars(select(OutboxRow).order_by(OutboxRow.seq)))
        session.expunge_all()
    assert (row.device_id, row.type, row.ring, row.zone, row.lane) == (
        "cam-1", "device.online", "entrance", "gate", "gate-in",
    )  # fmt: skip
    assert (row.device_time, row.corrected_time, row.received_at, bool(row.late)) == (at, at, at, False)
    assert [message.subject for message in outbox] == [
        f"event.{COMPOUND}.device.online",
        f"device.{COMPOUND}.changed",
    ]
    told, changed = (decode(message.payload) for message in outbox)
    assert isinstance(told, EventStored)
    assert (told.id, told.attributes) == (row.id, {"cause": "heartbeat"})
    assert changed == DeviceChanged("cam-1", COMPOUND, online=True, at=at)


def test_same_state_again_is_no_change(watch: Watch) -> None:
    assert watch.change(NOON, "heartbeat", online=True)
    assert not watch.change(NOON + SILENCE, "heartbeat", online=True)
    assert watch.changes() == [("device.online", "heartbeat")]
    assert watch.status().since == NOON


@pytest.mark.parametrize("first", ["last_will", "silence"])
def test_last_will_and_silence_together_are_one_event(watch: Watch, first: str) -> None:
    watch.change(NOON, "heartbeat", online=True)
    watch.seen(NOON)
    late = NOON + SILENCE + TICK
    steps = {
        "last_will": lambda: watch.change(late, "last_will", online=False),
        "silence": lambda: bool(watch.sweep(late)),
    }
    second = "silence" if first == "last_will" else "last_will"
    assert (steps[first](), steps[second]()) == (True, False)
    assert watch.changes() == [("device.online", "heartbeat"), ("device.offline", first)]


def test_three_missed_heartbeats_mean_offline_to_the_microsecond(watch: Watch) -> None:
    watch.change(NOON, "heartbeat", online=True)
    watch.seen(NOON)
    assert watch.sweep(NOON + SILENCE) == []
    assert watch.sweep(NOON + SILENCE + TICK) == ["cam-1"]
    assert (watch.status().online, watch.status().since) == (False, NOON + SILENCE + TICK)


def test_sign_of_life_starts_the_count_again(watch: Watch) -> None:
    watch.change(NOON, "heartbeat", online=True)
    watch.seen(NOON + SILENCE)
    assert watch.sweep(NOON + 2 * SILENCE) == []
    assert watch.sweep(NOON + 2 * SILENCE + TICK) == ["cam-1"]


def test_silence_before_we_listened_was_our_own(watch: Watch) -> None:
    watch.change(NOON, "heartbeat", online=True)
    watch.seen(NOON)
    since = NOON + dt.timedelta(hours=3)
    assert watch.sweep(since + SILENCE, since) == []
    assert watch.sweep(since + SILENCE + TICK, since) == ["cam-1"]


def test_offline_device_is_not_declared_again(watch: Watch) -> None:
    watch.change(NOON, "heartbeat", online=True)
    assert watch.sweep(NOON + SILENCE + TICK) == ["cam-1"]
    assert watch.sweep(NOON + 5 * SILENCE) == []


def test_each_device_has_its_own_heartbeat_and_unknown_ones_are_left_alone(watch: Watch) -> None:
    for device_id in ("cam-1", "door-1"):
        watch.change(NOON, "heartbeat", online=True, device_id=device_id)
    known = {"door-1": facts(watch.database, "door-1")}
    assert watch.sweep(NOON + 10 * SILENCE, known=known) == ["door-1"]
    assert watch.status("cam-1").online is True


def test_device_comes_back(watch: Watch) -> None:
    watch.change(NOON, "heartbeat", online=True)
    watch.change(NOON + SILENCE, "last_will", online=False)
    assert watch.change(NOON + 2 * SILENCE, "event", online=True)
    assert [kind for kind, _ in watch.changes()] == ["device.online", "device.offline", "device.online"]


def test_clock_offset_is_noted_in_milliseconds(watch: Watch) -> None:
    with watch.database.write() as session:
        presence.note_clock(session, "cam-1", dt.timedelta(seconds=-3, microseconds=-400))
    assert watch.status().clock_offset_ms == -3000
    assert watch.status("cam-2").clock_offset_ms is None
