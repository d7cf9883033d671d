"""Frigate NVR over MQTT: one event for each tracked object, amended as more becomes known.

Sources: docs.frigate.video/integrations/mqtt and the messages of 0.12 … 0.17. Frigate sends
`frigate/events` (a tracked object: new, update, end), `frigate/reviews` (several objects, with
a severity), `frigate/tracked_object_update` (each single attempt at a face or plate, and
what else is found out about an object), and its own state.

Frigate's identity of an object is its id, whose first part is the moment at which it was first
seen. Face and plate of one object are two events of ours, `{id}/face` and `{id}/plate`.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from bus.messages import DeviceMatch, PlateReading
from devices.adapters.contract import (
    MAX_BYTES,
    Adapter,
    Decoded,
    Incoming,
    Reading,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.fields import (
    dropped,
    epoch,
    fraction,
    mark,
    number,
    read_json,
    remainder,
    section,
    text,
)
from devices.adapters.scalars import online_of, value_of

ROOT: Final = "frigate"
RECOGNISED: Final = 0.9
"""Frigate's default `recognition_threshold`. Every attempt is published, and only from here on does
Frigate itself put the name on the object (`sub_label`)."""

_PERSON: Final = "person"
# Frigate's labels for what carries a plate (docs: license_plate_recognition).
_FIRE: Final = frozenset({"fire", "smoke", "flame"})
# No name but the word for none.
_NOBODY: Final = frozenset({"unknown", "none", ""})
# What differs in every frame or says how the object is drawn: an update that brings nothing but
# these is no news.
_VOLATILE: Final = frozenset(
    [
        "active", "area", "attributes", "average_estimated_speed", "box", "current_attributes",
        "current_estimated_speed", "current_zones", "end_time", "frame_time", "has_clip", "has_snapshot",
        "motionless_count", "path_data", "pending_loitering", "position_changes", "ratio", "region", "score",
        "snapshot", "snapshot_time", "stationary", "thumb_path", "thumbnail", "top_score", "velocity_angle",
    ]
)  # fmt: skip
_KNOWN: Final = _VOLATILE | {
    "camera", "entered_zones", "false_positive", "id", "label", "name", "plate", "plate_box",
    "recognized_license_plate", "recognized_license_plate_score", "severity", "start_time", "sub_label",
    "sub_labels", "timestamp", "type",
}  # fmt: skip
# A string, closed or not, or a comment: comments are found only outside strings.
_COMMENT: Final = re.compile(rb'"(?:\\.|[^"\\])*+"?|(//[^\n]*)', re.DOTALL)


class FrigateAdapter(Adapter):
    """Cameras behind a Frigate recorder."""

    name = "frigate"
    title = "Frigate NVR"
    # The pictures under `frigate/{camera}/{label}/snapshot` are many and of no verdict: not asked for.
    topics = (
        "frigate/events",
        "frigate/reviews",
        "frigate/tracked_object_update",
        "frigate/available",
        "frigate/stats",
        "frigate/+/status/+",
    )
    gateway = True
    root = ROOT
    # `mqtt.stats_interval`.
    heartbeat_s = 60
    fields: ClassVar[Mapping[str, str]] = {
        "type": "type, with `before` and `after`: the object's life",
        "after.id": "record_id, with /face or /plate",
        "after.camera": "device",
        "after.start_time": "device_time",
        "after.frame_time": "revision, as_of",
        "after.end_time": "revision, as_of",
        "after.label": "type, attributes.label",
        "after.sub_label": "match.person_ref, match.score (of a person)",
        "after.false_positive": "ignored: below_threshold",
        "after.recognized_license_plate": "plate.text, plate.confidence",
        "after.recognized_license_plate_score": "plate.confidence",
        "after.entered_zones": "attributes.zones",
        "after.severity": "type (reviews)",
        "after.data.objects": "type (reviews), attributes.objects",
        "after.data.zones": "attributes.zones (reviews)",
        "id": "record_id, device_time",
        "camera": "device",
        "name": "match.person_ref",
        "plate": "plate.text",
        "score": "match.score, plate.confidence",
        "timestamp": "revision, as_of",
        "cameras": "signs",
        "service.version": "facts.firmware",
    }

    def decode(self, message: Incoming) -> Decoded:
        path = _path(message.topic)
        if path == ("available",):
            return _available(message.body)
        if path == ("stats",):
            return _stats(read_json(message.body))
        if len(path) == 3 and path[1] == "status":
            return _camera_status(path[0], message.body)
        if path[-1:] == ("set",) or path == ("restart",):
            raise RefusedError("command_not_event", "it is a command to Frigate")
        if path and path[0] not in {"events", "reviews", "tracked_object_update"}:
            # Counts, switches and pictures of a camera.
            last = path[-1]
            return Decoded(ROOT, ignored="configuration" if last == "state" else "not_security")
        marks: list[str] = []
        data = _read(message.body, marks)
        if path == ("events",) or (not path and "after" in data and "severity" not in section(data, "after")):
            return _object(section(data, "after"), tuple(marks))
        if path == ("reviews",) or (not path and "after" in data):
            return _review(section(data, "after"), tuple(marks))
        if not path and "cameras" in data:
            return _stats(data)
        return _found_out(data, tuple(marks))

    def rights(self, external_id: str) -> Rights:
        _ = external_id
        return Rights((f"{ROOT}/#",), (f"{ROOT}/#",))


def _path(topic: str) -> tuple[str, ...]:
    """The levels below the root; none where the topic is not known."""
    if not topic:
        return ()
    root, *rest = topic.split("/")
    if root != ROOT or not rest:
        raise RefusedError("wrong_topic", "expected frigate/…")
    return tuple(rest)


def _read(body: bytes, marks: list[str]) -> dict[str, Any]:
    """The message; the documentation's examples, and what is made after them, carry // comments."""
    try:
        return read_json(body)
    except RefusedError as refused:
        if refused.reason != "malformed_json" or b"//" not in body or len(body) > MAX_BYTES:
            raise
        data = read_json(_COMMENT.sub(lambda found: b"" if found[1] else found[0], body))
        mark(marks, "json_comments")
        return data


def _object(after: dict[str, Any], marks: tuple[str, ...]) -> Decoded:
    """A tracked object as it now stands."""
    object_id, camera = _required(after, "id"), text(after.get("camera"))
    if after.get("false_positive") is True:
        return Decoded(ROOT, ignored="below_threshold")
    label = text(after.get("label"))
    started = epoch(after.get("start_time")) or _begun(object_id)
    zones = _texts(after.get("entered_zones"))
    rest = remainder(after, _KNOWN)
    attributes = _attributes({"label": label, "zones": zones}, rest)
    shared: dict[str, Any] = {
        "device": camera,
        "device_time": started,
        "revision": _revision(after.get("frame_time"), after.get("end_time")),
        "as_of": epoch(after.get("end_time")) or epoch(after.get("frame_time")),
        "attributes": attributes,
        "marks": _marks(marks, started is None, rest),
    }
    readings = []
    person, score = _named(after.get("sub_label"))
    if label == _PERSON and person is not None:
        readings.append(_face(object_id, person, score, shared))
    plate, confidence = _named(after.get("recognized_license_plate"))
    if plate is not None:
        said = fraction(after.get("recognized_license_plate_score"))
        readings.append(_plate(object_id, plate, confidence if said is None else said, shared))
    if label in _FIRE:
        readings.append(Reading("video.fire_smoke", object_id, **shared))
    # A vehicle's sub_label is the name under which its plate is known: whose it is.
    out = dropped(after) + (("sub_label",) if label != _PERSON and after.get("sub_label") else ())
    return Decoded(ROOT, tuple(readings), dropped=out, ignored=None if readings else "not_security")


def _review(after: dict[str, Any], marks: tuple[str, ...]) -> Decoded:
    """Several objects seen as one matter.

    Only an alert for a person in a named zone is more than a passer-by: without `required_zones`
    every person on every camera makes an alert, and then no zone is named.
    """
    review_id, severity = _required(after, "id"), text(after.get("severity"))
    found = section(after, "data")
    objects, zones = _texts(found.get("objects")), _texts(found.get("zones"))
    people = any(name.removesuffix("-verified") == _PERSON for name in objects)
    out = (*dropped(after), *(("data.sub_labels",) if found.get("sub_labels") else ()))
    if severity != "alert" or not people or not zones:
        return Decoded(ROOT, dropped=out, ignored="not_security")
    started = epoch(after.get("start_time")) or _begun(review_id)
    rest = remainder(after, _KNOWN | {"data"})
    members = _texts(found.get("detections"))
    told = {"severity": severity, "objects": objects, "zones": zones, "members": members}
    reading = Reading(
        "video.intrusion",
        review_id,
        started,
        text(after.get("camera")),
        attributes=_attributes(told, rest),
        marks=_marks(marks, started is None, rest),
        # A review has no frame time: it grows with what it gathers, and is over at its end.
        revision=len(objects) + len(zones) + len(members) + (1000 if after.get("end_time") else 0),
    )
    return Decoded(ROOT, (reading,), dropped=out)


def _found_out(data: dict[str, Any], marks: tuple[str, ...]) -> Decoded:
    """Something about an object that took longer than a frame."""
    kind = text(data.get("type"))
    if kind in {"description", "classification", "genai", "path"}:
        return Decoded(ROOT, ignored="not_security")
    if kind not in {"face", "lpr"}:
        raise RefusedError("unknown_type", (kind or "no type")[:64])
    object_id = _required(data, "id")
    started = _begun(object_id)
    rest = remainder(data, _KNOWN)
    shared: dict[str, Any] = {
        "device": text(data.get("camera")),
        "device_time": started,
        "revision": _revision(data.get("timestamp")),
        "as_of": epoch(data.get("timestamp")),
        "attributes": _attributes({"label": _PERSON if kind == "face" else None}, rest),
        "marks": _marks(marks, started is None, rest),
    }
    score = fraction(data.get("score"))
    if kind == "lpr":
        plate, _ = _named(data.get("plate"))
        if plate is None:
            return Decoded(ROOT, ignored="below_threshold")
        # The name that Frigate knows the plate by says whose it is.
        return Decoded(ROOT, (_plate(object_id, plate, score, shared),), dropped=dropped(data))
    person, _ = _named(data.get("name"))
    if person is None or score is None or score < RECOGNISED:
        # An attempt is no verdict: the next frame may name another.
        return Decoded(ROOT, ignored="below_threshold")
    return Decoded(ROOT, (_face(object_id, person, score, shared),))


def _face(object_id: str, person: str, score: float | None, shared: Mapping[str, Any]) -> Reading:
    # Frigate keeps no reference but the label under which the face was trained.
    return Reading("face.identified", _record(object_id, "face"), match=DeviceMatch(person, score), **shared)


def _plate(object_id: str, plate: str, confidence: float | None, shared: Mapping[str, Any]) -> Reading:
    if len(plate) > 32:
        raise RefusedError("invalid_field", "the plate is longer than 32 characters")
    return Reading(
        "plate.recognised", _record(object_id, "plate"), plate=PlateReading(plate, confidence), **shared
    )


def _available(body: bytes) -> Decoded:
    online = online_of(value_of(body))
    if online is None:
        raise RefusedError("invalid_field", "expected online or offline")
    return Decoded(ROOT, signs=(SignOfLife(online),))


def _camera_status(camera: str, body: bytes) -> Decoded:
    """`online`, `offline`, `disabled`: whether a camera's stream arrives."""
    value = value_of(body)
    online = False if value == "disabled" else online_of(value)
    if online is None:
        return Decoded(ROOT, ignored="no_change")
    return Decoded(ROOT, signs=(SignOfLife(online, device=camera),))


def _stats(data: dict[str, Any]) -> Decoded:
    """The recorder is well, and so is each camera of which pictures arrive."""
    version = text(section(data, "service").get("version"))
    signs = [SignOfLife(online=True, facts={"firmware": version} if version else {})]
    for camera, told in section(data, "cameras").items():
        rate = number(told.get("camera_fps")) if isinstance(told, dict) else None
        if rate is not None:
            signs.append(SignOfLife(rate > 0, device=camera))
    return Decoded(ROOT, signs=tuple(signs), ignored="keep_alive")


def _required(data: Mapping[str, Any], name: str) -> str:
    found = text(data.get(name))
    if found is None:
        raise RefusedError("missing_field", name)
    return found[:190]


def _record(object_id: str, part: str) -> str:
    return f"{object_id}/{part}"


def _begun(object_id: str) -> Any:
    """The first moment of an object, which is the first part of its id."""
    return epoch(object_id.partition("-")[0])


def _revision(*moments: Any) -> int | None:
    """The newest of the moments in microseconds."""
    known = [found for found in map(number, moments) if found is not None and 0 < found < 1e11]
    return int(max(known) * 1_000_000) if known else None


def _named(value: Any) -> tuple[str | None, float | None]:
    """`null`, `"name"` or `["name", score]`."""
    score = None
    if isinstance(value, list):
        score = fraction(value[1]) if len(value) > 1 else None
        value = value[0] if value else None
    found = text(value)
    return (None, None) if found is None or found.lower() in _NOBODY else (found, score)


def _texts(value: Any) -> list[str]:
    return [found for found in map(text, value) if found is not None] if isinstance(value, list) else []


def _attributes(told: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value} | dict(rest)


def _marks(marks: tuple[str, ...], timeless: bool, rest: Mapping[str, Any]) -> tuple[str, ...]:
    return (*marks, *(["time_missing"] if timeless else []), *(["unknown_fields"] if rest else []))
