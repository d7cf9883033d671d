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
from devices.adapters.luozhi import LuozhiAdapter
from tests.support.compound import JPEG

ADAPTER = LuozhiAdapter()
SN = "LZ20260017"
AT = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
EPOCH = 1795389302
PICTURE = base64.b64encode(JPEG).decode()


def record(**changes: object) -> dict:
    data = {"device_sn": SN, "person_uuid": "p-41", "recog_time": EPOCH, "snap_image": PICTURE}
    return {
        "message_uuid": "u-1",
        "message_id": 0,
        "response_type": "identification_record",
        "data": data | changes,
    }


def decoded_from(told: object, topic: str = "/hiot/record_message") -> Decoded:
    return ADAPTER.decode(Incoming(topic, json.dumps(told).encode()))


def one(decoded: Decoded) -> Reading:
    [reading] = decoded.readings
    return reading


def refusal(topic: str, body: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        ADAPTER.decode(Incoming(topic, body))
    return refused.value.reason


def test_a_face_that_the_terminal_knows_was_let_in() -> None:
    decoded = decoded_from(record())
    reading = one(decoded)
    assert (decoded.sender, reading.type, reading.record_id) == (SN, "access.granted", "u-1")
    assert reading.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)
    assert (reading.match.person_ref, reading.match.score, reading.credential.kind) == ("p-41", None, "face")
    assert (reading.pictures, reading.marks, reading.attributes) == ((("face", JPEG),), (), {})


def test_the_other_shape_of_a_record_is_read_too() -> None:
    body = {"sn": SN, "per_id": "p-41", "matched": "91", "img_data": PICTURE, "sequence": 8, "sec": EPOCH, "usec": 7,
            "name": "住户甲", "hat": 1, "idCard": "x"}  # fmt: skip
    decoded = decoded_from({"response_type": "identification_record", "body": body})
    reading = one(decoded)
    assert (decoded.sender, reading.type, reading.record_id, reading.match.score) == (
        SN,
        "access.granted",
        "8",
        0.91,
    )
    assert reading.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, 7, dt.UTC)
    assert (reading.pictures, reading.attributes) == ((("face", JPEG),), {})
    assert set(decoded.dropped) == {"body.name", "body.hat", "body.idCard"}


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"person_uuid": ""}, "face.captured", None),
        ({"person_uuid": "-1", "matched": 0}, "face.captured", None),
        ({"person_uuid": "-1", "matched": 31}, "access.denied", "not_registered"),
        ({"person_uuid": None, "matched": -1}, "access.denied", "not_registered"),
    ],
)
def test_nobody_is_let_in_without_being_known(changes: dict, kind: str, reason: str | None) -> None:
    reading = one(decoded_from(record(**changes)))
    assert (reading.type, reading.attributes.get("reason")) == (kind, reason)


def test_a_card_counts_as_one_where_no_face_was_looked_at() -> None:
    reading = one(decoded_from(record(snap_image="", card="00A1B2")))
    assert (reading.credential.kind, reading.credential.ref) == ("card", "00A1B2")
    assert one(decoded_from(record(card="00A1B2"))).credential.kind == "face"


def test_a_time_may_be_a_text_without_a_zone() -> None:
    reading = one(decoded_from(record(recog_time="2026-11-23 07:15:02")))
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert one(decoded_from(record(recog_time=None))).marks == ("time_missing",)
    assert one(decoded_from(record(recog_time="noon"))).marks == ("time_unreadable",)


def test_unknown_fields_are_kept_and_a_citizens_number_is_not() -> None:
    decoded = decoded_from(record(product_key="53010219900101001X", lift=3, age=41))
    assert one(decoded).attributes == {"lift": 3}
    assert one(decoded).marks == ("unknown_fields",)
    assert set(decoded.dropped) == {"data.product_key", "data.age"}


def test_a_list_of_one_record_is_a_record() -> None:
    told = record()
    assert one(decoded_from(told | {"data": [told["data"]]})).type == "access.granted"


def test_a_record_sent_again_has_the_same_identity() -> None:
    first, again = one(decoded_from(record())), one(decoded_from(record()))
    assert (first.record_id, first.device_time) == (again.record_id, again.device_time)


def test_a_connection_is_a_sign_of_life_and_may_be_its_end() -> None:
    told = {"data": {"device_sn": SN, "ip": "192.0.2.8"}}
    decoded = decoded_from(told, "/hiot/connection")
    [sign] = decoded.signs
    assert (decoded.sender, sign.online, sign.facts) == (SN, True, {"ip": "192.0.2.8"})
    [gone] = decoded_from({"data": {"device_sn": SN, "status": "offline"}}, "/hiot/connection").signs
    assert gone.online is False


@pytest.mark.parametrize(
    ("told", "ok", "code"),
    [
        ({"code": 200}, True, "200"),
        ({"status": "ok"}, True, "ok"),
        ({"code": 500}, False, "500"),
        ({"status": "error"}, False, "error"),
    ],
)
def test_answers_come_in_two_spellings(told: dict, ok: bool, code: str) -> None:
    answer = {"message_uuid": "c-1", "message_info": "said"} | told
    for topic in ("/hiot/people_send_reply", "/hio/device_cmd_reply", ""):
        [result] = decoded_from(answer, topic).results
        assert (result.command_id, result.ok, result.code, result.text) == ("c-1", ok, code, "said")


def test_commands_are_no_events() -> None:
    command = {"confirmation_topic": "/hiot/people_send_reply", "message_uuid": "c", "data": []}
    assert refusal("", json.dumps(command).encode()) == "command_not_event"
    assert refusal(f"/hiot/{SN}/add_data", b"{}") == "command_not_event"


def test_what_is_not_ours_is_refused() -> None:
    assert refusal("hiot/record_message", b"{}") == "wrong_topic"
    assert refusal("/hiot/party", b"{}") == "unknown_type"
    assert refusal("/hiot/record_message", b'{"response_type": "party"}') == "unknown_type"
    assert refusal("/hiot/record_message", b"{}") == "missing_field"
    assert refusal("/hiot/people_send_reply", b"{}") == "missing_field"


def told(order: Order, leaf: str) -> dict:
    [message] = ADAPTER.encode(order)
    assert message.topic == f"/hiot/{SN}/{leaf}"
    sent: dict = json.loads(message.payload)
    assert (sent["message_uuid"], sent["confirmation_topic"]) == (order.id, "/hiot/people_send_reply")
    return sent


def test_commands_enrol_and_delete_without_anybodys_number() -> None:
    person = Person("p-9", "访客", "http://192.0.2.1/p/9.jpg", "00A1")
    [sent] = told(Order("c-2", "enrol", SN, AT, people=(person,)), "add_data")["data"]
    assert sent == {
        "person_uuid": "p-9", "name": "访客", "image_url": "http://192.0.2.1/p/9.jpg", "card": "00A1",
        "product_key": "", "age": 0, "gender": 0,
    }  # fmt: skip
    deleted = told(Order("c-3", "delete", SN, AT, refs=("p-9",)), "del_data")["data"]
    assert deleted == {"clear_all": False, "person_uuids": ["p-9"]}
    with pytest.raises(UnsupportedError):
        ADAPTER.encode(Order("c-4", "open", SN, AT))
