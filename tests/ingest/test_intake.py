import base64
import datetime as dt
import errno
import json
from unittest.mock import Mock

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

import ingest.intake
from devices.directory import DeviceDirectory
from ingest.arrival import Arrival
from registry.passes.expected import by_token
from registry.passes.visiting import new_token, token_hash
from storage import Database, MediaStore
from storage.events import EventRow, OutboxRow
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND, ELSEWHERE, JPEG
from tests.support.gate import Gate, make_gate
from tests.support.native import event, state, topic

JPEG64 = base64.b64encode(JPEG).decode()


@pytest.fixture
def gate(database: Database, media: MediaStore, clock: VirtualClock) -> Gate:
    return make_gate(database, media, clock)


def test_event_is_stored_told_and_answered(
    either_database: Database, media: MediaStore, clock: VirtualClock
) -> None:
    gate = make_gate(either_database, media, clock)
    seen = NOON - dt.timedelta(seconds=2)
    (answer,) = gate.take(
        event("r-1", "face.captured", seen, images=[{"role": "face", "jpeg": JPEG64}], track="t-81", lux=12)
    )
    assert answer.topic == f"rw/v1/{COMPOUND}/cam-1/down/ack"
    assert json.loads(answer.payload) == {"id": "r-1", "ok": True}
    (row,) = gate.events()
    # Where it happened is what the registry says, not what the device says.
    assert (row.compound, row.ring, row.zone, row.lane, row.direction) == (
        COMPOUND, "entrance", "gate", "gate-in", "in",
    )  # fmt: skip
    assert (row.device_time, row.corrected_time, row.received_at) == (seen, seen, NOON)
    assert (row.late, row.resent, row.marks) == (0, 0, ["unknown_fields"])
    (message,) = gate.told()
    assert (message.id, message.type, message.at, message.track) == (row.id, "face.captured", seen, "t-81")
    assert message.attributes == {"lux": 12}
    assert [gate.media.get(picture.media_id) for picture in message.pictures] == [JPEG]
    assert gate.rows(OutboxRow)[0].subject == f"event.{COMPOUND}.entrance.face.captured"
    assert gate.metrics.get_sample_value("ringward_ingest_events_total", {"live": "true"}) == 1


def test_device_cannot_move_itself(gate: Gate) -> None:
    gate.take(event(ring="building", zone="b1", device_id="door-1", compound=ELSEWHERE))
    (row,) = gate.events()
    assert (row.ring, row.zone, row.device_id, row.compound) == ("entrance", "gate", "cam-1", COMPOUND)


def test_visitors_qr_is_stored_and_told_as_its_hash_and_a_card_as_it_is(gate: Gate) -> None:
    token = new_token()
    gate.take(
        event("r-1", "access.granted", credential={"kind": "qr", "ref": token}),
        event("r-2", "access.granted", credential={"kind": "card", "ref": "0004711"}),
    )
    hashed = f"RW1#{token_hash(token)}"
    assert [row.body["credential"]["ref"] for row in gate.events()] == [hashed, "0004711"]
    assert {message.credential.ref for message in gate.told() if message.credential} == {hashed, "0004711"}
    with gate.database.read() as session:
        assert by_token(session, COMPOUND, hashed) is None, "what is read from the log opens nothing"


def test_batch_is_one_commit(gate: Gate) -> None:
    gate.take(*[event(f"r-{number:03}") for number in range(700)])
    assert len(gate.events()) == len(gate.told()) == 700


@pytest.mark.parametrize("step", ["store", "enqueue_of_events", "deadletters.record", "presence.seen"])
def test_failure_anywhere_in_the_commit_leaves_nothing(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    real = getattr(ingest.intake, step.partition(".")[0])
    if "." in step:
        real = getattr(real, step.partition(".")[2])

    def then_fail(*args: object) -> None:
        real(*args)
        raise OperationalError("the database went away", None, Exception())

    with monkeypatch.context() as patch:
        patch.setattr(f"ingest.intake.{step}", then_fail)
        with pytest.raises(OperationalError):
            gate.take(event("r-1"), b"no json")
    assert (gate.rows(EventRow), gate.rows(OutboxRow), gate.letters()) == ([], [], [])
    assert gate.status().online is False
    # And the same batch again is as good as new.
    answers = gate.take(event("r-1"), b"no json")
    assert [json.loads(answer.payload)["ok"] for answer in answers] == [True, False]
    assert (len(gate.events()), len(gate.told()), len(gate.letters())) == (1, 1, 1)


def test_resent_event_is_counted_and_answered_but_not_doubled(gate: Gate) -> None:
    gate.take(event("r-1"))
    gate.clock.advance(60)
    # A device that sends again may well say now that it is late.
    (answer,) = gate.take(event("r-1", late=True))
    assert json.loads(answer.payload) == {"id": "r-1", "ok": True}
    gate.take(event("r-1"))
    (row,) = gate.events()
    assert (row.resent, row.received_at) == (2, NOON)
    assert len(gate.told()) == 1
    assert gate.letters() == []
    assert gate.metrics.get_sample_value("ringward_ingest_resent_total") == 2


def test_same_event_twice_in_a_batch_is_one(gate: Gate) -> None:
    answers = gate.take(event("r-1"), event("r-2"), event("r-1"))
    assert [json.loads(answer.payload)["id"] for answer in answers] == ["r-1", "r-2", "r-1"]
    assert [(row.record_id, row.resent) for row in gate.events()] == [("r-1", 1), ("r-2", 0)]
    assert len(gate.told()) == 2


@pytest.mark.parametrize("together", [True, False])
def test_same_id_with_other_content_is_a_dead_letter_with_its_bytes(gate: Gate, together: bool) -> None:
    first, other = event("r-1"), event("r-1", "door.closed")
    answers = gate.take(first, other) if together else [*gate.take(first), *gate.take(other)]
    assert [json.loads(answer.payload) for answer in answers] == [
        {"id": "r-1", "ok": True},
        {"id": "r-1", "ok": False, "reason": "duplicate_id_conflict"},
    ]
    (row,) = gate.events()
    assert (row.type, row.resent) == ("door.opened", 0)
    (letter,) = gate.letters()
    assert (letter.source, letter.reason, letter.raw) == ("mqtt", "duplicate_id_conflict", other)
    assert (letter.compound, letter.device_id, letter.size) == (COMPOUND, "cam-1", len(other))
    assert "r-1" in letter.detail


def test_record_number_may_be_used_again_at_another_time(gate: Gate) -> None:
    # Devices count from one again after a restart.
    gate.take(event("1"), event("1", at=NOON - dt.timedelta(seconds=1)))
    assert len(gate.events()) == 2
    assert gate.letters() == []


def test_event_without_a_time_is_still_one_when_it_comes_again(gate: Gate) -> None:
    gate.take(event("1", at=None))
    gate.clock.advance(2)
    gate.take(event("1", at=None))
    assert [(row.device_time, row.resent, row.marks) for row in gate.events()] == [
        (NOON, 1, ["time_missing"])
    ]
    assert len(gate.told()) == 1


def test_repeats_are_counted_each_by_its_own_number(gate: Gate) -> None:
    gate.take(*[event(f"r-{number}") for number in (1, 2, 3, 1, 2, 1, 2, 1)])
    gate.take(event("r-3"))
    assert [(row.record_id, row.resent) for row in gate.events()] == [("r-1", 3), ("r-2", 2), ("r-3", 1)]


def test_two_devices_may_use_the_same_number(gate: Gate) -> None:
    gate.take(event("1"))
    gate.take(event("1"), on=topic("cam-2"))
    assert [row.device_id for row in gate.events()] == ["cam-1", "cam-2"]


@pytest.mark.parametrize(
    ("on", "reason", "compound", "device_id"),
    [
        (topic("cam-9"), "unknown_device", COMPOUND, "cam-9"),
        (topic(compound=ELSEWHERE), "wrong_compound", ELSEWHERE, "cam-1"),
        (topic("old-1"), "disabled_device", COMPOUND, "old-1"),
        (topic(leaf="events"), "wrong_topic", COMPOUND, "cam-1"),
        (topic(leaf="event/extra"), "wrong_topic", COMPOUND, "cam-1"),
        (f"rw/v1/{COMPOUND}/cam-1/up", "wrong_topic", COMPOUND, "cam-1"),
        ("rw/v2/a/b/up/event", "wrong_topic", None, None),
        ("\ufffd", "wrong_topic", None, None),
        (f"rw/v1/{'c' * 100}/{'d' * 100}/up/event", "unknown_device", "c" * 64, "d" * 64),
    ],
)
def test_message_from_the_wrong_place_is_a_dead_letter(
    gate: Gate, on: str, reason: str, compound: str | None, device_id: str | None
) -> None:
    gate.take(event(), on=on)
    assert gate.events() == []
    (letter,) = gate.letters()
    assert (letter.reason, letter.raw, letter.topic) == (reason, event(), on)
    assert (letter.compound, letter.device_id, letter.received_at) == (compound, device_id, NOON)
    assert gate.metrics.get_sample_value("ringward_ingest_refused_total", {"reason": reason}) == 1


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (event("r-1", "door.opend"), {"id": "r-1", "ok": False, "reason": "unknown_type"}),
        (event("r-1", direction="up"), {"id": "r-1", "ok": False, "reason": "invalid_field"}),
        (event("x" * 201), {"id": None, "ok": False, "reason": "invalid_field"}),
        (b"no json", {"id": None, "ok": False, "reason": "malformed_json"}),
        (b'{"id":"r-1","x":' + b"[" * 9000, {"id": None, "ok": False, "reason": "malformed_json"}),
        (b" " * (9 * 1024 * 1024), {"id": None, "ok": False, "reason": "too_large"}),
    ],
    ids=["unknown type", "wrong field", "id too long", "no json", "nested deeply", "too large"],
)
def test_device_is_told_that_it_need_not_send_this_again(gate: Gate, payload: bytes, answer: dict) -> None:
    (told,) = gate.take(payload)
    assert told.topic == f"rw/v1/{COMPOUND}/cam-1/down/ack"
    assert json.loads(told.payload) == answer


@pytest.mark.parametrize(
    "on", [topic("cam-9"), topic(compound=ELSEWHERE), topic(leaf="events"), "rw/v2/a/b/up/event"]
)
def test_nobody_is_answered_whom_we_do_not_know(gate: Gate, on: str) -> None:
    assert gate.take(event(), on=on) == [None]


def test_one_bad_message_does_not_take_the_others_along(gate: Gate) -> None:
    answers = gate.take(event("r-1"), b"\xff\xfe", event("r-2"))
    assert [json.loads(answer.payload)["ok"] for answer in answers] == [True, False, True]
    assert [row.record_id for row in gate.events()] == ["r-1", "r-2"]
    (letter,) = gate.letters()
    assert (letter.reason, letter.raw) == ("malformed_json", b"\xff\xfe")


def test_too_large_message_is_kept_whole(gate: Gate) -> None:
    payload = b" " * (9 * 1024 * 1024)
    gate.take(payload)
    (letter,) = gate.letters()
    assert (letter.reason, letter.size, letter.raw) == ("too_large", len(payload), payload)


def test_event_with_a_broken_picture_counts_and_its_bytes_are_kept(gate: Gate) -> None:
    payload = event("r-1", "face.captured", images=[{"role": "face", "jpeg": "???"}])
    assert gate.take(payload) != [None]
    (row,) = gate.events()
    assert (row.marks, row.body["pictures"]) == (["bad_base64"], [])
    assert [(letter.reason, letter.raw) for letter in gate.letters()] == [("bad_base64", payload)]


@pytest.mark.parametrize(
    "payload",
    [
        event("r\0-1"),
        event("r-1", "door\0opened"),
        event("r-1", direction="in\0"),
        event("r-1", track="a\0b", attributes={"a\0": "b\0"}),
        event("r-1", at=dt.datetime.max.replace(tzinfo=dt.UTC)),
        event("r-1", at=dt.datetime.min.replace(tzinfo=dt.UTC)),
        state(at=dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        event("名" * 200, attributes={"深": "\U0001f6a8" * 500}),
        event("r-1", attributes={"big": 10**400}),
    ],
    ids=[
        "zero in id",
        "zero in type",
        "zero in direction",
        "zeros inside",
        "last moment",
        "first moment",
        "clock of 1970",
        "longest id",
        "huge number",
    ],
)
def test_no_message_can_stop_the_ones_behind_it(
    either_database: Database, media: MediaStore, clock: VirtualClock, payload: bytes
) -> None:
    # What the database itself cannot hold would fail the batch again and again.
    gate = make_gate(either_database, media, clock)
    leaf = "state" if b"status" in payload else "event"
    gate.take(payload, on=topic("cam-2", leaf))
    gate.take(event("r-2"))
    assert gate.events()[-1].record_id in {"r-2", "名" * 200}
    assert all(row.device_time.tzinfo for row in gate.events())
    assert all(letter.raw == payload for letter in gate.letters())


def test_full_disk_is_not_the_messages_fault(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    full = Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    picture = event("r-2", "face.captured", images=[{"role": "face", "jpeg": JPEG64}])
    with monkeypatch.context() as patch:
        patch.setattr(gate.media, "put", full)
        with pytest.raises(OSError, match="No space"):
            gate.take(event("r-1"), picture)
    assert (gate.events(), gate.letters()) == ([], [])
    gate.take(event("r-1"), picture)
    assert [row.record_id for row in gate.events()] == ["r-1", "r-2"]


def test_database_that_is_away_is_not_the_messages_fault(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    away = Mock(side_effect=OperationalError("server closed the connection", None, Exception()))
    with monkeypatch.context() as patch:
        patch.setattr(DeviceDirectory, "refresh", away)
        with pytest.raises(OperationalError):
            gate.take(event("r-1"))
    assert (gate.events(), gate.letters()) == ([], [])
    gate.take(event("r-1"))
    assert len(gate.events()) == 1


def test_message_that_we_trip_over_is_kept_and_not_delivered_for_ever(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(
            "devices.adapters.native.decode_event", Mock(side_effect=ZeroDivisionError("secret words"))
        )
        (answer,) = gate.take(event("r-1"))
    assert json.loads(answer.payload) == {"id": "r-1", "ok": False, "reason": "not_understood"}
    (letter,) = gate.letters()
    assert (letter.reason, letter.detail, letter.raw) == ("not_understood", "ZeroDivisionError", event("r-1"))


def test_heartbeat_tells_a_wrong_clock_from_an_old_event(gate: Gate) -> None:
    day = dt.timedelta(days=1)
    gate.take(state(at=NOON - day), on=topic(leaf="state"))
    assert gate.status().clock_offset_ms == -86_400_000
    gate.take(event("r-1", at=NOON - day))
    (row,) = gate.events()
    assert (row.device_time, row.corrected_time, row.late) == (NOON - day, NOON, 0)
    assert row.marks == ["clock_skew"]


def test_event_from_an_outage_is_late_and_no_sign_of_life(gate: Gate) -> None:
    gate.take(event("r-1", at=NOON - dt.timedelta(hours=1), late=True))
    (row,) = gate.events()
    assert row.late == 1
    assert gate.told()[0].late is True
    assert gate.status().online is False
    assert gate.metrics.get_sample_value("ringward_ingest_events_total", {"live": "false"}) == 1


def test_live_event_brings_a_device_online_once(gate: Gate) -> None:
    gate.take(event("r-1"), event("r-2"))
    gate.clock.advance(5)
    gate.take(event("r-3", at=gate.clock.now()))
    changes = [row for row in gate.rows(EventRow) if row.type == "device.online"]
    assert [row.body["attributes"] for row in changes] == [{"cause": "event"}]
    assert (gate.status().online, gate.status().since) == (True, NOON)
    assert gate.status().last_seen == NOON + dt.timedelta(seconds=5)


def test_heartbeat_and_last_will_move_the_device(gate: Gate) -> None:
    gate.take(state(), on=topic(leaf="state"))
    assert gate.status().online is True
    gate.clock.advance(40)
    gate.take(state("offline", None), on=topic(leaf="state"))
    assert (gate.status().online, gate.status().since) == (False, gate.clock.now())
    causes = [
        (row.type, row.body["attributes"]["cause"]) for row in gate.rows(EventRow, EventRow.received_at)
    ]
    assert causes == [("device.online", "heartbeat"), ("device.offline", "last_will")]


def test_what_the_broker_remembers_is_no_sign_of_life(gate: Gate) -> None:
    assert gate.take(state(at=NOON - dt.timedelta(days=2)), on=topic(leaf="state"), retained=True) == [None]
    assert (gate.status().online, gate.status().clock_offset_ms) == (False, None)
    # Nor does it teach us a wrong clock.
    gate.take(event("r-1"))
    assert gate.events()[0].marks == []


def test_last_will_that_we_missed_is_told_by_the_brokers_memory(gate: Gate) -> None:
    gate.take(state(), on=topic(leaf="state"))
    gate.clock.advance(5)
    gate.take(state("offline", None), on=topic(leaf="state"), retained=True)
    assert gate.status().online is False


def test_cleared_state_says_nothing(gate: Gate) -> None:
    assert gate.take(b"", on=topic(leaf="state")) == [None]
    assert (gate.letters(), gate.rows(EventRow)) == ([], [])


def test_state_that_is_none_is_a_dead_letter(gate: Gate) -> None:
    gate.take(b'{"status":"asleep"}', on=topic(leaf="state"))
    assert [letter.reason for letter in gate.letters()] == ["invalid_field"]
    assert gate.status().online is False


def test_last_will_in_one_batch_with_its_last_event_leaves_the_device_offline(gate: Gate) -> None:
    gate.take(state(), on=topic(leaf="state"))
    gate.clock.advance(1)
    now = gate.clock.now()
    gate.intake.process(
        [
            Arrival(topic(), event("r-1", at=now), now),
            Arrival(topic(leaf="state"), state("offline", None), now),
        ]
    )
    assert gate.status().online is False
    with gate.database.read() as session:
        changes = session.scalar(
            select(func.count()).select_from(EventRow).where(EventRow.type.like("device.%"))
        )
    assert changes == 2
