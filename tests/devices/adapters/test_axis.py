"""Axis messages in our words, and each of their traps."""

import base64
import datetime as dt
import json

import pytest

from devices.adapters import named, speaking
from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError

AXIS = named("axis")
MILLIS = 1795389302120
AT = dt.datetime(2026, 11, 22, 23, 15, 2, 120000, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 60 + b"\xff\xd9"
AOA = "axis:CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1"


def decode(
    topic: str, data: dict[str, object] | None = None, mqtt: str = "axis/B8A44F000001/event/x", **more: object
) -> Decoded:
    message = {"source": more.pop("source", {}), "key": {}, "data": data or {}}
    body = {"topic": topic, "timestamp": MILLIS, "serial": "B8A44F000001", "message": message, **more}
    return AXIS.decode(Incoming(mqtt, json.dumps(body).encode()))


def one(topic: str, data: dict[str, object] | None = None, **more: object) -> Reading:
    (reading,) = decode(topic, data, **more).readings  # type: ignore[arg-type]
    return reading


def test_a_crossing_counter_tells_who_crossed_and_the_totals() -> None:
    decoded = decode(AOA, {"scenario": "passageCounts", "reason": "human", "total": "4", "totalHuman": "4"})
    (reading,) = decoded.readings
    assert decoded.sender == "B8A44F000001"
    assert reading.type == "video.person_count"
    assert reading.device_time == AT
    assert reading.attributes["counts"] == {"total": 4, "totalHuman": 4}
    assert reading.attributes["object"] == "human"


def test_a_car_that_crosses_is_no_person() -> None:
    reading = one(AOA, {"reason": "car", "total": "21", "totalCar": "18", "totalMotorcycle/bicycle": "0"})
    assert reading.type == "video.line_crossing"
    assert reading.attributes["object"] == "car"


def test_an_object_in_an_area_is_an_intrusion_and_its_leaving_is_none() -> None:
    data = {
        "active": "1",
        "objectId": "4240",
        "classTypes": "human",
        "triggerTime": "2026-11-23T07:15:02.120+0800",
    }
    reading = one(AOA.replace("Scenario1", "ScenarioANY"), data)
    assert reading.type == "video.intrusion"
    assert (reading.track, reading.record_id) == ("4240", "object:4240")
    assert reading.device_time == AT
    assert reading.attributes["object"] == "human"
    assert decode(AOA, data | {"active": "0"}).ignored == "no_change"


def test_an_alarm_that_was_reset_is_over_and_one_that_is_merely_at_rest_is_not() -> None:
    data = {"active": "0", "objectId": "4240", "scenarioType": "timeInArea"}
    reset = {"triggerTime": "2026-11-23T07:14:00+0800", "resetTime": "2026-11-23T07:15:02.120+0800"}
    over = one(AOA, data | reset)
    assert (over.type, over.attributes["ended"], over.device_time) == ("video.loitering", True, AT)
    assert over.record_id == "over:object:4240"
    assert decode(AOA, data).readings == ()
    assert decode(AOA, data | reset | {"resetTime": ""}).readings == ()
    assert decode(AOA, data | reset | {"scenarioType": "motion"}).readings == ()


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("fence", "video.line_crossing"), ("motion", "video.intrusion"), ("tailgating", "video.tailgating"),
        ("timeInArea", "video.loitering"), ("occupancyInArea", "video.crowd"),
    ],
)  # fmt: skip
def test_scenarios_have_their_meaning(scenario: str, kind: str) -> None:
    assert one(AOA, {"active": "1", "scenarioType": scenario}).type == kind


def test_a_counters_interval_is_a_statistic() -> None:
    assert decode(f"{AOA}Interval", {"total": "4"}).ignored == "not_security"


@pytest.mark.parametrize(
    "topic",
    [
        "axis/B8A44F000001/event/tns:axis/CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
        "axis/B8:A4:4F:00:00:01/event/CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1",
        "axis/intercom/b8a44f000001/event/tns:axis/CameraApplicationPlatform/FenceGuard/$source/zone/3",
    ],
)
def test_the_serial_number_and_the_event_stand_in_the_topic(topic: str) -> None:
    body = {"timestamp": MILLIS, "message": {"source": {}, "key": {}, "data": {"active": "1"}}}
    decoded = AXIS.decode(Incoming(topic, json.dumps(body).encode()))
    assert decoded.sender == "B8A44F000001"
    assert decoded.readings[0].type in {"video.intrusion", "video.line_crossing"}
    assert AXIS in speaking(topic)


def test_a_mac_with_colons_is_the_same_serial_number() -> None:
    assert decode(AOA, {"active": "1"}, serial="B8:A4:4F:00:00:01").sender == "B8A44F000001"


@pytest.mark.parametrize(
    ("topic", "data", "kind"),
    [
        ("axis:CameraApplicationPlatform/FenceGuard/Camera1Profile1", {"active": "1"}, "video.line_crossing"),
        ("axis:CameraApplicationPlatform/LoiteringGuard/Camera1Profile1", {"active": "1"}, "video.loitering"),
        ("onvif:VideoSource/axis:Tampering", {"tampering": "1"}, "video.occlusion"),
        ("onvif:VideoSource/GlobalSceneChange/ImagingService", {"State": "1"}, "video.occlusion"),
        ("onvif:Device/axis:IO/SupervisedPort", {"tampered": "1"}, "device.tamper"),
        ("onvif:Device/axis:Casing/Open", {"Open": "1"}, "device.tamper"),
        ("axis:Storage/Disruption", {"disruption": "1"}, "device.fault"),
        ("onvif:Door/State/DoorAlarm", {"State": "DoorForcedOpen"}, "door.forced"),
        ("onvif:AccessControl/AccessGranted/Credential", {"CredentialToken": "c7"}, "access.granted"),
    ],
)
def test_topics_have_their_meaning(topic: str, data: dict[str, object], kind: str) -> None:
    assert one(topic, data).type == kind


@pytest.mark.parametrize(
    ("topic", "data", "why"),
    [
        ("onvif:Device/axis:IO/Port", {"state": "1"}, "not_security"),
        ("axis:CameraApplicationPlatform/VMD/Camera1ProfileANY", {"active": "1"}, "not_security"),
        ("onvif:VideoSource/axis:DayNightVision", {"day": "1"}, "not_security"),
        ("onvif:PTZController/axis:Move", {"is_moving": "1"}, "configuration"),
        ("onvif:VideoSource/axis:Tampering", {"tampering": "0"}, "no_change"),
        ("axis:Storage/Disruption", {"disruption": "0"}, "no_change"),
        ("axis:CameraApplicationPlatform/ALPV.AllowList", {"active": "1"}, "no_change"),
    ],
)
def test_what_no_guard_needs_is_understood_and_left(topic: str, data: dict[str, object], why: str) -> None:
    decoded = decode(topic, data)
    assert (decoded.readings, decoded.ignored) == ((), why)


def test_a_doors_contact_is_a_state() -> None:
    reading = one("onvif:Door/State/DoorPhysicalState", {"State": "Closed"}, source={"DoorToken": "d1"})
    assert (reading.type, reading.point) == ("door.closed", ("door:d1", "closed"))


def test_a_holders_name_is_never_kept() -> None:
    decoded = decode(
        "onvif:AccessControl/Denied/Credential",
        {"CredentialHolderName": "赵某", "Reason": "NotPermittedAtThisTime"},
        source={"AccessPointToken": "a1"},
    )
    (reading,) = decoded.readings
    assert reading.attributes["reason"] == "no_right"
    assert "赵某" not in repr(reading)
    assert "message.CredentialHolderName" in decoded.dropped


def test_an_empty_payload_is_legal() -> None:
    decoded = AXIS.decode(Incoming("axis/B8A44F000001/event/x", b""))
    assert (decoded.ignored, decoded.sender) == ("cleared_state", "B8A44F000001")


@pytest.mark.parametrize(("said", "online"), [("Connected", True), ("Connection lost", False)])
def test_connect_message_and_last_will_are_signs_of_life_or_its_end(said: str, online: bool) -> None:
    body = json.dumps({"description": said}).encode()
    decoded = AXIS.decode(Incoming("axis/B8A44F000001/event/connection", body))
    assert (decoded.sender, decoded.signs[0].online) == ("B8A44F000001", online)


def passage(state: str, text: str, at: int = MILLIS, **more: str) -> Reading:
    data = {
        "carID": "123", "carState": state, "text": text, "lpConfidence": "0.856800",
        "carMoveDirection": "unknown", "capture_timestamp": str(at), "width": "192", "left": "625",
        "country": "CHN", "vehicleMake": "Chery",
    } | more  # fmt: skip
    return one("axis:CameraApplicationPlatform/ALPV.AllPlates", data)


def test_a_plate_reading_of_the_event_bridge() -> None:
    reading = passage("new", "云M12345")
    assert reading.type == "plate.recognised"
    assert reading.plate is not None
    assert (reading.plate.text, reading.plate.confidence) == ("云M12345", 0.8568)
    assert reading.direction is None
    assert passage("update", "云M12345", carMoveDirection="in").direction == "in"


def test_one_passage_is_one_car_told_in_rising_revisions() -> None:
    told = [
        passage("new", "云M1234Q"),
        passage("update", "云M1234Q", MILLIS + 50, carMoveDirection="in"),
        passage("update", "云M12340", MILLIS + 300),
        passage("lost", "云M12340", MILLIS + 300),
    ]
    assert {reading.record_id for reading in told} == {"car:123"}
    revisions = [reading.revision for reading in told]
    assert revisions == sorted(set(revisions))
    assert told[-1].plate is not None
    assert told[-1].plate.text == "云M12340"


def test_where_in_the_picture_a_plate_was_makes_no_two_tellings_differ() -> None:
    assert passage("new", "云M12345") == passage("new", "云M12345", left="640", width="180")


def push(**more: object) -> dict[str, object]:
    return {
        "carID": "1327", "carState": "new", "plateText": "云M12345", "plateUTF8": "云M12345",
        "plateASCII": "M12345", "plateConfidence": "0.868800", "plateCountry": "CHN",
        "carMoveDirection": "out", "capture_timestamp": str(MILLIS), "datetime": "20261123 071502120",
        "camera_info": {"SerialNumber": "B8A44F000002"}, "vehicle_info": {"brand": "Chery", "color": "GRAY"},
        "imageType": "plate", "imageArray": base64.b64encode(JPEG).decode(),
    } | more  # fmt: skip


def pushed(body: object, content_type: str = "application/json") -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return AXIS.decode(Incoming("/lpr", raw, content_type))


def test_a_plate_that_is_pushed_by_http() -> None:
    decoded = pushed(push())
    (reading,) = decoded.readings
    assert decoded.sender == "B8A44F000002"
    assert reading.plate is not None
    assert (reading.plate.text, reading.plate.confidence) == ("云M12345", 0.8688)
    assert (reading.direction, reading.device_time) == ("out", AT)
    assert reading.pictures == (("plate", JPEG),)
    assert decoded.reply is not None
    assert decoded.reply.status == 200


def test_a_push_in_parts_brings_its_picture_as_it_is() -> None:
    head = b"--b\r\nContent-Type: application/json\r\n\r\n"
    body = head + json.dumps(push(imageArray=None)).encode() + b"\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n"
    decoded = pushed(body + JPEG + b"\r\n--b--\r\n", "multipart/form-data; boundary=b")
    assert decoded.readings[0].pictures == (("plate", JPEG),)


def test_a_push_without_milliseconds_has_the_cameras_local_time() -> None:
    reading = pushed(push(capture_timestamp=None)).readings[0]
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2, 120000)


def test_an_absent_score_is_none_and_a_percentage_is_read_as_one() -> None:
    absent, percent = push(), push(plateConfidence="87")
    del absent["plateConfidence"]
    scores = [pushed(body).readings[0].plate for body in (absent, percent)]
    assert [score.confidence for score in scores if score is not None] == [None, 0.87]


def test_a_car_without_a_plate_is_told_as_such() -> None:
    assert pushed(push(plateText="", plateUTF8="", plateASCII="")).readings[0].type == "plate.none"


def test_unknown_values_are_kept_and_marked() -> None:
    reading = one(AOA, {"active": "1", "speed": "12.000000"})
    assert reading.attributes["speed"] == "12.000000"
    assert "unknown_fields" in reading.marks


def test_a_message_sent_again_is_the_same_event() -> None:
    data = {"active": "1", "objectId": "7"}
    assert one(AOA, data) == one(AOA, data)


def test_a_topic_that_nobody_documents_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="unknown_type: teapot/boiling"):
        decode("axis:Teapot/Boiling", {"active": "1"})


def test_what_is_refused_is_answered_all_the_same_or_it_would_come_for_ever() -> None:
    assert AXIS.refused(Incoming("/lpr", b"{", "application/json"), "malformed_json").reply is not None
    assert AXIS.refused(Incoming("axis/B8A44F000001/event/x", b"{"), "malformed_json").reply is None


def test_a_device_may_publish_under_its_serial_number_alone() -> None:
    assert AXIS.rights("B8A44F000001").publish == ("axis/B8A44F000001/#",)
