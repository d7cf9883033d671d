import base64
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from devices.adapters.contract import (
    Decoded,
    Incoming,
    Order,
    Person,
    Reading,
    RefusedError,
    UnsupportedError,
)
from devices.adapters.yilandu import YilanduAdapter
from tests.support.compound import JPEG

ADAPTER = YilanduAdapter()
SN = "4c21f0aa-19be7d03"
AT = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
EPOCH = 1795389302


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def face(**changes: object) -> dict:
    body = {
        "sn": SN, "per_id": "p-41", "name": "住户甲", "matched": 93, "role": 0, "code": 101,
        "sec": EPOCH, "usec": 5000, "sequence": 77, "face_imgdata": b64(JPEG), "face_imgsize": len(JPEG),
    }  # fmt: skip
    return {"type": "face_result", "body": body | changes}


def decoded_from(told: object, topic: str = "face/response") -> Decoded:
    return ADAPTER.decode(Incoming(topic, json.dumps(told).encode()))


def one(decoded: Decoded) -> Reading:
    [reading] = decoded.readings
    return reading


def refusal(topic: str, body: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        ADAPTER.decode(Incoming(topic, body))
    return refused.value.reason


def test_a_face_that_the_terminal_knows_was_let_in() -> None:
    decoded = decoded_from(face())
    reading = one(decoded)
    assert (decoded.sender, reading.type, reading.record_id) == (SN, "access.granted", "77")
    assert reading.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, 5000, dt.UTC)
    assert (reading.match.person_ref, reading.match.score) == ("p-41", 0.93)
    assert reading.credential.kind == "face"
    assert reading.pictures == (("face", JPEG),)
    assert reading.attributes == {"code": 101}


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"matched": -1, "per_id": ""}, "access.denied", "not_registered"),
        ({"matched": 40, "per_id": " "}, "access.denied", "not_registered"),
        ({"role": 2}, "access.denied", "blocked"),
        ({"matched": 0, "per_id": ""}, "face.captured", None),
        ({"matched": "88"}, "access.granted", None),
    ],
)
def test_the_verdict_lies_in_the_score_and_the_role(changes: dict, kind: str, reason: str | None) -> None:
    reading = one(decoded_from(face(**changes)))
    assert (reading.type, reading.attributes.get("reason")) == (kind, reason)


def test_a_score_of_minus_one_or_nought_is_no_measurement() -> None:
    assert one(decoded_from(face(matched=-1, per_id=""))).match is None
    assert one(decoded_from(face(matched=0, per_id=""))).match is None


def test_the_photo_of_the_enrolment_is_not_kept() -> None:
    decoded = decoded_from(face(model_imgdata=b64(JPEG + b"2"), model_imgsize=9))
    assert one(decoded).pictures == (("face", JPEG),)
    assert "body.model_imgdata" in decoded.dropped


def test_names_in_clear_and_in_base64_and_what_a_face_gives_away_are_not_kept() -> None:
    decoded = decoded_from(
        face(name_base64=b64("住户甲".encode()), tep=36.5, hat=1, mask=0, idcard="x", belt=2)
    )
    reading = one(decoded)
    assert reading.attributes == {"code": 101, "belt": 2}
    assert reading.marks == ("unknown_fields",)
    assert set(decoded.dropped) == {
        f"body.{name}" for name in ("name", "name_base64", "tep", "hat", "mask", "idcard")
    }  # fmt: skip


def test_firmware_without_seconds_puts_them_where_the_microseconds_belong() -> None:
    reading = one(decoded_from(face(sec=None, usec=EPOCH)))
    assert reading.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)
    assert one(decoded_from(face(sec=None, usec=None))).marks == ("time_missing",)
    assert one(decoded_from(face(sec="noon"))).marks == ("time_unreadable",)


def test_records_kept_while_offline_are_late() -> None:
    assert one(decoded_from(face() | {"flag": "offline_face_result"})).late is True
    assert one(decoded_from(face())).late is False


def test_a_record_sent_again_has_the_same_identity() -> None:
    first, again = one(decoded_from(face())), one(decoded_from(face() | {"flag": "offline_face_result"}))
    assert (first.record_id, first.device_time) == (again.record_id, again.device_time)


def test_a_record_id_is_never_longer_than_an_id_may_be() -> None:
    assert one(decoded_from(face(sequence="7" * 300))).record_id == "7" * 200


def test_the_whole_picture_is_the_scene_and_an_address_is_kept_without_its_query() -> None:
    reading = one(decoded_from(face(img_data=b64(JPEG), e_imgurl="http://192.0.2.7/a.jpg?sign=s")))
    assert reading.pictures == (("face", JPEG), ("scene", JPEG))
    assert reading.attributes["picture_path"] == "http://192.0.2.7/a.jpg"


def test_zero_bytes_behind_the_json_do_no_harm() -> None:
    body = json.dumps(face()).encode() + b"\n\0\0"
    assert one(ADAPTER.decode(Incoming("face.response", body))).type == "access.granted"


@pytest.mark.parametrize(
    "topic", ["face.response", "face/response", f"face.{SN}.response", f"face/{SN}/response", ""]
)
def test_topics_have_dots_or_slashes(topic: str) -> None:
    assert decoded_from(face(), topic).sender == SN


@pytest.mark.parametrize("topic", ["a1b2", "face.response.x.y", "home", "facexresponse", "mqtt/face/basic"])
def test_other_topics_of_one_level_are_not_ours(topic: str) -> None:
    assert refusal(topic, b"{}") == "wrong_topic"


def test_a_terminal_says_that_it_is_online() -> None:
    decoded = decoded_from({"cmd": "mqtt_online", "sn": SN, "result": "mqtt is online"}, "online/response")
    [sign] = decoded.signs
    assert (decoded.sender, sign.online) == (SN, True)
    [gone] = decoded_from({"cmd": "mqtt_offline", "sn": SN}, "online.response").signs
    assert gone.online is False


def test_answers_say_which_command_and_which_person_they_are_about() -> None:
    told = {"cmd": "create_face", "cmd_id": "c-1", "sn": SN, "code": 0, "reply": "ok", "per_id": "p-41"}
    [done] = decoded_from(told, f"face.{SN}.response").results
    assert (done.command_id, done.ok, done.command, done.people) == (
        "c-1", True, "enrol", (("p-41", True, "0", "ok"),),
    )  # fmt: skip
    [failed] = decoded_from(told | {"cmd": "gpio control", "code": 17, "reply": "busy"}).results
    assert (failed.ok, failed.code, failed.text, failed.command, failed.people) == (
        False,
        "17",
        "busy",
        "open",
        (),
    )


def test_commands_are_no_events() -> None:
    command = {"client_id": SN, "cmd_id": "c-1", "version": "0.2", "cmd": "gpio control", "ctrl_type": "on"}
    assert refusal("", json.dumps(command).encode()) == "command_not_event"
    assert refusal(f"face.{SN}.request", b"{}") == "command_not_event"


def test_other_messages_are_refused_with_a_reason() -> None:
    assert refusal("face/response", b'{"type": "party"}') == "unknown_type"
    assert refusal("face/response", b'{"type": "face_result"}') == "missing_field"
    assert refusal("face/response", b"[]") == "not_an_object"
    assert refusal("face/response", b"{") == "malformed_json"


def told(order: Order) -> dict:
    [message] = ADAPTER.encode(order)
    assert (message.topic, message.qos) == (f"face.{SN}.request", 1)
    return json.loads(message.payload)


def test_commands_open_enrol_and_delete() -> None:
    assert told(Order("c-2", "open", SN, AT)) == {
        "client_id": SN, "cmd_id": "c-2", "version": "0.2", "cmd": "gpio control", "ctrl_type": "on",
    }  # fmt: skip
    until = AT + dt.timedelta(hours=2)
    visitor = Person("p-9", "访客", "http://192.0.2.1/p/9.jpg", valid_from=AT, valid_until=until)
    enrolled = told(Order("c-3", "enrol", SN, AT, people=(visitor,)))
    assert (enrolled["cmd"], enrolled["per_id"], enrolled["per_name"]) == ("create_face", "p-9", "访客")
    assert (enrolled["img_url"], enrolled["s_time"], enrolled["e_time"]) == (
        "http://192.0.2.1/p/9.jpg", EPOCH * 1000, (EPOCH + 7200) * 1000,
    )  # fmt: skip
    assert (enrolled["idcardNum"], enrolled["idcardper"]) == ("", "")
    deleted = told(Order("c-4", "delete", SN, AT, refs=("p-9",)))
    assert (deleted["cmd"], deleted["type"], deleted["per_id"]) == ("delete_face", 0, "p-9")


def test_nobody_is_enrolled_without_a_picture_and_nothing_else_is_commanded() -> None:
    with pytest.raises(UnsupportedError):
        ADAPTER.encode(Order("c-5", "enrol", SN, AT, people=(Person("p-9", "访客"),)))
    with pytest.raises(UnsupportedError):
        ADAPTER.encode(Order("c-6", "speak", SN, AT, {"text": "x"}))
