import datetime as dt

import pytest
from sqlalchemy import select, update

from bus.messages import DeviceChanged, EventStored, decode
from devices import presence
from devices.directory import DeviceDirectory, DeviceFacts
from devices.models import Device, DeviceStatus
from storage import Database
from storage.events import EventRow, OutboxRow
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, facts, settle_in, status_of

TICK = dt.timedelta(microseconds=1)
SILENCE = dt.timedelta(seconds=67.5)


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
        f"event.{COMPOUND}.entrance.device.online",
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


def test_missed_heartbeats_mean_offline_within_two_and_a_half_of_them(watch: Watch) -> None:
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


def hang_on(watch: Watch, gateway: str, *devices: str) -> None:
    """Puts devices behind another one."""
    with watch.database.write() as session:
        session.execute(update(Device).where(Device.id.in_(devices)).values(gateway=gateway))


def test_what_hangs_behind_a_gateway_goes_with_it_once_and_comes_back_with_it(watch: Watch) -> None:
    hang_on(watch, "cam-1", "cam-2", "door-1")
    known = DeviceDirectory(watch.database)
    behind = known.hanging_on("cam-1")
    for device_id in ("cam-1", "cam-2", "door-1"):
        watch.change(NOON, "heartbeat", online=True, device_id=device_id)
    # This one had gone before, by itself, and does not come back with the gateway.
    watch.change(NOON, "silence", online=False, device_id="door-1")
    with watch.database.write() as session:
        gone = NOON + SILENCE
        for _ in range(2):
            presence.change(
                session, facts(watch.database, "cam-1"), gone, online=False, cause="last_will", behind=behind
            )
    assert [watch.status(one).online for one in ("cam-1", "cam-2", "door-1")] == [False, False, False]
    with watch.database.write() as session:
        back = NOON + 2 * SILENCE
        presence.change(
            session, facts(watch.database, "cam-1"), back, online=True, cause="heartbeat", behind=behind
        )
    assert [watch.status(one).online for one in ("cam-1", "cam-2", "door-1")] == [True, True, False]
    assert sorted(watch.changes()[-4:]) == [
        ("device.offline", "gateway"),
        ("device.offline", "last_will"),
        ("device.online", "gateway"),
        ("device.online", "heartbeat"),
    ]


def test_silent_gateway_is_the_cause_for_what_is_silent_behind_it(watch: Watch) -> None:
    hang_on(watch, "door-1", "cam-1", "cam-2")
    for device_id in ("door-1", "cam-1"):
        watch.change(NOON, "heartbeat", online=True, device_id=device_id)
    assert watch.sweep(NOON + SILENCE + TICK) == ["door-1"]
    assert sorted(watch.changes())[:2] == [("device.offline", "gateway"), ("device.offline", "silence")]


def test_device_that_came_back_with_its_gateway_has_its_time_to_speak(watch: Watch) -> None:
    hang_on(watch, "door-1", "cam-1")
    watch.seen(NOON - 100 * SILENCE)
    watch.change(NOON, "gateway", online=False)
    watch.change(NOON, "heartbeat", online=True)
    known = {"cam-1": facts(watch.database, "cam-1")}
    assert watch.sweep(NOON + SILENCE, NOON - 200 * SILENCE, known) == []
    assert watch.sweep(NOON + SILENCE + TICK, NOON - 200 * SILENCE, known) == ["cam-1"]


def test_device_without_heartbeats_is_never_taken_for_silent(watch: Watch) -> None:
    with watch.database.write() as session:
        session.execute(update(Device).where(Device.id == "cam-1").values(heartbeat_s=0))
    watch.change(NOON, "event", online=True)
    assert watch.sweep(NOON + 1000 * SILENCE) == []
