import base64
import datetime as dt
import json
from urllib.parse import quote, urlencode

import pytest

from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError
from devices.adapters.uface import UfaceAdapter
from tests.support.compound import JPEG

ADAPTER = UfaceAdapter()
SN = "84E0F42999CA07FB"
MILLIS = 1795389302120
# Bytes whose base64 holds a plus.
PICTURE_BYTES = b"\xff\xd8\xff\xfb\xef\xbe\xff\xd9"
PICTURE = base64.b64encode(PICTURE_BYTES).decode()


def callback(**changes: object) -> dict:
    told = {
        "deviceKey": SN, "personId": "p-41", "time": str(MILLIS), "type": "face_0", "identifyType": "1",
        "aliveType": "1", "passTimeType": "1", "permissionTimeType": "1", "recModeType": "1", "recType": 1,
        "model": "0", "ip": "192.0.2.6", "idcardNum": "0380949491", "data": "", "base64": PICTURE,
        "path": "/data/record/1.jpg",
    }  # fmt: skip
    return told | changes


def push(told: object) -> Decoded:
    return ADAPTER.decode(Incoming("/callback", json.dumps(told).encode(), "application/json"))


def form(told: dict, body: bytes | None = None) -> Decoded:
    sent = urlencode(told).encode() if body is None else body
    return ADAPTER.decode(Incoming("/callback", sent, "application/x-www-form-urlencoded"))


def one(decoded: Decoded) -> Reading:
    [reading] = decoded.readings
    return reading


def refusal(told: object) -> str:
    with pytest.raises(RefusedError) as refused:
        push(told)
    return refused.value.reason


@pytest.mark.parametrize("read", [push, form])
def test_a_face_that_the_terminal_knows_was_let_in_whether_by_json_or_by_form(read) -> None:
    decoded = read(callback())
    reading = one(decoded)
    assert (decoded.sender, reading.type, reading.record_id) == (SN, "access.granted", None)
    assert reading.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, 120_000, dt.UTC)
    assert (reading.match.person_ref, reading.match.score, reading.match.liveness) == ("p-41", None, True)
    assert (reading.credential.kind, reading.credential.ref) == ("face", None)
    assert reading.pictures == (("face", PICTURE_BYTES),)
    assert reading.attributes == {"method": "face", "picture_path": "/data/record/1.jpg"}
    assert reading.marks == ()
    assert decoded.reply.body == b'{"result":1,"success":true}'


def test_a_form_that_escapes_its_picture_twice_or_not_at_all_is_understood() -> None:
    assert "+" in PICTURE
    twice = form(callback(base64=quote(PICTURE, safe="")))
    bare = form({}, f"deviceKey={SN}&personId=p-41&type=face_0&time={MILLIS}&base64={PICTURE}".encode())
    assert one(twice).pictures == one(bare).pictures == (("face", PICTURE_BYTES),)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"personId": "STRANGERBABY", "type": "face_2", "identifyType": "2"}, "not_registered"),
        ({"personId": "STRANGERBABY", "identifyType": "3"}, "not_registered"),
        ({"personId": "strangerbaby", "type": "face_0"}, "not_registered"),
        ({"type": "face_1", "passTimeType": "2"}, "no_right"),
        ({"permissionTimeType": "2"}, "expired"),
        ({"recModeType": "2"}, "no_right"),
        ({"passbackTriggerType": 1}, "anti_passback"),
        ({"type": "card_2", "personId": "STRANGERBABY"}, "no_card"),
        ({"type": "password_2"}, "wrong_pin"),
        ({"type": "faceAndcard_2"}, "face_mismatch"),
        ({"type": "idcard_2", "personId": "IDCARD"}, "face_mismatch"),
        ({"type": "qrCode_2"}, "refused"),
        ({"aliveType": "2"}, "refused"),
        ({"isPass": False}, "refused"),
        ({"personId": "NOMASK"}, "not_registered"),
    ],
)
def test_whoever_was_refused_is_told_with_the_reason(changes: dict, reason: str) -> None:
    reading = one(push(callback(**changes)))
    assert (reading.type, reading.attributes["reason"]) == ("access.denied", reason)


def test_a_stranger_is_nobody() -> None:
    reading = one(push(callback(personId="STRANGERBABY", type="face_2", aliveType="3")))
    assert reading.match is None
    assert one(push(callback(personId="IDCARD", type="idcard_0"))).match.person_ref is None


@pytest.mark.parametrize(
    ("kind", "credential"),
    [
        ("face_0", "face"),
        ("faceAndcard_0", "face"),
        ("card_0", "card"),
        ("cardAndPassword_0", "card"),
        ("password_0", "pin"),
        ("qrCode_0", "qr"),
        ("qrcode_0", "qr"),
        ("finger_0", None),
        ("openDoor_0", None),
        ("open_0", None),
    ],
)
def test_the_method_names_the_credential(kind: str, credential: str | None) -> None:
    reading = one(push(callback(type=kind)))
    assert reading.type == "access.granted"
    assert (reading.credential.kind if reading.credential else None) == credential
    assert reading.marks == ()


def test_a_card_is_named_only_where_it_was_presented() -> None:
    decoded = push(callback(type="card_0"))
    assert one(decoded).credential.ref == "0380949491"
    assert one(push(callback(type="idcard_0"))).credential.ref is None


def test_without_a_type_the_model_names_the_method() -> None:
    reading = one(push(callback(type="", model="6")))
    assert (reading.attributes["method"], reading.credential.kind) == ("password", "pin")
    assert one(push(callback(type="nose_0"))).marks == ("undocumented_code",)


def test_the_clouds_callback_has_other_names() -> None:
    told = {"deviceKey": SN, "personGuid": "g-1", "guid": "r-9", "showTime": "2026-11-23 07:15:02", "recMode": 2,
            "type": 1, "photoUrl": "https://192.0.2.3/1.jpg?sign=s", "idcardNum": "00A1"}  # fmt: skip
    reading = one(push(told))
    assert (reading.type, reading.record_id, reading.match.person_ref) == ("access.granted", "r-9", "g-1")
    assert (reading.credential.kind, reading.credential.ref) == ("card", "00A1")
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert reading.attributes["picture_path"] == "https://192.0.2.3/1.jpg"
    failed = one(push(told | {"type": 2, "personGuid": "STRANGERBABY", "recMode": 1}))
    assert (failed.type, failed.attributes["reason"]) == ("access.denied", "not_registered")


def test_a_face_that_was_compared_with_nothing_has_no_verdict() -> None:
    reading = one(
        push({"deviceKey": SN, "personId": "", "identifyType": "3", "time": MILLIS, "base64": PICTURE})
    )
    assert (reading.type, reading.credential, reading.match) == ("face.captured", None, None)


@pytest.mark.parametrize(
    ("given", "score"), [("0.91", 0.91), ("91", 0.91), (100, 1.0), ("", None), (900, None)]
)
def test_a_score_is_a_fraction_or_percent(given: object, score: float | None) -> None:
    assert one(push(callback(searchScore=given))).match.score == score


def test_what_an_identity_card_says_and_a_bodys_temperature_are_not_kept() -> None:
    card = json.dumps({"name": "住户甲", "idNum": "x", "nation": "y"})
    decoded = push(callback(data=card, iDNumber="x", temperature="36.5", maskState=1, attendance="2"))
    reading = one(decoded)
    assert reading.attributes == {"method": "face", "picture_path": "/data/record/1.jpg", "attendance": "2"}
    assert reading.marks == ("unknown_fields",)
    assert set(decoded.dropped) == {"data", "iDNumber", "temperature", "maskState"}


def test_a_callback_sent_again_has_the_same_identity() -> None:
    first, again = one(push(callback())), one(push(callback()))
    assert (first.type, first.record_id, first.device_time) == (
        again.type,
        again.record_id,
        again.device_time,
    )


def test_a_time_that_is_missing_or_none_is_marked() -> None:
    assert one(push(callback(time=""))).marks == ("time_missing",)
    assert one(push(callback(time="noon"))).marks == ("time_unreadable",)


def test_a_terminal_is_alive_whether_by_form_by_json_or_by_query() -> None:
    told = {"deviceKey": SN, "time": str(MILLIS), "ip": "192.0.2.6", "personCount": "12", "version": "3.62"}
    query = ADAPTER.decode(Incoming(f"/hb?{urlencode(told)}", b""))
    for decoded in (push(told), form(told), query):
        [sign] = decoded.signs
        assert (decoded.sender, sign.online) == (SN, True)
        assert sign.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, 120_000, dt.UTC)
        assert sign.facts == {"ip": "192.0.2.6", "people": "12", "firmware": "3.62"}
        assert decoded.reply.body == b'{"result":1,"success":true}'


def test_registrations_at_the_terminal_are_no_events() -> None:
    assert refusal({"deviceKey": SN, "personId": "p", "faceId": "f", "imgPath": "/a.jpg"}) == "registry_data"
    assert refusal({"deviceKey": SN, "personId": "p", "idcardNum": "00A1", "time": "1"}) == "registry_data"


def test_other_pushes_are_refused_and_answered_so_that_they_do_not_come_for_ever() -> None:
    assert refusal({"hello": 1}) == "unknown_type"
    with pytest.raises(RefusedError) as refused:
        form({}, b"no pairs here")
    assert refused.value.reason == "malformed_form"
    assert (
        ADAPTER.refused(Incoming("/c", b"{"), "malformed_json").reply.body == b'{"result":1,"success":true}'
    )


def test_a_picture_under_the_other_name_is_a_picture_too() -> None:
    told = callback(base64="", imgBase64=f"data:image/jpg;base64,{base64.b64encode(JPEG).decode()}")
    assert one(push(told)).pictures == (("face", JPEG),)
