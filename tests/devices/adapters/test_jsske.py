"""Real-name terminals by jsske: the facesluice grammar below topics of their own."""

import datetime as dt
import json
from typing import Any

import pytest

from devices.adapters import speaking
from devices.adapters.contract import Decoded, Incoming, Order, RefusedError, UnsupportedError
from devices.adapters.jsske import JsskeAdapter

adapter = JsskeAdapter()
REC = "mqtt/device/S08/0042/Rec"
RECORD = {
    "operator": "RecPush",
    "info": {
        "facesluiceId": "0042",
        "customId": "p-7f3a",
        "RecordID": "9",
        "VerifyStatus": "1",
        "PersonType": "0",
        "time": "2026-11-23 07:15:02",
    },
}


def decode(message: Any, topic: str) -> Decoded:
    return adapter.decode(Incoming(topic, json.dumps(message).encode()))


def told(answers: Any) -> list[tuple[str, str]]:
    return [(answer.topic, json.loads(answer.payload)["operator"]) for answer in answers]


def test_recognition_is_read_and_acknowledged_where_the_terminal_listens() -> None:
    decoded = decode(RECORD, REC)
    (reading,) = decoded.readings
    assert (decoded.sender, reading.type, reading.record_id) == ("S08:0042", "access.granted", "rec:9")
    assert "facesluice_id" not in reading.attributes
    assert told(decoded.answers) == [("mqtt/device/S08/0042", "PushAck")]


def test_shared_topics_name_the_site_and_the_body_the_terminal() -> None:
    info = {"facesluiceId": "0042", "time": "2026-11-23 07:15:02"}
    alive = decode({"operator": "HeartBeat", "info": info}, "mqtt/device/S08/heartbeat")
    assert (alive.sender, alive.signs[0].online) == ("S08:0042", True)
    online = decode({"operator": "Online", "info": info}, "mqtt/device/S08/basic")
    assert told(online.answers) == [("mqtt/device/S08/0042", "Online-Ack")]
    assert online.signs[0].device_time == dt.datetime(2026, 11, 23, 7, 15, 2)


def test_two_sites_may_both_have_a_terminal_of_one_number() -> None:
    assert decode(RECORD, "mqtt/device/S09/0042/Rec").sender == "S09:0042"


def test_poison_is_acknowledged_out_of_broken_bytes() -> None:
    broken = Incoming(REC, json.dumps(RECORD).encode()[:-1])
    with pytest.raises(RefusedError) as refused:
        adapter.decode(broken)
    assert refused.value.reason == "malformed_json"
    assert told(adapter.refused(broken, "malformed_json").answers) == [("mqtt/device/S08/0042", "PushAck")]


def test_no_door_is_opened_on_a_guess() -> None:
    assert adapter.commands == frozenset()
    with pytest.raises(UnsupportedError):
        adapter.encode(Order("c0ffee", "open", "S08:0042", dt.datetime(2026, 11, 23, tzinfo=dt.UTC)))


def test_rights_hold_a_terminal_to_its_site() -> None:
    rights = adapter.rights("S08:0042")
    assert rights.subscribe == ("mqtt/device/S08/0042",)
    assert all(wanted.startswith("mqtt/device/S08/") for wanted in rights.publish)
    assert REC in rights.publish


def test_topics_are_its_own() -> None:
    for topic in (REC, "mqtt/device/S08/heartbeat"):
        assert [found.name for found in speaking(topic)] == ["jsske"]
