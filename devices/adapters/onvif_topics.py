"""What a topic of the ONVIF tree means: the same for a camera's MQTT events and for Axis's own bridge.

Sources: ONVIF Core, Analytics, Access Control and Door Control specifications; Bosch IVA and Hanwha
topics as integrators captured them; the Axis door controller's list of notification topics.

Each vendor writes namespaces in its own way (`tns1:Trigger`, `tns:onvif/Device`, none at all); they
are cut off here and case is levelled.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from devices.adapters.endings import LASTING
from devices.adapters.fields import flag, text


class Meaning(msgspec.Struct, frozen=True):
    """What a message is: a type, or the code for why it is none."""

    kind: str | None = None
    ignored: str | None = None
    attributes: dict[str, Any] = {}
    point: tuple[str, str] | None = None
    # The state does not hold. Only a message that tells of its change ends what lasted.
    rests: bool = False


# A path, and what stands there. A state that is not (or no longer) the case is no event.
_EVENTS: Final[Mapping[str, str]] = {
    "ruleengine/linedetector/crossed": "video.line_crossing",
    "ruleengine/linecrossdetector": "video.line_crossing",
    "ruleengine/cellmotiondetector/linecross": "video.line_crossing",
    "ruleengine/fielddetector/objectsinside": "video.intrusion",
    "ruleengine/fielddetector/objectisloitering": "video.loitering",
    "ruleengine/cellmotiondetector/intrusion": "video.intrusion",
    "ruleengine/intrusiondetector": "video.intrusion",
    "ruleengine/loiteringdetector": "video.loitering",
    "ruleengine/tamperdetector": "video.occlusion",
    "ruleengine/cellmotiondetector/tamper": "video.occlusion",
    "ruleengine/countaggregation": "video.person_count",
    # So it is spelt on many a broker.
    "ruleengine/countagregation": "video.person_count",
    "ruleengine/crowddetection": "video.crowd",
    "ruleengine/firedetection": "video.fire_smoke",
    "ruleengine/smokedetection": "video.fire_smoke",
    "ruleengine/idleobject": "video.object_left",
    "ruleengine/removedobject": "video.object_removed",
    "ruleengine/recognition/licenseplate": "plate.recognised",
    "ruleengine/licenseplaterecognizer": "plate.recognised",
    "recognitionengine/licenseplate": "plate.recognised",
    "ruleengine/recognition/face": "face.captured",
    "ruleengine/facedetector": "face.captured",
    "iva/idleobject": "video.object_left",
    "iva/removedobject": "video.object_removed",
    "iva/crowddetection": "video.crowd",
    "iva/loitering": "video.loitering",
    "iva/crossingline": "video.line_crossing",
    "iva/objectinfield": "video.intrusion",
    "iva/enteringfield": "video.intrusion",
    "iva/flame": "video.fire_smoke",
    "iva/smoke": "video.fire_smoke",
    "videosource/globalscenechange": "video.occlusion",
    "videosource/imagetoodark": "video.occlusion",
    "videosource/imagetoobright": "video.occlusion",
    "videosource/imagetooblurry": "video.occlusion",
    "videosource/tampering": "video.occlusion",
    "videoanalytics/tamperingdetection": "video.occlusion",
    "videosource/signalloss": "video.lost",
    "device/hardwarefailure": "device.fault",
    "device/network/lost": "device.fault",
    "storage/disruption": "device.fault",
    "storage/alert": "device.fault",
    "device/casing": "device.tamper",
    "device/tampering": "device.tamper",
    "device/shockdetected": "device.tamper",
    "device/io/supervisedport": "device.tamper",
    "accesscontrol/accessgranted": "access.granted",
    "accesscontrol/denied": "access.denied",
    "accesscontrol/accessdenied": "access.denied",
    "accesscontrol/duress": "access.duress",
    "door/state/doorphysicalstate": "door.opened",
    "door/state/dooralarm": "door.forced",
    "door/state/doortamper": "device.tamper",
    "door/state/doorfault": "device.fault",
    "door/state/lockphysicalstate": "device.fault",
    "door/state/doublelockphysicalstate": "device.fault",
}
_IGNORED: Final[Mapping[str, str]] = {
    # The end of a track, told ten seconds after the object has gone.
    "ruleengine/objecttrack": "no_change",
    "accesscontrol/accesstaken": "no_change",
    "accesscontrol/accessnottaken": "no_change",
    "door/state/doormode": "no_change",
    "monitoring": "keep_alive",
    **dict.fromkeys(
        [
            "ruleengine/cellmotiondetector", "ruleengine/motionregiondetector", "ruleengine/motiondetector",
            "ruleengine/objectdetection", "ruleengine/peopledetector", "ruleengine/myruledetector",
            "ruleengine/tpsmarteventdetector", "ruleengine/vmd3", "videoanalytics", "videosource",
            # Whether a contact on a wire is a door, a bell or a lamp, no camera says.
            "device/trigger", "device/io", "device/sensor", "device/status", "device/light", "audio",
            "audiosource", "audioanalytics", "accesscontrol/request", "idpoint", "call", "light",
            "radarsource", "airqualitymonitor", "device/heater", "device/fan", "device/ring",
        ],
        "not_security",
    ),
    **dict.fromkeys(
        [
            "recording", "recordingconfig", "recordinghistory", "media", "mediaprofile", "profile", "ptz",
            "ptzcontroller", "configuration", "schedule", "storage", "useralarm", "accesspoint", "credential",
            "device/operationmode", "device/network", "advancedsecurity", "videoencoder", "eventbroker",
            "applicationservice", "clientconnected", "door",
        ],
        "configuration",
    ),
}  # fmt: skip

# Which value tells whether a state holds, in the order in which they are looked for.
_STATES: Final = (
    "state", "isinside", "isloitering", "islinecross", "iscrossing", "istamper", "isintrusion", "ismotion",
    "status", "active", "tampering", "tampered", "open", "failed", "failure", "lost", "disruption", "alert",
)  # fmt: skip
_TRUE: Final = frozenset(["active", "detected", "tamperdetected", "faultdetected", "fault", "alarm"])
_FALSE: Final = frozenset(["inactive", "normal", "notintamper", "notinfault", "none", "unknown", "ok"])

# ONVIF Access Control, DenyReason.
_REASONS: Final[Mapping[str, str]] = {
    "credentialnotenabled": "blocked",
    "credentialnotactive": "no_right",
    "credentialexpired": "expired",
    "invalidpin": "wrong_pin",
    "invalidbiometric": "face_mismatch",
    "notpermittedatthistime": "no_right",
    "unauthorized": "no_right",
    "antipassbackviolation": "anti_passback",
    "antipassback": "anti_passback",
}


def levelled(levels: Iterable[str]) -> tuple[str, ...]:
    """A topic's levels in lower case, without namespaces; `tns:axis` is a level of nothing else."""
    found = []
    for level in levels:
        if not level or level.startswith("tns:"):
            continue
        found.append(level.rpartition(":")[2].strip().lower())
    return tuple(found)


def is_on(values: Mapping[str, Any]) -> bool | None:
    """Whether the state that a message tells of holds; None where it tells of none.

    `values` are all simple values of the message by their name in lower case.
    """
    for name in _STATES:
        if name not in values:
            continue
        found = values[name]
        said = (text(found) or "").lower()
        if said in _TRUE or said in _FALSE:
            return said in _TRUE
        return flag(found)
    return None


def meaning(path: tuple[str, ...], values: Mapping[str, Any]) -> Meaning | None:
    """What a path (see `levelled`) with these values means; None for one that is in no table."""
    kind = _longest(path, _EVENTS)
    why = _longest(path, _IGNORED)
    if kind is None or (why is not None and len(why[0]) > len(kind[0])):
        return None if why is None else Meaning(ignored=why[1])
    found, what = kind
    if found.startswith("door/state/"):
        return _door(found, values)
    if what == "access.denied":
        return Meaning(what, attributes={"reason": _denied(path, values)})
    if found == "device/io/supervisedport" and "tampered" not in values:
        return Meaning(ignored="not_security")
    if not what.startswith(("access.", "plate.", "face.", "video.person_count")) and is_on(values) is False:
        return at_rest(what)
    return Meaning(what)


def at_rest(kind: str) -> Meaning:
    """What a state means that is not the case: `ignored` for whoever cannot tell an end from a report."""
    return Meaning(kind if kind in LASTING else None, "no_change", rests=kind in LASTING)


def _longest(path: tuple[str, ...], table: Mapping[str, str]) -> tuple[str, str] | None:
    for length in range(min(len(path), 4), 0, -1):
        name = "/".join(path[:length])
        if name in table:
            return name, table[name]
    return None


def _door(found: str, values: Mapping[str, Any]) -> Meaning:
    said = (text(values.get("state")) or "").lower()
    door = text(values.get("doortoken")) or text(values.get("token")) or "0"
    if found.endswith("doorphysicalstate"):
        if said in {"open", "closed"}:
            kind = "door.opened" if said == "open" else "door.closed"
            return Meaning(kind, point=(f"door:{door}"[:64], said))
        return Meaning("device.fault") if said == "fault" else Meaning(ignored="no_change")
    if found.endswith("dooralarm"):
        alarm = {"doorforcedopen": "door.forced", "dooropentoolong": "door.held_open"}.get(said)
        return Meaning(alarm) if alarm is not None else Meaning(ignored="no_change")
    if found.endswith("lockphysicalstate"):
        return Meaning("device.fault") if said == "fault" else Meaning(ignored="no_change")
    return at_rest(_EVENTS[found]) if is_on(values) is False else Meaning(_EVENTS[found])


def _denied(path: tuple[str, ...], values: Mapping[str, Any]) -> str:
    """One of our reasons. Some devices have it as a value, some as the end of the topic."""
    if any("notfound" in level for level in path):
        return "not_registered"
    for said in (text(values.get("reason")), *reversed(path)):
        reason = _REASONS.get((said or "").lower())
        if reason is not None:
            return reason
    return "refused"
