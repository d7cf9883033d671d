import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, RefusedError
from devices.adapters.homeassistant import HomeAssistantAdapter

HOME = HomeAssistantAdapter()


def decode(topic: str, body: object, *, retained: bool = False) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HOME.decode(Incoming(topic, raw, retained=retained))


def said(entity: str, state: str) -> Decoded:
    return decode(f"homeassistant/{entity.replace('.', '/')}/state", state.encode())


def changed(entity: str, state: str, **attributes: object) -> dict:
    return {
        "entity_id": entity,
        "state": state,
        "attributes": {"friendly_name": "B3 thing"} | attributes,
        "last_changed": "2026-11-23T07:15:02.120000+00:00",
        "context": {"id": "01J"},
    }


@pytest.mark.parametrize(
    ("entity", "state", "kind", "point"),
    [
        ("binary_sensor.b3_door", "on", "door.opened", ("door", "open")),
        ("binary_sensor.b3_door", "off", "door.closed", ("door", "closed")),
        ("binary_sensor.stairs_window", "on", "door.opened", ("door", "open")),
        ("binary_sensor.b3_smoke", "on", "alarm.smoke", ("smoke", "on")),
        ("binary_sensor.b3_door_tamper", "on", "device.tamper", ("tamper", "on")),
        ("binary_sensor.b3_door_battery", "on", "device.fault", ("battery", "on")),
        ("binary_sensor.b3_smoke", "off", "alarm.smoke", ("smoke", "off")),
        ("lock.b3", "locked", "door.closed", ("lock", "locked")),
        ("lock.b3", "unlocked", "door.opened", ("lock", "unlocked")),
        ("lock.b3", "jammed", "device.fault", ("lock", "jammed")),
        ("cover.garage_door", "open", "door.opened", ("door", "open")),
        ("alarm_control_panel.office", "triggered", "alarm.intrusion", ("alarm", "triggered")),
    ],
)
def test_the_state_stream_is_read_by_the_names_of_its_entities(
    entity: str, state: str, kind: str, point: tuple
) -> None:
    decoded = said(entity, state)
    (reading,) = decoded.readings
    assert decoded.sender == "homeassistant"
    assert (reading.type, reading.point, reading.device) == (kind, point, entity)
    assert (reading.device_time, reading.marks) == (None, ("time_missing",))


@pytest.mark.parametrize(
    "state",
    [
        "disarmed",
        "armed_home",
        "armed_away",
        "armed_night",
        "armed_vacation",
        "armed_custom_bypass",
        "pending",
        "triggered",
    ],
)
def test_the_alarm_panel_says_its_state(state: str) -> None:
    (reading,) = said("alarm_control_panel.office", state).readings
    assert (reading.type, reading.attributes["state"]) == ("alarm.intrusion", state)
    is_alarm = state in {"pending", "triggered"}
    assert reading.attributes.get("ended") is (None if is_alarm else True)
    assert reading.attributes.get("armed") is (None if is_alarm else state != "disarmed")


@pytest.mark.parametrize(
    ("entity", "state"),
    [("lock.b3", "unlocking"), ("cover.garage_door", "opening"), ("alarm_control_panel.x", "arming"),
     ("binary_sensor.b3_door", "unknown")],
)  # fmt: skip
def test_what_is_only_on_its_way_is_no_change(entity: str, state: str) -> None:
    assert said(entity, state).ignored == "no_change"


@pytest.mark.parametrize(
    ("entity", "state"),
    [("binary_sensor.hall_motion", "on"), ("binary_sensor.window_vibration", "on"), ("binary_sensor.thing", "on"),
     ("sensor.temperature", "21.5"), ("light.stairs", "on"), ("cover.blinds", "open")],
)  # fmt: skip
def test_what_no_name_tells_is_not_guessed(entity: str, state: str) -> None:
    decoded = said(entity, state)
    assert (decoded.readings, decoded.ignored) == ((), "not_security")


def test_where_people_are_is_not_looked_at() -> None:
    decoded = said("person.somebody", "home")
    assert (decoded.readings, decoded.signs, decoded.ignored) == ((), (), "not_security")
    assert "somebody" not in str(decoded)


@pytest.mark.parametrize(
    ("device_class", "kind"),
    [("garage_door", "door.opened"), ("opening", "door.opened"), ("smoke", "alarm.smoke"), ("gas", "alarm.smoke"),
     ("safety", "alarm.sos"), ("tamper", "device.tamper"), ("problem", "device.fault"), ("lock", "door.opened")],
)  # fmt: skip
def test_a_device_class_counts_more_than_a_name(device_class: str, kind: str) -> None:
    (reading,) = decode("", changed("binary_sensor.thing", "on", device_class=device_class)).readings
    assert reading.type == kind


def test_a_door_whose_class_is_motion_is_motion() -> None:
    assert decode("", changed("binary_sensor.door", "on", device_class="motion")).readings == ()


@pytest.mark.parametrize("where", ["event_data", "data"])
def test_the_event_stream_brings_the_time(where: str) -> None:
    state = changed("binary_sensor.b3", "on", device_class="door")
    del state["entity_id"]
    body = {
        "event_type": "state_changed",
        where: {"entity_id": "binary_sensor.b3", "new_state": state, "old_state": None},
    }
    (reading,) = decode("", body).readings
    assert (reading.type, reading.device) == ("door.opened", "binary_sensor.b3")
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2, 120_000, dt.UTC)
    assert reading.marks == ()


def test_an_entity_that_is_removed_says_nothing() -> None:
    body = {"event_type": "state_changed", "event_data": {"entity_id": "lock.b3", "new_state": None}}
    with pytest.raises(RefusedError) as refused:
        decode("", body)
    assert refused.value.reason == "unknown_type"


def test_who_locked_is_dropped_and_what_is_not_known_is_kept() -> None:
    decoded = decode(
        "", changed("lock.b3", "unlocked", changed_by="Somebody", code_format="^\\d+$", volume=3)
    )
    assert decoded.dropped == ("attributes.changed_by",)
    assert decoded.readings[0].attributes == {"volume": 3, "lock": "unlocked"}
    assert decoded.readings[0].marks == ("unknown_fields",)
    assert "Somebody" not in str(decoded)


def test_a_call_for_help_told_again_at_a_start_is_the_same_one() -> None:
    pressed = "2026-11-23T07:15:02.120+00:00"
    one, two = said("event.sos_3_2", pressed), said("event.sos_3_2", pressed)
    assert one == two
    (alarm,) = one.readings
    assert (alarm.type, alarm.device_time) == (
        "alarm.sos",
        dt.datetime(2026, 11, 23, 7, 15, 2, 120_000, dt.UTC),
    )
    assert alarm.record_id is not None
    assert alarm.marks == ()


def test_what_is_unavailable_is_offline_and_what_speaks_is_online() -> None:
    assert said("lock.b3", "unavailable").signs[0].online is False
    assert said("lock.b3", "locked").signs[0].online is True
    assert decode("homeassistant/lock/b3/state", b"locked", retained=True).signs == ()
    (sign,) = decode("homeassistant/status", b"offline").signs
    assert (sign.online, sign.device) == (False, None)


def test_an_old_state_is_not_taken_for_a_slow_clock() -> None:
    assert decode("", changed("lock.b3", "locked")).signs[0].device_time is None


@pytest.mark.parametrize(
    ("topic", "body", "ignored"),
    [
        ("homeassistant/binary_sensor/x/config", b'{"state_topic":"a"}', "discovery"),
        ("homeassistant/device/x/config", b'{"cmps":{}}', "discovery"),
        ("homeassistant/binary_sensor/x/y/config", b"", "cleared_state"),
        ("", b'{"name":"x","unique_id":"u","state_topic":"a/b"}', "discovery"),
        ("homeassistant/lock/b3/changed_by", b"null", "cleared_state"),
        ("homeassistant/lock/b3/last_changed", b"2026-11-23T07:15:02+00:00", "no_change"),
        ("homeassistant/binary_sensor/b3/device_class", b'"door"', "no_change"),
        ("homeassistant/sensor/other/program/state", b"{}", "no_change"),
        ("", b'{"event_type":"call_service"}', "not_security"),
    ],
)
def test_what_is_understood_and_no_event(topic: str, body: bytes, ignored: str) -> None:
    assert decode(topic, body).ignored == ignored


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("", b"lock:\n  - platform: mqtt\n", "malformed_json"),
        ("homeassistant/lock/b3/state", b"lock:\n  - platform: mqtt\n", "malformed_json"),
        ("homeassistant/lock/b3/state", b"x" * 256, "malformed_json"),
        ("homeassistant/lock/b3/set", b"UNLOCK", "command_not_event"),
        ("homeassistant/lock/b3/state", b"{", "malformed_json"),
        ("", b"{}", "unknown_type"),
        ("home/lock", b"locked", "wrong_topic"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason
