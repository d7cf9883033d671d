import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, Order, RefusedError, UnsupportedError
from devices.adapters.tasmota import TasmotaAdapter

TASMOTA = TasmotaAdapter()
AT = "2026-11-23T15:15:02"
NAIVE = dt.datetime(2026, 11, 23, 15, 15, 2)


def decode(topic: str, body: object, *, retained: bool = False) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return TASMOTA.decode(Incoming(topic, raw, retained=retained))


def zigbee(**told: object) -> Decoded:
    device = {"Device": "0x1A2B", "Endpoint": 1, "LinkQuality": 120} | told
    return decode("tele/bridge/SENSOR", {"Time": AT, "ZbReceived": {"0x1A2B": device}})


def order(kind: str, **arguments: object) -> Order:
    return Order("c1", kind, "b3_door", dt.datetime(2026, 11, 23, tzinfo=dt.UTC), arguments)


def test_contact_zero_means_closed() -> None:
    (closed,) = zigbee(Contact=0).readings
    assert (closed.type, closed.point, closed.device) == ("door.closed", ("door", "closed"), "0x1A2B")
    (opened,) = zigbee(Contact=1).readings
    assert opened.type == "door.opened"
    assert decode("tele/b3/SENSOR", {"Time": AT, "Contact": 0}).readings[0].type == "door.closed"


def test_its_time_is_local_and_names_no_zone() -> None:
    assert zigbee(Contact=1).readings[0].device_time == NAIVE


@pytest.mark.parametrize(
    ("said", "mark"),
    [(None, "time_missing"), ("1970-01-01T00:00:41", "time_missing"), ("soon", "time_unreadable")],
)
def test_a_time_that_is_none_is_marked(said: str | None, mark: str) -> None:
    (reading,) = decode("tele/b3/SENSOR", {"Time": said, "Contact": 1}).readings
    assert (reading.device_time, reading.marks) == (None, (mark,))


def test_a_zigbee_device_goes_by_the_name_that_it_was_given() -> None:
    decoded = zigbee(Contact=1, Name="b3 door", BatteryPercentage=60)
    assert decoded.readings[0].device == "b3 door"
    own, behind = decoded.signs
    assert (own.device, behind.device, behind.facts) == (None, "b3 door", {"battery": 60, "linkquality": 120})


@pytest.mark.parametrize(
    ("told", "kind"),
    [({"Fire": 1}, "alarm.smoke"), ({"CO": 1}, "alarm.smoke"), ({"Panic": 1}, "alarm.sos"), ({"Fire": 0}, "alarm.smoke"),
     ({"Name": "sos 3-2", "Click": "single"}, "alarm.sos")],
)  # fmt: skip
def test_detectors_behind_a_bridge_are_heard(told: dict, kind: str) -> None:
    assert [reading.type for reading in zigbee(**told).readings] == [kind]


def test_only_the_bits_of_a_zone_status_that_mean_the_same_everywhere_are_read() -> None:
    tamper, battery = zigbee(ZoneStatus=0x4 | 0x1).readings
    assert (tamper.type, battery.point) == ("device.tamper", ("battery", "off"))
    assert zigbee(ZoneStatusChange=0x8).readings[1].type == "device.fault"


@pytest.mark.parametrize(
    ("topic", "body", "kind"),
    [
        ("tele/b3_door/SENSOR", {"Time": AT, "Switch1": "ON"}, "door.opened"),
        ("tele/b3_door/SENSOR", {"Time": AT, "Switch1": "OFF"}, "door.closed"),
        ("stat/b3_door/RESULT", {"Switch1": {"Action": "ON"}}, "door.opened"),
        ("stat/b3_door/SWITCH1", "ON", "door.opened"),
        ("stat/sos_3_2/RESULT", {"Switch1": {"Action": "ON"}}, "alarm.sos"),
        ("stat/sos_3_2/RESULT", {"Button1": {"Action": "HOLD"}}, "alarm.sos"),
    ],
)
def test_an_input_means_what_its_name_says(topic: str, body: object, kind: str) -> None:
    decoded = decode(topic, body)
    assert decoded.sender == topic.split("/")[1]
    assert [reading.type for reading in decoded.readings] == [kind]
    unnamed = decode(topic.replace("b3_door", "tasmota_A1").replace("sos_3_2", "tasmota_A1"), body)
    assert unnamed.readings == ()


def test_a_radio_code_says_nothing_of_what_sent_it() -> None:
    decoded = decode("tele/b3_door/RESULT", {"Time": AT, "RfReceived": {"Data": "F2B4D1", "RfKey": "None"}})
    assert (decoded.readings, decoded.ignored) == ((), "not_security")


@pytest.mark.parametrize(
    ("topic", "body", "online", "facts", "ignored"),
    [
        ("tele/b3/LWT", b"Online", True, {}, None),
        ("tele/b3/LWT", b"Offline", False, {}, None),
        ("tele/b3/STATE", {"Time": AT, "Uptime": "0T01:00:00", "POWER": "ON"}, True, {}, "keep_alive"),
        ("stat/b3/STATUS2", {"StatusFWR": {"Version": "14.3.0(tasmota)"}}, True, {"firmware": "14.3.0(tasmota)"}, "configuration"),
        ("stat/b3/STATUS5", {"StatusNET": {"IPAddress": "192.0.2.9"}}, True, {"ip": "192.0.2.9"}, "configuration"),
        ("tele/b3/INFO1", {"Info1": {"Module": "Generic", "Version": "14.3"}}, True, {"model": "Generic", "firmware": "14.3"}, "configuration"),
    ],
)  # fmt: skip
def test_a_device_is_online_by_what_it_says_and_offline_by_its_last_will(
    topic: str, body: object, online: bool, facts: dict, ignored: str | None
) -> None:
    decoded = decode(topic, body)
    (sign,) = decoded.signs
    assert (sign.online, sign.facts, decoded.ignored) == (online, facts, ignored)


def test_what_the_broker_remembers_is_no_sign_of_life() -> None:
    assert decode("tele/b3/STATE", {"Time": AT, "Uptime": "x"}, retained=True).signs == ()


@pytest.mark.parametrize(
    ("topic", "body", "ignored"),
    [
        ("stat/b3/RESULT", b'{"POWER":"ON"}', "answer"),
        ("stat/b3/POWER", b"ON", "answer"),
        ("tele/b3/SENSOR", b"", "cleared_state"),
        ("tasmota/discovery/AABBCC/config", b"{}", "discovery"),
        ("tele/b3/SENSOR", b'{"Time":"2026-11-23T15:15:02","AM2301":{"Temperature":21}}', "not_security"),
    ],
)
def test_what_is_understood_and_no_event(topic: str, body: bytes, ignored: str) -> None:
    assert decode(topic, body).ignored == ignored


def test_commands_end_by_themselves_within_one_message() -> None:
    (sent,) = TASMOTA.encode(order("open", door=2, seconds=5.0))
    assert (sent.topic, sent.payload, sent.qos) == (
        "cmnd/b3_door/Backlog",
        b"Power2 ON; Delay 50; Power2 OFF",
        1,
    )
    assert TASMOTA.encode(order("open", seconds=9999))[0].payload == b"Power1 ON; Delay 3600; Power1 OFF"
    assert TASMOTA.encode(order("hold"))[0].payload == b"ON"
    assert TASMOTA.encode(order("release"))[0].payload == b"OFF"
    with pytest.raises(UnsupportedError):
        TASMOTA.encode(order("speak"))


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("cmnd/b3/POWER", b"ON", "command_not_event"),
        ("tele/b3/LWT", b"perhaps", "invalid_field"),
        ("tele/b3/SENSOR", b"17", "not_an_object"),
        ("tele/b3/SENSOR", b"{", "malformed_json"),
        ("tele/b3", b"{}", "wrong_topic"),
        ("other/b3/SENSOR", b"{}", "wrong_topic"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason
