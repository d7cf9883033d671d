import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, Order, RefusedError, UnsupportedError
from devices.adapters.shelly import ShellyAdapter

SHELLY = ShellyAdapter()
NOW = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=dt.UTC)


def decode(topic: str, body: object, *, retained: bool = False) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SHELLY.decode(Incoming(topic, raw, retained=retained))


def notified(method: str = "NotifyStatus", **params: object) -> dict:
    return {
        "src": "shellyplus1-a8032ab00001",
        "dst": "x/events",
        "method": method,
        "params": {"ts": NOW.timestamp()} | params,
    }


def order(kind: str, **arguments: object) -> Order:
    return Order("c1", kind, "b3-door", NOW, arguments)


@pytest.mark.parametrize(
    ("topic", "body", "kind", "point"),
    [
        ("shellies/shellydw2-A1B2C3/sensor/state", b"open", "door.opened", ("door", "open")),
        ("shellies/shellydw2-A1B2C3/sensor/state", b"close", "door.closed", ("door", "closed")),
        ("shellies/shellysmoke-A1B2C3/sensor/smoke", b"true", "alarm.smoke", ("smoke", "on")),
        ("shellies/shellysmoke-A1B2C3/sensor/smoke", b"false", "alarm.smoke", ("smoke", "off")),
        ("shellies/shellygas-A1B2C3/sensor/gas", b"heavy", "alarm.smoke", ("gas", "on")),
        ("shellies/shellygas-A1B2C3/sensor/gas", b"none", "alarm.smoke", ("gas", "off")),
    ],
)
def test_sensors_of_the_first_generation_say_one_word(
    topic: str, body: bytes, kind: str, point: tuple
) -> None:
    decoded = decode(topic, body)
    (reading,) = decoded.readings
    assert decoded.sender == topic.split("/")[1]
    assert (reading.type, reading.point, reading.device) == (kind, point, None)
    assert reading.marks == ("time_missing",)


def test_a_gas_detector_that_tests_itself_raises_nothing() -> None:
    assert decode("shellies/shellygas-A1/sensor/gas", b"test").readings == ()


@pytest.mark.parametrize(("body", "kind"), [(b"1", "door.opened"), (b"0", "door.closed")])
def test_an_input_means_what_its_name_says(body: bytes, kind: str) -> None:
    assert decode("shellies/b3-door/input/0", body).readings[0].type == kind
    assert decode("shellies/shelly1-A1B2C3/input/0", body).readings == ()
    state = {"id": 0, "state": body == b"1"}
    assert decode("b3-door/events/rpc", notified(**{"input:0": state})).readings[0].type == kind
    assert decode("b3-door/status/input:0", state).readings[0].type == kind


def test_two_inputs_of_one_device_are_two_points() -> None:
    readings = decode(
        "b3-door/events/rpc", notified(**{"input:0": {"state": True}, "input:1": {"state": False}})
    ).readings
    assert [reading.point for reading in readings] == [("door", "open"), ("door:input:1", "closed")]


def test_a_press_of_the_first_generation_counts_once_however_often_it_is_told() -> None:
    one, again, two = (
        decode("shellies/sos-3-2/input_event/0", {"event": "S", "event_cnt": count}).readings[0]
        for count in (4, 4, 5)
    )
    assert one.type == "alarm.sos"
    assert one.point == again.point
    assert one.point != two.point
    assert decode("shellies/sos-3-2/input_event/0", {"event": "", "event_cnt": 0}).readings == ()
    assert decode("shellies/lamp/input_event/0", {"event": "S", "event_cnt": 4}).readings == ()


def test_a_push_of_the_second_generation_calls_for_help_where_the_name_says_so() -> None:
    events = [
        {"component": "input:0", "id": 0, "event": "btn_down", "ts": NOW.timestamp()},
        {"component": "input:0", "id": 0, "event": "long_push", "ts": NOW.timestamp()},
    ]
    decoded = decode("sos-3-2/events/rpc", notified("NotifyEvent", events=events))
    (alarm,) = decoded.readings
    assert (decoded.sender, alarm.type, alarm.device_time) == ("sos-3-2", "alarm.sos", NOW)
    assert alarm.attributes == {"input": "input:0", "event": "long_push"}
    assert decode("lamp/events/rpc", notified("NotifyEvent", events=events)).readings == ()


def test_a_smoke_detector_of_the_second_generation_is_read_whatever_its_name() -> None:
    (alarm,) = decode(
        "shellyplussmoke-1/events/rpc", notified(**{"smoke:0": {"id": 0, "alarm": True}})
    ).readings
    assert (alarm.type, alarm.point, alarm.device_time) == ("alarm.smoke", ("smoke", "on"), NOW)


def test_a_garage_door_is_a_cover_that_its_name_tells() -> None:
    assert decode("garage/status/cover:0", {"id": 0, "state": "open"}).readings[0].type == "door.opened"
    assert decode("garage/status/cover:0", {"id": 0, "state": "closed"}).readings[0].type == "door.closed"
    assert decode("garage/status/cover:0", {"id": 0, "state": "opening"}).readings == ()
    assert decode("blinds/status/cover:0", {"id": 0, "state": "open"}).readings == ()


def test_a_device_that_has_not_heard_of_the_time_has_none() -> None:
    (alarm,) = decode("x/events/rpc", notified(ts=3.2, **{"smoke:0": {"alarm": True}})).readings
    assert (alarm.device_time, alarm.marks) == (None, ("time_missing",))


@pytest.mark.parametrize(
    ("topic", "body", "online", "facts"),
    [
        ("shellies/b3-door/online", b"true", True, {}),
        ("shellies/b3-door/online", b"false", False, {}),
        ("b3-door/online", b"true", True, {}),
        ("b3-door/online", b"false", False, {}),
        ("shellies/b3-door/sensor/battery", b"88", True, {"battery": 88}),
        ("shellies/announce", b'{"id":"b3-door","model":"SHDW-2","mac":"AA","ip":"192.0.2.7","fw_ver":"1.14"}', True,
         {"model": "SHDW-2", "mac": "AA", "ip": "192.0.2.7", "firmware": "1.14"}),
        ("b3-door/status/devicepower:0", b'{"id":0,"battery":{"V":5.2,"percent":77}}', True, {"battery": 77}),
        ("b3-door/events/rpc", json.dumps(notified(wifi={"sta_ip": "192.0.2.8"})).encode(), True, {"ip": "192.0.2.8"}),
    ],
)  # fmt: skip
def test_a_device_is_online_by_what_it_says_and_offline_by_its_last_will(
    topic: str, body: bytes, online: bool, facts: dict
) -> None:
    decoded = decode(topic, body)
    (sign,) = decoded.signs
    assert (decoded.sender, sign.online, sign.facts) == ("b3-door", online, facts)


def test_what_the_broker_remembers_is_no_sign_of_life() -> None:
    decoded = decode("shellies/shellydw2-A1/sensor/state", b"open", retained=True)
    assert (decoded.signs, len(decoded.readings)) == ((), 1)


@pytest.mark.parametrize(
    ("topic", "body", "ignored"),
    [
        ("shellies/b3-door/relay/0", b"on", "no_change"),
        ("shellies/b3-door/sensor/lux", b"17", "not_security"),
        ("shellies/b3-door/sensor/state", b"", "cleared_state"),
        ("b3-door/status/switch:0", b'{"id":0,"output":true}', "not_security"),
        ("b3-door/online", b"", "cleared_state"),
    ],
)
def test_what_is_understood_and_no_event(topic: str, body: bytes, ignored: str) -> None:
    assert decode(topic, body).ignored == ignored


def test_commands_let_go_by_themselves_and_come_back_with_their_id() -> None:
    (sent,) = SHELLY.encode(order("open", door=2, seconds=5.0))
    call = json.loads(sent.payload)
    assert (sent.topic, sent.qos) == ("b3-door/rpc", 1)
    assert call == {
        "id": "c1",
        "src": "shelly/b3-door",
        "method": "Switch.Set",
        "params": {"id": 1, "on": True, "toggle_after": 5.0},
    }
    answer = {
        "id": call["id"],
        "src": "shellyplus1-a8032ab00001",
        "dst": call["src"],
        "result": {"was_on": False},
    }
    decoded = decode(f"{call['src']}/rpc", answer)
    (result,) = decoded.results
    assert (decoded.sender, result.command_id, result.ok) == ("b3-door", "c1", True)


def test_a_door_is_held_until_it_is_released() -> None:
    held, released = (
        json.loads(SHELLY.encode(order(kind))[0].payload)["params"] for kind in ("hold", "release")
    )
    assert (held, released) == ({"id": 0, "on": True}, {"id": 0, "on": False})


def test_an_error_is_told_with_its_code() -> None:
    (result,) = decode(
        "shelly/b3-door/rpc", {"id": "c1", "error": {"code": -105, "message": "no such switch"}}
    ).results
    assert (result.ok, result.code, result.text) == (False, "-105", "no such switch")


def test_a_command_that_it_does_not_know_is_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        SHELLY.encode(order("enrol"))


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("b3-door/rpc", b'{"id":1,"method":"Switch.Set"}', "command_not_event"),
        ("", b'{"id":1,"src":"x","method":"Switch.Set","params":{}}', "command_not_event"),
        ("shellies/b3-door/relay/0/command", b"on", "command_not_event"),
        ("b3-door/events/rpc", b'{"dst":"x","method":"NotifyThing"}', "unknown_type"),
        ("b3-door/events/rpc", b'{"method":{},"dst":"x"}', "unknown_type"),
        ("b3-door/events/rpc", b"[]", "not_an_object"),
        ("b3-door/online", b"perhaps", "invalid_field"),
        ("shelly/b3-door/rpc", b"{}", "unknown_type"),
        ("b3-door/thing", b"1", "wrong_topic"),
        ("shellies/b3-door", b"1", "wrong_topic"),
        ("b3-door/events/rpc", b"{", "malformed_json"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason
