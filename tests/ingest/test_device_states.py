"""States that devices repeat: a change is an event, a repetition is not, an alarm is never swallowed."""

import json

import pytest
from sqlalchemy import select

from bus.deadletters import DeadLetter
from devices import presence
from devices.models import DeviceKind
from ingest.arrival import Arrival
from storage import Database, MediaStore
from storage.events import EventRow
from tests.ingest.test_intake import Gate, make_gate
from tests.support.clock import VirtualClock
from tests.support.compound import device


class Bridge:
    """A zigbee2mqtt bridge with a door contact and a smoke detector behind it."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        with gate.database.write() as session:
            session.add(device("bridge", DeviceKind.GATEWAY, adapter="zigbee2mqtt"))
            session.flush()
            for name, external in (("door", "hall/door"), ("smoke", "hall/smoke")):
                session.add(
                    device(
                        name,
                        DeviceKind.SENSOR,
                        adapter="zigbee2mqtt",
                        external_id=external,
                        gateway="bridge",
                    )
                )
            session.flush()
            presence.ensure_rows(session, gate.clock.now())

    def says(self, where: str, retained: bool = False, **state: object) -> None:
        self.gate.take(json.dumps(state).encode(), on=f"rw/gw/bridge/{where}", retained=retained)

    def ended(self) -> list[bool]:
        """Of each event, in order, whether it is an end."""
        query = (
            select(EventRow.body)
            .where(EventRow.type != "device.online")
            .order_by(EventRow.received_at, EventRow.id)
        )
        with self.gate.database.read() as session:
            return [bool(body["attributes"].get("ended")) for body in session.scalars(query)]

    def types(self) -> list[str]:
        query = select(EventRow.type).order_by(EventRow.received_at, EventRow.id)
        with self.gate.database.read() as session:
            return [kind for kind in session.scalars(query) if not kind.startswith("device.")]


@pytest.fixture
def bridge(either_database: Database, media: MediaStore, clock: VirtualClock) -> Bridge:
    return Bridge(make_gate(either_database, media, clock))


def test_change_is_an_event_and_a_repetition_is_not(bridge: Bridge) -> None:
    for is_closed in (False, False, True, True, False):
        bridge.gate.clock.advance(1)
        bridge.says("hall/door", contact=is_closed)
    assert bridge.types() == ["door.opened", "door.closed", "door.opened"]


def test_two_changes_in_one_batch_are_two_events_in_their_order(bridge: Bridge) -> None:
    states = [json.dumps({"contact": is_closed}).encode() for is_closed in (False, True, True)]
    bridge.gate.take(*states, on="rw/gw/bridge/hall/door")
    assert sorted(bridge.types()) == ["door.closed", "door.opened"]


def test_state_that_the_broker_remembers_from_before_is_no_change(bridge: Bridge) -> None:
    bridge.says("hall/door", retained=True, contact=True)
    assert bridge.types() == []
    bridge.says("hall/door", retained=True, contact=False)
    assert bridge.types() == ["door.opened"], "it was opened while nobody listened"


def test_end_of_an_alarm_is_told_once_and_the_next_alarm_is_one(bridge: Bridge) -> None:
    for raised in (False, False, True, False, False, True):
        bridge.gate.clock.advance(1)
        bridge.says("hall/smoke", smoke=raised)
    assert bridge.ended() == [False, True, False], "how things stand on the first day ends nothing"


def test_end_that_comes_while_nobody_listened_is_told(bridge: Bridge) -> None:
    bridge.says("hall/smoke", retained=True, smoke=False)
    assert bridge.ended() == []
    bridge.says("hall/smoke", smoke=True)
    bridge.says("hall/smoke", retained=True, smoke=False)
    bridge.says("hall/smoke", retained=True, smoke=False)
    assert bridge.ended() == [False, True]


def test_battery_that_is_well_again_is_no_news(bridge: Bridge) -> None:
    for low in (True, False, False):
        bridge.says("hall/smoke", battery_low=low)
    with bridge.gate.database.read() as session:
        kinds = list(session.scalars(select(EventRow.type)))
    assert [kind for kind in kinds if kind != "device.online"] == ["device.fault"]


def test_alarm_counts_again_after_a_while_since_its_end_may_have_been_lost(bridge: Bridge) -> None:
    bridge.says("hall/smoke", smoke=True)
    bridge.gate.clock.advance(599)
    bridge.says("hall/smoke", smoke=True)
    assert bridge.types() == ["alarm.smoke"]
    bridge.gate.clock.advance(1)
    bridge.says("hall/smoke", smoke=True)
    assert bridge.types() == ["alarm.smoke", "alarm.smoke"]


def test_smoke_that_burns_while_nobody_listened_is_an_alarm(bridge: Bridge) -> None:
    bridge.says("hall/smoke", retained=True, smoke=True)
    assert bridge.types() == ["alarm.smoke"]


def test_failed_commit_loses_no_change(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ingest.intake.deadletters.record", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bridge.says("hall/door", contact=False)
    bridge.says("hall/door", contact=False)
    assert bridge.types() == ["door.opened"]


def test_our_own_command_that_a_wide_topic_brings_back_is_no_dead_letter(bridge: Bridge) -> None:
    bridge.says("hall/lock/set", state="UNLOCK")
    with bridge.gate.database.read() as session:
        assert session.scalars(select(DeadLetter)).all() == []


def test_what_is_strange_beside_what_is_known_is_kept_and_the_rest_is_stored(
    database: Database, media: MediaStore, clock: VirtualClock
) -> None:
    gate = make_gate(database, media, clock)
    with database.write() as session:
        session.add(device("platform", DeviceKind.GATEWAY, adapter="artemis"))
        session.flush()
        session.add(
            device("yard", DeviceKind.SCENE_CAMERA, adapter="artemis", external_id="c1", gateway="platform")
        )
    happened = {"srcIndex": "c1", "status": 0, "happenTime": "2026-11-23T07:15:00.000+08:00", "data": {}}
    told = [happened | {"eventId": "e1", "eventType": 131590}, happened | {"eventId": "e2", "eventType": 42}]
    body = json.dumps({"method": "OnEventNotify", "params": {"events": told}}).encode()
    (settled,) = gate.intake.process(
        [Arrival("event", body, clock.now(), signed_in="platform", content_type="application/json")]
    )
    assert settled.reply is not None
    assert [row.type for row in gate.events()] == ["video.loitering"]
    assert [(letter.reason, letter.raw) for letter in gate.letters()] == [("unknown_type", body)]
