"""What face terminals of the facesluice family say, and each of their known quirks."""

import base64
import datetime as dt
import json
from typing import Any

import pytest

from bus.messages import CredentialUse, DeviceMatch, PlateReading
from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError
from devices.adapters.facesluice import FacesluiceAdapter

ID = "1007001"
REC, SNAP, ACK = (f"mqtt/face/{ID}/{leaf}" for leaf in ("Rec", "Snap", "Ack"))
JPEG = b"\xff\xd8\xff\xe0 face \xff\xd9"
PIC = "data:image/jpeg;base64," + base64.b64encode(JPEG).decode()
adapter = FacesluiceAdapter()


def rec(**changes: Any) -> dict[str, Any]:
    """A recognition as firmware sends it: numbers as text, blanks for nothing."""
    info = {
        "customId": "p-7f3a", "personId": "12", "RecordID": "5521", "VerifyStatus": "1", "PersonType": "0",
        "similarity1": "91.000000", "Sendintime": 1, "personName": "测试住户", "facesluiceId": ID,
        "idCard": "530502190001010000", "telnum": " ", "time": "2026-11-23 07:15:02", "isNoMask": "1",
        "PushType": 0, "targetPosInScene": [346, 0, 1572, 1080], "pic": PIC,
    }  # fmt: skip
    info |= changes
    return {"operator": "RecPush", "info": {name: value for name, value in info.items() if value is not ...}}


def push(operator: str, **info: Any) -> dict[str, Any]:
    return {"operator": operator, "info": {"deviceId": ID, "time": "2026-11-23 07:15:02", **info}}


def decode(message: object, topic: str = REC) -> Decoded:
    body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
    return adapter.decode(Incoming(topic, body))


def read(message: object, topic: str = REC) -> Reading:
    (reading,) = decode(message, topic).readings
    return reading


def refusal(message: object, topic: str = REC) -> str:
    with pytest.raises(RefusedError) as refused:
        decode(message, topic)
    return refused.value.reason


def told(decoded: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(answer.topic, json.loads(answer.payload)) for answer in decoded.answers]


def acknowledged(kind: int, record: object) -> list[tuple[str, dict[str, Any]]]:
    prefix = {1: "snap", 2: "rec", 3: "push"}[kind]
    return [
        (
            f"mqtt/face/{ID}",
            {
                "operator": "PushAck",
                "messageId": f"PushAck-{prefix}-{record}",
                "info": {"PushAckType": kind, "SnapOrRecordID": record},
            },
        )
    ]


# Recognitions


def test_recognition_is_an_entry_granted_by_the_terminal() -> None:
    decoded = decode(rec())
    assert decoded.sender == ID
    assert decoded.readings == (
        Reading(
            "access.granted",
            "rec:5521",
            dt.datetime(2026, 11, 23, 7, 15, 2),
            credential=CredentialUse("face"),
            match=DeviceMatch("p-7f3a", 0.91),
            pictures=(("face", JPEG),),
            attributes={
                "terminal_person": "12",
                "verify_status": 1,
                "list": "allow",
                "box": [346, 0, 1572, 1080],
            },
        ),
    )


def test_numbers_are_read_whether_text_or_number() -> None:
    numbers = rec(RecordID=5521, VerifyStatus=1, PersonType=0, similarity1=91, personId=12, Sendintime="1")
    assert read(numbers) == read(rec())


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        ("1", "access.granted", None),
        ("2", "access.denied", "refused"),
        ("3", "access.denied", "not_registered"),
        ("0", "face.identified", None),
        (..., "face.identified", None),
    ],
)
def test_what_the_terminal_decided_is_the_type(status: Any, kind: str, reason: str | None) -> None:
    reading = read(rec(VerifyStatus=status))
    assert (reading.type, reading.attributes.get("reason"), reading.marks) == (kind, reason, ())
    assert (reading.credential is not None) == kind.startswith("access.")


@pytest.mark.parametrize("status", ["22", "24", "9"])
def test_status_that_no_document_explains_opens_nothing_and_is_marked(status: str) -> None:
    reading = read(rec(VerifyStatus=status))
    assert (reading.type, reading.marks) == ("face.identified", ("undocumented_code",))
    assert reading.attributes["verify_status"] == int(status)


def test_face_without_verdict_and_without_person_is_only_captured() -> None:
    reading = read(rec(VerifyStatus="0", customId="", personId=" ", similarity1=...))
    assert (reading.type, reading.match) == ("face.captured", None)


def test_somebody_on_the_block_list_is_denied_as_blocked() -> None:
    reading = read(rec(PersonType="1", VerifyStatus="2"))
    assert (reading.type, reading.attributes["reason"], reading.attributes["list"]) == (
        "access.denied",
        "blocked",
        "block",
    )
    assert reading.marks == ()


def test_block_list_weighs_more_than_a_terminal_that_says_it_let_them_in() -> None:
    reading = read(rec(PersonType="1", VerifyStatus="1"))
    assert (reading.type, reading.attributes["verify_status"]) == ("access.denied", 1)
    assert reading.marks == ("undocumented_code",)


@pytest.mark.parametrize("score", ["", " ", "abc", "-1", "101", None, ...])
def test_a_missing_or_senseless_score_is_none_and_never_a_default(score: Any) -> None:
    assert read(rec(similarity1=score)).match == DeviceMatch("p-7f3a", None)


@pytest.mark.parametrize("custom", ["", " ", None, "0", ...])
def test_people_enrolled_at_the_terminal_have_no_custom_id(custom: Any) -> None:
    reading = read(rec(customId=custom))
    assert reading.match is not None
    assert reading.match.person_ref == "12"
    assert reading.attributes["enrolled_at_terminal"] is True


@pytest.mark.parametrize("spelling", ["personName", "persionName"])
def test_names_in_either_spelling_are_dropped(spelling: str) -> None:
    decoded = decode(rec(**({"personName": ...} | {spelling: "测试住户"})))
    assert f"info.{spelling}" in decoded.dropped
    assert "测试住户" not in repr(decoded)


def test_what_identifies_or_describes_a_person_is_dropped_and_said_to_be() -> None:
    decoded = decode(rec(telnum="13900000000", temperature="36.5", gender=1, notes="轮椅"))
    assert set(decoded.dropped) == {
        "info.personName", "info.idCard", "info.telnum", "info.isNoMask", "info.temperature",
        "info.gender", "info.notes",
    }  # fmt: skip
    for private in ("530502", "139000", "36.5", "轮椅"):
        assert private not in repr(decoded)
    assert decoded.readings[0].marks == ()


def test_time_names_no_zone_and_stays_naive() -> None:
    reading = read(rec(time="2026-11-23 07:15:02"))
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert reading.device_time.tzinfo is None


@pytest.mark.parametrize(
    ("time", "marks"),
    [(" ", ("time_missing",)), (..., ("time_missing",)), ("0000-00-00 00:00:00", ("time_unreadable",))],
)
def test_record_without_a_time_is_worth_keeping(time: Any, marks: tuple[str, ...]) -> None:
    reading = read(rec(time=time))
    assert (reading.device_time, reading.marks) == (None, marks)


@pytest.mark.parametrize(
    "flags", [{"Sendintime": 0}, {"Sendintime": "0"}, {"PushType": 2}, {"PushType": "2"}]
)
def test_records_kept_back_or_asked_for_again_are_late(flags: dict[str, Any]) -> None:
    assert read(rec(**flags)).late is True
    assert read(rec()).late is False


def test_replay_with_fields_missing_is_the_same_record() -> None:
    again = read(rec(PushType=2, Sendintime=0, targetPosInScene=[0, 0, 0, 0], scene=..., idCard=""))
    first = read(rec(scene=PIC))
    assert (again.type, again.record_id, again.device_time) == (
        first.type,
        first.record_id,
        first.device_time,
    )
    assert "box" not in again.attributes
    assert again.marks == ()


def test_scene_is_a_picture_of_its_own_where_the_firmware_sends_one() -> None:
    assert [role for role, _ in read(rec(scene=PIC)).pictures] == ["face", "scene"]
    assert [role for role, _ in read(rec()).pictures] == ["face"]


@pytest.mark.parametrize(
    ("pic", "pictures", "marks"),
    [
        ("data:image/jpeg;base64,...", 0, ("bad_base64",)),
        ("data:image/jpeg;base64," + base64.b64encode(JPEG[:-2]).decode(), 1, ("picture_truncated",)),
        ("data:image/jpeg;base64,Qk3m5Q==", 1, ("picture_unreadable",)),
        ("", 0, ()),
        (..., 0, ()),
    ],
)
def test_record_without_a_good_picture_is_still_a_record(
    pic: Any, pictures: int, marks: tuple[str, ...]
) -> None:
    reading = read(rec(pic=pic))
    assert (reading.type, len(reading.pictures), reading.marks) == ("access.granted", pictures, marks)


def test_identity_on_top_of_the_message_is_read_like_identity_under_info() -> None:
    nested = rec()
    assert read({"operator": "RecPush", **nested["info"]}) == read(nested)


def test_fields_are_found_in_any_case_and_with_blanks_around_their_names() -> None:
    odd = {
        "Operator ": " recpush ",
        "INFO": {f"{name} ".swapcase(): value for name, value in rec()["info"].items()},
    }
    assert read(odd) == read(rec())


def test_list_where_an_object_belongs_is_read_by_its_first_entry() -> None:
    assert read({"operator": "RecPush", "info": [rec()["info"]]}) == read(rec())


def test_what_is_not_known_is_kept_and_marked() -> None:
    reading = read(rec(Direction="in", extra={"a": [1], "gender": 1}))
    assert reading.attributes["Direction"] == "in"
    assert reading.attributes["extra"] == {"a": [1]}
    assert reading.marks == ("unknown_fields",)


def test_push_of_the_vendors_http_protocol_reads_alike() -> None:
    message = {
        "operator": "VerifyPush",
        "info": {
            "DeviceID": ID, "PersonID": 12, "CustomizeID": 77, "Similarity1": 91.0, "VerifyStatus": 1,
            "VerfyType": 1, "PersonType": 0, "Name": "测试", "CreateTime": "2026-11-23T07:15:02", "RecordID": 5521,
        },
        "SanpPic": PIC,
        "ScenePic": PIC,
    }  # fmt: skip
    reading = read(message)
    assert (reading.type, reading.record_id, reading.match) == (
        "access.granted",
        "rec:5521",
        DeviceMatch("77", 0.91),
    )
    assert [role for role, _ in reading.pictures] == ["face", "scene"]
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)


@pytest.mark.parametrize(
    "encoded",
    [
        json.dumps(rec()).encode("utf-8-sig"),
        json.dumps(rec(), ensure_ascii=False).encode("gbk"),
        json.dumps(rec()).encode() + b"\0\0",
    ],
    ids=["byte order mark", "GBK", "zeros behind"],
)
def test_bytes_of_old_firmware_are_read(encoded: bytes) -> None:
    assert read(encoded) == read(rec())


# Who speaks


def test_the_topic_names_the_sender_whatever_the_body_claims() -> None:
    decoded = decode(rec(facesluiceId="another"))
    assert decoded.sender == ID
    assert decoded.readings[0].attributes["facesluice_id"] == "another"
    assert told(decoded)[0][0] == f"mqtt/face/{ID}"


@pytest.mark.parametrize("name", ["facesluiceId", "facesluiceld", "deviceId", "DeviceID"])
def test_the_body_names_the_sender_where_the_topic_does_not(name: str) -> None:
    message = {"operator": "HeartBeat", "info": {name: 1007001, "time": "2026-11-23 07:15:02"}}
    assert decode(message, "mqtt/face/heartbeat").sender == ID


def test_forged_record_on_a_shared_topic_throws_nobodys_record_away() -> None:
    decoded = decode(rec(), "mqtt/face/basic")
    assert decoded.sender == ID
    assert decoded.answers == ()
    assert (
        adapter.refused(Incoming("mqtt/face/basic", json.dumps(rec()).encode()), "unknown_device").answers
        == ()
    )


@pytest.mark.parametrize("name", ["a/b", "+", "#", "basic", "heartbeat"])
def test_no_answer_goes_to_a_topic_that_is_not_a_devices(name: str) -> None:
    message = {"operator": "Online", "info": {"facesluiceId": name}}
    assert decode(message, "mqtt/face/basic").answers == ()


# Signs of life


@pytest.mark.parametrize("topic", ["mqtt/face/basic", f"mqtt/face/{ID}/basic"])
def test_online_is_answered_so_that_it_is_not_repeated(topic: str) -> None:
    info = {
        "facesluiceId": ID, "username": "admin", "time": "2026-11-23 07:15:02", "ip": "192.0.2.7",
        "facesname": "3 栋 1 单元",
    }  # fmt: skip
    decoded = decode({"operator": "Online", "info": info}, topic)
    (sign,) = decoded.signs
    assert (decoded.sender, sign.online, sign.device_time) == (ID, True, dt.datetime(2026, 11, 23, 7, 15, 2))
    assert sign.facts == {"ip": "192.0.2.7", "name": "3 栋 1 单元"}
    assert sign.birth is True
    assert told(decoded) == [
        (
            f"mqtt/face/{ID}",
            {
                "operator": "Online-Ack",
                "messageId": "Online-Ack",
                "info": {"facesluiceId": ID, "result": "ok", "detail": ""},
            },
        )
    ]
    assert "admin" not in repr(decoded)


@pytest.mark.parametrize("topic", ["mqtt/face/basic", f"mqtt/face/{ID}/basic"])
def test_last_will_takes_the_terminal_offline_without_a_time(topic: str) -> None:
    decoded = decode({"operator": "Offline", "info": {"facesluiceId": ID}}, topic)
    (sign,) = decoded.signs
    assert (decoded.sender, sign.online, sign.device_time, decoded.answers) == (ID, False, None, ())


@pytest.mark.parametrize("topic", ["mqtt/face/heartbeat", f"mqtt/face/{ID}/heartbeat"])
def test_heartbeat_shows_that_the_terminal_is_alive(topic: str) -> None:
    message = {"operator": "HeartBeat", "info": {"facesluiceId": ID, "time": "2026-11-23 07:15:02"}}
    (sign,) = decode(message, topic).signs
    assert (sign.online, sign.device_time) == (True, dt.datetime(2026, 11, 23, 7, 15, 2))
    assert sign.birth is False


def test_heartbeat_on_top_and_without_a_name_is_one() -> None:
    decoded = decode({"facesluiceId": ID}, "mqtt/face/heartbeat")
    assert (decoded.sender, decoded.signs[0].online) == (ID, True)


def test_sign_of_life_of_nobody_is_refused() -> None:
    assert refusal({"operator": "Online", "info": {}}, "mqtt/face/basic") == "missing_field"


# Everything else that is pushed


@pytest.mark.parametrize("name", ["StrSnapPush", "SnapPush"])
def test_stranger_is_a_face_for_our_own_recognition(name: str) -> None:
    decoded = decode(push(name, SnapID="946", isNoMask="1", PushType=0, pic=PIC, scene=PIC), SNAP)
    (reading,) = decoded.readings
    assert (reading.type, reading.record_id, reading.match) == ("face.captured", "snap:946", None)
    assert [role for role, _ in reading.pictures] == ["face", "scene"]
    assert told(decoded) == acknowledged(1, 946)


def test_recognitions_and_strangers_count_for_themselves() -> None:
    assert read(rec(RecordID="7")).record_id != read(push("StrSnapPush", SnapID="7")).record_id


def test_structured_capture_of_a_face_and_of_a_body() -> None:
    face = decode(push("FullStrSnapPush", objectType=0, SnapOrRecordID=8, pic=PIC), SNAP)
    assert face.readings[0].type == "face.captured"
    body = decode(push("FullStrSnapPush", objectType=1, SnapOrRecordID=9, pic=PIC), SNAP)
    assert (body.readings, body.ignored) == ((), "not_security")
    assert told(body) == acknowledged(3, 9)


@pytest.mark.parametrize(
    ("what", "held", "kind"),
    [
        (2, {"carplate": "云M12345"}, "plate.recognised"),
        (2, {"Carplate": "云M12345"}, "plate.recognised"),
        (2, {"carplate": ""}, "plate.none"),
        (2, {"carplate": "无牌车"}, "plate.none"),
        (2, {"carplate": "_无_"}, "plate.none"),
        (2, {}, "plate.none"),
        (2, "…", "plate.none"),
        ("3", {"carplate": "云M12345"}, "plate.recognised"),
    ],
)
def test_structured_capture_of_a_vehicle(what: Any, held: Any, kind: str) -> None:
    reading = read(push("FullStrSnapPush", objectType=what, objectAttr=held, pic=PIC), SNAP)
    assert reading.type == kind
    assert (reading.plate == PlateReading("云M12345")) == (kind == "plate.recognised")
    assert reading.attributes["object"] == ("vehicle" if what == 2 else "non_motor")
    assert [role for role, _ in reading.pictures] == ["vehicle"]


@pytest.mark.parametrize(
    ("code", "color"),
    [
        (1, "yellow"),
        (2, "blue"),
        ("3", "black"),
        (4, "white"),
        (5, "green"),
        (6, "yellow_green"),
        (7, "green"),
        (0, None),
    ],
)
def test_plate_colours_are_numbered_in_the_vendors_own_way(code: Any, color: str | None) -> None:
    message = push(
        "CatAttrSnapPush", objectType=1, behaviorType=0, behaviorDirection=1, carClolr=6, carClass=2,
        carSpecial=0, carBackup=0, carViewpoint=0, carplateColor=code, carplateType=2, carplateFlag=1,
        carplate="云M12345", pic=PIC,
    )  # fmt: skip
    reading = read(message, SNAP)
    assert (reading.type, reading.plate) == ("plate.recognised", PlateReading("云M12345", None, color))
    assert (reading.attributes["movement"], reading.marks) == ("right_to_left", ())


def test_http_protocol_numbers_the_same_colours_otherwise() -> None:
    reading = read(push("PlateSnapPush", LicencePlate="云M12345", PlateColour=1, PlatePic=PIC), SNAP)
    assert reading.plate == PlateReading("云M12345", None, "blue")


def test_vehicle_whose_plate_was_looked_for_and_not_found() -> None:
    assert read(push("CatAttrSnapPush", objectType=1, carplate=""), SNAP).type == "plate.none"


def test_person_in_the_vehicle_message_is_a_crossing() -> None:
    assert read(push("CatAttrSnapPush", objectType=0, behaviorType=0), SNAP).type == "video.line_crossing"


@pytest.mark.parametrize(
    ("how", "moved", "kind", "movement"),
    [
        (0, 0, "video.line_crossing", "left_to_right"),
        (0, 1, "video.line_crossing", "right_to_left"),
        (1, 2, "video.intrusion", "enters_area"),
        ("1", "3", "video.intrusion", "leaves_area"),
    ],
)
@pytest.mark.parametrize("spelling", ["behaviour", "behavior"])
def test_tripwire_and_area_in_both_spellings(
    how: Any, moved: Any, kind: str, movement: str, spelling: str
) -> None:
    message = push("BehaviorSnapPush", objectType=0, pic=PIC)
    message["info"] |= {f"{spelling}Type": how, f"{spelling}Direction": moved}
    reading = read(message, SNAP)
    assert (reading.type, reading.attributes, reading.marks) == (
        kind,
        {"object": "person", "movement": movement},
        (),
    )


def test_behaviour_that_no_document_explains_is_rather_an_intrusion() -> None:
    reading = read(push("BehaviorSnapPush", objectType=1, behaviourType=7), SNAP)
    assert (reading.type, reading.marks) == ("video.intrusion", ("undocumented_code",))
    assert reading.attributes == {"object": "vehicle"}


@pytest.mark.parametrize(
    ("operator", "kind"),
    [
        ("LeaveSnapPush", "video.absence_from_post"),
        ("ElectricalBicycleSnapPush", "video.ebike_in_lift"),
        ("TemHighSnapPush", "video.fire_smoke"),
        ("CountInRegionPush", "video.person_count"),
        ("FireSmokeSnapPush", "video.fire_smoke"),
        ("ParabolicSnapPush", "video.parabolic"),
    ],
)
def test_alarm_of_its_own_name(operator: str, kind: str) -> None:
    reading = read(push(operator, pic=PIC, deviceName="北门"), SNAP)
    assert (reading.type, reading.device_time) == (kind, dt.datetime(2026, 11, 23, 7, 15, 2))
    assert reading.pictures == (("scene", JPEG),)
    assert reading.attributes["device_name"] == "北门"


def test_thing_thrown_is_timed_by_its_picture_and_keeps_its_course() -> None:
    message = push(
        "ParabolicSnapPush", time=..., snapTime="2026-11-23 07:15:02", startTime="2026-11-23 07:15:00",
        endTime="2026-11-23 07:15:04",
    )  # fmt: skip
    message["info"].pop("time")
    reading = read(message, SNAP)
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert reading.attributes == {"started_at": "2026-11-23 07:15:00", "ended_at": "2026-11-23 07:15:04"}


@pytest.mark.parametrize(
    ("fire", "smoke", "attributes"),
    [
        (1, 2, {"fire": "present", "smoke": "unsure"}),
        ("0", "1", {"fire": "none", "smoke": "present"}),
        (2, 2, {"fire": "unsure", "smoke": "unsure"}),
    ],
)
def test_fire_that_the_camera_is_unsure_of_is_still_told(fire: Any, smoke: Any, attributes: dict) -> None:
    reading = read(push("FireSmokeSnapPush", fire=fire, smoke=smoke), SNAP)
    assert (reading.type, reading.attributes) == ("video.fire_smoke", attributes)


def test_neither_fire_nor_smoke_is_no_event_and_answered() -> None:
    decoded = decode(push("FireSmokeSnapPush", fire=0, smoke=0, SnapOrRecordID=3), SNAP)
    assert (decoded.readings, decoded.ignored) == ((), "below_threshold")
    assert told(decoded) == acknowledged(3, 3)


def test_heat_keeps_the_temperature_of_things() -> None:
    area = {"areaId": 0, "alarmType": 1, "temRise": 0, "temperature": 71.5}
    reading = read(push("TemHighSnapPush", sparkAlarm=0, message=[area], pic=PIC, tempic=PIC), SNAP)
    assert reading.attributes == {"spark": False, "areas": [area]}
    assert (len(reading.pictures), reading.marks) == (2, ())


def test_heat_alarm_that_says_of_no_alarm_is_marked() -> None:
    area = {"areaId": 0, "alarmType": 0, "temRise": 0, "temperature": 31.0}
    assert read(push("TemHighSnapPush", sparkAlarm=0, message=[area]), SNAP).marks == ("undocumented_code",)


def test_counts_of_people_are_kept() -> None:
    message = push("CountInRegionPush", realtimeCount="5", averageCount=4, maxCount=8, minCount=1)
    assert read(message, SNAP).attributes == {"count": 5, "average": 4, "most": 8, "fewest": 1}


def test_rider_of_an_e_bike_is_a_plate_and_not_a_helmet() -> None:
    decoded = decode(push("SafetyRidePush", helmet=0, plate="5000J", pic=PIC), SNAP)
    (reading,) = decoded.readings
    assert (reading.type, reading.plate) == ("plate.recognised", PlateReading("5000J"))
    assert decoded.dropped == ("info.helmet",)
    assert "helmet" not in reading.attributes


@pytest.mark.parametrize(
    "message",
    [
        push("SafetyRidePush", helmet=1, plate=" ", SnapID=6, pic=PIC),
        push("FullStrSnapPush", objectType=3, objectAttr={"carplate": ""}, SnapID=6, pic=PIC),
        push("FullStrSnapPush", objectType="3", SnapID=6),
    ],
)
def test_bicycle_without_a_plate_is_nobody_but_answered(message: dict) -> None:
    decoded = decode(message, SNAP)
    assert (decoded.readings, decoded.ignored) == ((), "not_security")
    assert told(decoded) == acknowledged(1, 6)


@pytest.mark.parametrize(
    "operator", ["ClothHelmetSnapPush", "ClothHelmetVerifyPush", "VisibleKitchenSnapPush"]
)
def test_hygiene_and_helmets_are_no_security_but_answered(operator: str) -> None:
    decoded = decode(push(operator, SnapID=4), SNAP)
    assert (decoded.readings, decoded.ignored) == ((), "not_security")
    assert told(decoded) == acknowledged(1, 4)


@pytest.mark.parametrize(
    ("message", "used"),
    [
        (push("CardPush", CardInfo={"CardNum": "2212250000"}), CredentialUse("card", "2212250000")),
        (push("QRCodePush", QRCodeInfo="pass-1"), CredentialUse("qr", "pass-1")),
    ],
)
def test_card_or_code_that_the_terminal_does_not_know_opened_nothing(
    message: dict, used: CredentialUse
) -> None:
    reading = read(message, f"mqtt/face/{ID}/Card")
    assert (reading.type, reading.credential, reading.attributes) == (
        "access.denied",
        used,
        {"reason": "not_registered"},
    )


def test_card_without_a_number_is_refused() -> None:
    assert refusal(push("CardPush", CardInfo={}), f"mqtt/face/{ID}/Card") == "missing_field"


# Acknowledgement


def test_record_is_acknowledged_by_its_kind_and_number() -> None:
    assert told(decode(rec())) == acknowledged(2, 5521)


@pytest.mark.parametrize(
    "spelling", ["SnapOrRecordID", "SnapOrRecordIDe", "SnapOrRecordlD", "SnapOrRecordlDe", "snaporrecordid"]
)
def test_misspelt_numbers_of_records_are_found(spelling: str) -> None:
    message = push("ElectricalBicycleSnapPush", **{spelling: "250"})
    decoded = decode(message, SNAP)
    assert decoded.readings[0].record_id == "push:250"
    assert told(decoded) == acknowledged(3, 250)
    broken = json.dumps(message)[:-1].encode()
    assert told(adapter.refused(Incoming(SNAP, broken), "malformed_json")) == acknowledged(3, 250)


@pytest.mark.parametrize("number", ["", " ", ..., "x" * 65, None])
def test_record_without_a_number_has_no_id_and_no_acknowledgement(number: Any) -> None:
    decoded = decode(rec(RecordID=number))
    assert (decoded.readings[0].record_id, decoded.answers) == (None, ())


def test_record_sent_again_is_the_same_and_acknowledged_again() -> None:
    assert decode(rec()) == decode(rec())


# Refusals

BROKEN = json.dumps(rec(), ensure_ascii=False).replace('"RecPush",', '"RecPush".').encode()


def test_poison_is_acknowledged_out_of_broken_bytes() -> None:
    assert refusal(BROKEN) == "malformed_json"
    assert told(adapter.refused(Incoming(REC, BROKEN), "malformed_json")) == acknowledged(2, 5521)
    cut = BROKEN[: BROKEN.index(b"VerifyStatus")]
    assert told(adapter.refused(Incoming(REC, cut), "malformed_json")) == acknowledged(2, 5521)


def test_poison_names_its_sender_where_the_topic_does_not() -> None:
    assert told(adapter.refused(Incoming("", BROKEN), "malformed_json")) == acknowledged(2, 5521)


def test_broken_online_is_answered_and_other_broken_things_are_not() -> None:
    online = b'{"operator": "Online". "info": {"facesluiceId": "1007001"}}'
    ((topic, answer),) = told(adapter.refused(Incoming("mqtt/face/basic", online), "malformed_json"))
    assert (topic, answer["operator"]) == (f"mqtt/face/{ID}", "Online-Ack")
    for body in (b"", b"{", b'{"operator": "Offline". "info": {"facesluiceId": "1007001"}}'):
        assert adapter.refused(Incoming("mqtt/face/basic", body), "malformed_json").answers == ()


def test_unknown_push_lies_with_the_dead_letters_and_does_not_come_again() -> None:
    message = push("AlarmInfoPush", AlarmType=1, SnapOrRecordID=77)
    assert refusal(message, f"mqtt/face/{ID}/Alarm") == "unknown_type"
    again = adapter.refused(Incoming(f"mqtt/face/{ID}/Alarm", json.dumps(message).encode()), "unknown_type")
    assert told(again) == acknowledged(3, 77)


@pytest.mark.parametrize(
    "operator",
    [
        "EditPerson", "EditPersonsNew", "AddPersons", "DelPerson", "DeletePersons", "DeleteAllPerson",
        "ManualPushRecords", "ManualPushSnaps", "UpMQTTconfig", "GetMQTTconfig", "PushAck", "Online-Ack",
        "RecPushAck", "Unlock", "SetSysTime", "GetSceneSnap", "QueryPerson", "SearchPersonList", "RebootDevice",
        "voiceplay", "ShowQRCode",
    ],
)  # fmt: skip
def test_message_to_a_terminal_is_no_event_and_is_not_answered(operator: str) -> None:
    message = {"operator": operator, "messageId": "m", "info": {"PushAckType": 2, "SnapOrRecordID": 5}}
    assert refusal(message) == "command_not_event"
    body = json.dumps(message).encode()
    assert adapter.refused(Incoming(REC, body), "command_not_event").answers == ()
    # Nor where it is broken: an answer to an answer would never end.
    assert adapter.refused(Incoming(REC, body[:-1]), "malformed_json").answers == ()


@pytest.mark.parametrize(
    "body",
    [
        b'{\n"operator": "HeartBeat".\n"info": {"facesluiceId": "1007001"}\n}',
        b'{\n"operator": "Offline".\n"info": {"facesluiceId": "1007001"}\n}',
        b'{\n"messageId": "10201".\n"operator": "Online-Ack".\n"info":{"result": "ok","detail":"\n}\n}',
        b'{\n"operator": "EditPerson-Ack",\n"info":{"facesluiceId": "1007001".\n"customId": "p","detail":"\n}',
        b'{\n"operator": "ParabolicSnapPush".\n"info":{"deviceId": "1007001"}\n}',
        b'{\n"operator": "FireSmokeSnapPush",\n"info":{"fire":1.\n"smoke":2.\n}\n}',
        b'{\n"operator": "PushAck".\n"info": {"PushAckType":1,"SnapOrRecordID":217}\n}',
        b'{\n"messageId": "m",\n"operator": "PushAck".\n"info": {"PushAckType":2,"SnapOrRecordID":490}\n}',
        b'{"operator": "PushAck-Ack".\n"info": {"facesluiceld": "1", "result": "ok", {"result": "ok"}}',
    ],
)
def test_json_as_the_manual_prints_it_is_refused(body: bytes) -> None:
    assert refusal(body) == "malformed_json"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed_json"),
        (b"[]", "not_an_object"),
        (b"{}", "missing_field"),
        (b'{"operator": 7}', "unknown_type"),
        (b'{"operator": {"a": 1}}', "missing_field"),
        (b'{"operator": "NewThingPush"}', "unknown_type"),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    assert refusal(body) == reason


# Rights


def test_rights_hold_a_terminal_to_its_own_branch() -> None:
    rights = adapter.rights(ID)
    assert rights.subscribe == (f"mqtt/face/{ID}",)
    assert all(wanted.startswith(f"mqtt/face/{ID}/") for wanted in rights.publish)
    assert {
        REC,
        SNAP,
        ACK,
        f"mqtt/face/{ID}/ack",
        f"mqtt/face/{ID}/basic",
        f"mqtt/face/{ID}/heartbeat",
    } <= set(rights.publish)
