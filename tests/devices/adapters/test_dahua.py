"""Dahua's messages in our words, and each of its traps."""

import base64
import datetime as dt
import json

import pytest

from devices.adapters import named
from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError

DAHUA = named("dahua")
JPEG = b"\xff\xd8\xff\xe0 scene \xff\xd9"
# 2026-11-23 07:15:02 in +08:00, and the same as a camera writes it: its local clock as an epoch.
TRUE = 1795389302
LOCAL = TRUE + 8 * 3600
AT = dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)


def decode(body: object, topic: str = "/", content_type: str | None = "application/json") -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return DAHUA.decode(Incoming(topic, raw, content_type))


def one(body: object, **more: str | None) -> Reading:
    (reading,) = decode(body, **more).readings
    return reading


def event(code: str, action: str = "Pulse", **data: object) -> dict[str, object]:
    return {"Code": code, "Action": action, "Index": 0, "Data": {"RealUTC": TRUE} | data}


def passage(**data: object) -> dict[str, object]:
    return event(
        "TrafficJunction",
        GroupID=4711,
        EventID=12,
        TrafficCar={
            "PlateNumber": "云M12345",
            "PlateColor": "Blue",
            "DrivingDirection": ["Approach", "", ""],
        },
        Object={"ObjectType": "Plate", "Text": "云M12345", "Confidence": 87, "ObjectID": 5},
        Vehicle={"Text": "Chery", "Confidence": 210, "Category": "SaloonCar"},
        **data,
    )


def access(**data: object) -> dict[str, object]:
    return event("AccessControl", **({"Status": 1, "Method": 15, "Type": "Entry", "RecNo": 691} | data))


def test_an_event_of_the_stream_is_read_with_its_data_over_many_lines() -> None:
    data = json.dumps(passage()["Data"], indent=3, ensure_ascii=False)
    stream = (
        "--myboundary\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nHeartbeat\r\n"
        "--myboundary\r\nContent-Type: text/plain\r\nContent-Length: 900\r\n\r\n"
        f"Code=TrafficJunction;action=Pulse;index=0;data={data}\r\n\r\n--myboundary\r\n"
    ).encode()
    decoded = decode(stream, content_type="multipart/x-mixed-replace; boundary=myboundary")
    (reading,) = decoded.readings
    assert reading.type == "plate.recognised"
    assert reading.plate is not None
    assert reading.plate.text == "云M12345"
    assert decoded.signs[0].online


def test_separators_and_braces_within_the_data_do_not_cut_it_short() -> None:
    data = json.dumps({"Name": "a;b=c {1}", "RealUTC": TRUE})
    text = f"Code=CrossLineDetection;action=Start;index=2;data={data}"
    reading = one(f"{text}\r\nCode=VideoMotion;action=Start;index=2".encode(), content_type="text/plain")
    assert reading.type == "video.line_crossing"
    assert reading.attributes["rule"] == "a;b=c {1}"
    assert reading.attributes["channel"] == "2"


def test_an_event_without_data_is_read_all_the_same() -> None:
    reading = one(b"Code=VideoBlind;action=Start;index=0\r\n", content_type="text/plain")
    assert reading.type == "video.occlusion"
    assert "time_missing" in reading.marks


def test_lines_of_the_snap_manager_carry_their_picture() -> None:
    lines = (
        "Events[0].EventBaseInfo.Code=AccessControl\r\nEvents[0].EventBaseInfo.Action=Pulse\r\n"
        f"Events[0].EventBaseInfo.Index=0\r\nEvents[0].Status=1\r\nEvents[0].Method=15\r\nEvents[0].RealUTC={TRUE}"
        "\r\nEvents[0].UserID=a1b2\r\nEvents[0].Similarity=88\r\nEvents[0].ImageInfo[0].Length=20\r\n"
    )
    body = (
        f"--b\r\nContent-Type: text/plain\r\n\r\n{lines}\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        + JPEG
        + b"\r\n--b--\r\n"
    )
    reading = one(body, content_type="multipart/mixed; boundary=b")
    assert reading.type == "access.granted"
    assert reading.pictures == (("face", JPEG),)
    assert reading.match is not None
    assert (reading.match.person_ref, reading.match.score) == ("a1b2", 0.88)


def test_the_score_of_a_plate_is_its_objects() -> None:
    reading = one(passage())
    assert reading.plate is not None
    assert reading.plate.confidence == 0.87
    assert reading.plate.color == "blue"


def test_an_absent_score_is_none_and_never_a_default() -> None:
    body = passage()
    body["Data"]["Object"] = {"ObjectType": "Plate", "Text": "云M12345"}
    reading = one(body)
    assert reading.plate is not None
    assert reading.plate.confidence is None


def test_a_score_beyond_a_hundred_is_of_another_scale_and_none_for_a_plate() -> None:
    body = passage()
    body["Data"]["Object"]["Confidence"] = 180
    reading = one(body)
    assert reading.plate is not None
    assert reading.plate.confidence is None


def test_the_vehicles_text_is_a_brand_and_no_plate() -> None:
    body = passage()
    body["Data"]["TrafficCar"]["PlateNumber"] = ""
    body["Data"]["Object"]["Text"] = ""
    reading = one(body)
    assert reading.type == "plate.none"
    assert reading.plate is None
    assert reading.attributes["brand"] == "Chery"


@pytest.mark.parametrize("said", ["", " ", "unlicensed", "无牌车", "--"])
def test_a_car_without_a_plate_is_told_as_such(said: str) -> None:
    body = passage()
    body["Data"]["TrafficCar"]["PlateNumber"] = said
    body["Data"]["Object"]["Text"] = said
    assert one(body).type == "plate.none"


def test_a_bicycle_misses_no_plate() -> None:
    body = passage(NonMotor={"Category": "Bicycle", "Plate": {"Text": ""}, "RiderList": [{"Age": 30}]})
    body["Data"]["TrafficCar"]["PlateNumber"] = body["Data"]["Object"]["Text"] = ""
    assert decode(body).ignored == "not_security"


def test_the_true_utc_wins_over_local_time_that_is_called_utc() -> None:
    assert one(passage(UTC=LOCAL, UTCMS=305)).device_time == AT.replace(microsecond=305000)


def test_utc_alone_is_the_cameras_local_time() -> None:
    body = passage(UTC=LOCAL)
    del body["Data"]["RealUTC"]
    assert one(body).device_time == dt.datetime(2026, 11, 23, 7, 15, 2)


def test_local_time_in_words_wins_over_an_epoch_of_unknown_zone() -> None:
    body = event("BreakIn", UTC=TRUE, LocaleTime="2026-11-23 07:15:02")
    del body["Data"]["RealUTC"]
    assert one(body).device_time == dt.datetime(2026, 11, 23, 7, 15, 2)


def test_the_pictures_of_one_passage_are_one_event() -> None:
    first = one(passage(CountInGroup=2, IndexInGroup=1))
    second = one(passage(CountInGroup=2, IndexInGroup=2))
    assert first.record_id == second.record_id == "group:4711"
    assert first.device_time == second.device_time
    assert (first.revision, second.revision) == (1, 2)


def test_towards_the_camera_is_not_yet_inwards() -> None:
    reading = one(passage())
    assert reading.direction is None
    assert reading.attributes["moving"] == "Approach"


@pytest.mark.parametrize("action", ["Start", "Pulse"])
def test_what_begins_or_happens_is_an_event(action: str) -> None:
    assert one(event("CrossRegionDetection", action)).type == "video.intrusion"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("VideoBlind", "video.occlusion"), ("VideoLoss", "video.lost"), ("WanderDetection", "video.loitering"),
        ("CrowdDetection", "video.crowd"), ("LeftDetection", "video.object_left"),
        ("LeavePostDetection", "video.absence_from_post"), ("DoorNotClosed", "door.held_open"),
        ("FireLaneDetection", "video.fire_lane_blocked"), ("ChassisIntruded", "device.tamper"),
    ],
)  # fmt: skip
def test_a_stop_is_the_end_of_what_lasts(code: str, kind: str) -> None:
    began, over = one(event(code, "Start", EventID=17)), one(event(code, "Stop", EventID=17))
    assert (over.type, over.attributes["ended"]) == (kind, True)
    assert (began.record_id, over.record_id) == ("event:17", "over:event:17")
    assert "ended" not in began.attributes


def test_a_zone_that_is_at_rest_again_ends_its_alarm_and_a_button_has_no_end() -> None:
    over = one(event("ProfileAlarmTransmit", "Stop", SenseMethod="SmokingSensor", EventID=3))
    assert (over.type, over.attributes["ended"], over.record_id) == ("alarm.smoke", True, "over:event:3")
    assert decode(event("ProfileAlarmTransmit", "Stop", SenseMethod="UrgencyButton")).readings == ()


def test_pictures_of_a_message_belong_to_what_begins() -> None:
    body = b"Code=VideoBlind;action=Stop;index=0\r\n"
    over = one(body, content_type="text/plain")
    assert (over.attributes["ended"], over.record_id, over.pictures) == (True, None, ())


def test_what_is_over_as_it_happens_has_no_end() -> None:
    decoded = decode(event("CrossRegionDetection", "Stop"))
    assert decoded.readings == ()
    assert decoded.ignored == "no_change"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("CrossLineDetection", "video.line_crossing"),
        ("LeftDetection", "video.object_left"),
        ("TakenAwayDetection", "video.object_removed"),
        ("WanderDetection", "video.loitering"),
        ("StayDetection", "video.loitering"),
        ("RioterDetection", "video.crowd"),
        ("CrowdDetection", "video.crowd"),
        ("FightDetection", "video.fight"),
        ("ClimbDetection", "video.climb"),
        ("FireWarning", "video.fire_smoke"),
        ("SmokeDetection", "video.fire_smoke"),
        ("VideoLoss", "video.lost"),
        ("VideoBlind", "video.occlusion"),
        ("AlarmLocal", "alarm.intrusion"),
        ("BreakIn", "door.forced"),
        ("DoorNotClosed", "door.held_open"),
        ("Duress", "access.duress"),
        ("ChassisIntruded", "device.tamper"),
        ("FaceDetection", "face.captured"),
        ("StorageFailure", "device.fault"),
    ],
)
def test_codes_have_their_meaning(code: str, kind: str) -> None:
    assert one(event(code, EventID=7)).type == kind


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("VideoMotion", "not_security"),
        ("SmartMotionHuman", "not_security"),
        ("NTPAdjustTime", "configuration"),
    ],
)
def test_what_no_guard_needs_is_understood_and_left(code: str, why: str) -> None:
    decoded = decode(event(code))
    assert (decoded.readings, decoded.ignored) == ((), why)


def test_duress_names_whose_it_is() -> None:
    reading = one(event("Duress", UserID="a1b2"))
    assert reading.match is not None
    assert reading.match.person_ref == "a1b2"


def test_a_face_that_opened_a_door() -> None:
    reading = one(access(UserID="a1b2", Similarity=91, Door=0, ReaderID="1", CardNo="", ErrorCode=0))
    assert reading.type == "access.granted"
    assert reading.direction == "in"
    assert reading.record_id == "rec:691"
    assert reading.credential is not None
    assert (reading.credential.kind, reading.credential.ref) == ("face", None)
    assert reading.match is not None
    assert (reading.match.person_ref, reading.match.score) == ("a1b2", 0.91)
    assert reading.attributes["door"] == "0"


def test_a_card_is_known_by_its_number() -> None:
    reading = one(access(Method=1, CardNo="12EA3004", Type="Exit"))
    assert reading.credential is not None
    assert (reading.credential.kind, reading.credential.ref) == ("card", "12EA3004")
    assert reading.direction == "out"


def test_a_qr_is_told_by_its_text_whatever_the_method_says() -> None:
    reading = one(access(Method=15, QRCodeStr="RW1#abc"))
    assert reading.credential is not None
    assert (reading.credential.kind, reading.credential.ref) == ("qr", "RW1#abc")


def test_a_remote_opening_uses_no_credential() -> None:
    reading = one(access(Method=4, Name="OpenDoor", Status=1))
    assert reading.type == "access.granted"
    assert reading.credential is None
    assert reading.attributes["method"] == "remote"
    assert "door_name" not in reading.attributes


@pytest.mark.parametrize("status", [0, 2, "0", "2"])
def test_both_words_for_no_are_no(status: object) -> None:
    reading = one(access(Status=status, UserID="a1b2", ErrorCode=18))
    assert reading.type == "access.denied"
    assert reading.attributes["reason"] == "no_right"


@pytest.mark.parametrize(
    ("error", "person", "reason"),
    [
        (16, "", "not_registered"), (16, "a1b2", "no_right"), (17, "a1b2", "blocked"), (20, "a1b2", "expired"),
        (21, "a1b2", "anti_passback"), (0x40, "a1b2", "wrong_pin"), (0x61, "a1b2", "face_mismatch"),
        (0x99, "a1b2", "refused"),
    ],
)  # fmt: skip
def test_a_refusal_says_why(error: int, person: str, reason: str) -> None:
    reading = one(access(Status=0, ErrorCode=error, UserID=person))
    assert reading.type == "access.denied"
    assert reading.attributes["reason"] == reason
    assert reading.attributes.get("error_code", 0) == error


def test_a_pin_typed_under_duress_is_duress_though_the_door_opened() -> None:
    assert one(access(Method=13)).type == "access.duress"
    assert one(access(Status=0, ErrorCode=0x16)).type == "access.duress"


def test_a_patrol_card_is_a_round_and_no_refused_stranger() -> None:
    assert one(access(Status=0, Method=1, CardNo="0A", ErrorCode=0x19)).type == "patrol.checkin"


def test_a_record_that_does_not_say_whether_it_opened_is_refused() -> None:
    with pytest.raises(RefusedError, match="missing_field"):
        decode(event("AccessControl", UserID="a1b2"))


def test_a_record_made_while_offline_is_late() -> None:
    body = {"Events": [{**access(UserID="a1b2"), "DataSource": "Offline"}]}
    assert one(body).late


def test_several_records_in_one_push_are_several_events() -> None:
    body = {"Events": [access(RecNo=1), access(RecNo=2), {"Code": "Unheard"}], "Time": "2026-11-23 07:15:02"}
    decoded = decode(body)
    assert [reading.record_id for reading in decoded.readings] == ["rec:1", "rec:2"]
    assert decoded.partial == ("unknown_type", "Unheard")


def test_the_doors_contact_is_a_state() -> None:
    reading = one(event("DoorStatus", Status="Open", SN="TESTSN1"))
    assert (reading.type, reading.point) == ("door.opened", ("door:0", "open"))
    assert one(event("DoorStatus", Status="Close")).point == ("door:0", "closed")


def test_a_known_face_has_the_cameras_reference_and_no_name() -> None:
    decoded = decode(
        event(
            "FaceRecognition",
            UID="00105",
            Candidates=[
                {
                    "Person": {"UID": "14", "Name": "李某", "Sex": "Male", "ID": "530502199001011234"},
                    "Similarity": 75,
                },
                {"Person": {"UID": "12", "GroupID": "10000", "Birthday": "1980-01-02"}, "Similarity": 80},
            ],
            Face={"Sex": "Man", "Age": 20, "Feature": ["SunGlasses"]},
        )
    )
    (reading,) = decoded.readings
    assert reading.type == "face.identified"
    assert reading.match is not None
    assert (reading.match.person_ref, reading.match.score) == ("12", 0.8)
    assert "530502199001011234" not in repr(reading)
    assert "SunGlasses" not in repr(reading)
    assert {"Data.Face", "Data.Candidates[].Person"} <= set(decoded.dropped)


def test_a_face_like_nobody_is_unknown() -> None:
    assert one(event("FaceRecognition", Candidates=[])).type == "face.unknown"


def test_a_typed_pin_and_a_holders_name_are_never_kept() -> None:
    decoded = decode(access(Method=0, Password="824613", CardName="赵某", CitizenIDNo="x", UserID="a1b2"))
    assert "824613" not in repr(decoded.readings)
    assert "赵某" not in repr(decoded.readings)
    assert {"Data.Password", "Data.CardName", "Data.CitizenIDNo"} <= set(decoded.dropped)


def test_unknown_fields_are_kept_and_marked() -> None:
    reading = one(access(AttendanceState=1))
    assert reading.attributes["AttendanceState"] == 1
    assert "unknown_fields" in reading.marks


def test_a_record_sent_again_is_the_same_record() -> None:
    first, second = one(access(UserID="a1b2")), one(access(UserID="a1b2"))
    assert (first.record_id, first.device_time) == (second.record_id, second.device_time)
    assert first == second


def test_a_door_station_behind_its_bridge() -> None:
    body = {
        "Action": "Pulse",
        "Data": {
            "LocaleTime": "2026-11-23 07:15:02",
            "UTC": TRUE,
            "Method": 4,
            "Name": "OpenDoor",
            "Status": 1,
        },
        "deviceType": "VTO2000",
        "serialNumber": "TESTSN2",
    }
    decoded = decode(body, topic="DahuaVTO/AccessControl/Event", content_type=None)
    assert decoded.sender == "TESTSN2"
    assert decoded.readings[0].type == "access.granted"
    assert decoded.readings[0].attributes["model"] == "VTO2000"
    assert decoded.reply is None


def test_the_bridges_cleared_topic_says_nothing() -> None:
    assert decode(b"", topic="DahuaVTO/VideoLoss/Event", content_type=None).ignored == "cleared_state"


def test_a_command_to_the_bridge_is_no_event() -> None:
    with pytest.raises(RefusedError, match="command_not_event"):
        decode(b"", topic="DahuaVTO/Command/Open", content_type=None)


def test_a_bridge_may_publish_its_events_and_no_commands() -> None:
    assert DAHUA.rights("TESTSN2").subscribe == ()


def test_events_of_the_binary_protocol_are_read() -> None:
    body = {"id": 3, "method": "client.notifyEventStream", "params": {"SID": 513, "eventList": [passage()]}}
    assert one(body).type == "plate.recognised"
    assert decode({"id": 3, "result": True}).ignored == "answer"


def tollgate() -> dict[str, object]:
    return {
        "Picture": {
            "Plate": {"PlateNumber": "云M12345", "PlateColor": "Yellow", "Confidence": 85, "IsExist": True},
            "SnapInfo": {
                "DeviceID": "TESTSN3",
                "AccurateTime": "2026-11-23 07:15:02.157",
                "BlockUser": "赵某",
            },
            "Vehicle": {"VehicleColor": "Red", "VehicleType": "SaloonCar"},
            "NormalPic": {"Content": base64.b64encode(JPEG).decode(), "PicName": "n.jpg"},
            "CutoutPic": {"Content": base64.b64encode(JPEG).decode()},
        }
    }


def test_a_plate_cameras_own_push_is_answered_so_that_it_stops() -> None:
    decoded = decode(tollgate(), topic="/NotificationInfo/TollgateInfo")
    (reading,) = decoded.readings
    assert decoded.sender == "TESTSN3"
    assert reading.plate is not None
    assert (reading.plate.text, reading.plate.confidence, reading.plate.color) == ("云M12345", 0.85, "yellow")
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2, 157000)
    assert [role for role, _ in reading.pictures] == ["scene", "plate"]
    assert "Picture.SnapInfo.BlockUser" in decoded.dropped
    assert decoded.reply is not None
    assert json.loads(decoded.reply.body)["result"] == "true"


def test_a_plate_that_the_camera_did_not_find_is_none() -> None:
    body = tollgate()
    body["Picture"]["Plate"]["IsExist"] = False
    assert one(body).type == "plate.none"


def test_a_cameras_keep_alive_is_a_sign_of_life() -> None:
    decoded = decode({"Active": "keepAlive", "DeviceID": "TESTSN3"}, topic="/NotificationInfo/KeepAlive")
    assert (decoded.sender, decoded.signs[0].online, decoded.ignored) == ("TESTSN3", True, "keep_alive")


def test_a_heartbeat_of_the_stream_is_a_sign_of_life() -> None:
    assert decode(b"Heartbeat", content_type="text/plain").signs[0].online


def test_what_is_refused_is_answered_all_the_same_or_it_would_come_for_ever() -> None:
    broken = Incoming("/", b'{"Events": [{"Code"', "application/json")
    with pytest.raises(RefusedError, match="malformed_json"):
        DAHUA.decode(broken)
    reply = DAHUA.refused(broken, "malformed_json").reply
    assert reply is not None
    assert json.loads(reply.body)["code"] == 0
    assert DAHUA.refused(Incoming("DahuaVTO/x/Event", b"{"), "malformed_json").reply is None


def test_a_code_that_nobody_documents_is_refused_by_name() -> None:
    with pytest.raises(RefusedError, match="unknown_type: SomethingNew"):
        decode(event("SomethingNew"))


def test_text_in_gbk_behind_a_byte_order_mark_is_read() -> None:
    raw = json.dumps(passage(), ensure_ascii=False)
    assert one(b"\xef\xbb\xbf" + raw.encode()).plate.text == "云M12345"
    assert one(raw.encode("gbk")).plate.text == "云M12345"


def test_data_that_breaks_off_is_refused_as_json() -> None:
    with pytest.raises(RefusedError, match="malformed_json"):
        decode(b'Code=BreakIn;action=Start;index=0;data={"Name": "a', content_type="text/plain")


def test_a_push_of_endless_events_is_too_large() -> None:
    with pytest.raises(RefusedError, match="too_large"):
        decode({"Events": [{"Code": "VideoLoss"}] * 1001})
