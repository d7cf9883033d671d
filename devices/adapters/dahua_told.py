"""What a Dahua event has in common with every other: its time, its record id, what is left over."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from devices.adapters.contract import Reading
from devices.adapters.dahua_wire import Told
from devices.adapters.fields import epoch, integer, moment, text
from devices.adapters.leftovers import leftovers

# Words of this vendor for what a device thinks of a face, and for who somebody is.
PRIVATE: Final = frozenset(
    [
        "Feature", "FaceAttributes", "Face", "Person", "PersonName", "PersonInfo", "CitizenName",
        "CitizenIDNo", "CitizenID", "CertificateType", "CertificateID", "CardNameEx", "Password", "PWD",
        "Eye", "Mouth", "MaskState", "IsWearingMask", "Temperature", "CurrentTemperature",
        "TemperatureData", "ManTemperature", "HelmetState", "Attractive", "RiderList", "UserID",
        "AllowUser", "BlockUser", "MasterOfCar", "OwnerName", "HumanAttributes", "CustomEmployer",
    ]
)  # fmt: skip
# Read elsewhere, or of no use to anybody: where in the picture, which frame, whose memory address.
_READ: Final = frozenset(
    [
        "UTC", "RealUTC", "UTCMS", "LocaleTime", "CreateTime", "TimeZone", "DSTTune", "Action", "Code",
        "Class", "Name", "EventID", "EventSeq", "GroupID", "IndexInGroup", "CountInGroup", "Object",
        "Objects", "TrafficCar", "Vehicle", "NonMotor", "CommInfo", "Plate", "PTS", "FrameSequence",
        "Sequence", "Source", "Mark", "RuleID", "RuleId", "BoundingBox", "Center", "DetectRegion",
        "DetectLine", "VsfGrpIdx", "RadarSpeedSetTime", "RadarSpeedSourceTime", "RemoteSnap", "Image",
        "ImageInfo", "ImageEncode", "ImageData", "SerialUUID", "TextSource", "CustomSeq", "SN", "RecNo",
        "BlockId", "CfgRuleId", "StartSequence", "EndSequence", "Track", "PicUrl", "FilePath",
    ]
)  # fmt: skip


def time_of(told: Told) -> tuple[dt.datetime | None, tuple[str, ...]]:
    data = told.data
    millis = integer(data.get("UTCMS"))
    micro = None if millis is None else millis * 1000
    true = epoch(data.get("RealUTC"), micro)
    if true is not None:
        return true, ()
    local = moment(data.get("LocaleTime"))
    if local is not None:
        return local, ()
    if text(data.get("UTC")) is None:
        return None, ("time_missing",)
    # Written as an epoch and meant as what the camera's own clock shows.
    local = epoch(data.get("UTC"), micro)
    if local is not None:
        return local.replace(tzinfo=None), ()
    local = moment(data.get("UTC"))
    return local, () if local is not None else ("time_unreadable",)


def reading(kind: str, told: Told, record_id: str | None, attributes: dict[str, Any], **more: Any) -> Reading:
    when, marks = time_of(told)
    model = text(told.wrap.get("deviceType"))
    named: dict[str, Any] = {"code": told.code} if told.code else {}
    if told.index is not None:
        named["channel"] = told.index
    if model is not None:
        named["model"] = model
    extra = more.pop("extra", {})
    if extra:
        marks = (*marks, "unknown_fields")
    # What we name ourselves wins over a vendor's field that happens to be called the same.
    return Reading(
        kind,
        record_id,
        when,
        late=(text(told.wrap.get("DataSource")) or "").lower() == "offline",
        attributes=extra | named | {name: value for name, value in attributes.items() if value is not None},
        marks=(*marks, *more.pop("marks", ())),
        **more,
    )


def numbered(prefix: str, data: Mapping[str, Any], *names: str) -> str | None:
    """A record id from the first of these fields that holds a number other than zero."""
    for name in names:
        found = integer(data.get(name))
        if found:
            return f"{prefix}:{found}"
    return None


def rest(told: Told, also: frozenset[str] = frozenset()) -> tuple[dict[str, Any], tuple[str, ...]]:
    return leftovers(told.data, _READ | also, PRIVATE, "Data")
