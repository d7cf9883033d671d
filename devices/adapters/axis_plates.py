"""Plates that Axis cameras read: AXIS License Plate Verifier, and applications that write as it does.

One passage is told as new, update and lost under one car id, and its plate may change on the way.
The values are those of the event bridge (`text`, `lpConfidence`) or of the HTTP push (`plateText`,
`plateConfidence`).
"""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final

from bus.messages import PlateReading
from devices.adapters.contract import Decoded, HttpReply, Reading
from devices.adapters.fields import add_picture, epoch, fraction, moment, percentage, picture, section, text
from devices.adapters.leftovers import leftovers

PRIVATE: Final = frozenset(
    ["CredentialHolderName", "PIN", "Password", "ownerName", "plateListDescription", "listDescription"]
)
_LPR: Final = frozenset(
    [
        "text", "plateText", "plateUTF8", "plateASCII", "plateUnicode", "lpConfidence", "plateConfidence",
        "confidence", "carID", "carId", "carState", "carMoveDirection", "capture_timestamp", "capture_ts",
        "datetime", "packetCounter", "camera_info", "cameraId", "sensorProviderID", "serial", "vehicle_info",
        "vehicleMake", "vehicleModel", "vehicleType", "vehicleColor", "country", "plateCountry", "region",
        "plateRegion", "listName", "plateList", "listMode", "plateListMode", "lpImage", "imageArray",
        "imageType", "vehicleConfidence", "plateRegionCode",
        # Where and when within the picture, and names of files on the camera, which hold the plate.
        "consumedTime", "frame_timestamp", "width", "height", "top", "left", "plateCoordinates",
        "plateCoordinatesRelative", "imageFile", "imageFile2", "imagesURI", "plateImageSize",
        "plateImageType", "timeProcessing", "geotag", "GEOtarget", "profileID", "iso3166-2",
        "plateISO3166-2", "action",
    ]
)  # fmt: skip
_STATES: Final = {"new": 0, "update": 1, "lost": 2}
_COMPACT_LOCAL: Final = re.compile(r"(\d{8}) (\d{6})(\d{3})")


PASSAGE_S: Final = 120.0
"""The verifier counts cars from one again after a restart; one car is in the picture no longer than this."""


def is_plate(values: Mapping[str, Any]) -> bool:
    return any(
        name in values for name in ("plateText", "plateUTF8", "plateASCII", "carState", "lpConfidence")
    )


def decoded_plate(
    values: Mapping[str, Any],
    whole: Mapping[str, Any],
    contents: tuple[bytes, ...],
    sender: str | None,
    reply: HttpReply | None,
) -> Decoded:
    """One telling of a passage. The car id holds it together; the moment of telling orders it."""
    number = _first(values, ("plateUTF8", "plateUnicode", "text", "plateText", "plateASCII"))
    if number is not None and (len(number) > 32 or number.lower() in {"unknown", "none"}):
        number = None
    score = _first(values, ("lpConfidence", "plateConfidence", "confidence"))
    when, marks = _captured(values, whole)
    kept, dropped = leftovers(values, _LPR | {"topic", "timestamp", "message"}, PRIVATE)
    vehicle = section(values, "vehicle_info")
    state = (text(values.get("carState")) or "").lower()
    car = text(values.get("carID")) or text(values.get("carId"))
    pictures: list[tuple[str, bytes]] = []
    role = {"plate": "plate", "vehicle": "vehicle"}.get(
        (text(values.get("imageType")) or "").lower(), "scene"
    )
    images = values.get("imageArray", values.get("lpImage"))
    for image in images[:4] if isinstance(images, list) else [images]:
        content = image.get("data", image.get("image")) if isinstance(image, dict) else image
        picture(content, role, pictures, marks)
    for content in contents[: 8 - len(pictures)]:
        add_picture(content, role, pictures, marks)
    found = {
        "country": text(values.get("country")) or text(values.get("plateCountry")),
        "region": text(values.get("region")) or text(values.get("plateRegion")),
        "brand": text(values.get("vehicleMake")) or text(vehicle.get("brand")),
        "model": text(values.get("vehicleModel")) or text(vehicle.get("model")),
        "vehicle_type": text(values.get("vehicleType")) or text(vehicle.get("type")),
        "vehicle_color": text(values.get("vehicleColor")) or text(vehicle.get("color")),
        "list": text(values.get("listName")) or text(values.get("plateList")),
        "list_mode": text(values.get("listMode")) or text(values.get("plateListMode")),
    }
    reading = Reading(
        "plate.recognised" if number is not None else "plate.none",
        None if car is None else f"car:{car}"[:200],
        when,
        # The installer's arrow on the picture says which way is in.
        direction={"in": "in", "out": "out"}.get((text(values.get("carMoveDirection")) or "").lower()),
        track=car,
        plate=None if number is None else PlateReading(number, _score(score)),
        pictures=tuple(pictures[:8]),
        attributes=kept | {name: value for name, value in found.items() if value is not None},
        marks=(*marks, "unknown_fields") if kept else tuple(marks),
        revision=None if car is None else _revision(when, state),
        within_s=None if car is None else PASSAGE_S,
    )
    return Decoded(sender, (reading,), reply=reply, dropped=dropped)


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((said for name in names if (said := text(values.get(name))) is not None), None)


def _score(given: Any) -> float | None:
    """0…1 of today's versions, 0…100 of old ones: no reader is less sure than one in a hundred."""
    found = fraction(given)
    return percentage(given) if found is None else found


def _revision(when: dt.datetime | None, state: str) -> int:
    """Grows with the time of telling; of two at one moment, what comes later in the life of a passage."""
    step = _STATES.get(state, 0)
    return step if when is None or when.tzinfo is None else int(when.timestamp() * 1000) * 4 + step


def _captured(values: Mapping[str, Any], whole: Mapping[str, Any]) -> tuple[dt.datetime | None, list[str]]:
    when, marks = time_of(values.get("capture_timestamp"), whole.get("timestamp"))
    if when is not None:
        return when, marks
    local = _COMPACT_LOCAL.fullmatch(text(values.get("datetime")) or "")
    if local is None:
        return when, marks
    found = moment(f"{local.group(1)}T{local.group(2)}.{local.group(3)}")
    return found, [] if found is not None else ["time_unreadable"]


def time_of(*given: Any) -> tuple[dt.datetime | None, list[str]]:
    """The first time that can be read: ISO 8601, or milliseconds since 1970."""
    unreadable = False
    for one in given:
        if text(one) is None:
            continue
        when = epoch(one) or moment(one)
        if when is not None:
            return when, []
        unreadable = True
    return None, ["time_unreadable" if unreadable else "time_missing"]
