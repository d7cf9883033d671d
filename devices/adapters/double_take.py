"""Double Take over MQTT: which face several recognisers made out on a camera's pictures.

Sources: the project's README and `mqtt.util.js`. One run of recognition is told of up to
three times: on `double-take/cameras/{camera}` with everything, and once for each name on
`double-take/matches/{name}` (strangers under `unknown`). The same face has one identity
in all of them.

It knows three outcomes: a match (confidence of at least `match`, 60 by default), a miss (a
name, but not sure enough), an unknown. They become identified, uncertain and unknown.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from bus.messages import DeviceMatch
from devices.adapters.contract import Adapter, Decoded, Incoming, Reading, RefusedError, Rights, SignOfLife
from devices.adapters.fields import (
    dropped,
    flag,
    integer,
    mark,
    moment,
    percentage,
    picture,
    read_json,
    remainder,
    text,
)
from devices.adapters.scalars import online_of, value_of

ROOT: Final = "double-take"
_RUN: Final = frozenset(
    [
        "attempts", "camera", "counts", "duration", "id", "match", "matches", "misses", "personCount",
        "timestamp", "token", "unknown", "unknowns", "zones",
    ]
)  # fmt: skip
_FACE: Final = frozenset(
    ["base64", "box", "confidence", "detector", "duration", "filename", "match", "name", "type"]
)
_LISTS: Final = {"matches": "face.identified", "misses": "face.uncertain", "unknowns": "face.unknown"}
_SINGLE: Final = {"match": "matches", "unknown": "unknowns"}


class DoubleTakeAdapter(Adapter):
    """Cameras whose pictures Double Take has recognised."""

    name = "double_take"
    title = "Double Take"
    aliases = ("doubletake",)
    topics = (
        "double-take/matches/+",
        "double-take/cameras/+",
        "double-take/errors",
        "double-take/available",
    )
    gateway = True
    root = ROOT
    fields: ClassVar[Mapping[str, str]] = {
        "id": "record_id, with file and place of the face",
        "timestamp": "device_time",
        "camera": "device",
        "zones": "attributes.zones",
        "attempts": "attributes.attempts",
        "match": "type face.identified",
        "matches": "type face.identified",
        "misses": "type face.uncertain",
        "unknown": "type face.unknown",
        "unknowns": "type face.unknown",
        "token": "dropped: a key to the pictures",
        "match.name": "match.person_ref",
        "match.confidence": "match.score (percent)",
        "match.match": "type",
        "match.filename": "record_id",
        "match.box": "record_id",
        "match.detector": "attributes.detector",
        "match.type": "attributes.source",
        "match.base64": "pictures",
    }

    def decode(self, message: Incoming) -> Decoded:
        path = _path(message.topic)
        if path == ("available",):
            online = online_of(value_of(message.body))
            if online is None:
                raise RefusedError("invalid_field", "expected online or offline")
            return Decoded(ROOT, signs=(SignOfLife(online),))
        if path == ("errors",):
            return _error(value_of(message.body))
        if path and path[0] not in {"matches", "cameras"}:
            raise RefusedError("wrong_topic", "expected double-take/matches/… or /cameras/…")
        if len(path) > 2:
            # How many people stand there, back to 0 after half a minute.
            return Decoded(ROOT, ignored="not_security")
        return _run(read_json(message.body))

    def rights(self, external_id: str) -> Rights:
        _ = external_id
        return Rights((f"{ROOT}/#",), ())


def _path(topic: str) -> tuple[str, ...]:
    if not topic:
        return ()
    root, *rest = topic.split("/")
    if root != ROOT or not rest:
        raise RefusedError("wrong_topic", "expected double-take/…")
    return tuple(rest)


def _run(data: dict[str, Any]) -> Decoded:
    """One run of recognition on a camera."""
    if not _RUN & data.keys() - {"id", "camera", "timestamp", "token", "zones"}:
        raise RefusedError("missing_field", "match, matches, misses or unknowns")
    run, camera = text(data.get("id")), text(data.get("camera"))
    said = data.get("timestamp")
    at = moment(said)
    marks: list[str] = []
    if at is None:
        mark(marks, "time_missing" if text(said) is None else "time_unreadable")
    rest = remainder(data, _RUN)
    shared = remainder({name: data[name] for name in ("zones", "attempts") if data.get(name)}, ())
    readings = []
    for where, face in _faces(data):
        face_marks, pictures = list(marks), list[tuple[str, bytes]]()
        picture(face.get("base64"), "face", pictures, face_marks)
        more = rest | remainder(face, _FACE)
        if more:
            mark(face_marks, "unknown_fields")
        told = {"detector": text(face.get("detector")), "source": text(face.get("type"))}
        kind = _LISTS[where]
        if kind == "face.identified" and flag(face.get("match")) is False:
            kind = "face.uncertain"
        # Double Take keeps no reference but the label under which the face was trained; a
        # miss names whom it was not sure enough of, which is nobody.
        ref = text(face.get("name")) if kind == "face.identified" else None
        readings.append(
            Reading(
                kind,
                _record(run, face),
                at,
                camera,
                match=DeviceMatch(ref, percentage(face.get("confidence"))),
                pictures=tuple(pictures),
                attributes={name: value for name, value in told.items() if value} | shared | more,
                marks=tuple(face_marks),
            )
        )
    out = tuple(path for path in dropped(data) if path.rpartition(".")[2] != "name")
    out += ("token",) if data.get("token") else ()
    return Decoded(ROOT, tuple(readings), dropped=out, ignored=None if readings else "not_security")


def _faces(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The faces of a run, each once. `unknown` is the first of `unknowns`."""
    seen = set()
    for name in ("match", "unknown", *_LISTS):
        found = data.get(name)
        for face in found if isinstance(found, list) else [found]:
            if not isinstance(face, dict) or not face:
                continue
            where = _SINGLE.get(name, name)
            key = (where, _place(face), text(face.get("detector")))
            if key not in seen:
                seen.add(key)
                yield where, face


def _place(face: dict[str, Any]) -> str:
    """File and place of a face: what tells it from the others of its run."""
    box = face.get("box")
    corner = [integer(box.get(side)) for side in ("left", "top")] if isinstance(box, dict) else [None, None]
    name = (text(face.get("filename")) or "").rpartition(".")[0] or text(face.get("filename")) or ""
    return f"{name[:64]}@{corner[0]},{corner[1]}"


def _record(run: str | None, face: dict[str, Any]) -> str | None:
    if run is None:
        return None
    detector = text(face.get("detector")) or ""
    return f"{run[:64]}/{_place(face)}/{detector[:20]}"


def _error(value: Any) -> Decoded:
    """What the last run failed of; empty when the program starts."""
    said = text(value)
    if said is None:
        return Decoded(ROOT, ignored="cleared_state")
    reading = Reading(
        "device.fault", attributes={"error": said}, marks=("time_missing",), point=("error", said[:64])
    )
    return Decoded(ROOT, (reading,))
