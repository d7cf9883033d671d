"""Dead letters: collapsed, asked for, read again as history."""

import datetime as dt
import json
from unittest.mock import Mock

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from bus import deadletters
from bus.deadletters import DeadLetter
from devices.adapters.contract import RefusedError
from devices.adapters.native import NativeAdapter
from devices.models import Device, DeviceKind, Stage
from ingest.arrival import Arrival
from ingest.upkeep import Upkeep
from storage import Database, KeyRing, MediaStore
from storage.events import EventRow, OutboxRow
from storage.keys import install_ring
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import device
from tests.support.gate import Gate, make_gate
from tests.support.native import event, state, topic

DAY = dt.timedelta(days=1)


@pytest.fixture
def gate(either_database: Database, media: MediaStore, clock: VirtualClock) -> Gate:
    return make_gate(either_database, media, clock)


def ask(gate: Gate, *which: object) -> int:
    with gate.database.write() as session:
        return deadletters.ask_replay(session, which, "installer", gate.clock.now())


def replay(gate: Gate) -> bool:
    return Upkeep(gate.database, gate.intake, gate.clock).turn()


def stage(gate: Gate, value: Stage, device: str = "cam-1") -> None:
    with gate.database.write() as session:
        session.execute(update(Device).where(Device.id == device).values(stage=value))
    gate.intake._directory.refresh()


def test_poison_every_ten_seconds_is_one_letter_with_a_count(gate: Gate) -> None:
    for _ in range(100):
        gate.take(b"poison")
        gate.clock.advance(10)
    (letter,) = gate.letters()
    assert (letter.count, letter.received_at) == (100, NOON)
    assert letter.last_seen == NOON + dt.timedelta(seconds=990)
    assert (letter.adapter, letter.device_id, letter.raw) == ("native", "cam-1", b"poison")


def test_fingerprint_says_nothing_of_the_content_without_the_key(gate: Gate) -> None:
    gate.take(b"poison")
    (letter,) = gate.letters()
    assert len(letter.known_by) == 64
    said = ("mqtt", "malformed_json", "cam-1", topic())
    assert letter.known_by == deadletters.fingerprint(*said, raw=b"poison")
    install_ring(KeyRing({1: bytes(32)}))
    assert letter.known_by != deadletters.fingerprint(*said, raw=b"poison")


@pytest.mark.parametrize("on", [topic("cam-2"), topic(leaf="state")])
def test_same_bytes_from_elsewhere_are_another_letter(gate: Gate, on: str) -> None:
    gate.take(b"poison")
    gate.take(b"poison", on=on)
    assert [letter.count for letter in gate.letters()] == [1, 1]


def test_mended_adapter_turns_yesterdays_letters_into_history(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Mock(side_effect=RefusedError("unknown_type", "door.forced"))
    with monkeypatch.context() as patch:
        patch.setattr(NativeAdapter, "decode", broken)
        gate.take(event("r-1", "door.forced"))
    gate.clock.advance(DAY.total_seconds())
    assert ask(gate, DeadLetter.adapter == "native") == 1
    assert replay(gate)
    (row,) = gate.events()
    assert (row.type, row.received_at, row.corrected_time, bool(row.late)) == (
        "door.forced", NOON, NOON, True,
    )  # fmt: skip
    (told,) = gate.told()
    assert told.late, "nobody is sent for what happened yesterday"
    (letter,) = gate.letters()
    assert (letter.outcome, letter.became, letter.replayed_at) == ("stored", [row.id], gate.clock.now())
    assert (letter.replay_asked_at, letter.reason) == (None, "unknown_type")
    # It is no sign of life either.
    assert gate.status().online is False


def test_what_is_refused_still_says_why_and_makes_no_second_letter(gate: Gate) -> None:
    gate.take(b"poison")
    ask(gate, DeadLetter.device_id == "cam-1")
    assert replay(gate)
    (letter,) = gate.letters()
    assert (letter.outcome, letter.count, letter.became) == ("malformed_json", 1, None)
    assert not replay(gate), "asked once, read once"
    assert ask(gate, DeadLetter.device_id == "cam-1") == 1, "and again when somebody wants it"


def test_quarantined_devices_messages_become_history_once_it_is_approved(gate: Gate) -> None:
    stage(gate, Stage.QUARANTINED)
    answers = gate.take(event("r-1"), event("r-2", "door.opened", NOON - dt.timedelta(hours=1)))
    assert [json.loads(answer.payload)["ok"] for answer in answers] == [False, False]
    ask(gate, DeadLetter.device_id == "cam-1", DeadLetter.reason == "quarantined_device")
    replay(gate)
    assert {letter.outcome for letter in gate.letters()} == {"quarantined_device"}
    stage(gate, Stage.APPROVED)
    ask(gate, DeadLetter.device_id == "cam-1", DeadLetter.reason == "quarantined_device")
    replay(gate)
    assert [(row.record_id, bool(row.late)) for row in gate.events()] == [("r-1", True), ("r-2", True)]
    assert gate.letters()[0].outcome == "stored"
    # What came meanwhile by the ordinary way is there already.
    gate.take(event("r-1"))
    assert len(gate.events()) == 2


def test_letter_whose_event_came_otherwise_is_known(gate: Gate) -> None:
    stage(gate, Stage.QUARANTINED)
    gate.take(event("r-1"))
    stage(gate, Stage.APPROVED)
    gate.take(event("r-1"))
    ask(gate)
    replay(gate)
    (letter,) = gate.letters()
    (row,) = gate.events()
    assert (letter.outcome, letter.became, bool(row.late)) == ("known", [row.id], False)


def test_replayed_sign_of_life_changes_nothing(gate: Gate) -> None:
    stage(gate, Stage.QUARANTINED)
    gate.take(state(at=NOON - DAY), on=topic(leaf="state"))
    stage(gate, Stage.APPROVED)
    ask(gate)
    replay(gate)
    assert [letter.outcome for letter in gate.letters()] == ["nothing"]
    assert (gate.status().online, gate.status().clock_offset_ms) == (False, None)


def test_same_poison_after_its_letter_became_an_event_is_a_new_letter(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(payload: bytes) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(NativeAdapter, "decode", Mock(side_effect=RefusedError("unknown_type")))
            gate.take(payload)

    refuse(event("r-1"))
    ask(gate)
    replay(gate)
    refuse(event("r-1"))
    assert sorted((letter.outcome or "", letter.count) for letter in gate.letters()) == [
        ("", 1),
        ("stored", 1),
    ]


def test_replay_that_could_not_be_committed_is_done_again(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(gate, Stage.QUARANTINED)
    gate.take(event("r-1"))
    stage(gate, Stage.APPROVED)
    ask(gate)
    with monkeypatch.context() as patch:
        patch.setattr(
            "ingest.intake.deadletters.settle", Mock(side_effect=OperationalError("gone", None, Exception()))
        )
        with pytest.raises(OperationalError):
            replay(gate)
    assert (gate.events(), gate.rows(OutboxRow)) == ([], [])
    assert replay(gate)
    assert len(gate.events()) == 1


def test_only_what_ingest_has_read_can_be_read_again(gate: Gate) -> None:
    with gate.database.write() as session:
        letters = [
            deadletters.letter("broker", "broker_auth_failed", NOON, device_id="cam-1"),
            deadletters.letter("bus", "worker_gave_up", NOON, device_id="cam-1", raw=b"{}"),
            deadletters.letter("mqtt", "malformed_json", NOON, device_id="cam-1"),
        ]
        deadletters.record(session, letters)
    assert ask(gate) == 0


def test_pushed_letter_is_read_as_what_it_was(gate: Gate) -> None:
    stage(gate, Stage.QUARANTINED)
    pushed = Arrival("event", event("r-1"), NOON, signed_in="cam-1", content_type="application/json")
    gate.intake.process([pushed])
    stage(gate, Stage.APPROVED)
    (letter,) = gate.letters()
    assert (letter.source, letter.context) == (
        "http",
        {"content_type": "application/json", "signed_in": "cam-1"},
    )
    ask(gate)
    replay(gate)
    assert [row.device_id for row in gate.rows(EventRow)] == ["cam-1"]


def test_many_letters_are_read_in_portions_the_oldest_first(gate: Gate) -> None:
    stage(gate, Stage.QUARANTINED)
    for number in range(150):
        gate.take(event(f"r-{number:03}", at=gate.clock.now()))
        gate.clock.advance(1)
    stage(gate, Stage.APPROVED)
    assert ask(gate) == 150
    assert replay(gate)
    assert [row.record_id for row in gate.events()] == [f"r-{number:03}" for number in range(100)]
    assert replay(gate)
    assert len(gate.events()) == 150
    assert not replay(gate)


def test_message_that_nobody_can_read_lies_with_the_device_of_its_topic(
    database: Database, media: MediaStore, clock: VirtualClock
) -> None:
    gate = make_gate(database, media, clock)
    with database.write() as session:
        session.add(device("term", DeviceKind.DOOR, adapter="facesluice", external_id="1026700"))
    answer = gate.take(b'{"operator":"RecPush","info":{"RecordID":"3",', on="mqtt/face/1026700/Rec")[0]
    assert answer is not None
    assert json.loads(answer.payload)["info"]["SnapOrRecordID"] == 3
    (letter,) = gate.letters()
    assert (letter.reason, letter.device_id) == ("malformed_json", "term")
