"""ONVIF events over MQTT in our words, and each of their traps."""

import base64
import datetime as dt
import json

import pytest

from devices.adapters import named, speaking
from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError

ONVIF = named("onvif-ej")
AT = dt.datetime(2026, 11, 22, 23, 15, 2, 120000, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 60 + b"\xff\xd9"


def decode(path: str, body: object = None, prefix: str = "GateCam1", **more: object) -> Decoded:
    told = {"UtcTime": "2026-11-22T23:15:02.120Z", "PropertyOperation": "Changed", **more}
    raw = body if isinstance(body, bytes) else json.dumps(told | (body or {})).encode()  # type: ignore[operator]
    return ONVIF.decode(Incoming(f"{prefix}/onvif-ej/{path}", raw))


def one(path: str, **more: object) -> Reading:
    (reading,) = decode(path, **more).readings
    return reading


CROSSED = "RuleEngine/LineDetector/Crossed/&1/Line 1"
INSIDE = "RuleEngine/FieldDetector/ObjectsInside/&1/Yard"


def test_a_line_that_was_crossed() -> None:
    decoded = decode(
        CROSSED,
        Source={"VideoSource": "1", "Rule": "Line 1"},
        Data={
            "Object": {
                "Object": {
                    "@ObjectId": 1234,
                    "Appearance": {"Class": {"Type": {"#text": "Person", "@Likelihood": 0.91}}},
                }
            }
        },
    )
    (reading,) = decoded.readings
    assert decoded.sender == "GateCam1"
    assert reading.type == "video.line_crossing"
    assert reading.device_time == AT
    assert reading.track == "1234"
    assert reading.attributes["rule"] == "Line 1"
    assert (reading.attributes["object"], reading.attributes["likelihood"]) == ("person", 0.91)


def test_both_shapes_of_a_payload_say_the_same() -> None:
    compact = one(INSIDE, Source={"Rule": "Yard"}, Data={"IsInside": True})
    simple = one(
        INSIDE,
        Source={"SimpleItem": [{"Name": "Rule", "Value": "Yard"}]},
        Data={"SimpleItem": [{"Name": "IsInside", "Value": "true"}]},
    )
    single = one(
        INSIDE,
        Source={"SimpleItem": {"Name": "Rule", "Value": "Yard"}},
        Data={"SimpleItem": {"Name": "IsInside", "Value": "1"}},
    )
    assert compact == simple == single
    assert compact.type == "video.intrusion"


@pytest.mark.parametrize("value", [False, "false", "0", 0])
def test_a_field_that_was_left_is_no_intrusion(value: object) -> None:
    decoded = decode(INSIDE, Data={"IsInside": value})
    assert (decoded.readings, decoded.ignored) == ((), "no_change")


@pytest.mark.parametrize("prefix", ["E4:30:22:00:00:01", "Camera_Events/Bay-4", "a/b"])
def test_a_prefix_may_be_a_mac_or_have_more_levels(prefix: str) -> None:
    decoded = decode("VideoSource/SignalLoss/&1", prefix=prefix, Data={"State": "true"})
    assert decoded.sender == prefix
    assert decoded.readings[0].type == "video.lost"
    assert ONVIF in speaking(f"{prefix}/onvif-ej/VideoSource/SignalLoss/&1")


@pytest.mark.parametrize(
    "path",
    [
        "tns1:RuleEngine/tns1:LineDetector/tns1:Crossed/&1",
        "RuleEngine/LineDetector/Crossed/&1/Line &2 left/",
        "RuleEngine/LineDetector/Crossed/",
    ],
)
def test_namespaces_ampersands_and_a_slash_at_the_end_are_of_no_matter(path: str) -> None:
    assert one(path).type == "video.line_crossing"


@pytest.mark.parametrize("spelt", ["CountAggregation", "CountAgregation"])
def test_a_counter_tells_its_count(spelt: str) -> None:
    reading = one(f"RuleEngine/{spelt}/Counter/&1/Inbound", Data={"Count": "17"})
    assert reading.type == "video.person_count"
    assert reading.attributes["count"] == 17


@pytest.mark.parametrize(
    ("path", "data", "kind"),
    [
        ("RuleEngine/FieldDetector/ObjectIsLoitering/&1", {"Status": True}, "video.loitering"),
        ("IVA/IdleObject/Bag/&1", {"State": "true"}, "video.object_left"),
        ("IVA/CrowdDetection/Yard/&1", {"State": "true"}, "video.crowd"),
        ("VideoSource/GlobalSceneChange/ImagingService/&1", {"State": "true"}, "video.occlusion"),
        ("RuleEngine/TamperDetector/Tamper/&1", {"IsTamper": "true"}, "video.occlusion"),
        ("Device/HardwareFailure/StorageFailure/&1", {"Failed": "true"}, "device.fault"),
        ("AccessControl/Duress/&1", {}, "access.duress"),
        ("Door/State/DoorTamper/&1", {"State": "TamperDetected"}, "device.tamper"),
        ("Door/State/DoorAlarm/&1", {"State": "DoorForcedOpen"}, "door.forced"),
        ("Door/State/DoorAlarm/&1", {"State": "DoorOpenTooLong"}, "door.held_open"),
    ],
)
def test_topics_have_their_meaning(path: str, data: dict[str, object], kind: str) -> None:
    assert one(path, Data=data).type == kind


@pytest.mark.parametrize(
    ("path", "data", "why"),
    [
        ("VideoSource/MotionAlarm/&1", {"State": "true"}, "not_security"),
        ("RuleEngine/CellMotionDetector/Motion/&1", {"IsMotion": "true"}, "not_security"),
        ("Device/tns1:Trigger/tns1:Relay/&Relay-1", {"LogicalState": "active"}, "not_security"),
        ("Device/Trigger/DigitalInput/&0/1", {"LogicalState": "true"}, "not_security"),
        ("Recording/", {"State": "Active"}, "configuration"),
        ("RecordingConfig/JobState/&1", {"State": "Active"}, "configuration"),
        ("RuleEngine/ObjectTrack/Aggregation/&1/Yard", {}, "no_change"),
        ("Door/State/DoorAlarm/&1", {"State": "Normal"}, "no_change"),
        ("Door/State/DoorFault/&1", {"State": "NotInFault"}, "no_change"),
        ("Monitoring/ProcessorUsage/&1", {"Value": "12"}, "keep_alive"),
    ],
)
def test_what_no_guard_needs_is_understood_and_left(path: str, data: dict[str, object], why: str) -> None:
    decoded = decode(path, Data=data)
    assert (decoded.readings, decoded.ignored) == ((), why)


def test_how_things_stand_at_connect_is_no_news() -> None:
    reading = one(INSIDE, PropertyOperation="Initialized", Data={"IsInside": "true"})
    assert reading.late
    assert not one(INSIDE, Data={"IsInside": "true"}).late


def test_a_property_that_was_deleted_says_nothing() -> None:
    assert decode(INSIDE, PropertyOperation="Deleted", Data={"IsInside": "true"}).ignored == "cleared_state"


def test_an_empty_payload_is_legal() -> None:
    assert decode(CROSSED, b"").ignored == "cleared_state"


def test_a_topic_of_the_installers_own_says_all_by_its_arrival() -> None:
    heartbeat = ONVIF.decode(Incoming("E4:30:22:00:00:01/heartbeat", b""))
    assert (heartbeat.sender, heartbeat.signs[0].online) == ("E4:30:22:00:00:01", True)
    fire = ONVIF.decode(Incoming("E4:30:22:00:00:01/fireAlarm", b""))
    assert fire.readings[0].type == "video.fire_smoke"


def test_a_doors_contact_is_a_state() -> None:
    reading = one("Door/State/DoorPhysicalState/&d1", Source={"DoorToken": "d1"}, Data={"State": "Open"})
    assert (reading.type, reading.point) == ("door.opened", ("door:d1", "open"))
    assert reading.attributes["door"] == "d1"


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("AccessControl/Denied/Credential/&a1", {"Reason": "CredentialExpired"}, "expired"),
        ("AccessControl/Denied/Credential/InvalidPIN/&a1", {}, "wrong_pin"),
        ("AccessControl/Denied/CredentialNotFound/Card/&a1", {"Card": "00A1"}, "not_registered"),
        ("AccessControl/Denied/Anonymous/&a1", {"Reason": "Other"}, "refused"),
    ],
)
def test_a_refusal_says_why(path: str, data: dict[str, object], reason: str) -> None:
    reading = one(path, Source={"AccessPointToken": "a1"}, Data=data)
    assert reading.type == "access.denied"
    assert reading.attributes["reason"] == reason
    assert reading.attributes["access_point"] == "a1"


def test_a_holders_name_is_never_kept() -> None:
    decoded = decode(
        "AccessControl/AccessGranted/Credential/&a1",
        Data={"CredentialToken": "c7", "CredentialHolderName": "赵某"},
    )
    (reading,) = decoded.readings
    assert reading.type == "access.granted"
    assert reading.attributes["credential_token"] == "c7"
    assert "赵某" not in repr(reading)
    assert decoded.dropped == ("CredentialHolderName",)


def test_how_a_person_looks_is_never_kept() -> None:
    reading = one(
        CROSSED,
        Data={
            "Object": {"Appearance": {"HumanFace": {"Gender": "x"}, "Image": base64.b64encode(JPEG).decode()}}
        },
    )
    assert "Gender" not in repr(reading.attributes)
    assert reading.pictures == (("scene", JPEG),)


def plate(number: object) -> Reading:
    return one(
        "RuleEngine/Recognition/LicensePlate/&1/LPR",
        Source={"Rule": "LPR"},
        Data={
            "Likelihood": "0.5",
            "LicensePlateInfo": {"LicensePlateInfo": {"PlateNumber": number}},
            "VehicleInfo": {"VehicleInfo": {"Brand": {"#text": "Chery"}}},
        },
    )


def test_a_plate_has_its_own_likelihood() -> None:
    reading = plate({"#text": "云M12345", "@Likelihood": 0.92})
    assert reading.plate is not None
    assert (reading.plate.text, reading.plate.confidence) == ("云M12345", 0.92)
    assert reading.attributes["brand"] == "Chery"


def test_a_plate_that_was_not_read_is_none() -> None:
    assert plate({"#text": ""}).type == "plate.none"


def test_the_likeliest_of_several_classes_counts() -> None:
    types = [{"#text": "Vehicle", "@Likelihood": 0.2}, {"#text": "Human", "@Likelihood": "0.7"}]
    reading = one(CROSSED, Data={"Object": {"Object": [{"Appearance": {"Class": {"Type": types}}}]}})
    assert reading.attributes["object"] == "human"


def test_a_time_without_a_zone_is_utc() -> None:
    assert one(CROSSED, UtcTime="2026-11-22T23:15:02.120").device_time == AT


@pytest.mark.parametrize(("given", "mark"), [(None, "time_missing"), ("soon", "time_unreadable")])
def test_an_event_without_its_time_counts_and_is_marked(given: object, mark: str) -> None:
    reading = one(CROSSED, UtcTime=given)
    assert reading.device_time is None
    assert mark in reading.marks


def test_unknown_values_are_kept_and_marked() -> None:
    reading = one(INSIDE, Data={"IsInside": True, "Heading": "north"})
    assert reading.attributes["Heading"] == "north"
    assert "unknown_fields" in reading.marks


def test_a_message_sent_again_is_the_same_event() -> None:
    assert one(INSIDE, Data={"IsInside": True}) == one(INSIDE, Data={"IsInside": True})


def test_a_topic_that_nobody_documents_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="unknown_type: RuleEngine/Teapot"):
        decode("RuleEngine/Teapot/Boiling/&1")


def test_a_topic_of_others_is_not_its_own() -> None:
    with pytest.raises(RefusedError, match="wrong_topic"):
        ONVIF.decode(Incoming("somebody/else", b"{}"))


def test_a_device_may_publish_under_its_prefix_alone() -> None:
    rights = ONVIF.rights("Camera_Events/Bay-4")
    assert (rights.publish, rights.subscribe) == (("Camera_Events/Bay-4/onvif-ej/#",), ())


def test_a_topic_cut_short_is_made_up_for_by_the_messages_own() -> None:
    assert one("IVA/", Topic="tns1:RuleEngine/LineDetector/Crossed").type == "video.line_crossing"
    with pytest.raises(RefusedError, match="unknown_type: IVA"):
        decode("IVA/")


ENDS = [
    ("Door/State/DoorTamper/&1", {"State": "NotInTamper"}, "device.tamper"),
    ("VideoSource/GlobalSceneChange/ImagingService/&1", {"State": "false"}, "video.occlusion"),
    ("VideoSource/SignalLoss/&1", {"State": 0}, "video.lost"),
    ("RuleEngine/FieldDetector/ObjectIsLoitering/&1", {"State": False}, "video.loitering"),
    ("IVA/IdleObject/&1", {"State": "false"}, "video.object_left"),
]


@pytest.mark.parametrize(("path", "data", "kind"), ENDS)
def test_a_state_that_has_changed_to_no_is_the_end_of_what_lasts(
    path: str, data: dict[str, object], kind: str
) -> None:
    over = one(path, Data=data, PropertyOperation="Changed")
    assert (over.type, over.attributes["ended"], over.late) == (kind, True, False)
    assert over.device_time == AT


@pytest.mark.parametrize("operation", ["Initialized", "", None])
@pytest.mark.parametrize(("path", "data", "kind"), ENDS)
def test_a_state_that_is_merely_reported_ends_nothing(
    path: str, data: dict[str, object], kind: str, operation: str | None
) -> None:
    decoded = decode(path, Data=data, PropertyOperation=operation)
    assert (decoded.readings, decoded.ignored) == ((), "no_change")
