"""Commands to face terminals of the facesluice family, and their answers."""

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.adapters.contract import CommandResult, Decoded, Incoming, Order, Person, UnsupportedError
from devices.adapters.facesluice import FacesluiceAdapter

ID = "1007001"
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=SHANGHAI)
adapter = FacesluiceAdapter()


def sent(kind: str, **more: Any) -> list[dict[str, Any]]:
    messages = adapter.encode(Order("c0ffee", kind, ID, NOW, **more))
    assert {message.topic for message in messages} == {f"mqtt/face/{ID}"}
    # A broker keeps nothing of QoS 0 for a terminal that is away: no door opens an hour late.
    assert {message.qos for message in messages} == {0}
    return [json.loads(message.payload) for message in messages]


def answered(operator: str, leaf: str = "Ack", **rest: Any) -> Decoded:
    message = {"messageId": "c0ffee", "operator": operator, **rest}
    return adapter.decode(Incoming(f"mqtt/face/{ID}/{leaf}", json.dumps(message).encode()))


def result(operator: str, **rest: Any) -> CommandResult:
    (one,) = answered(operator, **rest).results
    return one


def test_open() -> None:
    assert sent("open", arguments={"door": 1, "seconds": 5.0}) == [
        {
            "messageId": "c0ffee",
            "operator": "Unlock",
            "info": {"facesluiceId": ID, "uid": "0", "openDoor": 1, "Showinfo": ""},
        }
    ]


def test_time_is_set_in_the_terminals_zone() -> None:
    (message,) = sent("sync_time")
    assert (message["operator"], message["info"]["SysTime"]) == ("SetSysTime", "2026-11-23T07:15:02")


def test_records_of_a_period_are_asked_for_in_the_terminals_zone() -> None:
    until = dt.datetime(2026, 11, 22, 23, 0, tzinfo=dt.UTC)
    records, snaps = sent("resend", arguments={"from": until - dt.timedelta(hours=8), "until": until})
    assert (records["operator"], snaps["operator"]) == ("ManualPushRecords", "ManualPushSnaps")
    for message in (records, snaps):
        assert message["messageId"] == "c0ffee"
        assert message["info"]["TimeS"] == "2026-11-22 23:00:00"
        assert message["info"]["TimeE"] == "2026-11-23 07:00:00"


def test_list_sends_what_the_screen_and_the_camera_need_and_nothing_else() -> None:
    resident = Person("p-7f3a", "住户", "http://192.0.2.1/p/x.jpg?s=1")
    (message,) = sent("enrol", people=(resident,))
    assert message == {
        "messageId": "c0ffee",
        "DataBegin": "BeginFlag",
        "operator": "EditPersonsNew",
        "PersonNum": 1,
        "info": [
            {
                "customId": "p-7f3a",
                "name": "住户",
                "personType": 0,
                "isCheckSimilarity": 0,
                "tempValid": 0,
                "picURI": "http://192.0.2.1/p/x.jpg?s=1",
            }
        ],
        "DataEnd": "EndFlag",
    }


def test_flags_stand_at_both_ends_of_a_batch() -> None:
    (message,) = adapter.encode(Order("c0ffee", "enrol", ID, NOW, people=(Person("p", "住户"),)))
    names = list(json.loads(message.payload))
    assert (names[1], names[-1]) == ("DataBegin", "DataEnd")


def test_visitor_has_a_validity_in_the_terminals_zone_and_a_count() -> None:
    visitor = Person("v-1", "访客", "http://192.0.2.1/p/v.jpg", "00A1", NOW, NOW + dt.timedelta(hours=4), 2)
    (message,) = sent("enrol", people=(visitor,))
    (entry,) = message["info"]
    assert {
        name: entry[name] for name in ("tempValid", "validBegin", "validEnd", "effectNumber", "RFIDCard")
    } == {
        "tempValid": 1,
        "validBegin": "2026-11-23 07:15:02",
        "validEnd": "2026-11-23 11:15:02",
        "effectNumber": 2,
        "RFIDCard": "00A1",
    }


@pytest.mark.parametrize(
    ("person", "begin", "end", "uses"),
    [
        (Person("v", "访客", uses=1), "2026-11-23 07:15:02", "2037-12-31 23:59:59", 1),
        (Person("v", "访客", valid_until=NOW), "2026-11-23 07:15:02", "2026-11-23 07:15:02", 10_000),
        (Person("v", "访客", valid_from=NOW), "2026-11-23 07:15:02", "2037-12-31 23:59:59", 10_000),
    ],
)
def test_half_a_validity_is_made_whole(person: Person, begin: str, end: str, uses: int) -> None:
    ((entry,),) = (message["info"] for message in sent("enrol", people=(person,)))
    assert (entry["validBegin"], entry["validEnd"], entry["effectNumber"]) == (begin, end, uses)


def test_a_full_batch_fits_in_the_megabyte_that_a_terminal_reads() -> None:
    people = tuple(Person(f"{n:032x}", "住户" * 20, "http://192.0.2.1/p/" + "x" * 300) for n in range(1000))
    (message,) = adapter.encode(Order("c0ffee", "enrol", ID, NOW, people=people))
    assert len(message.payload) < 1_000_000
    told = json.loads(message.payload)
    assert told["PersonNum"] == len(told["info"]) == 1000
    assert max(len(entry["name"]) for entry in told["info"]) == 32


def test_more_than_a_batch_may_carry_is_not_sent() -> None:
    with pytest.raises(ValueError, match="at most 1000"):
        sent("enrol", people=(Person("p", "住户"),) * 1001)
    with pytest.raises(ValueError, match="at most 200"):
        sent("delete", refs=("p",) * 201)


def test_people_are_deleted_by_our_reference() -> None:
    assert sent("delete", refs=("p-1", "p-2")) == [
        {
            "messageId": "c0ffee",
            "DataBegin": "BeginFlag",
            "operator": "DeletePersons",
            "PersonNum": 2,
            "info": {"customId": ["p-1", "p-2"]},
            "DataEnd": "EndFlag",
        }
    ]


@pytest.mark.parametrize("kind", ["close", "hold", "release", "speak"])
def test_what_a_terminal_does_not_know_is_not_sent(kind: str) -> None:
    with pytest.raises(UnsupportedError):
        sent(kind)


# Answers


@pytest.mark.parametrize("leaf", ["Ack", "ack"])
def test_answer_is_found_by_its_id_on_either_spelling_of_the_topic(leaf: str) -> None:
    decoded = answered("Unlock-Ack", leaf, code="200", info={"facesluiceId": ID, "result": "ok"})
    assert decoded.sender == ID
    assert decoded.results == (CommandResult("c0ffee", ok=True, code="200", command="open"),)
    assert (decoded.readings, decoded.answers) == ((), ())


def test_answer_without_a_code_is_judged_by_its_word() -> None:
    assert result("EditPerson-Ack", info={"result": "ok", "detail": ""}).ok is True
    assert result("EditPerson-Ack", info={"result": "fail"}).ok is False


def test_code_weighs_more_than_a_word_that_says_otherwise() -> None:
    refused = result("EditPersonsNew-Ack", code=410, info={"result": "ok"})
    assert (refused.ok, refused.code, refused.text) == (False, "410", "busy: a batch is still in flight")


def test_batch_tells_of_each_person() -> None:
    told = result(
        "EditPersonsNew-Ack",
        info={
            "facesluiceId": ID,
            "AddErrNum": "2",
            "AddSucNum": "1",
            "AddErrInfo": [{"customId": "p-2", "errcode": "468"}, {"customId": "p-3", "errcode": 999}],
            "AddSucInfo": [{"customId": "p-1"}],
            "result": "ok",
        },
    )
    assert (told.ok, told.command) == (True, "enrol")
    assert told.people == (
        ("p-2", False, "468", "no usable face in the picture"),
        ("p-3", False, "999", ""),
        ("p-1", True, "", ""),
    )


@pytest.mark.parametrize(
    ("operator", "code", "words"),
    [
        ("EditPersonsNew-Ack", "461", "no customId"),
        ("AddPersons-Ack", "461", "customId is on the list already"),
        ("EditPersonsNew-Ack", "463", "no picURI for somebody new"),
        ("EditPersonsNew-Ack", "464", "the picture's host name cannot be resolved"),
        ("EditPersonsNew-Ack", "465", "the picture cannot be downloaded"),
        ("EditPersonsNew-Ack", "474", "the terminal is full"),
        ("EditPersonsNew-Ack", "478", "too similar to somebody on the list"),
    ],
)
def test_code_means_another_thing_by_command_and_is_shown_raw_beside_its_text(
    operator: str, code: str, words: str
) -> None:
    told = result(operator, info={"AddErrInfo": [{"customId": "p", "errcode": code}], "result": "ok"})
    assert told.people == (("p", False, code, words),)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("417", "PersonNum is not the number of people"),
        ("460", "the message is larger than 1 MB"),
        ("416", "PersonNum is out of range"),
    ],
)
def test_whole_batch_may_be_refused(code: str, words: str) -> None:
    told = result("EditPersonsNew-Ack", code=code, info={"facesluiceId": ID, "result": "fail"})
    assert (told.ok, told.code, told.text, told.people) == (False, code, words, ())


def test_the_terminals_own_words_are_kept_beside_the_code() -> None:
    told = result(
        "EditPersonsNew-Ack", code="410", info={"result": "fail", "detail": "EditPersonsNew is busy"}
    )
    assert (told.code, told.text) == ("410", "EditPersonsNew is busy")


def test_single_person_is_answered_for() -> None:
    told = result("EditPerson-Ack", code="467", info={"customId": "p-1", "personId": "3", "result": "fail"})
    assert told.people == (("p-1", False, "467", "the terminal is full"),)


def test_deletion_tells_of_each_person() -> None:
    told = result(
        "DeletePersons-Ack",
        code="200",
        info={"DelErrInfo": [{"customId": "p-2"}], "DelSucInfo": [{"customId": "p-1"}], "result": "ok"},
    )
    assert (told.ok, told.command) == (True, "delete")
    assert told.people == (("p-2", False, "", "not deleted, or not on the list"), ("p-1", True, "", ""))


def test_lists_of_bare_references_are_read() -> None:
    told = result("DeletePersons-Ack", info={"DelSucInfo": ["p-1", None, 7], "result": "ok"})
    assert told.people == (("p-1", True, "", ""), ("7", True, "", ""))


@pytest.mark.parametrize(
    ("operator", "command"),
    [
        ("PushAck-Ack", "PushAck"),
        ("UpMQTTconfig-Ack", "UpMQTTconfig"),
        ("GetMQTTconfig-Ack", "GetMQTTconfig"),
        ("ManualPushRecords-Ack", "resend"),
        ("ManualPushSnaps-Ack", "resend"),
        ("SetSysTime-Ack", "sync_time"),
    ],
)
def test_answers_to_other_commands(operator: str, command: str) -> None:
    told = result(operator, code="200", info={"facesluiceld": ID, "SnapOrRecordlD": "16", "result": "ok"})
    assert (told.ok, told.command, told.command_id) == (True, command, "c0ffee")


def test_period_that_cannot_be_pushed_yet() -> None:
    told = result("ManualPushSnaps-Ack", code="468", info={"result": "fail"})
    assert (told.ok, told.text) == (False, "the last manual push is still running")


def test_answer_that_repeats_a_persons_particulars_keeps_none() -> None:
    decoded = answered(
        "SearchPerson-Ack",
        code="200",
        info={"customId": "p-1", "name": "测试住户", "idCard": "530502190001010000", "result": "ok"},
        pic="data:image/jpeg;base64,AAAA",
    )
    assert decoded.results[0].people == ()
    assert {"info.name", "info.idCard"} <= set(decoded.dropped)
    assert "测试住户" not in repr(decoded)
    assert "530502" not in repr(decoded)


def test_picture_on_demand_is_an_answer_and_a_capture() -> None:
    (message,) = sent("snapshot")
    assert (message["operator"], message["info"]["ImgType"]) == ("GetSceneSnap", 2)
    decoded = answered(
        "GetSceneSnap-Ack",
        code="200",
        info={"facesluiceId": ID, "ImgData": "data:image/jpeg;base64,/9j/2Q==", "result": "ok"},
    )
    (reading,) = decoded.readings
    assert (reading.type, reading.record_id, reading.attributes) == (
        "face.captured",
        "shot:c0ffee",
        {"on_demand": True},
    )
    assert reading.pictures == (("scene", b"\xff\xd8\xff\xd9"),)
    failed = answered("GetSceneSnap-Ack", code="11000", info={"result": "fail"})
    assert (failed.readings, failed.results[0].text) == ((), "the camera took no picture")
