import base64
import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, Reading, RefusedError
from devices.adapters.hc_iot import HcIotAdapter
from tests.support.compound import JPEG

ADAPTER = HcIotAdapter()
PICTURE = base64.b64encode(JPEG).decode()


def report(**changes: object) -> dict:
    told = {
        "userId": "u-41", "userName": "住户甲", "machineCode": "M-7", "openTypeCd": "1000", "recordTypeCd": "8888",
        "similar": "0.91", "photo": f"data:image/jpeg;base64,{PICTURE}", "dateTime": "2026-11-23 07:15:02",
        "extCommunityId": "e-1",
    }  # fmt: skip
    return told | changes


def push(told: object) -> Decoded:
    return ADAPTER.decode(Incoming("/iot", json.dumps(told).encode(), "application/json"))


def one(decoded: Decoded) -> Reading:
    [reading] = decoded.readings
    return reading


def refusal(told: object) -> str:
    with pytest.raises(RefusedError) as refused:
        push(told)
    return refused.value.reason


def test_an_opening_is_about_the_terminal_behind_the_platform() -> None:
    decoded = push(report())
    reading = one(decoded)
    assert (decoded.sender, reading.device, reading.type, reading.record_id) == (
        None,
        "M-7",
        "access.granted",
        None,
    )
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert (reading.match.person_ref, reading.match.score, reading.credential.kind) == ("u-41", 0.91, "face")
    assert (reading.pictures, reading.attributes, reading.marks) == (
        (("face", JPEG),),
        {"open_type": "1000"},
        (),
    )
    assert json.loads(decoded.reply.body)["code"] == 0


@pytest.mark.parametrize(
    ("similar", "score"),
    [("0.77", 0.77), (1, 1.0), ("100", 1.0), (64, 0.64), ("0", None), ("", None), (340, None)],
)
def test_a_likeness_is_a_fraction_or_percent_and_nought_is_none(similar: object, score: float | None) -> None:
    assert one(push(report(similar=similar))).match.score == score


def test_a_face_of_nobody_was_not_let_in() -> None:
    reading = one(push(report(userId="-1", similar="0")))
    assert (reading.type, reading.attributes["reason"], reading.match) == (
        "access.denied",
        "not_registered",
        None,
    )


def test_a_key_of_nobody_known_opened_all_the_same() -> None:
    reading = one(push(report(openTypeCd="2000", userId="-1", photo="")))
    assert (reading.type, reading.credential.kind) == ("access.granted", "card")


def test_an_undocumented_way_of_opening_is_marked() -> None:
    reading = one(push(report(openTypeCd="7000")))
    assert (reading.type, reading.credential, reading.marks) == (
        "access.granted",
        None,
        ("undocumented_code",),
    )


def test_a_visitors_picture_is_a_face_without_a_verdict() -> None:
    reading = one(push(report(recordTypeCd="6666", userId="-1")))
    assert (reading.type, reading.credential, reading.pictures) == ("face.captured", None, (("face", JPEG),))
    assert refusal(report(recordTypeCd="5")) == "unknown_type"


def test_a_broken_picture_costs_only_the_picture() -> None:
    reading = one(push(report(photo="base64,xxx")))
    assert (reading.type, reading.pictures, reading.marks) == ("access.granted", (), ("bad_base64",))


def test_names_are_not_kept_and_unknown_fields_are() -> None:
    decoded = push(report(tel="1", idNumber="2", hall="east"))
    assert one(decoded).attributes == {"open_type": "1000", "hall": "east"}
    assert one(decoded).marks == ("unknown_fields",)
    assert set(decoded.dropped) == {"userName", "tel", "idNumber"}


def test_a_time_that_is_missing_or_none_is_marked() -> None:
    assert one(push(report(dateTime=""))).marks == ("time_missing",)
    assert one(push(report(dateTime="noon"))).marks == ("time_unreadable",)


def test_a_terminal_is_alive_in_both_interfaces_and_its_secret_is_not_looked_at() -> None:
    decoded = push(
        {"taskId": "t", "machineCode": "M-7", "heartbeatTime": "2026-11-23 07:15:02", "extCommunityId": "e"}
    )
    [sign] = decoded.signs
    assert (sign.device, sign.online) == ("M-7", True)
    assert sign.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert decoded.reply is not None
    older = push(
        {"machineCode": "M-7", "devGroup": "d", "authCode": "s3cret", "ip": "192.0.2.5", "faceNum": 0}
    )
    [sign] = older.signs
    assert (sign.facts, older.dropped) == ({"ip": "192.0.2.5", "faces": 0}, ("authCode",))
    assert refusal({"heartbeatTime": "x"}) == "missing_field"


def test_outcomes_of_tasks_come_in_both_spellings() -> None:
    [done] = push({"taskId": "t-1", "code": 0, "msg": "成功"}).results
    assert (done.command_id, done.ok, done.code, done.text) == ("t-1", True, "0", "成功")
    [failed] = push({"taskid": "t-2", "errorcode": -1, "msg": "no", "machineCode": "M-7"}).results
    assert (failed.command_id, failed.ok, failed.code, failed.device) == ("t-2", False, "-1", "M-7")


def test_answers_and_lists_of_people_are_no_events() -> None:
    assert refusal({"code": 0, "data": [{"taskcmd": 101, "taskid": "t"}]}) == "command_not_event"
    assert refusal({"faceid": "u-41"}) == "registry_data"
    assert refusal({"hello": 1}) == "unknown_type"
    assert refusal(report(machineCode="")) == "missing_field"


def test_a_refused_push_is_answered_so_that_it_does_not_come_for_ever() -> None:
    refused = ADAPTER.refused(Incoming("/iot", b"{"), "malformed_json")
    assert json.loads(refused.reply.body)["code"] == 0
