"""What Uniview's messages have in common: who speaks, when, and how it is answered."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from devices.adapters.contract import HttpReply
from devices.adapters.fields import epoch, integer, text

NOTIFICATIONS: Final = "/LAPI/V1.0/PACS/Controller/Event/Notifications"
# What a terminal thinks of a face, what it knows of a person, and what an identity card says.
PRIVATE: Final = frozenset(
    [
        "PersonName", "PersonCode", "MatchPersonInfo", "IdentityNo", "ResidentialAddress", "IssuingAuthority",
        "IssuingDate", "ValidDateStart", "ValidDateEnd", "IDImage", "Ethnicity", "Birthday", "MaskFlag",
        "Temperature", "FeatureList", "Feature", "AttributeInfo", "GlassFlag", "SkinColor", "HelmetFlag",
        "FaceAttr", "CustomPersonInfo",
    ]
)  # fmt: skip


def reply_to(path: str) -> HttpReply:
    said = {"ResponseURL": path, "ResponseCode": 0, "ResponseString": "Succeed"}
    said |= {"StatusCode": 0, "StatusString": "Succeed", "Data": "null"}
    return HttpReply(msgspec.json.encode({"Response": said}), "application/json")


def confirmed(seq: int | None) -> HttpReply:
    """What a terminal waits for. The vendor's own answer has `Time` too, which sets its clock: not ours."""
    data: Any = "null" if seq is None else {"RecordID": seq}
    said = {"ResponseURL": NOTIFICATIONS, "StatusCode": 0, "StatusString": "Succeed", "Data": data}
    return HttpReply(msgspec.json.encode({"Response": said}), "application/json")


def sender_of(data: Mapping[str, Any]) -> str | None:
    return text(data.get("DeviceCode")) or text(data.get("DeviceID"))


def first_of(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The first object of a list, which in these messages holds one or none."""
    listed = data.get(name)
    found = listed[0] if isinstance(listed, list) and listed else listed
    return found if isinstance(found, dict) else {}


def time_of(*given: Any) -> tuple[dt.datetime | None, list[str]]:
    for one in given:
        when = epoch(one)
        if when is not None:
            return when, []
    said = next((one for one in given if text(one) not in {None, "0"}), None)
    return None, ["time_missing" if said is None else "time_unreadable"]


def numbered(prefix: str, given: Any) -> str | None:
    found = integer(given)
    return None if found is None else f"{prefix}:{found}"
