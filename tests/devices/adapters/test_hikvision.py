"""ISAPI as cameras and terminals speak it; people, plates and serials are invented."""

import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError
from devices.adapters.hikvision import HikvisionAdapter
from devices.adapters.hikvision_codes import EVENTS, access_meaning, panel_meaning
from tests.support.compound import JPEG

adapter = HikvisionAdapter()
NAMESPACES = [
    ' version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"',
    ' version="1.0" xmlns="http://www.hikvision.com/ver10/XMLSchema"',
    ' version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"',
    "",
]
AT = dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)
MAC = "44:19:b6:00:11:22"


def xml(kind: str, inner: str = "", state: str = "active", namespace: str = NAMESPACES[0]) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<EventNotificationAlert{namespace}>'
        f"<ipAddress>192.0.2.7</ipAddress><portNo>80</portNo><macAddress>{MAC}</macAddress><channelID>3</channelID>"
        f"<dateTime>2026-11-23T07:15:02+08:00</dateTime><activePostCount>1</activePostCount>"
        f"<eventType>{kind}</eventType><eventState>{state}</eventState>"
        f"<eventDescription>{kind} alarm</eventDescription><channelName>东门</channelName>{inner}"
        "</EventNotificationAlert>"
    ).encode()


def anpr(**changes: str) -> bytes:
    fields = {
        "licensePlate": "云M12345",
        "confidenceLevel": "97",
        "plateColor": "blue",
        "direction": "forward",
        "plateCharBelieve": "99,98,64,99,99,97,99",
    } | changes
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return xml(
        "ANPR", f"<ANPR>{inner}<vehicleInfo><index>3301</index><color>white</color></vehicleInfo></ANPR>"
    )


def access(minor: int, major: int = 5, **changes: object) -> bytes:
    record = {
        "deviceName": "2幢门口机",
        "majorEventType": major,
        "subEventType": minor,
        "serialNo": 501,
        "employeeNoString": "R-1042",
        "name": "沈一",
        "cardNo": "1953862610",
        "currentEvent": True,
        "mask": "no",
    } | changes
    message = {
        "ipAddress": "192.0.2.8",
        "macAddress": MAC.upper().replace(":", "-"),
        "dateTime": "2026-11-23T07:15:02+08:00",
        "eventType": "AccessControllerEvent",
        "eventState": "active",
        "AccessControllerEvent": record,
    }
    return json.dumps(message).encode()


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    return adapter.decode(Incoming("", body, content_type))


def reading(body: bytes, content_type: str | None = None) -> Reading:
    (found,) = decode(body, content_type).readings
    return found


def refusal(body: bytes, content_type: str | None = None) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        decode(body, content_type)
    return refused.value


def multipart(*parts: tuple[str, str, bytes]) -> bytes:
    pieces = [
        f'--MIME_boundary\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, kind, content in parts
    ]
    return b"".join(pieces) + b"--MIME_boundary--\r\n"


FORM = "multipart/form-data; boundary=MIME_boundary"


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_all_three_namespaces_and_none_are_one_language(namespace: str) -> None:
    found = reading(xml("linedetection", namespace=namespace))
    assert (found.type, found.device_time) == ("video.line_crossing", AT)
    assert found.attributes == {"event": "linedetection", "channel": "3", "channel_name": "东门"}


@pytest.mark.parametrize(
    ("kind", "canonical"),
    [
        ("fielddetection", "video.intrusion"),
        ("regionEntrance", "video.intrusion"),
        ("regionExiting", "video.line_crossing"),
        ("loitering", "video.loitering"),
        ("group", "video.crowd"),
        ("rapidMove", "video.fast_move"),
        ("unattendedBaggage", "video.object_left"),
        ("attendedBaggage", "video.object_removed"),
        ("parking", "parking.overstay"),
        ("shelteralarm", "video.occlusion"),
        ("tamperdetection", "device.tamper"),
        ("videoloss", "video.lost"),
        ("fireDetection", "video.fire_smoke"),
        ("smokeDetection", "video.fire_smoke"),
        ("fallDown", "video.fall"),
        ("PIR", "alarm.intrusion"),
        ("IO", "alarm.intrusion"),
        ("diskfull", "device.fault"),
        ("facedetection", "face.captured"),
        ("faceSnap", "face.captured"),
    ],
)
def test_events_by_name(kind: str, canonical: str) -> None:
    assert reading(xml(kind)).type == canonical


def test_detection_target_and_region_are_kept() -> None:
    inner = (
        "<DetectionRegionList><DetectionRegionEntry><regionID>2</regionID><detectionTarget>human</detectionTarget>"
        "</DetectionRegionEntry></DetectionRegionList>"
    )
    found = reading(xml("regionExiting", inner))
    assert (found.attributes["target"], found.attributes["crossing"]) == ("human", "leave")
    assert found.attributes["DetectionRegionList"]["DetectionRegionEntry"]["regionID"] == "2"
    assert "unknown_fields" in found.marks


def test_older_firmware_calls_its_keep_alive_a_heartbeat() -> None:
    body = xml("other", state="inactive").replace(b"other alarm", b"Heartbeat")
    told = adapter.decode(Incoming("/x", body, "application/xml"))
    assert (told.readings, told.ignored, [sign.online for sign in told.signs]) == ((), "keep_alive", [True])


def test_videoloss_inactive_is_the_keep_alive() -> None:
    told = decode(xml("videoloss", state="inactive"))
    assert (told.readings, told.ignored, told.sender) == ((), "keep_alive", MAC)
    (sign,) = told.signs
    assert (sign.online, sign.device_time, sign.facts["ip"]) == (True, AT, "192.0.2.7")


def test_the_end_of_an_event_is_no_second_event() -> None:
    told = decode(xml("fielddetection", state="inactive"))
    assert (told.readings, told.signs, told.ignored) == ((), (), "no_change")


@pytest.mark.parametrize(
    ("kind", "canonical"),
    [
        ("shelteralarm", "video.occlusion"), ("tamperdetection", "device.tamper"), ("group", "video.crowd"),
        ("loitering", "video.loitering"), ("leavePosition", "video.absence_from_post"),
        ("fireEscapeDetection", "video.fire_lane_blocked"), ("unattendedBaggage", "video.object_left"),
    ],
)  # fmt: skip
def test_what_lasts_is_over_when_it_is_inactive(kind: str, canonical: str) -> None:
    unique = "<UUID>0f8fad5b-d9cb-469f</UUID>"
    began, over = reading(xml(kind, unique)), reading(xml(kind, unique, state="inactive"))
    assert (over.type, over.attributes["ended"], over.device_time) == (canonical, True, AT)
    assert (began.record_id, over.record_id) == ("0f8fad5b-d9cb-469f", "over:0f8fad5b-d9cb-469f")
    assert "ended" not in began.attributes
    assert over.attributes["channel"] == began.attributes["channel"]


def test_an_end_keeps_no_picture_of_the_beginning() -> None:
    parts = (
        ("alert", "application/xml", xml("shelteralarm", state="inactive")),
        ("pic", "image/jpeg", b"\xff\xd8\xff\xe0" + b"x" * 60 + b"\xff\xd9"),
    )
    over = reading(multipart(*parts), FORM)
    assert (over.attributes["ended"], over.pictures) == (True, ())


@pytest.mark.parametrize("kind", ["videoloss", "linedetection", "VMD", "diskfull", "teleportation"])
def test_keep_alives_and_moments_have_no_end(kind: str) -> None:
    assert decode(xml(kind, state="inactive")).readings == ()


@pytest.mark.parametrize(
    ("major", "minor", "kind"),
    [(1, 1029, "device.tamper"), (1, 1031, "device.tamper"), (1, 1040, "device.tamper"), (1, 1055, "device.tamper"),
     (1, 1033, "alarm.intrusion"), (1, 1049, "alarm.smoke"), (5, 53, "alarm.smoke")],
)  # fmt: skip
def test_a_controllers_alarm_ends_with_a_code_of_its_own(major: int, minor: int, kind: str) -> None:
    over = reading(access(minor, major))
    assert (over.type, over.attributes["ended"]) == (kind, True)
    assert "ended" not in reading(access(1028, 1)).attributes


@pytest.mark.parametrize("kind", ["VMD", "duration", "audioexception", "IDCardInfoEvent"])
def test_motion_and_noise_are_no_security(kind: str) -> None:
    assert decode(xml(kind)).ignored == "not_security"


def test_event_that_nobody_knows_is_refused_with_its_name() -> None:
    refused = refusal(xml("teleportation"))
    assert (refused.reason, refused.detail) == ("unknown_type", "teleportation")
    refused = refusal(access(4711))
    assert (refused.reason, "5/4711" in refused.detail) == ("unknown_type", True)


def test_plate_has_the_confidence_of_the_whole_and_of_its_weakest_character() -> None:
    found = reading(anpr())
    assert (found.type, found.record_id) == ("plate.recognised", "3301")
    assert (found.plate.text, found.plate.confidence, found.plate.color) == ("云M12345", 0.97, "blue")
    assert (found.attributes["lowest_character"], found.attributes["travel"]) == (0.64, "forward")
    # Towards the camera is in at one gate and out at another: the registry knows which.
    assert found.direction is None
    assert reading(anpr(direction="enter")).direction == "in"


def test_characters_have_scores_where_there_is_one_for_each() -> None:
    found = reading(anpr(plateCharBelieve="99,98,97,64,99,99,100"))
    assert found.attributes["character_scores"] == [0.99, 0.98, 0.97, 0.64, 0.99, 0.99, 1.0]
    assert "character_scores" not in reading(anpr(plateCharBelieve="99,98,97")).attributes


def test_absent_confidence_is_none() -> None:
    found = reading(anpr(confidenceLevel="", plateCharBelieve=""))
    assert found.plate.confidence is None
    assert "lowest_character" not in found.attributes
    assert "character_scores" not in found.attributes
    assert reading(anpr(confidenceLevel="0.95")).plate.confidence == 0.95
    assert reading(anpr(confidenceLevel="200")).plate.confidence is None


@pytest.mark.parametrize("none", ["unknown", "无车牌", "", "noPlate", "_无_"])
def test_no_plate_has_several_spellings(none: str) -> None:
    found = reading(anpr(licensePlate=none))
    assert (found.type, found.plate.text, found.plate.confidence) == ("plate.none", None, None)


@pytest.mark.parametrize(
    ("color", "ours"),
    [("newEnergyGreen", "green"), ("newEnergyYellowGreen", "yellow_green"), ("civilAviationBlack", "black"), ("unknown", None), ("other", None)],
)  # fmt: skip
def test_plate_colors_by_name(color: str, ours: str | None) -> None:
    assert reading(anpr(plateColor=color)).plate.color == ours


def test_uuid_is_the_record_id_and_a_placeholder_is_none() -> None:
    assert reading(anpr().replace(b"</Event", b"<UUID>x</UUID></Event")).record_id == "3301"
    unique = b"<UUID>5f1e0f3c-1f0f-4e7c-9d51-2c4a2f1b7a10</UUID></Event"
    assert reading(anpr().replace(b"</Event", unique)).record_id == "5f1e0f3c-1f0f-4e7c-9d51-2c4a2f1b7a10"


def test_history_that_a_camera_sends_later_is_late() -> None:
    late = anpr().replace(b"</ANPR>", b"</ANPR><alarmDataType>1</alarmDataType>")
    assert (reading(late).late, reading(anpr()).late) == (True, False)


def test_violation_without_a_plate_is_a_vehicle() -> None:
    assert (
        reading(xml("vehicleViolation", "<ANPR><licensePlate>unknown</licensePlate></ANPR>")).type
        == "plate.recognised"
    )


@pytest.mark.parametrize(
    ("minor", "canonical", "credential"),
    [
        (75, "access.granted", ("face", None)),
        (1, "access.granted", ("card", "1953862610")),
        (38, "access.granted", ("fingerprint", None)),
        (181, "access.granted", ("pin", None)),
        (156, "access.granted", ("qr", None)),
        (21, "door.opened", None),
        (22, "door.closed", None),
        (23, "door.opened", None),
        (25, "door.opened", None),
        (26, "door.closed", None),
        (27, "door.forced", None),
        (28, "door.held_open", None),
        (133, "video.tailgating", None),
        (136, "video.climb", None),
    ],
)
def test_access_events_by_code(minor: int, canonical: str, credential: tuple[str, str | None] | None) -> None:
    found = reading(access(minor, cardNo="1953862610" if minor == 1 else None))
    assert (found.type, found.record_id, found.device_time) == (canonical, "501", AT)
    shown = None if found.credential is None else (found.credential.kind, found.credential.ref)
    assert shown == credential
    assert found.match.person_ref == "R-1042"
    assert found.match.score is None
    assert found.attributes["code"] == f"5/{minor}"


@pytest.mark.parametrize(
    ("minor", "reason"),
    [
        (76, "face_mismatch"), (8, "expired"), (9, "no_card"), (6, "no_right"), (10, "anti_passback"),
        (3, "wrong_pin"), (5, "too_many_tries"), (49, "not_registered"), (113, "blocked"), (11, "refused"),
        (104, "face_mismatch"),
    ],
)  # fmt: skip
def test_refusals_say_why(minor: int, reason: str) -> None:
    found = reading(access(minor))
    assert (found.type, found.attributes["reason"]) == ("access.denied", reason)


@pytest.mark.parametrize(
    ("major", "minor", "canonical"),
    [
        (1, 1028, "device.tamper"), (1, 1034, "access.duress"), (1, 1036, "access.denied"),
        (1, 1048, "alarm.smoke"), (1, 1052, "alarm.sos"), (2, 39, "device.fault"), (2, 1033, "device.fault"),
        (3, 1024, "door.opened"), (3, 1025, "door.closed"),
    ],
)  # fmt: skip
def test_alarms_exceptions_and_operations_by_code(major: int, minor: int, canonical: str) -> None:
    assert reading(access(minor, major)).type == canonical


@pytest.mark.parametrize(
    ("major", "minor", "ignored"),
    [(5, 24, "no_change"), (2, 1034, "no_change"), (1, 1027, "no_change"), (3, 112, "configuration"), (5, 37, "not_security")],
)  # fmt: skip
def test_ends_and_settings_are_no_events(major: int, minor: int, ignored: str) -> None:
    assert decode(access(minor, major)).ignored == ignored


def test_exception_that_is_not_documented_is_a_fault_all_the_same() -> None:
    found = reading(access(9999, 2))
    assert (found.type, "undocumented_code" in found.marks) == ("device.fault", True)


def test_every_code_is_canonical_or_says_why_it_is_none() -> None:
    for minor in range(2000):
        for major in (1, 2, 3, 5):
            meaning, _ = access_meaning(major, minor)
            assert meaning is None or bool(meaning.type) != bool(meaning.ignored)
            assert meaning is None or (meaning.type == "access.denied") == (meaning.reason is not None)
    assert all(bool(meaning.type) != bool(meaning.ignored) for meaning in EVENTS.values())


def test_records_of_the_past_are_late() -> None:
    assert reading(access(75, currentEvent=False)).late is True
    assert reading(access(75, currentEvent="false")).late is True
    assert reading(access(75)).late is False


def test_history_that_was_asked_for_is_read_and_late() -> None:
    records = [
        {"major": 5, "minor": 75, "time": "2026-11-23T07:15:02+08:00", "serialNo": 7, "employeeNoString": "R-1042"},
        {"major": 5, "minor": 9, "time": "2026-11-23T07:16:02+08:00", "serialNo": 8, "cardNo": "77"},
    ]  # fmt: skip
    found = decode(json.dumps({"AcsEvent": {"searchID": "1", "InfoList": records}}).encode()).readings
    assert [(item.type, item.record_id, item.late) for item in found] == [
        ("access.granted", "7", True),
        ("access.denied", "8", True),
    ]


def test_remote_check_is_answered_no_and_nobody_is_let_in_by_it() -> None:
    told = decode(access(75, remoteCheck=True))
    (found,) = told.readings
    assert (found.type, found.attributes["reason"], found.attributes["remote_check"]) == (
        "access.denied",
        "refused",
        True,
    )
    assert found.match.person_ref == "R-1042"
    assert json.loads(told.reply.body) == {"RemoteCheck": {"serialNo": 501, "checkResult": "failed"}}


def test_a_code_shown_for_us_to_decide_is_refused_too() -> None:
    body = {
        "eventType": "QRCodeEvent",
        "dateTime": "2026-11-23T07:15:02+08:00",
        "QRCodeEvent": {"QRCodeInfo": "pass-77", "serialNo": 9},
    }
    told = decode(json.dumps(body).encode())
    (found,) = told.readings
    assert (found.type, found.credential.kind, found.credential.ref) == ("access.denied", "qr", "pass-77")
    assert b'"failed"' in told.reply.body
    assert "code" not in found.attributes


def test_a_field_that_is_called_like_ours_does_not_stand_in_for_it() -> None:
    assert reading(access(76, reason="fine", remote_check=False)).attributes["reason"] == "face_mismatch"


def test_names_and_what_a_terminal_thinks_of_a_face_are_dropped() -> None:
    told = decode(access(75))
    assert "沈一" not in str(told)
    assert {"AccessControllerEvent.name", "AccessControllerEvent.mask"} <= set(told.dropped)
    assert told.readings[0].attributes["deviceName"] == "2幢门口机"


def test_number_of_an_identity_card_is_no_card() -> None:
    told = decode(access(105, cardNo="53050219900101002X", employeeNoString="0"))
    assert "53050219900101002X" not in str(told)
    assert (told.readings[0].match, told.readings[0].credential.kind) == (None, "face")


def test_sender_is_the_serial_or_else_the_address_on_the_wire() -> None:
    assert decode(access(75)).sender == MAC
    assert decode(anpr().replace(b"<ANPR>", b"<deviceSerial>DS-7</deviceSerial><ANPR>")).sender == "DS-7"
    assert decode(access(75).replace(MAC.upper().replace(":", "-").encode(), b"MAC")).sender is None


@pytest.mark.parametrize("wrapped", [True, False])
def test_json_comes_wrapped_or_bare(wrapped: bool) -> None:
    bare = json.loads(access(75))
    body = json.dumps({"EventNotificationAlert": bare} if wrapped else bare).encode()
    assert reading(body).type == "access.granted"
    del bare["eventType"]
    assert reading(json.dumps(bare).encode()).type == "access.granted"


@pytest.mark.parametrize("part", ["event_log", "AccessControllerEvent", "EventNotificationAlert", "anything"])
@pytest.mark.parametrize("kind", ["image/jpeg", "image/pjpeg", "application/octet-stream"])
def test_terminal_sends_its_record_and_a_picture_in_parts(part: str, kind: str) -> None:
    body = multipart((part, "application/json", access(75)), ("Picture", kind, JPEG))
    found = reading(body, FORM)
    assert (found.type, found.pictures) == ("access.granted", (("face", JPEG),))


def test_camera_sends_a_plate_and_two_pictures_in_parts() -> None:
    body = multipart(
        ("anpr.xml", "text/xml", anpr()),
        ("licensePlatePicture.jpg", "application/octet-stream", JPEG),
        ("detectionPicture.jpg", "application/octet-stream", JPEG),
    )
    found = reading(body, FORM)
    assert found.pictures == (("plate", JPEG), ("scene", JPEG))
    # Without a header that says so, and with its pictures first.
    assert reading(body).pictures == found.pictures
    first = multipart(("licensePlatePicture.jpg", "image/jpeg", JPEG), ("anpr.xml", "text/xml", anpr()))
    assert reading(first, FORM).pictures == (("plate", JPEG),)


def test_alert_stream_holds_several_events_each_with_its_pictures() -> None:
    body = multipart(
        ("a", "application/xml", xml("videoloss", state="inactive")),
        ("b", "application/xml", xml("linedetection")),
        ("detectionImage", "image/jpeg", JPEG),
        ("c", "application/xml", xml("fielddetection")),
    )
    told = decode(body, "multipart/mixed; boundary=MIME_boundary")
    assert [(found.type, len(found.pictures)) for found in told.readings] == [
        ("video.line_crossing", 1),
        ("video.intrusion", 0),
    ]
    assert [sign.online for sign in told.signs] == [True]


def test_unknown_neighbour_does_not_take_an_alarm_with_it() -> None:
    body = multipart(
        ("a", "application/xml", xml("teleportation")), ("b", "application/xml", xml("fireDetection"))
    )
    assert reading(body, FORM).type == "video.fire_smoke"


def test_pictures_that_are_cut_off_or_too_many_do_not_cost_the_event() -> None:
    cut = multipart(("e", "application/json", access(75)), ("Picture", "image/jpeg", JPEG[:-2]))
    assert "picture_truncated" in reading(cut, FORM).marks
    many = multipart(("e", "application/json", access(75)), *[("Picture", "image/jpeg", JPEG)] * 12)
    assert len(reading(many, FORM).pictures) == 8


def face(kind: str, **face_fields: object) -> bytes:
    shown = {
        "targetAttrs": {"faceTime": "2026-11-23T07:15:02+08:00"},
        "faces": [
            {"faceId": 12, "age": {"ageGroup": "young"}, "URL": "http://192.0.2.9/f.jpg", **face_fields}
        ],
    }
    return json.dumps({"eventType": kind, "dateTime": "2026-11-23T07:15:02+08:00", kind: [shown]}).encode()


def test_face_that_a_camera_compared_is_identified_by_reference_and_never_by_name() -> None:
    candidates = [
        {"human_id": "H-2", "similarity": 0.71, "reserve_field": {"name": "沈一", "certificateNumber": "9"}},
        {"human_id": "H-1", "similarity": 0.93, "reserve_field": {"name": "沈二", "certificateNumber": "8"}},
    ]
    told = decode(face("alarmResult", identify=[{"candidate": candidates, "maxsimilarity": 0.93}]))
    (found,) = told.readings
    assert (found.type, found.match.person_ref, found.match.score) == ("face.identified", "H-1", 0.93)
    assert found.record_id == "face:12"
    assert "沈" not in str(told)
    assert found.attributes["picture_urls"] == [{"role": "face", "url": "http://192.0.2.9/f.jpg"}]


def test_face_that_resembles_nobody_is_unknown_and_one_that_was_only_seen_is_captured() -> None:
    assert reading(face("alarmResult")).type == "face.unknown"
    found = reading(face("faceCapture"))
    assert (found.type, found.match) == ("face.captured", None)
    assert "ageGroup" not in str(found)


@pytest.mark.parametrize(
    ("code", "canonical"),
    [(1130, "alarm.intrusion"), (1120, "alarm.sos"), (1121, "access.duress"), (1110, "alarm.smoke"), (1137, "device.tamper"), (1301, "device.fault")],
)  # fmt: skip
def test_alarm_panel_speaks_contact_id(code: int, canonical: str) -> None:
    assert reading(xml("cidEvent", f"<CIDEvent><code>{code}</code></CIDEvent>")).type == canonical


def test_ends_of_panel_alarms_and_arming_are_no_events() -> None:
    assert panel_meaning(3130).ignored == "no_change"
    assert panel_meaning(1401).ignored == "configuration"
    assert panel_meaning(3401).ignored == "configuration"
    assert refusal(xml("cidEvent", "<CIDEvent><code>1999</code></CIDEvent>")).reason == "unknown_type"


def test_message_that_is_sent_again_is_the_same_record() -> None:
    assert decode(access(75)) == decode(access(75))
    assert (reading(anpr()).record_id, reading(anpr()).device_time) == ("3301", AT)


def test_missing_and_unreadable_times_are_marked() -> None:
    unreadable = anpr().replace(b"2026-11-23T07:15:02+08:00", b"TIME")
    assert (reading(unreadable).device_time, "time_unreadable" in reading(unreadable).marks) == (None, True)
    missing = anpr().replace(b"<dateTime>2026-11-23T07:15:02+08:00</dateTime>", b"")
    assert "time_missing" in reading(missing).marks
    other = missing.replace(b"<ANPR>", b"<triggerTime>2026-11-23T07:15:02</triggerTime><ANPR>")
    assert reading(other).device_time == dt.datetime(2026, 11, 23, 7, 15, 2)


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", None, "malformed_json"),
        (b"<EventNotificationAlert>", None, "malformed_xml"),
        (b"not xml", "application/xml", "malformed_xml"),
        (b'<!DOCTYPE a [<!ENTITY x "1">]><a><b>&x;</b></a>', None, "malformed_xml"),
        (b"<DeviceInfo><model>x</model></DeviceInfo>", None, "unknown_type"),
        (b"<ResponseStatus><statusCode>1</statusCode></ResponseStatus>", None, "command_not_event"),
        (b"[]", None, "not_an_object"),
        (b"{}", None, "missing_field"),
        (b'{"eventType":"AccessControllerEvent"}', None, "missing_field"),
        (b"--B\r\n\r\n--B--", "multipart/form-data; boundary=B", "malformed_multipart"),
        (b"--B\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\xff\r\n--B--", None, "missing_field"),
        (b" " * (8 * 1024 * 1024 + 1), None, "too_large"),
    ],
)
def test_what_is_no_event_says_why(body: bytes, content_type: str | None, reason: str) -> None:
    assert refusal(body, content_type).reason == reason


def test_device_is_answered_200_for_what_it_said_and_for_what_we_cannot_read() -> None:
    told, refused = decode(xml("linedetection")), adapter.refused(Incoming("", b"{"), "malformed_json")
    assert told.reply.status == refused.reply.status == 200
    assert json.loads(refused.reply.body)["statusString"] == "OK"
