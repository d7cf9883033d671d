"""A view library's pushes; devices, plates and people are invented."""

import base64
import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError
from devices.adapters.ga1400 import Ga1400Adapter
from tests.support.compound import JPEG

adapter = Ga1400Adapter()
APE = "53050200001310000007"
SOURCE = f"{APE}02" + "20261123071502" + "00001"
VEHICLE = f"{SOURCE}0200001"
FACE = f"{SOURCE}0600001"
AT = dt.datetime(2026, 11, 23, 7, 15, 2)
B64 = base64.b64encode(JPEG).decode()


def image(kind: str, **changes: object) -> dict:
    return {"Type": kind, "Data": B64, "ShotTime": "20261123071500", "StoragePath": ""} | changes


def vehicle(*images: dict, **changes: object) -> dict:
    return {
        "MotorVehicleID": VEHICLE, "InfoKind": 1, "SourceID": SOURCE, "TollgateID": "", "DeviceID": APE,
        "StorageUrl1": "http://192.0.2.9/v.jpg", "StorageUrl2": "", "LeftTopX": 0, "HasPlate": "1", "PlateClass": "02",
        "PlateColor": "5", "PlateNo": "云M12345", "PlateReliability": "91", "VehicleBrand": "", "Speed": None,
        "SafetyBelt": 0, "NumOfPassenger": "2", "PassTime": "20261123071502", "InOut": "in", "IsDecked": False,
        "SubImageList": {"SubImageInfoObject": list(images)},
    } | changes  # fmt: skip


def face(*images: dict, **changes: object) -> dict:
    return {
        "FaceID": FACE, "InfoKind": 1, "SourceID": SOURCE, "DeviceID": APE, "LeftTopX": 10, "FaceAppearTime": "20261123071502",
        "ShotTime": "", "GenderCode": "1", "AgeUpLimit": 40, "EthicCode": "01", "Name": "沈一", "IDNumber": "5305",
        "IsDriver": 2, "IsSuspectedTerrorist": 0, "IsCriminalInvolved": 2, "SkinColor": "", "SubImageList":
        {"SubImageInfoObject": list(images)},
    } | changes  # fmt: skip


def body(kind: str, *objects: dict) -> bytes:
    return json.dumps({f"{kind}ListObject": {f"{kind}Object": list(objects)}}).encode()


def decode(content: bytes | dict, path: str = "/VIID/MotorVehicles") -> Decoded:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return adapter.decode(Incoming(path, raw, "application/VIID+JSON"))


def reading(content: bytes | dict) -> Reading:
    (found,) = decode(content).readings
    return found


def refusal(content: bytes | dict) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        decode(content)
    return refused.value


def test_vehicle_is_a_plate_at_a_device_and_its_time_is_local() -> None:
    found = reading(body("MotorVehicle", vehicle(image("02"), image("01"))))
    assert (found.type, found.record_id, found.device, found.direction) == (
        "plate.recognised",
        VEHICLE,
        APE,
        "in",
    )
    assert (found.plate.text, found.plate.confidence, found.plate.color) == ("云M12345", 0.91, "blue")
    # yyyyMMddHHmmss without a zone: the compound's is applied later.
    assert (found.device_time, found.device_time.tzinfo) == (AT, None)
    assert found.pictures == (("plate", JPEG), ("scene", JPEG))
    assert found.attributes["picture_urls"] == [{"role": "scene", "url": "http://192.0.2.9/v.jpg"}]


def test_blank_fields_leave_nothing_and_unknown_ones_are_kept() -> None:
    found = reading(body("MotorVehicle", vehicle(Hood="open", VehicleModel="")))
    assert found.attributes["Hood"] == "open"
    assert found.attributes["PlateClass"] == "02"
    assert not {"VehicleBrand", "VehicleModel", "Speed", "LeftTopX", "SafetyBelt", "NumOfPassenger"} & set(
        found.attributes
    )
    assert "unknown_fields" in found.marks


def test_absent_reliability_and_color_are_none() -> None:
    found = reading(body("MotorVehicle", vehicle(PlateReliability="", PlateColor="99")))
    assert (found.plate.confidence, found.plate.color) == (None, None)


@pytest.mark.parametrize(
    ("code", "color"), [("1", "black"), ("2", "white"), (5, "blue"), ("6", "yellow"), ("9", "green")]
)
def test_colors_are_the_standards_numbers(code: object, color: str) -> None:
    assert reading(body("MotorVehicle", vehicle(PlateColor=code))).plate.color == color


@pytest.mark.parametrize(
    "changes", [{"HasPlate": "0"}, {"HasPlate": False}, {"PlateNo": ""}, {"PlateNo": "无车牌"}]
)
def test_vehicle_without_a_plate(changes: dict) -> None:
    found = reading(body("MotorVehicle", vehicle(**changes)))
    assert (found.type, found.plate.text, found.plate.confidence) == ("plate.none", None, None)


def test_driver_and_passenger_are_not_looked_at() -> None:
    told = decode(body("MotorVehicle", vehicle(image("04"), image("05"), image("09"))))
    assert told.readings[0].pictures == (("vehicle", JPEG),)
    assert any("Type=04" in path for path in told.dropped)


def test_device_is_found_in_ids_of_the_standards_length_only() -> None:
    assert reading(body("MotorVehicle", vehicle(DeviceID="", TollgateID="gate-1"))).device == "gate-1"
    assert reading(body("MotorVehicle", vehicle(DeviceID=""))).device == APE
    assert reading(body("MotorVehicle", vehicle(DeviceID="", SourceID="", MotorVehicleID="7"))).device is None


def test_face_is_captured_and_nothing_that_it_is_said_to_be_is_kept() -> None:
    told = decode(body("Face", face(image("11"), image("14"))))
    (found,) = told.readings
    assert (found.type, found.record_id, found.device, found.device_time) == ("face.captured", FACE, APE, AT)
    assert found.pictures == (("face", JPEG), ("scene", JPEG))
    assert (found.attributes, found.match) == ({}, None)
    assert {"EthicCode", "AgeUpLimit", "IsSuspectedTerrorist", "IsCriminalInvolved"} <= {
        path.rpartition(".")[2] for path in told.dropped
    }
    assert "沈一" not in str(told)


def test_person_is_captured_like_a_face() -> None:
    person = {
        "PersonID": "p-1",
        "DeviceID": APE,
        "PersonAppearTime": "20261123071502",
        "BodyType": "tall",
        "SubImageList": {"SubImageInfoObject": [image("10")]},
    }
    found = reading(body("Person", person))
    assert (found.type, found.pictures, found.attributes) == ("face.captured", (("body", JPEG),), {})


def test_bicycle_misses_no_plate_and_its_plate_is_read_where_it_has_one() -> None:
    bicycle = {"NonMotorVehicleID": "n-1", "DeviceID": APE, "PassTime": "20261123071502", "PlateNo": ""}
    assert decode(body("NonMotorVehicle", bicycle)).ignored == "not_security"
    assert reading(body("NonMotorVehicle", bicycle | {"PlateNo": "保山A1234"})).plate.text == "保山A1234"


def test_one_object_where_a_list_is_expected() -> None:
    assert reading({"MotorVehicleListObject": {"MotorVehicleObject": vehicle()}}).type == "plate.recognised"


def test_notification_wraps_what_was_subscribed_to() -> None:
    note = {
        "NotificationID": "n-1", "SubscribeID": "s-1", "Title": "某某", "TriggerTime": "20261123071503", "InfoIDs": "x",
        "MotorVehicleObjectList": {"MotorVehicleObject": [vehicle()]}, "FaceObjectList": {"FaceObject": face()},
        "DeviceList": {"APEObject": [{"ApeID": APE, "IsOnline": "2"}]},
    }  # fmt: skip
    told = decode({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [note]}})
    assert sorted(found.type for found in told.readings) == ["face.captured", "plate.recognised"]
    assert [(sign.device, sign.online) for sign in told.signs] == [(APE, False)]


@pytest.mark.parametrize(
    ("sort", "canonical"),
    [("20", "video.intrusion"), (19, "video.line_crossing"), ("22", "video.loitering"), (600, "video.parabolic"), (629, "video.ebike_in_lift"), (646, "video.fire_lane_blocked")],
)  # fmt: skip
def test_image_is_an_event_by_what_its_analysis_says(sort: object, canonical: str) -> None:
    info = {"ImageID": SOURCE, "DeviceID": APE, "ShotTime": "20261123071502", "EventSort": sort}
    found = reading({"ImageListObject": {"Image": [{"ImageInfo": info, "Data": B64}]}})
    assert (found.type, found.record_id, found.device_time, found.pictures) == (
        canonical,
        SOURCE,
        AT,
        (("scene", JPEG),),
    )


def test_image_that_carries_faces_is_told_as_its_faces() -> None:
    wrapped = {"ImageInfo": {"ImageID": SOURCE}, "FaceList": {"FaceObject": [face(image("11"))]}, "Data": B64}
    assert reading({"ImageListObject": {"Image": [wrapped]}}).type == "face.captured"


def test_capture_devices_are_signs_of_life_and_their_passwords_go_nowhere() -> None:
    apes = [
        {
            "ApeID": APE,
            "Name": "东门入口",
            "IPAddr": "192.0.2.9",
            "IsOnline": "1",
            "UserId": "admin",
            "Password": "hunter2",
        },
        {"ApeID": "53050200001310000008", "IsOnline": 2},
        {"ApeID": "53050200001310000009", "IsOnline": "9"},
    ]
    told = decode(body("APE", *apes), "/VIID/APEs")
    assert [(sign.device, sign.online) for sign in told.signs] == [
        (APE, True),
        ("53050200001310000008", False),
    ]
    assert told.signs[0].facts == {"name": "东门入口", "ip": "192.0.2.9"}
    assert "hunter2" not in str(told)
    assert "APEObject.Password" in told.dropped
    assert refusal(body("APE", apes[2])).reason == "registry_data"


@pytest.mark.parametrize(("name", "online"), [("Keepalive", True), ("Register", True), ("UnRegister", False)])
def test_session_says_whether_the_library_is_online(name: str, online: bool) -> None:
    told = decode({f"{name}Object": {"DeviceID": "53050200005030000001"}}, f"/VIID/System/{name}")
    assert (told.sender, told.signs[0].online, told.ignored) == ("53050200005030000001", online, "keep_alive")
    assert json.loads(told.reply.body) == {
        "ResponseStatusObject": {
            "RequestURL": f"/VIID/System/{name}",
            "StatusCode": "0",
            "StatusString": "OK",
        }
    }


@pytest.mark.parametrize(
    "content",
    [
        {"PersonInfoListObject": {"PersonInfoObject": [{"PersonID": "1", "Name": "沈一"}]}},
        {"CarInfoList": {"CarInfo": [{"CarInfoID": "1", "PlateNo": "云M12345"}]}},
        {"DoorInfoListObject": {"DoorInfoObject": [{"DoorID": "1"}]}},
        {"DoorDeviceListObject": {"DoorDeviceObject": [{"DeviceID": "1"}]}},
        {"TollgateListObject": {"TollgateObject": [{"TollgateID": "1"}]}},
    ],
)
def test_lists_of_people_cars_and_doors_are_a_registry(content: dict) -> None:
    assert refusal(content).reason == "registry_data"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "malformed_json"),
        (b"[]", "not_an_object"),
        (b"{}", "missing_field"),
        (b'{"SubscribeListObject":{"SubscribeObject":[]}}', "command_not_event"),
        (b'{"DispositionListObject":{"DispositionObject":[]}}', "command_not_event"),
        (b'{"DoorOpenThings":{}}', "unknown_type"),
        (b'{"ImageListObject":{"Image":[{"ImageInfo":{"EventSort":"77"}}]}}', "unknown_type"),
    ],
)
def test_what_is_no_capture_says_why(content: bytes, reason: str) -> None:
    assert refusal(content).reason == reason


def test_answers_and_things_are_no_events() -> None:
    assert decode({"ResponseStatusListObject": {"ResponseStatusObject": []}}).ignored == "answer"
    assert decode({"ThingListObject": {"ThingObject": []}}).ignored == "not_security"


def test_times_are_looked_for_where_they_are_and_marked_where_they_are_not() -> None:
    shown = vehicle(image("02"), PassTime="", MarkTime=" ")
    assert reading(body("MotorVehicle", shown)).device_time == dt.datetime(2026, 11, 23, 7, 15, 0)
    assert "time_missing" in reading(body("MotorVehicle", vehicle(PassTime=""))).marks
    assert "time_unreadable" in reading(body("MotorVehicle", vehicle(PassTime="20261399000000"))).marks


def test_bad_pictures_mark_the_event_and_more_than_eight_are_cut() -> None:
    found = reading(body("MotorVehicle", vehicle(image("02", Data="<removed>"), *[image("01")] * 10)))
    assert ("bad_base64" in found.marks, len(found.pictures)) == (True, 8)


def test_object_that_is_sent_again_is_the_same_record() -> None:
    assert reading(body("MotorVehicle", vehicle())) == reading(body("MotorVehicle", vehicle()))


def test_reply_names_the_path_and_each_object() -> None:
    told = decode(body("MotorVehicle", vehicle(), vehicle(MotorVehicleID="m-2")), "/VIID/MotorVehicles?x=1")
    assert told.reply.content_type == "application/VIID+JSON"
    listed = json.loads(told.reply.body)["ResponseStatusListObject"]["ResponseStatusObject"]
    assert [(item["RequestURL"], item["StatusCode"]) for item in listed] == [("/VIID/MotorVehicles", "0")] * 2
    assert listed[0]["Id"] == VEHICLE


def test_refused_messages_are_answered_too_with_the_ids_of_their_broken_bytes() -> None:
    broken = body("Face", face())[:-20]
    reply = adapter.refused(Incoming("/VIID/Faces", broken), "malformed_json").reply
    listed = json.loads(reply.body)["ResponseStatusListObject"]["ResponseStatusObject"]
    assert [item["Id"] for item in listed] == [FACE]
