import base64
import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, RefusedError
from devices.adapters.double_take import DoubleTakeAdapter
from tests.support.compound import JPEG

DOUBLE_TAKE = DoubleTakeAdapter()
RUN = "1764000000.125-k3m9xz"


def decode(topic: str, body: object) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DOUBLE_TAKE.decode(Incoming(topic, raw))


def face(**changes: object) -> dict:
    return {
        "name": "trained-17",
        "confidence": 71.5,
        "match": True,
        "box": {"top": 30, "left": 40, "width": 100, "height": 120},
        "type": "latest",
        "duration": 0.3,
        "detector": "compreface",
        "filename": "0d3a.jpg",
        "base64": None,
    } | changes


def run(**changes: object) -> dict:
    return {
        "id": RUN,
        "duration": 1.2,
        "timestamp": "2026-11-23T07:15:02.120Z",
        "attempts": 3,
        "camera": "east-gate",
        "zones": ["lane"],
    } | changes


def test_a_match_is_an_identified_face() -> None:
    decoded = decode("double-take/matches/trained-17", run(match=face()))
    (reading,) = decoded.readings
    assert decoded.sender == "double-take"
    assert (reading.type, reading.device) == ("face.identified", "east-gate")
    assert reading.device_time == dt.datetime(2026, 11, 23, 7, 15, 2, 120_000, dt.UTC)
    assert (reading.match.person_ref, reading.match.score) == ("trained-17", 0.715)
    assert reading.attributes == {
        "detector": "compreface",
        "source": "latest",
        "zones": ["lane"],
        "attempts": 3,
    }
    assert reading.marks == ()


def test_the_same_face_told_by_name_and_by_camera_is_one_event() -> None:
    (by_name,) = decode("double-take/matches/trained-17", run(match=face())).readings
    (by_camera,) = decode(
        "double-take/cameras/east-gate", run(matches=[face()], misses=[], unknowns=[], counts={"person": 1})
    ).readings
    assert by_name == by_camera


def test_two_faces_of_one_picture_are_two_events() -> None:
    other = face(name="trained-18", box={"top": 1, "left": 2})
    one, two = decode("double-take/cameras/east-gate", run(matches=[face(), other])).readings
    assert one.record_id != two.record_id


def test_the_three_outcomes_leave_no_gap() -> None:
    readings = decode(
        "double-take/cameras/east-gate",
        run(
            matches=[face()],
            misses=[face(confidence=55, match=False, box={"top": 1, "left": 1})],
            unknowns=[face(name="unknown", confidence=12, match=False, box={"top": 2, "left": 2})],
        ),
    ).readings
    assert [reading.type for reading in readings] == ["face.identified", "face.uncertain", "face.unknown"]
    assert [reading.match.person_ref for reading in readings] == ["trained-17", None, None]
    assert [reading.match.score for reading in readings] == [0.715, 0.55, 0.12]


def test_a_match_that_says_it_is_none_names_nobody() -> None:
    decoded = decode("double-take/matches/trained-17", run(match=face(match=False)))
    assert (decoded.readings[0].type, decoded.readings[0].match.person_ref) == ("face.uncertain", None)
    assert "trained-17" not in str(decoded)


def test_a_stranger_listed_twice_in_one_message_is_one_event() -> None:
    stranger = face(name="unknown", match=False)
    (reading,) = decode("double-take/matches/unknown", run(unknown=stranger, unknowns=[stranger])).readings
    assert reading.type == "face.unknown"


def test_a_missing_confidence_stays_missing() -> None:
    (reading,) = decode("double-take/matches/x", run(match=face(confidence=None))).readings
    assert reading.match.score is None


def test_a_picture_comes_along_where_it_is_configured() -> None:
    body = run(match=face(base64=base64.b64encode(JPEG).decode()))
    assert decode("double-take/matches/x", body).readings[0].pictures == (("face", JPEG),)
    (broken,) = decode("double-take/matches/x", run(match=face(base64="!"))).readings
    assert (broken.pictures, broken.marks) == ((), ("bad_base64",))


def test_the_key_to_its_pictures_and_guesses_about_people_are_dropped() -> None:
    decoded = decode(
        "double-take/matches/x",
        run(token="ey.secret", match=face(gender="male", age={"low": 30}, pose="left")),
    )
    (reading,) = decoded.readings
    assert set(decoded.dropped) == {"token", "match.gender", "match.age"}
    assert reading.attributes["pose"] == "left"
    assert reading.marks == ("unknown_fields",)
    assert "secret" not in str(decoded)


@pytest.mark.parametrize(("said", "mark"), [(None, "time_missing"), ("yesterday", "time_unreadable")])
def test_a_time_that_is_none_is_marked(said: str | None, mark: str) -> None:
    (reading,) = decode("double-take/matches/x", run(match=face(), timestamp=said)).readings
    assert (reading.device_time, reading.marks) == (None, (mark,))


def test_a_run_that_found_nobody_and_the_count_of_people_are_no_events() -> None:
    empty = run(matches=[], misses=[], unknowns=[], counts={"person": 0})
    assert decode("double-take/cameras/east-gate", empty).ignored == "not_security"
    assert decode("double-take/cameras/east-gate/person", b"0").ignored == "not_security"


def test_its_last_word_says_that_it_is_online_or_gone() -> None:
    assert decode("double-take/available", b"online").signs[0].online is True
    assert decode("double-take/available", b"offline").signs[0].online is False


def test_an_error_is_a_fault_and_the_empty_one_at_its_start_is_none() -> None:
    (fault,) = decode("double-take/errors", b"compreface: connection refused").readings
    assert (fault.type, fault.point) == ("device.fault", ("error", "compreface: connection refused"))
    assert decode("double-take/errors", b"").ignored == "cleared_state"


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("double-take/matches/x", b"{", "malformed_json"),
        ("double-take/matches/x", b"{}", "missing_field"),
        ("double-take/available", b"perhaps", "invalid_field"),
        ("double-take/other", b"{}", "wrong_topic"),
        ("frigate/events", b"{}", "wrong_topic"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason
