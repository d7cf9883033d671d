"""The words that every adapter translates into: event types, and what is never taken down."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

from devices.adapters.contract import RefusedError

# domain §2.8. A device that says another is not understood.
EVENT_TYPES: Final = frozenset(
    [
        "access.granted",
        "access.denied",
        "access.duress",
        "door.opened",
        "door.closed",
        "door.forced",
        "door.held_open",
        "face.captured",
        "face.identified",
        "face.unknown",
        "face.uncertain",
        "plate.recognised",
        "plate.none",
        "barrier.opened",
        "barrier.closed",
        "vehicle.stranded",
        "vehicle.turned_back",
        "parking.overstay",
        "video.line_crossing",
        "video.intrusion",
        "video.loitering",
        "video.crowd",
        "video.tailgating",
        "video.fast_move",
        "video.fall",
        "video.climb",
        "video.object_left",
        "video.object_removed",
        "video.fight",
        "video.absence_from_post",
        "video.parabolic",
        "video.ebike_in_lift",
        "video.fire_lane_blocked",
        "video.fire_smoke",
        "video.person_count",
        "video.occlusion",
        "video.lost",
        "alarm.sos",
        "alarm.smoke",
        "alarm.intrusion",
        "device.online",
        "device.offline",
        "device.tamper",
        "device.fault",
        "device.time_skew",
        "visitor.registered",
        "visitor.checked_in",
        "visitor.checked_out",
        "visitor.expired",
        "patrol.checkin",
        "care.activity",
        "report.created",
    ]
)

# What no flood control, no cap and no shortage of anything may drop.
CRITICAL: Final = frozenset(
    [
        "access.duress",
        "door.forced",
        "video.fire_smoke",
        "video.fight",
        "video.fall",
        "video.climb",
        "video.intrusion",
        "alarm.sos",
        "alarm.smoke",
        "alarm.intrusion",
        "device.tamper",
    ]
)

# What a device may infer about a person and we do not want to know (L-13): dropped unread.
SENSITIVE: Final = frozenset(
    [
        "age",
        "ageGroup",
        "age_group",
        "ageRange",
        "birthday",
        "birth",
        "gender",
        "genderCode",
        "sex",
        "glass",
        "glasses",
        "eyeGlass",
        "mask",
        "isNoMask",
        "ethnicity",
        "ethnic",
        "EthicCode",
        "EthnicCode",
        "nation",
        "nationality",
        "nationalityCode",
        "race",
        "emotion",
        "expression",
        "smile",
        "beard",
        "hair",
        "hairStyle",
        "hat",
        "skin",
        "skinColor",
        "religion",
        "politicsStatus",
        "maritalStatus",
        "bodyTemperature",
        "rgbTemperature",
    ]
)

# Who it was is the registry's to say. What a terminal remembers of a person beyond its own
# reference (a name, a number of an identity document, a telephone) has no place in an event.
IDENTIFYING: Final = frozenset(
    [
        "name",
        "personName",
        "persionName",
        "per_name",
        "userName",
        "cardName",
        "idCard",
        "idCardNum",
        "idNo",
        "idNum",
        "idNumber",
        "certificateNumber",
        "credentialNo",
        "identityNo",
        "telnum",
        "telnum1",
        "tel",
        "phone",
        "mobile",
        "address",
        "jobTitle",
    ]
)

# Deeper than any vendor nests; every reader of the message must still be able to follow.
MAX_DEPTH: Final = 32


def spelling(name: str) -> str:
    """A field's name as it is compared: ageGroup, age_group and AGE-GROUP are one."""
    return name.strip().lower().replace("_", "").replace("-", "")


_SENSITIVE: Final = frozenset(map(spelling, SENSITIVE))
_UNWANTED: Final = _SENSITIVE | frozenset(map(spelling, IDENTIFYING))


@lru_cache(4096)
def is_sensitive(name: str) -> bool:
    return spelling(name) in _SENSITIVE


@lru_cache(4096)
def is_unwanted(name: str) -> bool:
    """Sensitive, or naming a person."""
    return spelling(name) in _UNWANTED


def without_sensitive(value: Any, depth: int = 0) -> Any:
    """The value without sensitive keys, at whatever depth and in whatever case they were hidden."""
    return _filtered(value, is_sensitive, depth)


def without_unwanted(value: Any) -> Any:
    """The value without sensitive keys and without the names and numbers of people."""
    return _filtered(value, is_unwanted, 0)


def unwanted_in(value: Any, path: str = "") -> Iterator[str]:
    """The paths (`info.ageGroup`) of what `without_unwanted` takes out."""
    if isinstance(value, dict):
        for name, item in value.items():
            here = f"{path}.{name}" if path else str(name)
            if is_unwanted(str(name)):
                yield here
            else:
                yield from unwanted_in(item, here)
    elif isinstance(value, list):
        for item in value:
            yield from unwanted_in(item, f"{path}[]")


def _filtered(value: Any, unwanted: Callable[[str], bool], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise RefusedError("invalid_field", f"attributes are nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {
            name: _filtered(item, unwanted, depth + 1)
            for name, item in value.items()
            if not unwanted(str(name))
        }
    if isinstance(value, list):
        return [_filtered(item, unwanted, depth + 1) for item in value]
    return value
