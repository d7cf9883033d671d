import datetime as dt
import json

import pytest

from devices.adapters.contract import Decoded, Incoming, RefusedError
from devices.adapters.frigate import FrigateAdapter

FRIGATE = FrigateAdapter()
STARTED = 1764000000.125
OBJECT = "1764000000.125-k3m9xz"
BEGUN = dt.datetime.fromtimestamp(STARTED, dt.UTC)


def decode(topic: str, body: object) -> Decoded:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FRIGATE.decode(Incoming(topic, raw))


def tracked(kind: str = "update", **changes: object) -> dict:
    after = {
        "id": OBJECT,
        "camera": "east_gate",
        "frame_time": STARTED + 4.5,
        "label": "person",
        "sub_label": None,
        "top_score": 0.91,
        "false_positive": False,
        "start_time": STARTED,
        "end_time": None,
        "score": 0.85,
        "box": [10, 20, 30, 40],
        "area": 400,
        "current_zones": ["lane"],
        "entered_zones": ["street", "lane"],
        "attributes": {"face": 0.8},
        "has_snapshot": True,
        "active": True,
    }
    return {"type": kind, "before": after, "after": after | changes}


def review(**changes: object) -> dict:
    data = {"detections": [OBJECT], "objects": ["person"], "sub_labels": [], "zones": ["yard"], "audio": []}
    after = {
        "id": "1764000001.5-aaaaaa",
        "camera": "yard_cam",
        "start_time": 1764000001.5,
        "end_time": None,
        "severity": "alert",
        "thumb_path": "/media/thumb.webp",
        "data": data | changes.pop("data", {}),
    }
    return {"type": "update", "before": after | {"severity": "detection"}, "after": after | changes}


def attempt(**changes: object) -> dict:
    return {
        "type": "face",
        "id": OBJECT,
        "name": "trained-17",
        "score": 0.95,
        "camera": "east_gate",
        "timestamp": STARTED + 2,
    } | changes


def test_a_person_with_a_name_is_an_identified_face() -> None:
    decoded = decode("frigate/events", tracked(sub_label=["trained-17", 0.79]))
    (face,) = decoded.readings
    assert decoded.sender == "frigate"
    assert (face.type, face.record_id, face.device) == ("face.identified", f"{OBJECT}/face", "east_gate")
    assert face.device_time == BEGUN
    assert (face.match.person_ref, face.match.score, face.match.liveness) == ("trained-17", 0.79, None)
    assert face.attributes == {"label": "person", "zones": ["street", "lane"]}
    assert face.marks == ()


def test_a_name_may_come_without_its_score() -> None:
    (face,) = decode("frigate/events", tracked(sub_label="trained-17")).readings
    assert (face.match.person_ref, face.match.score) == ("trained-17", None)


@pytest.mark.parametrize("nobody", [None, "", "unknown", ["unknown", 0.4], []])
def test_a_person_without_a_name_is_a_passer_by(nobody: object) -> None:
    decoded = decode("frigate/events", tracked(sub_label=nobody))
    assert (decoded.readings, decoded.ignored) == ((), "not_security")


def test_an_object_that_was_none_is_below_the_threshold() -> None:
    decoded = decode("frigate/events", tracked(false_positive=True, sub_label=["trained-17", 0.9]))
    assert (decoded.readings, decoded.ignored) == ((), "below_threshold")


def test_every_message_of_an_object_is_one_event_with_a_growing_revision() -> None:
    told = [
        decode("frigate/events", tracked("new", frame_time=STARTED + 1, sub_label=["trained-17", 0.9])),
        decode("frigate/tracked_object_update", attempt(timestamp=STARTED + 2)),
        decode("frigate/events", tracked("update", frame_time=STARTED + 3, sub_label=["trained-17", 0.9])),
        decode(
            "frigate/events",
            tracked("end", frame_time=STARTED + 3, end_time=STARTED + 9, sub_label=["trained-17", 0.9]),
        ),
    ]
    faces = [decoded.readings[0] for decoded in told]
    assert {(face.type, face.record_id, face.device_time) for face in faces} == {
        ("face.identified", f"{OBJECT}/face", BEGUN)
    }
    revisions = [face.revision for face in faces]
    assert revisions == sorted(set(revisions))


def test_an_update_that_moves_only_the_box_says_the_same() -> None:
    one, two = (
        decode(
            "frigate/events",
            tracked(
                sub_label=["trained-17", 0.9], box=box, score=score, current_zones=zones, path_data=[[box, 1]]
            ),
        ).readings[0]
        for box, score, zones in (([1, 2, 3, 4], 0.7, []), ([5, 6, 7, 8], 0.9, ["lane"]))
    )
    assert one == two


@pytest.mark.parametrize(
    ("changes", "text", "confidence"),
    [
        ({"recognized_license_plate": "云M12345", "recognized_license_plate_score": 0.93}, "云M12345", 0.93),
        ({"recognized_license_plate": ["云M12345", 0.88]}, "云M12345", 0.88),
        ({"recognized_license_plate": "云M12345"}, "云M12345", None),
        ({"recognized_license_plate": "云M12345", "recognized_license_plate_score": 93}, "云M12345", None),
    ],
)
def test_a_plate_is_read_in_every_spelling_and_a_missing_score_stays_missing(
    changes: dict, text: str, confidence: float | None
) -> None:
    (plate,) = decode("frigate/events", tracked(label="car", **changes)).readings
    assert (plate.type, plate.record_id) == ("plate.recognised", f"{OBJECT}/plate")
    assert (plate.plate.text, plate.plate.confidence) == (text, confidence)


def test_plate_of_a_tracked_object_update_is_the_same_event_and_whose_it_is_is_not_kept() -> None:
    decoded = decode(
        "frigate/tracked_object_update",
        {"type": "lpr", "id": OBJECT, "name": "somebody's car", "plate": "云M12345", "score": 0.9, "camera": "east_gate", "timestamp": STARTED + 2},
    )  # fmt: skip
    (plate,) = decoded.readings
    assert (plate.record_id, plate.device_time) == (f"{OBJECT}/plate", BEGUN)
    assert (plate.plate.text, plate.plate.confidence) == ("云M12345", 0.9)
    assert decoded.dropped == ("name",)
    assert "somebody" not in str(decoded)


def test_the_name_of_a_known_plate_is_not_a_face() -> None:
    decoded = decode("frigate/events", tracked("end", label="car", sub_label=["somebody's car", 0.99]))
    assert (decoded.readings, decoded.ignored) == ((), "not_security")
    assert decoded.dropped == ("sub_label",)
    assert "somebody" not in str(decoded)


@pytest.mark.parametrize("told", ["new", "update", "end"])
def test_a_vehicle_of_which_no_plate_was_read_is_no_event(told: str) -> None:
    """Most installations read none at all, and every parked car comes to its end."""
    assert decode("frigate/events", tracked(told, label="car")).ignored == "not_security"


@pytest.mark.parametrize("label", ["fire", "smoke"])
def test_a_model_that_knows_fire_raises_it(label: str) -> None:
    (fire,) = decode("frigate/events", tracked("new", label=label)).readings
    assert (fire.type, fire.record_id) == ("video.fire_smoke", OBJECT)


def test_unknown_fields_are_kept_and_sensitive_ones_are_not() -> None:
    decoded = decode(
        "frigate/events",
        tracked(sub_label="trained-17", gait="slow", age=40, details={"gender": "x", "height": 2}),
    )
    (face,) = decoded.readings
    assert face.attributes["gait"] == "slow"
    assert face.attributes["details"] == {"height": 2}
    assert face.marks == ("unknown_fields",)
    assert set(decoded.dropped) == {"age", "details.gender"}


@pytest.mark.parametrize(
    "changes",
    [{"score": 0.89}, {"score": None}, {"score": "?"}, {"name": None}, {"name": "unknown"}],
)
def test_an_attempt_at_a_face_is_no_verdict(changes: dict) -> None:
    decoded = decode("frigate/tracked_object_update", attempt(**changes))
    assert (decoded.readings, decoded.ignored) == ((), "below_threshold")


def test_an_attempt_from_the_recognition_threshold_on_counts() -> None:
    (face,) = decode("frigate/tracked_object_update", attempt(score=0.9)).readings
    assert (face.type, face.match.person_ref, face.match.score) == ("face.identified", "trained-17", 0.9)


@pytest.mark.parametrize("kind", ["description", "classification"])
def test_what_else_is_found_out_of_an_object_is_no_news(kind: str) -> None:
    decoded = decode("frigate/tracked_object_update", {"type": kind, "id": OBJECT, "description": "a man"})
    assert (decoded.ignored, decoded.dropped) == ("not_security", ())


def test_an_alert_for_a_person_in_a_zone_is_an_intrusion() -> None:
    decoded = decode("frigate/reviews", review(data={"sub_labels": ["trained-17"]}))
    (intrusion,) = decoded.readings
    assert (intrusion.type, intrusion.record_id) == ("video.intrusion", "1764000001.5-aaaaaa")
    assert (intrusion.device, intrusion.device_time) == (
        "yard_cam",
        dt.datetime.fromtimestamp(1764000001.5, dt.UTC),
    )
    assert intrusion.attributes["zones"] == ["yard"]
    assert decoded.dropped == ("data.sub_labels",)
    assert "trained-17" not in str(decoded)


@pytest.mark.parametrize(
    "changes",
    [{"severity": "detection"}, {"data": {"objects": ["car"]}}, {"data": {"zones": []}}, {"severity": None}],
)
def test_a_review_that_is_no_more_than_somebody_passing_is_no_intrusion(changes: dict) -> None:
    assert decode("frigate/reviews", review(**changes)).ignored == "not_security"


def test_a_review_is_amended_by_what_it_gathers_and_by_its_end() -> None:
    first = decode("frigate/reviews", review()).readings[0]
    more = decode("frigate/reviews", review(data={"objects": ["person", "dog"]})).readings[0]
    end = decode("frigate/reviews", review(end_time=1764000009.0)).readings[0]
    assert first.revision < more.revision < end.revision
    assert (first.record_id, first.device_time) == (end.record_id, end.device_time)


def test_comments_of_the_documentation_are_read_over_and_marked() -> None:
    body = json.dumps(tracked(sub_label='a // b \\" // c')).replace(
        '"before"', '// new, update, end\n"before"'
    )
    (face,) = decode("frigate/events", body.encode()).readings
    assert face.match.person_ref == 'a // b \\" // c'
    assert face.marks == ("json_comments",)


@pytest.mark.parametrize("body", [b'{"a": // "', b'{"a": "b // c', b"//", b'{"\\"\\"\\"//'])
def test_what_is_broken_beyond_its_comments_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        decode("frigate/events", body)
    assert refused.value.reason == "malformed_json"


def test_the_recorder_and_its_cameras_are_online_by_their_own_word() -> None:
    (sign,) = decode("frigate/available", b"online").signs
    assert (sign.online, sign.device) == (True, None)
    assert decode("frigate/available", b"offline").signs[0].online is False
    assert decode("frigate/east_gate/status/detect", b"offline").signs[0].online is False
    (sign,) = decode("frigate/east_gate/status/detect", b"online").signs
    assert (sign.online, sign.device) == (True, "east_gate")
    decoded = decode(
        "frigate/stats",
        {
            "cameras": {"a": {"camera_fps": 5.1}, "b": {"camera_fps": 0.0}, "c": {}},
            "service": {"version": "0.16.0"},
        },
    )
    assert [(sign.device, sign.online) for sign in decoded.signs] == [(None, True), ("a", True), ("b", False)]
    assert decoded.signs[0].facts == {"firmware": "0.16.0"}
    assert decoded.ignored == "keep_alive"


@pytest.mark.parametrize(
    ("topic", "body", "ignored"),
    [
        ("frigate/east_gate/person", b"2", "not_security"),
        ("frigate/east_gate/person/snapshot", b"\xff\xd8\xff a picture", "not_security"),
        ("frigate/east_gate/detect/state", b"ON", "configuration"),
    ],
)
def test_counts_pictures_and_switches_are_no_events(topic: str, body: bytes, ignored: str) -> None:
    assert decode(topic, body).ignored == ignored


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("frigate/east_gate/detect/set", b"ON", "command_not_event"),
        ("other/events", b"{}", "wrong_topic"),
        ("frigate/events", b"[]", "not_an_object"),
        ("frigate/events", b"{}", "missing_field"),
        ("frigate/tracked_object_update", b'{"type": "new thing"}', "unknown_type"),
        ("frigate/tracked_object_update", b'{"type": "face"}', "missing_field"),
        ("frigate/available", b"perhaps", "invalid_field"),
    ],
)
def test_what_cannot_be_an_event_is_refused_with_its_reason(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(topic, body)
    assert refused.value.reason == reason


@pytest.mark.parametrize("body", [tracked(sub_label="trained-17"), review(), attempt()])
def test_messages_are_told_apart_without_their_topic(body: dict) -> None:
    assert len(decode("", body).readings) == 1
