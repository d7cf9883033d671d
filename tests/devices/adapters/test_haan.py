"""What HaAn face cameras say, over MQTT and pushed, and each of their known quirks."""

import base64
import datetime as dt
import json
from typing import Any

import pytest

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import (
    CommandResult,
    Decoded,
    Incoming,
    Order,
    Reading,
    RefusedError,
    UnsupportedError,
)
from devices.adapters.haan import HaanAdapter

ID = "012379-18426B-A0FC11"
REQUEST, RESPONSE = f"topic/face/capture/request/{ID}", f"topic/face/capture/response/{ID}"
MANAGED = f"topic/face/manage/response/{ID}"
JPEG = b"\xff\xd8\xff\xe0 face \xff\xd9"
DATA = base64.b64encode(JPEG).decode()
NOW = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=dt.UTC)
adapter = HaanAdapter()


def face(**changes: Any) -> dict[str, Any]:
    message = {
        "cmd": "face", "version": "V2.3", "device_sn": ID, "device_no": "1", "addr_no": "", "addr_name": "北门",
        "sequence_no": 7, "cap_time": "2026/11/23 07:15:02.051", "is_realtime": 1, "match_result": 93,
        "match_failed_reson": 0, "overall_pic_flag": False, "closeup_pic_flag": True, "video_flag": False,
        "closeup_pic": {"data": DATA, "format": "jpg", "face_x": 236, "face_y": 462, "face_width": 576,
                        "face_height": 762},
        "match": {"person_id": "p-7f3a", "person_name": "测试住户", "person_role": 1, "person_attr": "none",
                  "match_type": ["face"], "image": DATA, "format": "jpg", "origin": "none",
                  "customer_text": "8-2-301", "is_encryption": False, "wg_card_id": 0},
        "person": {"age": 33, "sex": "female", "has_mask": False, "hat": "none", "temperatur": 36.6,
                   "face_quality": 98, "turn_angle": -2, "rotate_angle": 0, "wg_card_id": 0},
    }  # fmt: skip
    return {name: value for name, value in (message | changes).items() if value is not ...}


def matched(**changes: Any) -> dict[str, Any]:
    return face(match=face()["match"] | changes)


def decode(message: object, topic: str = REQUEST) -> Decoded:
    body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
    return adapter.decode(Incoming(topic, body))


def read(message: object) -> Reading:
    (reading,) = decode(message).readings
    return reading


def refusal(message: object) -> str:
    with pytest.raises(RefusedError) as refused:
        decode(message)
    return refused.value.reason


def test_match_is_an_entry_granted_by_the_camera() -> None:
    decoded = decode(face())
    assert decoded.sender == ID
    assert decoded.readings == (
        Reading(
            "access.granted",
            "7",
            dt.datetime(2026, 11, 23, 7, 15, 2, 51000),
            credential=CredentialUse("face"),
            match=DeviceMatch("p-7f3a", 0.93),
            pictures=(("face", JPEG),),
            attributes={
                "match_type": ["face"],
                "list": "allow",
                "face_quality": 98,
                "turn_angle": -2,
                "rotate_angle": 0,
            },
        ),
    )


def test_somebody_on_the_block_list_is_denied_as_blocked() -> None:
    reading = read(matched(person_role=2))
    assert (reading.type, reading.attributes["reason"], reading.attributes["list"]) == (
        "access.denied",
        "blocked",
        "block",
    )


@pytest.mark.parametrize(
    ("result", "person", "kind"),
    [
        (-1, "", "face.unknown"),
        ("-1", "", "face.unknown"),
        (0, "", "face.captured"),
        (..., "", "face.captured"),
        # A door that opens for any face says 100 and names nobody.
        (100, "", "face.captured"),
    ],
)
def test_face_that_the_camera_names_nobody_for(result: Any, person: str, kind: str) -> None:
    reading = read(matched(person_id=person) | ({"match_result": result} if result is not ... else {}))
    if result is ...:
        message = matched(person_id=person)
        del message["match_result"]
        reading = read(message)
    assert (reading.type, reading.match, reading.credential) == (kind, None, None)


@pytest.mark.parametrize("match", [None, "none", [], {}])
def test_camera_without_a_list_sends_no_match(match: Any) -> None:
    assert read(face(match=match, match_result=0)).type == "face.captured"


def test_card_is_a_credential_only_where_it_was_shown() -> None:
    shown = read(matched(match_type=["card", "face"], wg_card_id=4711))
    assert shown.credential == CredentialUse("card", "4711")
    on_file = read(matched(match_type=["face"], wg_card_id=4711))
    assert on_file.credential == CredentialUse("face")
    assert "4711" not in repr(on_file)


def test_what_identifies_or_describes_a_person_is_dropped_and_said_to_be() -> None:
    decoded = decode(face())
    assert set(decoded.dropped) == {
        "match.person_name", "match.person_attr", "match.image", "match.customer_text", "match.wg_card_id",
        "person.age", "person.sex", "person.has_mask", "person.hat", "person.temperatur", "person.wg_card_id",
    }  # fmt: skip
    for private in ("测试住户", "36.6", "female", "8-2-301"):
        assert private not in repr(decoded)


def test_picture_that_somebody_registered_with_is_not_evidence() -> None:
    assert [role for role, _ in read(face()).pictures] == ["face"]
    assert [role for role, _ in read(face(overall_pic={"data": DATA})).pictures] == ["face", "scene"]


def test_png_that_is_called_a_jpeg_is_marked() -> None:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n....").decode()
    assert read(face(closeup_pic={"data": png, "format": "jpg"})).marks == ("png_named_jpeg",)


def test_record_from_the_cameras_memory_is_late() -> None:
    assert read(face(is_realtime=0)).late is True
    assert read(face()).late is False


@pytest.mark.parametrize(("time", "mark"), [("", "time_missing"), ("never", "time_unreadable")])
def test_record_without_a_time_is_worth_keeping(time: str, mark: str) -> None:
    reading = read(face(cap_time=time))
    assert (reading.device_time, reading.marks) == (None, (mark,))


def test_what_is_not_known_is_kept_and_marked() -> None:
    reading = read(face(timezone="+08:00"))
    assert reading.attributes["timezone"] == "+08:00"
    assert reading.marks == ("unknown_fields",)


def test_reason_of_a_failed_match_is_kept_as_the_camera_gives_it() -> None:
    assert read(face(match_failed_reson=-6)).attributes["failed_reason"] == -6


def test_record_is_answered_with_its_own_number_and_time() -> None:
    (answer,) = decode(face()).answers
    assert answer.topic == RESPONSE
    assert json.loads(answer.payload) == {
        "reply": "ACK",
        "cmd": "face",
        "code": 0,
        "sequence_no": 7,
        "cap_time": "2026/11/23 07:15:02.051",
    }


def test_number_and_time_are_answered_as_they_were_written() -> None:
    (answer,) = decode(face(sequence_no="7", cap_time="2026/11/23  7:15:2")).answers
    told = json.loads(answer.payload)
    assert (told["sequence_no"], told["cap_time"]) == ("7", "2026/11/23  7:15:2")


def test_pushed_record_is_answered_in_the_body() -> None:
    decoded = adapter.decode(Incoming("/upload/record", json.dumps(face()).encode(), "application/json"))
    assert (decoded.sender, decoded.answers) == (ID, ())
    assert decoded.reply is not None
    assert json.loads(decoded.reply.body)["sequence_no"] == 7
    assert decoded.readings == decode(face()).readings


def test_record_sent_again_is_the_same() -> None:
    assert decode(face()) == decode(face())


def test_poison_is_answered_out_of_broken_bytes() -> None:
    broken = json.dumps(face()).encode()[:-40]
    assert refusal(broken) == "malformed_json"
    told = adapter.refused(Incoming(REQUEST, broken), "malformed_json")
    assert told.answers == decode(face()).answers
    assert told.reply == decode(face()).reply


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"sequence_no": 7', b'{"reply":"ACK","sequence_no":7,"cap_time":"2026"']
)
def test_what_names_no_record_is_not_answered(body: bytes) -> None:
    assert adapter.refused(Incoming(REQUEST, body), "malformed_json").answers == ()


@pytest.mark.parametrize("cmd", ["heart beat", "heartbeat"])
def test_heartbeat_shows_that_the_camera_is_alive(cmd: str) -> None:
    message = {"cmd": cmd, "device_sn": ID, "ip": "192.0.2.9", "version": "V2.3", "addr_name": ""}
    decoded = decode(message, "/upload/record")
    (sign,) = decoded.signs
    assert (decoded.sender, sign.online, sign.facts) == (ID, True, {"ip": "192.0.2.9", "firmware": "V2.3"})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"reply": "ACK", "cmd": "face", "code": 0, "sequence_no": 7}, "command_not_event"),
        ({"cmd": "gpio control Extend", "port": 1}, "command_not_event"),
        ({"cmd": "upload person", "id": "1", "name": "x"}, "command_not_event"),
        ({"cmd": "questionnaire"}, "unknown_type"),
        ({"sequence_no": 7}, "missing_field"),
        ([], "not_an_object"),
    ],
)
def test_what_is_no_record_is_refused_with_its_reason(message: object, reason: str) -> None:
    assert refusal(message) == reason


def sent(kind: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    messages = adapter.encode(Order("c0ffee", kind, ID, NOW, **more))
    assert {message.qos for message in messages} == {0}
    return [(message.topic, json.loads(message.payload)) for message in messages]


def test_commands_go_to_the_cameras_own_topic() -> None:
    topic = f"topic/face/manage/request/{ID}"
    assert sent("open", arguments={"door": 2, "seconds": 5.0}) == [
        (topic, {"cmd": "gpio control Extend", "port": 2, "ctrl_type": "on", "ctrl_mode": "force"})
    ]
    assert sent("delete", refs=("p-1", "p-2")) == [
        (topic, {"cmd": "delete person(s)", "flag": -1, "id": "p-1"}),
        (topic, {"cmd": "delete person(s)", "flag": -1, "id": "p-2"}),
    ]
    with pytest.raises(UnsupportedError):
        sent("enrol")


@pytest.mark.parametrize(
    ("message", "result"),
    [
        (
            {"reply": "ACK", "cmd": "gpio control Extend", "code": 0},
            CommandResult(None, ok=True, code="0", command="open"),
        ),
        (
            {"reply": "ACK", "cmd": "delete person(s)", "code": 22, "id": "p-1"},
            CommandResult(None, ok=False, code="22", command="delete", people=(("p-1", False, "22", ""),)),
        ),
    ],
)
def test_answers_carry_no_id_but_the_command(message: dict, result: CommandResult) -> None:
    decoded = decode(message, MANAGED)
    assert (decoded.sender, decoded.results) == (ID, (result,))


def test_rights_hold_a_camera_to_its_own_topics() -> None:
    rights = adapter.rights(ID)
    assert all(wanted.endswith(f"/{ID}") for wanted in (*rights.publish, *rights.subscribe))
    assert RESPONSE in rights.subscribe
