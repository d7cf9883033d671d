"""What the state of a switched thing means: a contact, a smoke detector, a lock, a battery.

Home automation, Wi-Fi relays and LoRaWAN sensors say the same few things in many spellings.
They meet here, so that a door is a door whoever tells of it. Which way round a value is
meant (`contact: true` is closed, `door: on` is open) is each adapter's own business.
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from devices.adapters.contract import Reading
from devices.adapters.endings import LASTING

OPENINGS: Final[Mapping[str, tuple[str, str]]] = {
    "door": ("door.opened", "door.closed"),
    "barrier": ("barrier.opened", "barrier.closed"),
    # A bolt that is drawn is a way that stands open to whoever pushes.
    "lock": ("door.opened", "door.closed"),
}
"""What is open or shut → its types for either."""

ALARMS: Final[Mapping[str, str]] = {
    "smoke": "alarm.smoke",
    "gas": "alarm.smoke",
    "carbon_monoxide": "alarm.smoke",
    "sos": "alarm.sos",
    "intrusion": "alarm.intrusion",
    "tamper": "device.tamper",
    "battery": "device.fault",
    "fault": "device.fault",
    "unsafe": "alarm.sos",
}
"""What is raised or at rest → its type when raised. Gas has no type of its own and goes the way of smoke."""

_VALUES: Final = {"lock": ("unlocked", "locked")}


def opening(what: str, is_open: bool, at: Mapping[str, Any], channel: str = "") -> Reading:
    """A door, barrier or lock as it stands. `at`: fields of the reading (device, device_time, marks …)."""
    kind = OPENINGS[what][0 if is_open else 1]
    value = _VALUES.get(what, ("open", "closed"))[0 if is_open else 1]
    attributes = dict(at.get("attributes", {})) | ({"lock": value} if what == "lock" else {})
    return Reading(kind, **{**at, "attributes": attributes, "point": (_point(what, channel), value)})


def jammed(at: Mapping[str, Any], channel: str = "") -> Reading:
    """A bolt that is neither in nor out: a third state of the lock, and somebody must look."""
    attributes = dict(at.get("attributes", {})) | {"lock": "jammed"}
    return Reading(
        "device.fault", **{**at, "attributes": attributes, "point": (_point("lock", channel), "jammed")}
    )


def alarm(what: str, is_raised: bool, at: Mapping[str, Any], channel: str = "") -> Reading | None:
    """An alarm as it stands; None for a button that is merely not pressed.

    The end of an alarm must be known, or the next alarm would look like a repetition of this one. It
    is a state at rest: told all day, and an end only where the state before was another.
    """
    attributes = dict(at.get("attributes", {}))
    if what == "sos":
        # Every press counts: a button that never says that it is up again must work twice.
        return Reading(ALARMS[what], **{**at, "attributes": attributes}) if is_raised else None
    point = (_point(what, channel), "on" if is_raised else "off")
    if is_raised:
        attributes["cause"] = what
        return Reading(ALARMS[what], **{**at, "attributes": attributes, "point": point})
    resting = {**at, "point": point, "rests": True}
    if ALARMS[what] in LASTING:
        return Reading(ALARMS[what], **{**resting, "attributes": attributes | {"cause": what, "ended": True}})
    return Reading("device.online", **{**resting, "attributes": attributes})


def state(what: str, is_on: bool, at: Mapping[str, Any], channel: str = "") -> Reading | None:
    """Either of the two above: `is_on` is open, unlocked, raised."""
    return opening(what, is_on, at, channel) if what in OPENINGS else alarm(what, is_on, at, channel)


def about(
    device: str | None,
    device_time: dt.datetime | None,
    attributes: dict[str, Any] | None = None,
    marks: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The fields that all readings of one message share, marked where the time is missing."""
    if device_time is None and not {"time_missing", "time_unreadable"} & set(marks):
        marks = (*marks, "time_missing")
    if attributes:
        marks = (*marks, "unknown_fields")
    return {"device": device, "device_time": device_time, "attributes": attributes or {}, "marks": marks}


# The more particular first: a door's battery is a battery, and motion behind a window is motion.
_WORDS: Final[tuple[tuple[str | None, frozenset[str]], ...]] = (
    ("tamper", frozenset({"tamper", "tampered", "tampering", "防拆"})),
    ("battery", frozenset({"battery"})),
    (
        None,
        frozenset({"motion", "occupancy", "presence", "vibration", "moving", "light", "bell", "doorbell"}),
    ),
    ("smoke", frozenset({"smoke", "fire", "烟"})),
    ("gas", frozenset({"gas", "燃气"})),
    ("carbon_monoxide", frozenset({"monoxide", "co"})),
    ("sos", frozenset({"sos", "panic", "emergency", "紧急", "求助"})),
    ("lock", frozenset({"lock", "锁"})),
    ("barrier", frozenset({"barrier", "道闸"})),
    (
        "door",
        frozenset({"door", "gate", "window", "opening", "garage", "contact", "magnet", "reed", "门", "窗"}),
    ),
)
_SPLIT: Final = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")


def meaning(name: str) -> str | None:
    """What a thing is, by the name that its installer gave it (`b3_front_door`, `SOS-3-2`, `1栋门磁`).

    A key of `OPENINGS` or `ALARMS`, or None where the name does not say.
    """
    words = {word.lower() for word in _SPLIT.split(name) if word}
    for what, telling in _WORDS:
        if any(word in words or (not word.isascii() and word in name) for word in telling):
            return what
    return None


def _point(what: str, channel: str) -> str:
    return f"{what}:{channel}"[:64] if channel else what
