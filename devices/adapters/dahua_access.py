"""Dahua terminals and door stations: who was let in, and how the door stands."""

from collections.abc import Mapping
from typing import Any, Final

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import Reading, RefusedError
from devices.adapters.dahua_codes import (
    DURESS_PIN,
    METHODS,
    PATROL_CARD,
    REASONS,
    UNAUTHORISED,
    UNDER_DURESS,
    ZONES,
)
from devices.adapters.dahua_told import numbered, reading, rest
from devices.adapters.dahua_wire import Told
from devices.adapters.fields import integer, percentage, picture, text

_ACCESS: Final = frozenset(
    [
        "Status", "Method", "ErrorCode", "Type", "UserID", "CardNo", "Door", "ReaderID", "Similarity",
        "QRCodeStr",
    ]
)  # fmt: skip
_GRANTED: Final = frozenset(["1", "open", "success", "ok", "true"])
_DENIED: Final = frozenset(["0", "2", "fail", "failed", "failure", "close", "false", "nomatch"])


def zone(told: Told) -> tuple[Reading, tuple[str, ...]]:
    extra, dropped = rest(told)
    sense = (text(told.data.get("SenseMethod")) or "").lower()
    kind = ZONES.get(sense, "alarm.intrusion")
    return reading(kind, told, numbered("event", told.data, "EventID"), {}, extra=extra), dropped


def door(told: Told) -> tuple[Reading, tuple[str, ...]]:
    """A door's contact as it stands. Raises `RefusedError`."""
    status = (text(told.data.get("Status")) or "").lower()
    if status not in {"open", "close", "closed", "break"}:
        raise RefusedError("missing_field" if not status else "unknown_type", "DoorStatus.Status")
    extra, dropped = rest(told, frozenset(["Status", "Door"]))
    door = text(told.data.get("Door")) or told.index or "0"
    attributes = {"door": door, "door_name": text(told.data.get("Name"))}
    if status == "break":
        return reading("door.forced", told, None, attributes, extra=extra), dropped
    is_open = status == "open"
    kind = "door.opened" if is_open else "door.closed"
    point = (f"door:{door}"[:64], "open" if is_open else "closed")
    return reading(kind, told, None, attributes, extra=extra, point=point), dropped


def access(told: Told) -> tuple[Reading, tuple[str, ...]]:
    """A way that was opened or not. Raises `RefusedError` where the record does not say which."""
    data = told.data
    extra, dropped = rest(told, _ACCESS)
    error = integer(data.get("ErrorCode"))
    granted = _is_granted(data, error)
    number = integer(data.get("Method"))
    qr = text(data.get("QRCodeStr"))
    word, credential = METHODS.get(number if number is not None else -1, (None, None))
    if qr is not None:
        word, credential = "qr", "qr"
    card = text(data.get("CardNo"))
    person = text(data.get("UserID"))
    ref = qr if credential == "qr" else card if credential == "card" else None
    name = text(data.get("Name"))
    attributes: dict[str, Any] = {
        "door": text(data.get("Door")),
        "reader": text(data.get("ReaderID")),
        "door_name": None if name == "OpenDoor" else name,
        "method": word or text(data.get("Method")),
        "error_code": error or None,
    }
    kind = "access.granted" if granted else "access.denied"
    if error == UNDER_DURESS or number == DURESS_PIN:
        kind = "access.duress"
    elif error == PATROL_CARD:
        kind = "patrol.checkin"
    elif not granted:
        attributes["reason"] = REASONS.get(error or 0, "refused")
        # The same code for whom the terminal has never seen and for whom it may not let in.
        if error == UNAUTHORISED and person is None:
            attributes["reason"] = "not_registered"
    pictures: list[tuple[str, bytes]] = []
    marks: list[str] = []
    for name in ("ImageEncode", "ImageData"):
        picture(data.get(name), "face", pictures, marks)
    score = percentage(data.get("Similarity"))
    return (
        reading(
            kind,
            told,
            numbered("rec", data, "RecNo", "EventID"),
            attributes,
            extra=extra,
            direction={"entry": "in", "exit": "out"}.get((text(data.get("Type")) or "").lower()),
            credential=None if credential is None else CredentialUse(credential, ref),
            match=None if person is None else DeviceMatch(person, score if credential == "face" else None),
            pictures=tuple(pictures),
            marks=tuple(marks),
        ),
        dropped,
    )


def _is_granted(data: Mapping[str, Any], error: int | None) -> bool:
    """Status 1 is yes, 0 and 2 are no; old door stations say only that they opened."""
    status = (text(data.get("Status")) or str(data.get("Status", ""))).strip().lower()
    if status in _GRANTED:
        return True
    if status in _DENIED:
        return False
    if error is not None:
        return error == 0
    if text(data.get("Name")) == "OpenDoor":
        return True
    raise RefusedError("missing_field", "AccessControl without Status and ErrorCode")
