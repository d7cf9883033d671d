import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, Order, RefusedError, UnsupportedError
from devices.adapters.zigbee2mqtt import Zigbee2MqttAdapter

Z2M = Zigbee2MqttAdapter()


def decode(topic: str, body: object, *, retained: bool = False) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Z2M.decode(Incoming(topic, raw, retained=retained))


def types(decoded: Decoded) -> list[str]:
    return [reading.type for reading in decoded.readings]


def test_contact_true_means_closed() -> None:
    (closed,) = decode("zigbee2mqtt/b3-door", {"contact": True}).readings
    assert (closed.type, closed.device, closed.point) == ("door.closed", "b3-door", ("door", "closed"))
    (opened,) = decode("zigbee2mqtt/b3-door", {"contact": False}).readings
    assert (opened.type, opened.point) == ("door.opened", ("door", "open"))


def test_a_friendly_name_may_hold_slashes() -> None:
    decoded = decode("zigbee2mqtt/b3/unit 1/door", {"contact": False})
    assert decoded.readings[0].device == "b3/unit 1/door"
    assert decode("zigbee2mqtt/b3/unit 1/door/availability", b"online").signs[0].device == "b3/unit 1/door"


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("smoke", "alarm.smoke"),
        ("gas", "alarm.smoke"),
        ("carbon_monoxide", "alarm.smoke"),
        ("tamper", "device.tamper"),
        ("battery_low", "device.fault"),
    ],
)
def test_an_alarm_is_raised_and_its_end_is_told_without_being_an_alarm(field: str, kind: str) -> None:
    (raised,) = decode("zigbee2mqtt/d", {field: True}).readings
    (cleared,) = decode("zigbee2mqtt/d", {field: False}).readings
    assert raised.type == kind
    assert cleared.rests
    # A battery that was changed is no news; smoke that has cleared is.
    lasts = kind != "device.fault"
    assert (cleared.type, cleared.attributes.get("ended")) == (
        (kind, True) if lasts else ("device.online", None)
    )
    assert raised.point[0] == cleared.point[0]
    assert (raised.point[1], cleared.point[1]) == ("on", "off")


@pytest.mark.parametrize(
    "body", [{"action": "emergency"}, {"action": "sos"}, {"action": "panic"}, {"sos": True}]
)
def test_every_press_of_a_call_for_help_counts(body: dict) -> None:
    (alarm,) = decode("zigbee2mqtt/sos-3-2", body).readings
    assert (alarm.type, alarm.point) == ("alarm.sos", None)


def test_a_button_that_is_not_pressed_calls_nobody() -> None:
    assert decode("zigbee2mqtt/sos-3-2", {"sos": False}).readings == ()


@pytest.mark.parametrize("body", [{"action": "single"}, {"action": None}, {"action": ""}, {"occupancy": True},
                                  {"vibration": True}, {"water_leak": True}, {"state": "ON"}])  # fmt: skip
def test_what_concerns_no_gate_is_only_a_sign_of_life(body: dict) -> None:
    decoded = decode("zigbee2mqtt/thing", body | {"battery": 88, "linkquality": 70})
    assert (decoded.readings, decoded.ignored) == ((), "not_security")
    assert (decoded.signs[0].device, decoded.signs[0].facts) == ("thing", {"battery": 88, "linkquality": 70})


@pytest.mark.parametrize(("source", "kind"), [("keypad", "pin"), ("rfid", "card"), ("bluetooth", "phone")])
def test_an_unlock_with_a_credential_is_an_access(source: str, kind: str) -> None:
    body = {"action": "unlock", "action_source_name": source, "action_user": 7, "action_source": 0}
    (access,) = decode("zigbee2mqtt/lock", body).readings
    assert access.type == "access.granted"
    assert (access.credential.kind, access.credential.ref) == (kind, "7")
    assert access.attributes == {"action": "unlock", "source": source}
    assert access.point is None


def test_an_unlock_by_a_finger_keeps_the_slot_without_naming_a_credential_that_we_do_not_have() -> None:
    body = {"action": "unlock", "action_source_name": "fingerprint", "action_user": 3}
    (access,) = decode("zigbee2mqtt/lock", body).readings
    assert access.credential is None
    assert access.attributes == {"action": "unlock", "source": "fingerprint", "user": "3"}


@pytest.mark.parametrize(
    ("action", "reason"),
    [("unlock_failure_invalid_pin_or_id", "wrong_pin"), ("unlock_failure_invalid_schedule", "no_right")],
)
def test_an_unlock_that_failed_is_denied_with_its_reason(action: str, reason: str) -> None:
    (denied,) = decode("zigbee2mqtt/lock", {"action": action, "action_source_name": "keypad"}).readings
    assert (denied.type, denied.attributes["reason"]) == ("access.denied", reason)


def test_the_action_of_a_lock_and_its_bolt_are_told_apart() -> None:
    body = {
        "action": "unlock",
        "action_source_name": "keypad",
        "action_user": 2,
        "lock_state": "locked",
        "state": "LOCK",
    }
    access, bolt = decode("zigbee2mqtt/lock", body).readings
    assert access.type == "access.granted"
    assert (bolt.type, bolt.point, bolt.attributes["lock"]) == ("door.closed", ("lock", "locked"), "locked")


@pytest.mark.parametrize(
    ("body", "kind", "value"),
    [
        ({"lock_state": "unlocked"}, "door.opened", "unlocked"),
        ({"state": "UNLOCK"}, "door.opened", "unlocked"),
        ({"state": "LOCK"}, "door.closed", "locked"),
        ({"lock_state": "not_fully_locked", "state": "UNLOCK"}, "device.fault", "jammed"),
    ],
)
def test_the_bolt_has_three_states(body: dict, kind: str, value: str) -> None:
    (bolt,) = decode("zigbee2mqtt/lock", body).readings
    assert (bolt.type, bolt.point) == (kind, ("lock", value))


def test_a_code_that_opens_the_door_is_never_kept() -> None:
    decoded = decode(
        "zigbee2mqtt/lock",
        {"lock_state": "locked", "pin_code": {"user": 1, "pin_code": "4711"}, "last_used_pin_code": "4711",
         "users": {"1": {"pin_code": "4711"}}, "action_code": "4711", "sound_volume": "high"},
    )  # fmt: skip
    assert "4711" not in str(decoded)
    assert set(decoded.dropped) == {"pin_code", "last_used_pin_code", "users", "action_code"}
    assert decoded.readings[0].attributes == {"sound_volume": "high", "lock": "locked"}
    assert "unknown_fields" in decoded.readings[0].marks


@pytest.mark.parametrize(
    "said", [1_795_000_000_120, "2026-11-18T11:06:40.120Z", "2026-11-18T19:06:40.120+08:00", "1795000000120"]
)
def test_last_seen_is_the_time_in_every_spelling(said: object) -> None:
    (reading,) = decode("zigbee2mqtt/d", {"contact": True, "last_seen": said}).readings
    assert reading.device_time == dt.datetime(2026, 11, 18, 11, 6, 40, 120_000, dt.UTC)
    assert reading.marks == ()


def test_most_tell_no_time_and_one_that_cannot_be_read_is_marked() -> None:
    assert decode("zigbee2mqtt/d", {"contact": True}).readings[0].marks == ("time_missing",)
    assert decode("zigbee2mqtt/d", {"contact": True, "last_seen": "soon"}).readings[0].marks == (
        "time_unreadable",
    )


@pytest.mark.parametrize(
    ("topic", "body", "device", "online"),
    [
        ("zigbee2mqtt/d/availability", b"online", "d", True),
        ("zigbee2mqtt/d/availability", b'{"state":"offline"}', "d", False),
        ("zigbee2mqtt/bridge/state", b"offline", None, False),
        ("zigbee2mqtt/bridge/state", b'{"state":"online"}', None, True),
        ("zigbee2mqtt/bridge/health", b'{"response_time":1}', None, True),
        ("zigbee2mqtt/bridge/event", b'{"type":"device_announce","data":{"friendly_name":"d"}}', "d", True),
        ("zigbee2mqtt/bridge/event", b'{"type":"device_leave","data":{"friendly_name":"d"}}', "d", False),
    ],
)
def test_bridge_and_devices_are_online_in_old_and_new_spelling(
    topic: str, body: bytes, device: str | None, online: bool
) -> None:
    (sign,) = decode(topic, body).signs
    assert (sign.device, sign.online) == (device, online)


def test_what_the_broker_remembers_is_a_state_and_no_sign_of_life() -> None:
    decoded = decode("zigbee2mqtt/d", {"contact": False}, retained=True)
    assert types(decoded) == ["door.opened"]
    assert decoded.signs == ()


@pytest.mark.parametrize("kind", ["device_joined", "device_interview"])
def test_a_new_device_is_discovered_and_not_trusted(kind: str) -> None:
    body = {"type": kind, "data": {"friendly_name": "0x00158d0001", "ieee_address": "0x00158d0001"}}
    decoded = decode("zigbee2mqtt/bridge/event", body)
    assert (decoded.signs, decoded.ignored) == ((), "discovery")
    assert decode("", body) == decoded


@pytest.mark.parametrize(
    ("topic", "body", "ignored"),
    [
        ("zigbee2mqtt/bridge/devices", b"[]", "discovery"),
        ("zigbee2mqtt/bridge/info", b"{}", "configuration"),
        ("zigbee2mqtt/bridge/groups", b"[]", "configuration"),
        ("zigbee2mqtt/bridge/logging", b'{"level":"info","message":"x"}', "not_security"),
        ("zigbee2mqtt/d", b"", "cleared_state"),
        ("zigbee2mqtt/d/temperature", b"21.5", "not_security"),
    ],
)
def test_what_is_understood_and_no_event(topic: str, body: bytes, ignored: str) -> None:
    assert decode(topic, body).ignored == ignored


def test_an_attribute_published_for_itself_is_the_devices() -> None:
    (opened,) = decode("zigbee2mqtt/b3/door/contact", b"false").readings
    assert (opened.type, opened.device) == ("door.opened", "b3/door")


@pytest.mark.parametrize(
    ("body", "ignored"),
    [
        ({"status": {}, "type": []}, "not_security"),
        ({"level": "info", "message": "x", "namespace": "z2m"}, "not_security"),
    ],
)
def test_a_message_without_its_topic_is_told_by_its_shape(body: dict, ignored: str) -> None:
    assert decode("", body).ignored == ignored
    assert decode("", {"state": "online"}).signs[0].online is True
    assert decode("", {"data": {}, "status": "ok"}).results[0].ok is True


def test_a_response_carries_the_transaction_of_its_request() -> None:
    (result,) = decode(
        "zigbee2mqtt/bridge/response/permit_join",
        {"data": {}, "status": "error", "error": "no adapter", "transaction": 23},
    ).results
    assert (result.command_id, result.ok, result.code, result.text) == ("23", False, "error", "no adapter")


@pytest.mark.parametrize(("kind", "state"), [("open", "UNLOCK"), ("close", "LOCK")])
def test_a_lock_is_commanded_by_one_message(kind: str, state: str) -> None:
    order = Order("c1", kind, "b3/lock", dt.datetime(2026, 11, 23, tzinfo=dt.UTC))
    (sent,) = Z2M.encode(order)
    assert (sent.topic, json.loads(sent.payload), sent.qos) == (
        "zigbee2mqtt/b3/lock/set",
        {"state": state},
        1,
    )


def test_a_command_that_it_does_not_know_is_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        Z2M.encode(Order("c1", "speak", "lock", dt.datetime(2026, 11, 23, tzinfo=dt.UTC)))


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("zigbee2mqtt/lock/set", b'{"state":"UNLOCK"}', "command_not_event"),
        ("zigbee2mqtt/lock/set/state", b"UNLOCK", "command_not_event"),
        ("zigbee2mqtt/lock/get", b'{"state":""}', "command_not_event"),
        ("zigbee2mqtt/bridge/request/permit_join", b"{}", "command_not_event"),
        ("zigbee2mqtt/bridge/event", b'{"type":"device_exploded"}', "unknown_type"),
        ("zigbee2mqtt/bridge/event", b'{"type":{}}', "unknown_type"),
        ("zigbee2mqtt/lock", b"{", "malformed_json"),
        ("zigbee2mqtt/lock", b"\xff\xfe", "malformed_json"),
        ("zigbee2mqtt/lock", b"17", "not_an_object"),
        ("zigbee2mqtt/lock/availability", b"perhaps", "invalid_field"),
        ("other/lock", b"{}", "wrong_topic"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason
