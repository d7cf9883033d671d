"""One thing that happened is one event, however often and through whatever failures it is told."""

import base64
import datetime as dt
import json
from contextlib import suppress
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import OperationalError

from devices.models import Device
from devices.points import DevicePoint
from ingest.arrival import Arrival
from storage import Database, MediaStore
from storage.events import EventAmendment, EventRow, OutboxRow
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import JPEG
from tests.support.gate import Gate, make_gate
from tests.support.native import event, topic

TERMINAL = "1007001"
REC = f"mqtt/face/{TERMINAL}/Rec"
PICTURE = "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def gate(either_database: Database, media: MediaStore, clock: VirtualClock) -> Gate:
    gate = make_gate(either_database, media, clock)
    with either_database.write() as session:
        for device_id, changes in (
            ("cam-1", {"adapter": "facesluice", "external_id": TERMINAL}),
            ("door-1", {"adapter": "zigbee2mqtt", "external_id": "zigbee2mqtt"}),
            ("cam-2", {"adapter": "zigbee2mqtt", "external_id": "side_door", "gateway": "door-1"}),
        ):
            session.execute(update(Device).where(Device.id == device_id).values(**changes))
    return gate


def rec(record: int = 5521, at: dt.datetime = NOON, **changes: Any) -> bytes:
    """A terminal's record, in its own zone and without saying which."""
    local = at.astimezone(dt.timezone(dt.timedelta(hours=8)))
    info = {
        "customId": "p-7f3a", "RecordID": str(record), "VerifyStatus": "1", "similarity1": "91.0",
        "Sendintime": 1, "PushType": 0, "facesluiceId": TERMINAL, "time": f"{local:%Y-%m-%d %H:%M:%S}",
        "pic": PICTURE,
    } | changes  # fmt: skip
    return json.dumps({"operator": "RecPush", "info": info}).encode()


def frigate(revision: float, started: dt.datetime = NOON, **changes: Any) -> bytes:
    """A person whom Frigate follows, as it knows them `revision` seconds later."""
    begun = started.timestamp()
    after = {
        "id": f"{begun}-k3m9xz", "camera": "east_gate", "label": "person", "sub_label": ["trained-17", 0.8],
        "start_time": begun, "frame_time": begun + revision, "end_time": None, "false_positive": False,
        "entered_zones": ["lane"],
    } | changes  # fmt: skip
    return json.dumps({"type": "update", "before": after, "after": after}).encode()


def behind_frigate(gate: Gate) -> None:
    with gate.database.write() as session:
        frigate_is = {"adapter": "frigate", "external_id": "frigate"}
        session.execute(update(Device).where(Device.id == "door-1").values(**frigate_is))
        camera = {"adapter": "frigate", "external_id": "east_gate"}
        session.execute(update(Device).where(Device.id == "cam-2").values(**camera))
    gate.intake._directory.refresh()


# A terminal's records


def test_record_that_is_sent_a_hundred_times_is_one_event_and_answered_each_time(gate: Gate) -> None:
    for _ in range(10):
        answers = gate.take(*[rec()] * 10, on=REC)
        assert [json.loads(answer.payload)["operator"] for answer in answers] == ["PushAck"] * 10
        gate.clock.advance(10)
    (row,) = gate.events()
    assert (row.resent, row.record_id, row.marks) == (99, "rec:5521", ["zone_assumed"])
    assert (len(gate.told()), gate.letters()) == (1, [])


def test_factory_reset_that_restarts_record_ids_swallows_nothing(gate: Gate) -> None:
    gate.take(*[rec(number, NOON - (10 - number) * MINUTE, Sendintime=0) for number in range(1, 10)], on=REC)
    gate.clock.advance(3600)
    later = gate.clock.now()
    gate.take(*[rec(number, later - number * MINUTE, Sendintime=0) for number in range(1, 10)], on=REC)
    assert len(gate.events()) == 18
    assert gate.letters() == []


def test_record_that_is_pushed_again_by_hand_with_less_in_it_is_a_repeat(gate: Gate) -> None:
    gate.take(rec(), on=REC)
    poorer = rec(PushType=2, similarity1=" ", pic=" ")
    (answer,) = gate.take(poorer, on=REC)
    assert json.loads(answer.payload)["operator"] == "PushAck"
    (row,) = gate.events()
    assert (row.resent, len(row.body["pictures"]), gate.letters()) == (1, 1, [])


def test_record_with_other_content_under_one_number_and_second_is_no_repeat(gate: Gate) -> None:
    gate.take(rec(), on=REC)
    gate.take(rec(customId="p-0000"), on=REC)
    (letter,) = gate.letters()
    assert (letter.reason, letter.device_id) == ("duplicate_id_conflict", "cam-1")
    assert len(gate.events()) == 1


def test_last_will_of_the_connection_before_does_not_mark_a_terminal_that_is_back(gate: Gate) -> None:
    def says(operator: str) -> bytes:
        return json.dumps({"operator": operator, "info": {"facesluiceId": TERMINAL}}).encode()

    gate.take(says("Online"), on="mqtt/face/basic")
    gate.clock.advance(80)
    gate.take(says("Offline"), on="mqtt/face/basic")
    assert gate.status().online is True
    # One that comes without a new connection before it counts.
    gate.clock.advance(60)
    gate.take(says("Offline"), on="mqtt/face/basic")
    assert (gate.status().online, gate.status().cause) == (False, "last_will")


# What has no number of its own


def test_button_without_number_or_time_is_one_event_a_press(gate: Gate) -> None:
    press = json.dumps({"action": "emergency"}).encode()
    on = "zigbee2mqtt/side_door"
    gate.take(press, on=on)
    # The broker says that it may have delivered this before, and it has.
    gate.clock.advance(5)
    gate.intake.process([Arrival(on, press, gate.clock.now(), again=True)])
    assert len(gate.events()) == 1
    # Somebody presses again.
    gate.clock.advance(5)
    gate.take(press, on=on)
    assert [(row.type, row.marks) for row in gate.events()] == [
        ("alarm.sos", ["time_missing", "no_record_id"])
    ] * 2


def test_press_that_the_broker_held_back_counts_though_an_earlier_one_was_the_same(gate: Gate) -> None:
    press = json.dumps({"action": "emergency"}).encode()
    on = "zigbee2mqtt/side_door"
    gate.take(press, on=on)
    gate.clock.advance(120)
    gate.intake.process([Arrival(on, press, gate.clock.now(), again=True)])
    assert len(gate.events()) == 1
    gate.clock.advance(1)
    gate.intake.process([Arrival(on, press, gate.clock.now(), again=True)])
    assert len(gate.events()) == 2


def test_second_delivery_of_what_was_never_stored_is_stored(gate: Gate) -> None:
    press = json.dumps({"action": "emergency"}).encode()
    gate.intake.process([Arrival("zigbee2mqtt/side_door", press, NOON, again=True)])
    assert len(gate.events()) == 1


def test_contact_that_repeats_its_state_is_an_event_a_change(gate: Gate) -> None:
    for closed in (True, True, False, False, False, True, True):
        gate.take(json.dumps({"contact": closed, "battery": 81}).encode(), on="zigbee2mqtt/side_door")
        gate.clock.advance(60)
    kinds = [row.type for row in sorted(gate.events(), key=lambda row: row.received_at)]
    assert kinds == ["door.closed", "door.opened", "door.closed"]


def test_what_the_broker_remembers_is_no_news(gate: Gate) -> None:
    for _ in range(3):
        # A restart of ours: the broker tells what it remembers.
        contact = json.dumps({"contact": False}).encode()
        gate.take(contact, on="zigbee2mqtt/side_door", retained=True)
        gate.clock.advance(60)
    assert (gate.events(), gate.letters()) == ([], [])
    gate.take(json.dumps({"contact": True}).encode(), on="zigbee2mqtt/side_door")
    assert [row.type for row in gate.events()] == ["door.closed"]


# What is told more than once


def test_thing_that_is_told_again_with_more_is_one_event_that_is_amended(gate: Gate) -> None:
    behind_frigate(gate)
    on = "frigate/events"
    gate.take(frigate(1), on=on)
    gate.take(frigate(2, entered_zones=["lane", "yard"]), on=on)
    # Nothing new in it, and then one that was overtaken on its way.
    gate.take(frigate(3, entered_zones=["lane", "yard"]), frigate(1.5, entered_zones=[]), on=on)
    gate.take(frigate(4, sub_label=["trained-17", 0.9], entered_zones=["lane", "yard"]), on=on)
    (row,) = gate.events()
    amendments = gate.rows(EventAmendment, EventAmendment.revision)
    assert [one.body["match"]["score"] for one in amendments] == [0.8, 0.9]
    assert (row.body["match"]["score"], row.resent) == (0.8, 2)
    assert [message.amends for message in gate.told()] == [False, True, True]
    assert {message.id for message in gate.told()} == {row.id}
    assert len({one.message_id for one in gate.rows(OutboxRow)}) == len(gate.rows(OutboxRow))


def test_thing_that_is_recognised_late_in_its_course_is_news_all_the_same(gate: Gate) -> None:
    behind_frigate(gate)
    gate.clock.advance(120)
    gate.take(frigate(119), on="frigate/events")
    (row,) = gate.events()
    assert (bool(row.late), row.device_time, row.corrected_time) == (
        False,
        NOON,
        NOON + dt.timedelta(seconds=119),
    )


# Any interleaving

_SENT = st.integers(0, 5)
_FAILURES = [
    f"ingest.intake.{step}" for step in ("store", "enqueue_of_events", "presence.seen", "deadletters.record")
]
_STEPS = st.lists(
    st.tuples(st.lists(_SENT, min_size=1, max_size=6), st.sampled_from(["", *_FAILURES])),
    min_size=1,
    max_size=10,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_whatever_is_sent_again_or_fails_each_thing_is_stored_once(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, steps: list[tuple[list[int], str]]
) -> None:
    """Batches of six different messages; a batch that fails is sent again, as the broker does it."""
    with gate.database.write() as session:
        for table in (EventAmendment, EventRow, OutboxRow, DevicePoint):
            session.execute(delete(table))
    messages = [
        (REC, rec(1)),
        (REC, rec(2)),
        (REC, rec(1, NOON + MINUTE, Sendintime=0)),
        ("zigbee2mqtt/side_door", json.dumps({"contact": True, "last_seen": NOON.isoformat()}).encode()),
        (topic("old-1"), event("r-1")),
        (REC, rec(2, PushType=2, pic=" ")),
    ]
    told: set[int] = set()
    for sent, failure in steps:
        arrivals = [Arrival(*messages[number], NOON) for number in sent]
        if failure:
            broken = Mock(side_effect=OperationalError("the server is gone", None, Exception()))
            # Where nothing is new there is nothing to fail at, and the batch is sent twice all the same.
            with monkeypatch.context() as patch, suppress(OperationalError):
                patch.setattr(failure, broken)
                gate.intake.process(arrivals)
        gate.intake.process(arrivals)
        told.update(sent)
    things = {3 if number == 3 else (1 if number == 5 else number) for number in told if number != 4}
    with gate.database.read() as session:
        stored = session.execute(
            select(func.count(), func.count(EventRow.id.distinct())).where(EventRow.type.not_like("device.%"))
        ).one()
        ids = list(session.scalars(select(OutboxRow.message_id).where(OutboxRow.subject.like("event.%"))))
    assert tuple(stored) == (len(things), len(things))
    assert len(ids) == len(set(ids))
