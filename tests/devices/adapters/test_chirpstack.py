import datetime as dt
import json

import pytest

from devices.adapters.chirpstack import ChirpStackAdapter
from devices.adapters.contract import Decoded, Incoming, RefusedError

CHIRPSTACK = ChirpStackAdapter()
EUI = "a84041000181c061"
TOPIC = f"application/7/device/{EUI}/event/"
AT = dt.datetime(2026, 11, 23, 7, 15, 2, 120_000, dt.UTC)


def decode(topic: str, body: object, **about: object) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CHIRPSTACK.decode(Incoming(topic, raw, **about))


def uplink(told: dict | None = None, **changes: object) -> dict:
    body = {
        "deduplicationId": "5b4e-17",
        "time": "2026-11-23T07:15:02.120775023+00:00",
        "deviceInfo": {
            "tenantName": "t",
            "applicationId": "7",
            "deviceProfileName": "WS301",
            "deviceName": "b3-door",
            "devEui": EUI,
            "tags": {},
        },
        "devAddr": "00189440",
        "fCnt": 4,
        "fPort": 85,
        "data": "AXVk",
        "rxInfo": [{"gatewayId": "g", "rssi": -48}],
    }
    return body | ({} if told is None else {"object": told}) | changes


def only(told: dict, **changes: object):
    (reading,) = decode(TOPIC + "up", uplink(told, **changes)).readings
    return reading


@pytest.mark.parametrize(
    ("told", "kind", "point"),
    [
        ({"magnet_status": "open"}, "door.opened", ("door", "open")),
        ({"magnet_status": "close"}, "door.closed", ("door", "closed")),
        ({"DOOR_OPEN_STATUS": 1}, "door.opened", ("door", "open")),
        ({"DOOR_OPEN_STATUS": 0.0}, "door.closed", ("door", "closed")),
        ({"door": True}, "door.opened", ("door", "open")),
        ({"smoke_status": "alarm"}, "alarm.smoke", ("smoke", "on")),
        ({"smoke": 0}, "alarm.smoke", ("smoke", "off")),
        ({"gas_status": "abnormal"}, "alarm.smoke", ("gas", "on")),
        ({"tamper_status": "uninstalled"}, "device.tamper", ("tamper", "on")),
        ({"tamper_status": "installed"}, "device.tamper", ("tamper", "off")),
        ({"battery_low": True}, "device.fault", ("battery", "on")),
        ({"sos": "TRUE"}, "alarm.sos", None),
        ({"decoded": {"door": "open"}}, "door.opened", ("door", "open")),
    ],
)
def test_codecs_say_it_in_many_words(told: dict, kind: str, point: tuple | None) -> None:
    reading = only(told)
    assert (reading.type, reading.point, reading.device, reading.device_time) == (
        kind,
        point,
        EUI,
        AT.replace(microsecond=120_775),
    )


def test_one_uplink_tells_several_things_each_with_its_identity() -> None:
    decoded = decode(
        TOPIC + "up",
        uplink({"magnet_status": "open", "tamper_status": "installed", "smoke": 0, "battery": 97}),
    )
    assert decoded.sender == "application"
    records = [reading.record_id for reading in decoded.readings]
    assert len(records) == len(set(records)) == 3
    assert all(record.startswith("5b4e-17/") for record in records)
    assert decoded.signs[0].facts == {"name": "b3-door", "model": "WS301", "battery": 97}
    assert decode(TOPIC + "up", uplink({"magnet_status": "open"})) == decode(
        TOPIC + "up", uplink({"magnet_status": "open"})
    )


@pytest.mark.parametrize(
    "told", [{"press": "short"}, {"button_event": {"status": "long", "type": 1}}, {"pressed": 1}]
)
def test_a_button_calls_for_help_where_its_name_says_so(told: dict) -> None:
    named = {"deviceInfo": {"devEui": EUI, "deviceName": "SOS 3-2"}}
    assert only(told, **named).type == "alarm.sos"
    assert decode(TOPIC + "up", uplink(told)).readings == ()


def test_how_often_and_how_long_a_door_was_open_is_not_its_state() -> None:
    decoded = decode(
        TOPIC + "up", uplink({"DOOR_OPEN_TIMES": 1, "LAST_DOOR_OPEN_DURATION": 1, "temperature": 21})
    )
    assert (decoded.readings, decoded.ignored) == ((), "not_security")


def test_unknown_fields_are_kept_and_sensitive_ones_are_not() -> None:
    decoded = decode(TOPIC + "up", uplink({"door": "open", "door_open_times": 3, "age": 40}))
    assert decoded.readings[0].attributes == {"door_open_times": 3}
    assert decoded.readings[0].marks == ("unknown_fields",)
    assert decoded.dropped == ("age",)


def test_bytes_without_a_codec_are_refused_since_they_may_be_a_call_for_help() -> None:
    with pytest.raises(RefusedError) as refused:
        decode(TOPIC + "up", uplink())
    assert refused.value.reason == "missing_field"
    assert "codec" in refused.value.detail


def test_an_uplink_without_bytes_keeps_the_network_alive_and_no_more() -> None:
    decoded = decode(TOPIC + "up", uplink(data=""))
    assert (decoded.ignored, decoded.signs[0].online) == ("keep_alive", True)


def version_3(**changes: object) -> dict:
    return {
        "applicationID": "7",
        "applicationName": "doors",
        "deviceName": "b3-door",
        "devEUI": "qEBBAAGBwGE=",
        "rxInfo": [
            {"gatewayID": "AwM=", "time": None},
            {"gatewayID": "AwQ=", "time": "2026-11-23T07:15:02.120Z"},
        ],
        "fCnt": 10,
        "fPort": 5,
        "data": "AXVk",
    } | changes


@pytest.mark.parametrize("eui", ["qEBBAAGBwGE=", "A84041000181C061"])
def test_version_3_names_a_device_in_base64_or_in_digits(eui: str) -> None:
    decoded = decode("", version_3(devEUI=eui, objectJSON='{"door": "open"}'))
    (reading,) = decoded.readings
    assert (reading.device, reading.record_id, reading.device_time) == (EUI, "f10/door", AT)
    assert (
        decode(TOPIC.replace(EUI, EUI.upper()) + "up", version_3(object={"door": "open"})).readings[0].device
        == EUI
    )


def test_version_3_without_a_clock_at_any_gateway_has_no_time() -> None:
    (reading,) = decode("", version_3(rxInfo=[], object={"door": 1})).readings
    assert (reading.device_time, reading.marks) == (None, ("time_missing",))


def test_a_device_is_alive_when_it_joins_and_when_it_tells_its_battery() -> None:
    body = {"time": "2026-11-23T07:15:02.120Z", "deviceInfo": {"devEui": EUI, "deviceName": "b3-door"}}
    joined = decode(TOPIC + "join", body | {"devAddr": "00189440"})
    assert (joined.signs[0].device, joined.signs[0].online, joined.ignored) == (EUI, True, "keep_alive")
    status = decode(TOPIC + "status", body | {"margin": 14, "batteryLevel": 75.5})
    assert status.signs[0].facts == {"name": "b3-door", "battery": 75.5, "margin": 14}
    unknown = decode(
        TOPIC + "status", body | {"margin": 14, "batteryLevelUnavailable": True, "batteryLevel": 0.0}
    )
    assert "battery" not in unknown.signs[0].facts


def test_what_the_broker_remembers_is_no_sign_of_life() -> None:
    assert decode(TOPIC + "up", uplink({"door": 1}), retained=True).signs == ()


@pytest.mark.parametrize(
    ("event", "body"),
    [
        (
            "log",
            {
                "level": "ERROR",
                "code": "UPLINK_CODEC",
                "description": "x is undefined",
                "context": {"deduplication_id": "5b4e"},
            },
        ),
        ("error", {"type": "UPLINK_CODEC", "error": "x is undefined", "fCnt": 4}),
    ],
)
def test_an_error_of_the_network_server_is_a_fault_of_the_device(event: str, body: dict) -> None:
    (fault,) = decode(TOPIC + event, body).readings
    assert (fault.type, fault.device) == ("device.fault", EUI)
    assert fault.attributes == {"code": "UPLINK_CODEC", "description": "x is undefined"}


@pytest.mark.parametrize(
    ("event", "body", "ignored"),
    [
        ("ack", {"queueItemId": "q", "acknowledged": True}, "answer"),
        ("txack", {"queueItemId": "q"}, "answer"),
        ("location", {"location": {"latitude": 1.0}}, "not_security"),
        ("log", {"level": "WARNING", "code": "UPLINK_F_CNT_RESET"}, "not_security"),
    ],
)
def test_what_is_understood_and_no_event(event: str, body: dict, ignored: str) -> None:
    assert decode(TOPIC + event, body).ignored == ignored


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (uplink({"door": 1}), "readings"),
        ({"deviceInfo": {"devEui": EUI}, "margin": 3, "batteryLevel": 9.0}, "signs"),
        ({"deviceInfo": {"devEui": EUI}, "devAddr": "00189440"}, "signs"),
        ({"deviceInfo": {"devEui": EUI}, "level": "ERROR", "code": "OTAA", "description": "x"}, "readings"),
    ],
)
def test_events_are_told_apart_without_their_topic(body: dict, kept: str) -> None:
    assert getattr(decode("", body), kept)


def test_a_push_by_http_names_its_event_in_the_query_and_is_answered() -> None:
    decoded = decode("/?event=up", uplink({"door": 1}), content_type="application/json")
    assert decoded.readings[0].type == "door.opened"
    assert (decoded.reply.status, decoded.reply.body) == (200, b"")
    assert decode(TOPIC + "up", uplink({"door": 1})).reply is None


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (f"application/7/device/{EUI}/command/down", {}, "command_not_event"),
        (f"application/7/device/{EUI}/rx", {}, "wrong_topic"),
        (TOPIC + "thing", {}, "unknown_type"),
        ("", {}, "unknown_type"),
        ("", {"object": {}}, "missing_field"),
        ("", version_3(objectJSON="{"), "invalid_field"),
        (TOPIC + "up", b"{", "malformed_json"),
        (TOPIC + "up", b"[]", "not_an_object"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: object, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason
