"""What iSecure Center tells its subscribers; people, plates and places are invented."""

import datetime as dt
import json

import pytest

from devices.adapters import artemis_codes as codes
from devices.adapters.artemis import ArtemisAdapter
from devices.adapters.canonical import EVENT_TYPES
from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError

adapter = ArtemisAdapter()
AT = dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)
EVENT_ID = "7D1A2C3B-5E6F-4A7B-8C9D-0E1F2A3B4C5D"


def event(code: int, data: object = None, **changes: object) -> dict:
    return {
        "eventId": EVENT_ID,
        "eventType": code,
        "happenTime": "2026-11-23T07:15:02.000+08:00",
        "srcIndex": "cam-77",
        "srcName": "东门球机",
        "srcType": "camera",
        "srcParentIndex": "nvr-1",
        "status": 0,
        "timeout": 0,
        "data": data,
    } | changes


def message(*events: dict, **changes: object) -> bytes:
    params = {"sendTime": "2026-11-23T07:14:50.000+08:00", "ability": "event_rule", "events": list(events)}
    return json.dumps({"method": "OnEventNotify", "params": params} | changes).encode()


def decode(body: bytes) -> Decoded:
    return adapter.decode(Incoming("", body, "application/json"))


def reading(code: int, data: object = None, **changes: object) -> Reading:
    (found,) = decode(message(event(code, data, **changes))).readings
    return found


def refusal(body: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        decode(body)
    return refused.value


LANE = {
    "alarmCar": 0, "cardNo": "100", "eventCmd": 1, "gateName": "东门", "inoutType": 0, "plateBelieve": 97,
    "plateColor": 0, "plateNo": "云M12345", "roadwayName": "东门入口", "vehicleColor": 255, "parkName": "地面",
}  # fmt: skip
DOOR = {
    "ExtEventCardNo": "1953862610", "ExtEventDoorID": 2, "ExtEventInOut": 1, "ExtEventPersonNo": "R-1042",
    "ExtEventReaderID": 1, "ExtEventPictureURL": "/pic?a=1", "ExtEventIDCardPictureURL": "/pic?id=1",
    "ExtEventIdentityCardInfo": {"Name": "沈一", "IdNum": "53050219900101002X", "Address": "保山", "Sex": 1, "Nation": 1},
    "ExtEventAlarmInID": 0, "UserType": 1,
}  # fmt: skip


def test_event_names_its_device_its_time_and_what_it_was() -> None:
    region = [
        {"targetAttrs": {"cameraAddress": "东门"}, "imageUrl": "http://192.0.2.9/x.jpg", "duration": 10}
    ]
    found = reading(131590, {"dataType": "behavioralAnalysis", "recvTime": "now", "loitering": region})
    assert (found.type, found.record_id, found.device_time, found.device) == (
        "video.loitering",
        EVENT_ID,
        AT,
        "cam-77",
    )
    assert found.attributes == {
        "dataType": "behavioralAnalysis",
        "loitering": [{"targetAttrs": {"cameraAddress": "东门"}, "duration": 10}],
        "code": 131590,
        "source": "东门球机",
        "source_type": "camera",
        "parent": "nvr-1",
        "picture_urls": [{"role": "scene", "url": "http://192.0.2.9/x.jpg"}],
    }


@pytest.mark.parametrize(
    ("code", "canonical"),
    [
        (131585, "video.line_crossing"), (131586, "video.intrusion"), (131587, "video.line_crossing"),
        (131588, "video.intrusion"), (131590, "video.loitering"), (131591, "parking.overstay"),
        (131592, "video.fast_move"), (131593, "video.crowd"), (131594, "video.object_left"),
        (131595, "video.object_removed"), (131596, "video.fight"), (131597, "video.climb"),
        (131603, "video.absence_from_post"), (131604, "video.tailgating"), (131605, "video.fall"),
        (131330, "video.occlusion"), (131329, "video.lost"), (192513, "video.fire_smoke"),
        (192514, "video.fire_smoke"), (192515, "video.fire_smoke"), (327681, "alarm.intrusion"),
        (327687, "alarm.sos"), (254103, "video.fire_lane_blocked"), (254101, "video.ebike_in_lift"),
        (254075, "alarm.smoke"), (254098, "video.absence_from_post"), (199708, "device.tamper"),
        (983302, "device.tamper"), (983553, "alarm.sos"), (983306, "door.held_open"), (198400, "door.held_open"),
        (198657, "door.forced"), (199425, "access.duress"), (199428, "access.duress"), (198913, "access.granted"),
        (198914, "access.granted"), (196893, "access.granted"), (983309, "access.granted"),
        (983299, "access.granted"), (983308, "access.granted"), (1392513025, "visitor.checked_in"),
        (1392513026, "visitor.checked_out"),
    ],
)  # fmt: skip
def test_events_by_code(code: int, canonical: str) -> None:
    assert reading(code).type == canonical


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (197151, "face_mismatch"), (197634, "no_card"), (197633, "expired"), (197635, "no_right"),
        (197121, "wrong_pin"), (199429, "too_many_tries"), (197383, "anti_passback"), (197889, "blocked"),
        (197140, "not_registered"), (197390, "refused"),
    ],
)  # fmt: skip
def test_refusals_at_a_door_say_why(code: int, reason: str) -> None:
    found = reading(code)
    assert (found.type, found.attributes["reason"]) == ("access.denied", reason)


def test_every_code_is_canonical_or_says_why_it_is_none() -> None:
    for code, meaning in codes.MEANINGS.items():
        assert bool(meaning.type) != bool(meaning.ignored), code
        assert not meaning.type or meaning.type in EVENT_TYPES, code
        assert (meaning.type == "access.denied") == (meaning.reason is not None), code


@pytest.mark.parametrize(
    ("code", "ignored"),
    [(131331, "not_security"), (327937, "configuration"), (199712, "no_change"), (459010, "not_security"), (254136, "no_change")],
)  # fmt: skip
def test_motion_arming_recoveries_and_values_are_no_events(code: int, ignored: str) -> None:
    told = decode(message(event(code)))
    assert (told.readings, told.ignored) == ((), ignored)


def test_code_that_nobody_knows_is_refused_with_the_code() -> None:
    refused = refusal(message(event(424242)))
    assert (refused.reason, refused.detail) == ("unknown_type", "424242")


def test_several_events_come_in_one_message_and_an_unknown_one_does_not_take_the_rest_with_it() -> None:
    told = decode(
        message(event(424242), event(983553, eventId="b"), event(131605, eventId="c", srcIndex="cam-78"))
    )
    assert [(found.type, found.device) for found in told.readings] == [
        ("alarm.sos", "cam-77"),
        ("video.fall", "cam-78"),
    ]


def test_one_event_told_again_is_the_same_record_with_a_higher_revision() -> None:
    start, linked, pictured = (reading(131593, status=status) for status in (1, 4, 5))
    assert start.revision < linked.revision < pictured.revision
    assert len({(found.type, found.record_id, found.device_time) for found in (start, linked, pictured)}) == 1
    assert reading(131593, status=1) == start
    assert reading(131593, status=3).revision == start.revision


def test_plate_that_is_corrected_or_gets_its_picture_amends_the_first_reading() -> None:
    steps = [(0, 1), (5, 2), (5, 5), (5, 6)]
    told = [reading(771760133, LANE | {"eventCmd": step}, status=status).revision for status, step in steps]
    assert told == sorted(set(told))


def test_a_stop_is_the_end_of_what_lasts_when_it_comes() -> None:
    began = reading(131593, status=1)
    over = reading(131593, status=2, happenTime="2026-11-23T07:19:00+08:00")
    assert (over.type, over.attributes["ended"], over.record_id) == (
        "video.crowd",
        True,
        f"over:{began.record_id}",
    )
    # Whose time `happenTime` is then, nobody says.
    assert (over.device_time, over.revision, "time_missing" in over.marks) == (None, None, True)
    assert over == reading(131593, status=2)


@pytest.mark.parametrize("code", [131585, 131588])
def test_a_stop_of_what_has_no_length_is_no_event(code: int) -> None:
    told = decode(message(event(code, status=2)))
    assert (told.readings, told.ignored) == ((), "no_change")


@pytest.mark.parametrize("code", [199709, 200454])
def test_a_housing_that_is_shut_again_is_the_end_of_its_tampering(code: int) -> None:
    over = reading(code, DOOR)
    assert (over.type, over.attributes["ended"]) == ("device.tamper", True)


def test_camera_that_is_gone_is_a_sign_and_so_is_its_return() -> None:
    (gone,) = decode(message(event(889196545, None))).signs
    assert (gone.online, gone.device, gone.device_time, gone.facts["name"]) == (
        False,
        "cam-77",
        AT,
        "东门球机",
    )
    assert decode(message(event(889196545, status=2))).signs[0].online is True
    assert decode(message(event(199710))).signs[0].online is False
    assert decode(message(event(199711))).signs[0].online is True


def test_happen_time_after_send_time_is_taken_as_it_is() -> None:
    assert reading(131605, happenTime="2026-11-23T07:15:08.000+08:00").device_time == AT + dt.timedelta(
        seconds=6
    )


@pytest.mark.parametrize(
    ("told", "when"),
    [
        ("2026-11-23T 07:15:02.000+08:00", AT),
        ("2026-11-23T07: 15: 02.000+08: 00", AT),
        ("2026-11-23T07:15:02.000+0800", AT),
        ("2026-11-23 07:15:02", dt.datetime(2026, 11, 23, 7, 15, 2)),
    ],
)
def test_times_with_blanks_and_without_a_zone_are_read(told: str, when: dt.datetime) -> None:
    assert reading(131605, happenTime=told).device_time == when


def test_day_that_does_not_exist_is_marked_and_a_missing_time_is_looked_for_in_the_data() -> None:
    found = reading(131605, happenTime="1900-01-00T00:00:00.000+08:00")
    assert (found.device_time, "time_unreadable" in found.marks) == (None, True)
    assert reading(131605, {"dateTime": "2026-11-23T07:15:02+08:00"}, happenTime="").device_time == AT
    assert "time_missing" in reading(131605, happenTime=None).marks


def test_blanks_behind_keys_and_values_do_not_matter() -> None:
    body = message(event(131605)).decode()
    for name in ("method", "params", "events", "eventType", "eventId"):
        body = body.replace(f'"{name}"', f'"{name} "')
    body = body.replace('"OnEventNotify"', '"OnEventNotify "')
    assert decode(body.encode()).readings[0].record_id == EVENT_ID


def test_no_break_spaces_between_the_fields_do_not_matter() -> None:
    body = message(event(131605)).replace(b'"method": ', b'"method":\xc2\xa0\xc2\xa0')
    assert decode(body).readings[0].type == "video.fall"


def test_lane_reads_a_plate_with_its_way() -> None:
    found = reading(771760130, LANE)
    assert (found.type, found.direction) == ("plate.recognised", "in")
    assert (found.plate.text, found.plate.confidence, found.plate.color) == ("云M12345", 0.97, "blue")
    assert (found.credential.kind, found.credential.ref) == ("card", "100")
    assert "released" not in found.attributes
    assert reading(771760131, LANE).attributes["released"] is True
    assert reading(771760134, LANE | {"inoutType": 1}).direction == "out"


@pytest.mark.parametrize("way", [0, 1])
def test_blocked_car_has_one_code_for_both_ways(way: int) -> None:
    found = reading(771756034, LANE | {"inoutType": way, "alarmCar": 1})
    assert (found.type, found.attributes["blocked"], found.direction) == (
        "plate.recognised",
        True,
        ("in", "out")[way],
    )


def test_no_plate_and_absent_confidence() -> None:
    found = reading(771760130, LANE | {"plateNo": "无车牌"})
    assert (found.type, found.plate.text) == ("plate.none", None)
    without = {name: value for name, value in LANE.items() if name != "plateBelieve"}
    assert reading(771760130, without).plate.confidence is None


def test_checkpoint_names_the_violation_and_not_the_owner() -> None:
    data = {
        "plateNo": "云M12345", "speed": 45, "person": {"personName": "沈一", "phoneNo": "00"},
        "picUrl": {"platePicUrl": "/pic?p", "vehiclePicUrl": "/pic?v"},
    }  # fmt: skip
    told = decode(message(event(1157632003, data)))
    (found,) = told.readings
    assert (found.type, found.attributes["violation"]) == ("plate.recognised", "speeding")
    assert [url["role"] for url in found.attributes["picture_urls"]] == ["plate", "vehicle"]
    assert "沈一" not in str(told)
    assert any(path.endswith("person") for path in told.dropped)


def test_door_tells_card_person_and_way_and_nothing_of_the_identity_card() -> None:
    told = decode(message(event(198914, DOOR)))
    (found,) = told.readings
    assert (found.credential.kind, found.credential.ref, found.match.person_ref) == (
        "card",
        "1953862610",
        "R-1042",
    )
    assert found.direction == "in"
    assert found.attributes["picture_urls"] == [{"role": "face", "url": "/pic?a=1"}]
    assert found.attributes["ExtEventDoorID"] == 2
    for secret in ("沈一", "53050219900101002X", "/pic?id=1"):
        assert secret not in str(told)
    # What is 0 is nothing.
    assert "ExtEventAlarmInID" not in found.attributes


def test_card_number_that_is_an_identity_cards_is_not_taken() -> None:
    found = reading(197162, DOOR | {"ExtEventCardNo": "53050219900101002X", "ExtEventPersonNo": "0"})
    assert (found.credential.kind, found.credential.ref, found.match) == ("face", None, None)
    assert "53050219900101002X" not in str(found)


def test_way_of_a_door_whose_readers_nobody_numbered_is_unknown() -> None:
    assert reading(198914, DOOR | {"ExtEventInOut": 0}).direction == "out"
    assert reading(198914, DOOR | {"ExtEventInOut": 0, "ExtEventReaderID": 0}).direction is None
    assert reading(198914, DOOR | {"ExtEventInOut": -1}).direction is None
    assert reading(983299, DOOR | {"ExtEventInOut": 2}).direction == "out"
    assert reading(983299, DOOR | {"ExtEventInOut": 0}).direction is None


def recognition(**changes: object) -> dict:
    snap = {
        "ageGroup": "young",
        "gender": "male",
        "glass": "yes",
        "faceUrl": "http://192.0.2.9/f",
        "bkgUrl": "http://192.0.2.9/b",
    }
    match = [{
        "faceInfoCode": "P-77", "faceInfoName": "沈一", "certificate": "32423", "certificateType": "111",
        "faceInfoSex": "male", "similarity": 0.87, "facePicUrl": "http://192.0.2.9/enrolled",
    }]  # fmt: skip
    return {
        "faceRecognitionResult": {"snap": snap, "faceMatch": match},
        "resInfo": [{"indexCode": "cam-9"}],
    } | changes


def test_key_person_is_a_reference_at_a_camera_and_never_a_name() -> None:
    told = decode(message(event(1644175361, recognition(), srcType="faceGroup", srcIndex="library-1")))
    (found,) = told.readings
    assert (found.type, found.device) == ("face.identified", "cam-9")
    assert (found.match.person_ref, found.match.score) == ("P-77", 0.87)
    assert [url["role"] for url in found.attributes["picture_urls"]] == ["face", "scene"]
    for secret in ("沈一", "32423", "enrolled", "young", "'male'"):
        assert secret not in str(told)
    assert any(path.endswith("faceInfoName") for path in told.dropped)
    assert any(path.endswith("snap.ageGroup") for path in told.dropped)


def test_stranger_is_unknown_and_a_face_that_was_only_seen_is_captured() -> None:
    assert reading(1644171265, {"faceRecognitionResult": {"snap": {"faceUrl": "/f"}}}).type == "face.unknown"
    found = reading(
        132865, {"faceCapture": [{"faces": [{"URL": "/f", "occurrences": 36, "gender": {"value": "male"}}]}]}
    )
    assert found.type == "face.captured"
    assert found.attributes["faceCapture"] == [{"faces": [{"occurrences": 36}]}]
    assert reading(131614, {"captureLibResult": []}).type == "face.captured"


def test_comparison_takes_the_most_similar_candidate() -> None:
    candidates = [{"human_id": "H-1", "similarity": 0.4}, {"human_id": "H-2", "similarity": "91"}]
    data = {"alarmResult": [{"faces": [{"identify": [{"candidate": candidates}]}]}]}
    found = reading(131659, data)
    assert (found.type, found.match.person_ref, found.match.score) == ("face.identified", "H-2", 0.91)
    assert reading(131659, {"alarmResult": []}).type == "face.unknown"


def test_visit_keeps_its_reference_and_times_and_drops_who_it_was() -> None:
    data = {
        "visitorId": "v-1", "personName": "沈一", "sex": 1, "nationality": "1", "idType": 111, "idNo": "5305",
        "beVisitedPersonName": "沈二", "beVisitedPersonId": "R-1042", "visitorCode": "889900", "phone": "000",
        "startTime": "2026-11-23T 07:00:00+08:00", "carNo": "云M12345", "captureUrl": "/c", "photoUrl": "/document",
        "visitorWorkUint": "某单位", "signOrg": "某局",
    }  # fmt: skip
    told = decode(message(event(1392513026, data)))
    (found,) = told.readings
    assert (found.type, found.credential.kind, found.credential.ref) == ("visitor.checked_out", "pass", "v-1")
    assert (found.attributes["car"], found.attributes["beVisitedPersonId"]) == ("云M12345", "R-1042")
    assert found.attributes["picture_urls"] == [{"role": "face", "url": "/c"}]
    for secret in ("沈一", "沈二", "889900", "/document", "某单位", "某局"):
        assert secret not in str(told)


def test_unknown_fields_are_kept_and_marked() -> None:
    found = reading(131605, {"posture": {"angle": 80}}, firmware="4.1")
    assert (found.attributes["posture"], found.attributes["firmware"]) == ({"angle": 80}, "4.1")
    assert "unknown_fields" in found.marks
    assert reading(131605).marks == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "malformed_json"),
        (b"[]", "not_an_object"),
        (b"{}", "missing_field"),
        (b'{"method":"OnEventNotify"}', "missing_field"),
        (b'{"method":"OnEventNotify","params":{"events":[]}}', "missing_field"),
        (b'{"method":"OnEventNotify","params":[]}', "missing_field"),
        (b'{"method":"OnEventNotify","params":{"events":[{}]}}', "missing_field"),
        (b'{"method":"Subscribe","params":{}}', "command_not_event"),
    ],
)
def test_what_is_no_notification_says_why(body: bytes, reason: str) -> None:
    assert refusal(body).reason == reason


def test_one_event_where_a_list_is_expected_and_numbers_as_text_are_read() -> None:
    body = {
        "method": "OnEventNotify",
        "params": {"events": event(0) | {"eventType": "131605", "status": "1"}},
    }
    assert decode(json.dumps(body).encode()).readings[0].type == "video.fall"


def test_platform_is_answered_for_what_it_said_and_for_what_we_cannot_read() -> None:
    assert decode(message(event(131605))).reply == adapter.refused(Incoming("", b"{"), "malformed_json").reply
