import base64
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from devices.adapters.canonical import EVENT_TYPES, MAX_DEPTH
from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.native import decode_event, decode_state
from tests.support.compound import JPEG

SHANGHAI = ZoneInfo("Asia/Shanghai")
PNG = b"\x89PNG\r\n\x1a\n a picture"


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def event(**changes: object) -> dict:
    return {"v": 1, "id": "r-1", "type": "face.captured", "at": "2026-11-23T07:15:02.120+08:00"} | changes


def read(**changes: object):
    return decode_event(json.dumps(event(**changes)).encode())


def refusal(payload: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        decode_event(payload)
    return refused.value


def pictures(*contents: str) -> dict:
    return {"images": [{"role": "face", "jpeg": content} for content in contents]}


def test_event_is_read_as_it_was_meant() -> None:
    decoded = read(
        direction="in",
        track="t-81",
        credential={"kind": "card", "ref": "c-7"},
        plate={"text": "云M12345", "confidence": 0.93, "color": "blue"},
        match={"person_ref": "p-1", "score": 0.87, "liveness": True},
        attributes={"lux": 12},
        **pictures(b64(JPEG)),
    )
    assert (decoded.record_id, decoded.type, decoded.direction, decoded.track) == (
        "r-1",
        "face.captured",
        "in",
        "t-81",
    )
    assert decoded.device_time == dt.datetime(2026, 11, 22, 23, 15, 2, 120_000, dt.UTC)
    assert (decoded.credential.kind, decoded.credential.ref) == ("card", "c-7")
    assert (decoded.plate.text, decoded.plate.confidence, decoded.plate.color) == ("云M12345", 0.93, "blue")
    assert (decoded.match.person_ref, decoded.match.score, decoded.match.liveness) == ("p-1", 0.87, True)
    assert decoded.pictures == (("face", JPEG),)
    assert decoded.attributes == {"lux": 12}
    assert decoded.marks == ()


@pytest.mark.parametrize("kind", sorted(EVENT_TYPES))
def test_every_canonical_type_is_understood(kind: str) -> None:
    assert read(type=kind).type == kind


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[1,", "malformed_json"),
        (b'"\xff', "malformed_json"),
        (b"\xff\xd8\xff\xe0 a bare picture", "malformed_json"),
        (b"id=1&type=door.opened", "malformed_json"),
        (b'{"id":"\\ud800","type":"door.opened"}', "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b'{"id":"1","type":"door.opened","x":' + b"[" * 9_000 + b"]" * 9_000 + b"}", "malformed_json"),
        (b"[]", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"17", "not_an_object"),
        (b"null", "not_an_object"),
        (b"true", "not_an_object"),
    ],
)  # fmt: skip
def test_what_is_no_json_object_says_so(payload: bytes, reason: str) -> None:
    assert refusal(payload).reason == reason


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": None}, "id"),
        ({"id": 17}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "a\0b"}, "id"),
        ({"v": 2}, "v"),
        ({"at": "yesterday"}, "at"),
        ({"at": "23.11.2026 07:15"}, "at"),
        ({"at": ""}, "at"),
        ({"at": 1_764_000_000}, "at"),
        ({"at": "2026-02-30T00:00:00Z"}, "at"),
        ({"at": "0001-01-01T00:00:00+08:00"}, "at"),
        ({"at": "9999-12-31T23:59:59-08:00"}, "at"),
        ({"late": "perhaps"}, "late"),
        ({"direction": "sideways"}, "direction"),
        ({"track": {}}, "track"),
        ({"credential": {"ref": "no kind"}}, "credential"),
        ({"plate": "云M12345"}, "plate"),
        ({"plate": {"confidence": 1.01}}, "plate.confidence"),
        ({"plate": {"confidence": -0.01}}, "plate.confidence"),
        ({"plate": {"confidence": "nan"}}, "plate.confidence"),
        ({"plate": {"text": "云" * 33}}, "plate.text"),
        ({"match": {"score": 87}}, "match.score"),
        ({"images": {}}, "images"),
        ({"images": [{"role": "selfie", "jpeg": ""}]}, "images"),
        ({"images": [{"role": "face"}]}, "images"),
        ({"images": [{"role": "face", "jpeg": ""}] * 9}, "images"),
        ({"attributes": []}, "attributes"),
    ],
)
def test_field_that_is_wrong_is_named(change: dict, says: str) -> None:
    refused = refusal(json.dumps(event(**change)).encode())
    assert refused.reason == "invalid_field"
    assert says.rpartition(".")[2] in refused.detail


@pytest.mark.parametrize("field", ["id", "type"])
def test_field_that_is_missing_is_named(field: str) -> None:
    fields = event()
    del fields[field]
    refused = refusal(json.dumps(fields).encode())
    assert (refused.reason, field in refused.detail) == ("invalid_field", True)


def test_limits_themselves_are_allowed() -> None:
    assert len(read(id="x" * 200).record_id) == 200
    assert read(plate={"confidence": 1}).plate.confidence == 1.0
    assert read(plate={"confidence": 0}).plate.confidence == 0.0
    assert read(plate={"text": "云" * 32}).plate.text == "云" * 32
    assert len(read(**pictures(*[b64(JPEG)] * 8)).pictures) == 8


@pytest.mark.parametrize("kind", ["door.opend", "", "DOOR.OPENED", "incident.changed"])
def test_type_that_nobody_knows_is_refused(kind: str) -> None:
    refused = refusal(json.dumps(event(type=kind)).encode())
    assert (refused.reason, refused.detail) == ("unknown_type", kind)


def test_message_of_nine_megabytes_is_too_large() -> None:
    refused = refusal(b" " * (9 * 1024 * 1024))
    assert refused.reason == "too_large"
    assert str(9 * 1024 * 1024) in refused.detail


def test_message_of_eight_megabytes_is_not() -> None:
    payload = json.dumps(event()).encode()
    assert decode_event(payload + b" " * (MAX_BYTES - len(payload))).record_id == "r-1"
    assert refusal(payload + b" " * (MAX_BYTES - len(payload) + 1)).reason == "too_large"


@pytest.mark.parametrize(
    ("content", "mark", "kept"),
    [
        ("not base64!", "bad_base64", False),
        ("YWJ", "bad_base64", False),
        ("照片", "bad_base64", False),
        ("", "picture_unreadable", False),
        (b64(b"GIF89a"), "picture_unreadable", True),
        (b64(PNG), "png_named_jpeg", True),
        (b64(JPEG[:-2]), "picture_truncated", True),
    ],
)
def test_bad_picture_marks_the_event_and_does_not_refuse_it(content: str, mark: str, kept: bool) -> None:
    decoded = read(**pictures(content, content, b64(JPEG)))
    assert decoded.marks == (mark,)
    assert len(decoded.pictures) == (3 if kept else 1)
    assert decoded.pictures[-1] == ("face", JPEG)


def test_picture_as_a_data_url_and_with_bytes_behind_its_end_is_well() -> None:
    padded = JPEG + b"\0" * 16
    decoded = read(**pictures(f"data:image/jpeg;base64,{b64(JPEG)}", b64(padded)))
    assert decoded.pictures == (("face", JPEG), ("face", padded))
    assert decoded.marks == ()


def test_missing_time_is_marked() -> None:
    fields = event()
    del fields["at"]
    for payload in (fields, event(at=None)):
        decoded = decode_event(json.dumps(payload).encode())
        assert (decoded.device_time, decoded.marks) == (None, ("time_missing",))


def test_time_without_a_zone_is_left_for_whoever_knows_the_compound() -> None:
    decoded = read(at="2026-11-23T07:15:02")
    assert decoded.device_time == dt.datetime(2026, 11, 23, 7, 15, 2)
    assert decoded.marks == ()


def test_absent_score_is_none_and_never_a_default() -> None:
    decoded = read(plate={"text": "云M12345"}, match={"person_ref": "p-1"})
    assert decoded.plate.confidence is None
    assert (decoded.match.score, decoded.match.liveness) == (None, None)
    assert (read().plate, read().match, read().credential, read().direction) == (None, None, None, None)


def test_numbers_as_text_are_read() -> None:
    decoded = read(v="1", late="true", plate={"confidence": "0.93"}, match={"score": "0.5", "liveness": "1"})
    assert (decoded.late, decoded.plate.confidence) == (True, 0.93)
    assert (decoded.match.score, decoded.match.liveness) == (0.5, True)


def test_unknown_fields_are_kept_in_attributes() -> None:
    decoded = read(firmware="4.1", lane=[1, {"deep": None}], attributes={"lux": 12})
    assert decoded.attributes == {"lux": 12, "firmware": "4.1", "lane": [1, {"deep": None}]}
    assert decoded.marks == ("unknown_fields",)


@pytest.mark.parametrize(
    "name",
    [
        "age",
        "Age",
        "gender",
        "GENDER",
        "ageGroup",
        "age_group",
        "age-group",
        "sex",
        "isNoMask",
        "EthicCode",
        "race",
        "hair",
    ],
)
def test_what_a_device_thinks_of_a_person_is_dropped_at_any_depth(name: str) -> None:
    decoded = read(
        **{name: 1}, face={name: 2, "box": [{name: 3, "x": 4}]}, attributes={name: 5, "list": [[{name: 6}]]}
    )
    assert decoded.attributes == {"face": {"box": [{"x": 4}]}, "list": [[{}]]}


@pytest.mark.parametrize("name", ["agent", "message", "usage", "chair", "sextant", "masked_zone"])
def test_innocent_names_that_only_look_alike_stay(name: str) -> None:
    assert read(attributes={name: 1}).attributes == {name: 1}


def test_nesting_is_bounded() -> None:
    def nested(depth: int) -> list:
        return [nested(depth - 1)] if depth else []

    assert read(attributes={"x": nested(MAX_DEPTH - 1)}).attributes == {"x": nested(MAX_DEPTH - 1)}
    refused = refusal(json.dumps(event(attributes={"x": nested(MAX_DEPTH)})).encode())
    assert (refused.reason, "deep" in refused.detail) == ("invalid_field", True)
    assert refusal(json.dumps(event(vendor=nested(MAX_DEPTH))).encode()).reason == "invalid_field"


@pytest.mark.parametrize(
    ("payload", "online", "at"),
    [
        (b'{"v":1,"status":"online","at":"2026-11-23T07:15:02+08:00"}', True, dt.datetime(2026, 11, 22, 23, 15, 2, tzinfo=dt.UTC)),
        (b'{"v":1,"status":"online","at":"2026-11-23T07:15:02"}', True, dt.datetime(2026, 11, 23, 7, 15, 2)),
        (b'{"v":1,"status":"offline"}', False, None),
        (b'{"status":"online","firmware":"4.1"}', True, None),
    ],
)  # fmt: skip
def test_sign_of_life_is_read(payload: bytes, online: bool, at: dt.datetime | None) -> None:
    assert decode_state(payload) == (online, at)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"online", "malformed_json"),
        (b'"online"', "not_an_object"),
        (b"{}", "invalid_field"),
        (b'{"status":"asleep"}', "invalid_field"),
        (b'{"status":"online","at":"now"}', "invalid_field"),
        (b'{"v":2,"status":"online"}', "invalid_field"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_state_that_is_none_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode_state(payload)
    assert refused.value.reason == reason


def test_refusal_is_a_message_with_its_facts() -> None:
    assert str(RefusedError("too_large", "9 bytes")) == "too_large: 9 bytes"
    assert str(RefusedError("too_large")) == "too_large"
