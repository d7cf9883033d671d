"""Uniview's pushes in our words, and each of their traps."""

import base64
import datetime as dt
import json

import pytest

from devices.adapters import named
from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError

UNIVIEW = named("uniview-lapi")
EPOCH = 1795389302
AT = dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 60 + b"\xff\xd9"
PICTURE = base64.b64encode(JPEG).decode()
VERIFIED = "/LAPI/V1.0/System/Event/Notification/PersonVerification"
ALARM = "/LAPI/V1.0/System/Event/Notification/Alarm"
STRUCTURE = "/LAPI/V1.0/System/Event/Notification/Structure"


def decode(path: str, body: object, content_type: str = "application/json") -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return UNIVIEW.decode(Incoming(path, raw, content_type))


def record(**more: object) -> dict[str, object]:
    return {
        "Reference": "", "Seq": 9, "DeviceCode": "TESTSN0001", "Timestamp": EPOCH + 3, "NotificationType": 0,
        "FaceInfoNum": 1,
        "FaceInfoList": [
            {
                "ID": 9, "Timestamp": EPOCH, "CapSrc": 1, "Temperature": 36.5, "MaskFlag": 1,
                "PanoImage": {"Name": "1.jpg", "Size": 68, "Data": PICTURE},
                "FaceImage": {"Name": "2.jpg", "Size": 68, "Data": PICTURE},
            }
        ],
        "CardInfoNum": 0, "CardInfoList": [], "GateInfoNum": 0, "GateInfoList": [], "LibMatInfoNum": 1,
        "LibMatInfoList": [match()],
    } | more  # fmt: skip


def match(**more: object) -> dict[str, object]:
    person = {"PersonCode": "111", "PersonName": "赵某", "Gender": 1, "CardID": "", "IdentityNo": "x"}
    return {
        "ID": 9, "LibID": 3, "LibType": 3, "MatchStatus": 1, "MatchPersonID": 111, "MatchFaceID": 1,
        "MatchPersonInfo": person,
    } | more  # fmt: skip


def one(path: str, body: object) -> Reading:
    (reading,) = decode(path, body).readings
    return reading


def test_a_face_that_was_let_in() -> None:
    decoded = decode(VERIFIED, record())
    (reading,) = decoded.readings
    assert decoded.sender == "TESTSN0001"
    assert reading.type == "access.granted"
    assert reading.record_id == "record:9"
    assert reading.device_time == AT
    assert reading.credential is not None
    assert reading.credential.kind == "face"
    assert reading.match is not None
    assert (reading.match.person_ref, reading.match.score) == ("111", None)
    assert reading.pictures == (("face", JPEG), ("scene", JPEG))


def test_the_other_path_of_the_same_record() -> None:
    assert one("/LAPI/V1.0/PACS/Controller/Event/Notifications", record()).type == "access.granted"


def test_a_score_is_a_percentage_where_there_is_one() -> None:
    reading = one(VERIFIED, record(LibMatInfoList=[match(MatchFaceConfidence=93)]))
    assert reading.match is not None
    assert reading.match.score == 0.93


@pytest.mark.parametrize(
    ("status", "more", "reason"),
    [
        (2, {}, "face_mismatch"), (8, {"MatchPersonID": 0}, "not_registered"),
        (2, {"LibType": 2}, "not_registered"), (3, {}, "no_right"), (4, {}, "expired"), (9, {}, "refused"),
        (10, {}, "refused"), (1, {"LibType": 1}, "blocked"),
    ],
)  # fmt: skip
def test_a_refusal_says_why(status: int, more: dict[str, object], reason: str) -> None:
    reading = one(VERIFIED, record(LibMatInfoList=[match(MatchStatus=status, **more)]))
    assert reading.type == "access.denied"
    assert reading.attributes["reason"] == reason


def test_a_photo_held_to_the_camera_is_said_to_be_no_living_face() -> None:
    reading = one(VERIFIED, record(LibMatInfoList=[match(MatchStatus=6, MatchPersonID=0)]))
    assert reading.type == "access.denied"
    assert reading.match is not None
    assert (reading.match.person_ref, reading.match.liveness) == (None, False)


def test_an_unknown_verdict_is_never_taken_for_a_yes() -> None:
    reading = one(VERIFIED, record(LibMatInfoList=[match(MatchStatus=77)]))
    assert reading.type == "face.captured"
    assert "undocumented_code" in reading.marks


def test_an_enrolment_at_the_terminal_is_no_entry() -> None:
    decoded = decode(VERIFIED, record(LibMatInfoList=[match(MatchStatus=21)]))
    assert (decoded.readings, decoded.ignored) == ((), "configuration")


def test_a_face_without_a_verdict_is_ours_to_recognise() -> None:
    assert one(VERIFIED, record(LibMatInfoList=[])).type == "face.captured"


@pytest.mark.parametrize(("status", "kind"), [(1, "access.granted"), (0, "access.denied")])
def test_a_card_alone_is_told_by_its_own_state(status: int, kind: str) -> None:
    card = {"ID": 1, "Timestamp": EPOCH, "CapSrc": 2, "CardType": 1, "CardID": "00A1", "CardStatus": status}
    reading = one(VERIFIED, record(FaceInfoList=[], LibMatInfoList=[], CardInfoList=[card]))
    assert reading.type == kind
    assert reading.credential is not None
    assert (reading.credential.kind, reading.credential.ref) == ("card", "00A1")
    assert reading.device_time == AT


def test_nothing_of_an_identity_card_is_kept() -> None:
    card = {
        "CardType": 0, "CardID": "7788", "Name": "钱某", "IdentityNo": "530502199001011234", "Ethnicity": 1,
        "Birthday": "19900101", "ResidentialAddress": "保山", "IDImage": {"Data": PICTURE},
    }  # fmt: skip
    decoded = decode(VERIFIED, record(CardInfoList=[card]))
    (reading,) = decoded.readings
    for secret in ("钱某", "530502199001011234", "保山", "7788", "19900101", "赵某"):
        assert secret not in repr(reading)
    assert len(reading.pictures) == 2
    assert "CardInfoList[].IdentityNo" in decoded.dropped
    assert "CardInfoList[].IDImage" in decoded.dropped
    assert "LibMatInfoList[].MatchPersonInfo" in decoded.dropped
    assert "FaceInfoList[].MaskFlag" in decoded.dropped


def test_a_gate_that_only_counts() -> None:
    gate = {"ID": 1, "Timestamp": EPOCH, "CapSrc": 4, "InPersonCnt": 3, "OutPersonCnt": 1}
    reading = one(VERIFIED, record(FaceInfoList=[], LibMatInfoList=[], GateInfoList=[gate]))
    assert reading.type == "video.person_count"
    assert (reading.attributes["entered"], reading.attributes["left"]) == (3, 1)


def test_history_is_late() -> None:
    assert one(VERIFIED, record(NotificationType=1)).late
    assert not one(VERIFIED, record()).late


def test_a_record_sent_again_is_the_same_record() -> None:
    assert one(VERIFIED, record()) == one(VERIFIED, record(Timestamp=EPOCH + 600))


def test_a_record_is_confirmed_by_its_number() -> None:
    reply = decode(VERIFIED, record()).reply
    assert reply is not None
    said = json.loads(reply.body)["Response"]
    assert (said["StatusCode"], said["StatusString"], said["Data"]) == (0, "Succeed", {"RecordID": 9})


def test_a_record_that_cannot_be_read_is_confirmed_all_the_same_or_it_would_come_for_ever() -> None:
    broken = Incoming(VERIFIED, b'{"Seq": 77, "LibMatInfoList": [{', "application/json")
    with pytest.raises(RefusedError, match="malformed_json"):
        UNIVIEW.decode(broken)
    reply = UNIVIEW.refused(broken, "malformed_json").reply
    assert reply is not None
    assert json.loads(reply.body)["Response"]["Data"] == {"RecordID": 77}


def test_a_heartbeat_is_a_sign_of_life_and_does_not_set_the_clock() -> None:
    body = {"RefId": "r", "Time": "2026-11-23 07:15:02", "NextTime": "2026-11-23 07:15:12",
            "DeviceCode": "TESTSN0001", "DeviceType": 1}  # fmt: skip
    decoded = decode("/LAPI/V1.0/PACS/Controller/HeartReportInfo", body)
    assert decoded.sender == "TESTSN0001"
    assert decoded.signs[0].online
    assert decoded.signs[0].device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert decoded.reply is not None
    assert json.loads(decoded.reply.body) == {
        "ResponseURL": "/LAPI/V1.0/PACS/Controller/HeartReportInfo",
        "Code": 0,
        "Data": {"Time": "2026-11-23 07:15:02"},
    }


def alarm(kind: str, **more: object) -> dict[str, object]:
    info = {
        "AlarmType": kind, "AlarmLevel": 0, "TimeStamp": EPOCH, "AlarmSeq": 327, "AlarmSrcID": 2,
        "AlarmSrcType": 8, "AlarmSrcName": "Gate",
    } | more  # fmt: skip
    return {"Reference": "192.0.2.1:80/Subscribers/249", "AlarmInfo": info, "RelatedObjects": {}}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("CrossLineAlarmOn", "video.line_crossing"),
        ("LineDetectorCrossed", "video.line_crossing"),
        ("IntrusionAlarmOn", "video.intrusion"),
        ("FieldDetectorObjectsInside", "video.intrusion"),
        ("AccessZoneAlarmOn", "video.intrusion"),
        ("TamperAlarmOn", "video.occlusion"),
        ("VideoLossAlarmOn", "video.lost"),
        ("DoorOpenTimeoutAlarmOn", "door.held_open"),
        ("FireDetectionAlarmOn", "video.fire_smoke"),
    ],
)
def test_alarms_have_their_meaning(said: str, kind: str) -> None:
    reading = one(ALARM, alarm(said))
    assert reading.type == kind
    assert (reading.record_id, reading.device_time) == ("alarm:327", AT)
    assert reading.attributes["channel"] == "2"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("CrossLineAlarmOff", "no_change"),
        ("MotionAlarmOn", "not_security"),
        ("SmartMotionDetectOff", "no_change"),
    ],
)
def test_what_ends_and_what_no_guard_needs_is_understood_and_left(said: str, why: str) -> None:
    decoded = decode(ALARM, alarm(said))
    assert (decoded.readings, decoded.ignored) == ((), why)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("TamperAlarmOff", "video.occlusion"),
        ("VideoLossAlarmOff", "video.lost"),
        ("LoiterOff", "video.loitering"),
        ("DoorOpenTimeoutAlarmOff", "door.held_open"),
    ],
)
def test_off_is_the_end_of_what_lasts(said: str, kind: str) -> None:
    over = one(ALARM, alarm(said))
    assert (over.type, over.attributes["ended"], over.record_id) == (kind, True, "over:alarm:327")
    assert (over.device_time, over.attributes["channel"], over.pictures) == (AT, "2", ())


def test_an_end_that_names_its_beginning_amends_nothing_of_it() -> None:
    told = alarm("LoiterOff")
    told["AlarmInfo"]["RelatedID"] = "77"
    over = one(ALARM, told)
    assert (over.record_id, over.revision) == ("over:related:77", None)


def test_who_left_an_area_is_told_apart_from_who_entered_it() -> None:
    assert one(ALARM, alarm("LeaveZoneAlarmOn")).attributes["leaving"]
    assert "leaving" not in one(ALARM, alarm("AccessZoneAlarmOn")).attributes


def test_an_alarm_is_confirmed_as_lapi_wants_it() -> None:
    reply = decode(ALARM, alarm("CrossLineAlarmOn")).reply
    assert reply is not None
    said = json.loads(reply.body)["Response"]
    assert (said["ResponseURL"], said["StatusCode"], said["Data"]) == (ALARM, 0, "null")


def structure(**more: object) -> dict[str, object]:
    return {
        "Reference": "", "TimeStamp": EPOCH, "Seq": 5, "SrcID": 2, "SrcName": "Gate", "NotificationType": 0,
        "DeviceID": "TESTSN0002",
    } | more  # fmt: skip


def test_an_alarm_and_its_pictures_are_one_event_that_is_amended() -> None:
    person = {"PersonID": 1, "LargePicAttachIndex": 1, "AttributeInfo": {"Gender": 1}}
    told = structure(
        AlarmType="LineDetectorCrossed",
        RelatedID="rk1YOH",
        StructureInfo={
            "ObjInfo": {"PersonNum": 1, "PersonInfoList": [person]},
            "ImageInfoList": [{"Index": 1, "Data": PICTURE}],
        },
    )
    first = one(ALARM, alarm("LineDetectorCrossed", RelatedID="rk1YOH"))
    second = one(STRUCTURE, told)
    assert (first.type, first.record_id, first.device_time) == (
        second.type,
        second.record_id,
        second.device_time,
    )
    assert first.revision is not None
    assert second.revision is not None
    assert first.revision < second.revision
    assert second.pictures == (("scene", JPEG),)
    assert second.attributes["object"] == "person"
    assert "Gender" not in repr(second)


def test_a_plate_with_its_pictures() -> None:
    vehicle = {
        "VehicleID": 7, "LargePicAttachIndex": 1, "PlatePicAttachIndex": 2,
        "PlateAttributeInfo": {"PlateNo": "云M12345", "Color": 4, "Confidence": 88},
    }  # fmt: skip
    images = [{"Index": 1, "Data": PICTURE}, {"Index": 2, "Data": PICTURE}]
    body = structure(StructureInfo={"ObjInfo": {"VehicleInfoList": [vehicle]}, "ImageInfoList": images})
    decoded = decode(STRUCTURE, body)
    (reading,) = decoded.readings
    assert decoded.sender == "TESTSN0002"
    assert reading.plate is not None
    assert (reading.plate.text, reading.plate.color, reading.plate.confidence) == ("云M12345", "blue", 0.88)
    assert [role for role, _ in reading.pictures] == ["scene", "plate"]


@pytest.mark.parametrize("said", ["Unknown", "", None])
def test_a_car_without_a_plate_is_told_as_such(said: object) -> None:
    vehicle = {"VehicleID": 7, "PlateAttributeInfo": {"PlateNo": said, "Color": 99}}
    reading = one(STRUCTURE, structure(StructureInfo={"ObjInfo": {"VehicleInfoList": [vehicle]}}))
    assert (reading.type, reading.plate) == ("plate.none", None)


def test_a_face_in_a_picture_is_ours_to_recognise() -> None:
    face = {"FaceID": 4, "SmallPicAttachIndex": 1, "AttributeInfo": {"AgeRange": 3}}
    body = structure(
        StructureInfo={"ObjInfo": {"FaceInfoList": [face]}, "ImageInfoList": [{"Index": 1, "Data": PICTURE}]}
    )
    decoded = decode(STRUCTURE, body)
    assert decoded.readings[0].type == "face.captured"
    assert decoded.readings[0].pictures == (("face", JPEG),)
    assert "StructureInfo.ObjInfo.FaceInfoList[].AttributeInfo" in decoded.dropped


def test_people_walking_by_are_no_event() -> None:
    body = structure(StructureInfo={"ObjInfo": {"PersonInfoList": [{"PersonID": 1}]}})
    decoded = decode(STRUCTURE, body)
    assert (decoded.readings, decoded.ignored) == ((), "not_security")


def test_a_push_in_parts_brings_its_picture_as_it_is() -> None:
    head = b"--b\r\nContent-Type: application/json\r\n\r\n" + json.dumps(alarm("IntrusionAlarmOn")).encode()
    body = head + b"\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n--b--\r\n"
    decoded = decode("/LAPI/V1.1/System/Event/Notification", body, "multipart/form-data; boundary=b")
    assert decoded.readings[0].pictures == (("scene", JPEG),)


def test_unknown_fields_are_kept_and_marked() -> None:
    reading = one(VERIFIED, record(DoorNo=2))
    assert reading.attributes["DoorNo"] == 2
    assert "unknown_fields" in reading.marks


def test_an_alarm_that_nobody_documents_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="unknown_type: TeapotAlarmOn"):
        decode(ALARM, alarm("TeapotAlarmOn"))


def test_text_in_gbk_behind_a_byte_order_mark_is_read() -> None:
    raw = json.dumps(alarm("CrossLineAlarmOn", AlarmSrcName="大门"), ensure_ascii=False)
    assert one(ALARM, b"\xef\xbb\xbf" + raw.encode()).attributes["channel_name"] == "大门"
    assert one(ALARM, raw.encode("gbk")).attributes["channel_name"] == "大门"
