"""What Dahua cameras see happen, and whose face they see."""

from typing import Any

from bus.messages import DeviceMatch
from devices.adapters.contract import Reading
from devices.adapters.dahua_codes import EVENTS
from devices.adapters.dahua_told import PRIVATE, numbered, reading, rest
from devices.adapters.dahua_wire import Told
from devices.adapters.fields import percentage, section, text
from devices.adapters.leftovers import leftovers


def event(told: Told) -> tuple[Reading, tuple[str, ...]]:
    """What happened before a camera, or to a device. The code must be one of `EVENTS`."""
    key, data = told.code.lower(), told.data
    extra, dropped = rest(told, frozenset(["UserID"]))
    objects = data.get("Objects")
    thing = section(data, "Object") or (objects[0] if isinstance(objects, list) and objects else {})
    thing = thing if isinstance(thing, dict) else {}
    person = text(data.get("UserID"))
    attributes = {
        "rule": text(data.get("Name")),
        "object": text(thing.get("ObjectType")),
        "how": text(data.get("Action")),
    }
    if key in {"repeatenter", "maliciousaccesscontrol"}:
        attributes["reason"] = "anti_passback" if key == "repeatenter" else "too_many_tries"
    return (
        reading(
            EVENTS[key],
            told,
            numbered("event", data, "EventID", "EventSeq"),
            attributes,
            extra=extra,
            track=text(thing.get("ObjectID")),
            # Whose alarm it is that they were made to open.
            match=None if person is None else DeviceMatch(person),
        ),
        dropped,
    )


def face(told: Told) -> tuple[Reading, tuple[str, ...]]:
    """A camera that compared a face with its own lists: its best candidate, or nobody."""
    data = told.data
    extra, dropped = rest(told, frozenset(["Candidates", "Candidate", "FaceData", "UID", "GroupID"]))
    listed = data.get("Candidates")
    candidates = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    single = section(data, "Candidate")
    if single:
        candidates = [single]
    _, of_people = leftovers({"Candidates": candidates}, (), PRIVATE, "Data")
    dropped = (*dropped, *of_people)
    uid = text(data.get("UID"))
    record_id = f"face:{uid}"[:200] if uid is not None else numbered("event", data, "EventID")
    attributes: dict[str, Any] = {"rule": text(data.get("Name"))}
    if not candidates:
        return reading("face.unknown", told, record_id, attributes, extra=extra), dropped
    best = max(candidates, key=lambda one: percentage(one.get("Similarity")) or 0.0)
    person = section(best, "Person")
    # `Person.ID` is the number of an identity document; `UID` is the camera's own.
    ref = text(person.get("UID")) or text(best.get("UID")) or text(best.get("ID"))
    attributes["list"] = text(person.get("GroupID"))
    match = DeviceMatch(ref, percentage(best.get("Similarity")))
    return reading("face.identified", told, record_id, attributes, extra=extra, match=match), dropped


def captured(told: Told) -> tuple[Reading, tuple[str, ...]]:
    """A face without a verdict: ours to recognise. What the camera thinks of it is left out."""
    extra, dropped = rest(told, frozenset(["Faces", "FaceData"]))
    _, of_faces = leftovers(
        {"Object": told.data.get("Object"), "Faces": told.data.get("Faces")}, (), PRIVATE, "Data"
    )
    record_id = numbered("event", told.data, "EventID", "EventSeq")
    track = text(section(told.data, "Object").get("ObjectID"))
    return (
        reading(
            "face.captured", told, record_id, {"rule": text(told.data.get("Name"))}, extra=extra, track=track
        ),
        (*dropped, *of_faces),
    )
