"""宇泛 (Uface, YuFan) face terminals and their many relabelled sisters, by HTTP callback.

Source: the vendor's LAN interface document ("Recognition Call-back", "Heartbeat Call-back" and
the registration call-backs), and public receivers written to it; the cloud's callback has the
same content under other names. A terminal calls back as a form or as JSON, by firmware.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import parse_qsl, unquote

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import (
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Reading,
    Refusal,
    RefusedError,
    SignOfLife,
)
from devices.adapters.fields import (
    epoch,
    flag,
    integer,
    mark,
    moment,
    number,
    picture,
    text,
)
from devices.adapters.forms import read_push
from devices.adapters.leftovers import leftovers

_DONE: Final = HttpReply(b'{"result":1,"success":true}', "application/json")

_STRANGERS: Final = frozenset(["STRANGERBABY", "STRANGER"])
# What stands for a person where there is none of the terminal's list.
_NOBODY: Final = _STRANGERS | {"IDCARD", "NOMASK"}

# `model` of the callback, in the words of `type`.
_MODELS: Final = {
    0: "face", 1: "faceAndcard", 2: "idcard", 3: "card", 4: "openDoor", 5: "remoteDoor", 6: "password",
    7: "faceAndPassword", 8: "qrCode", 9: "finger", 10: "faceAndQrCode", 11: "cardAndPassword",
    12: "idNumber", 13: "faceAndFinger",
}  # fmt: skip
_CLOUD_MODES: Final = {1: "face", 2: "card", 3: "faceAndcard", 4: "idcard"}
_CREDENTIALS: Final = {
    "face": "face", "faceandcard": "face", "idcard": "face", "faceandpassword": "face",
    "faceandqrcode": "face", "faceandfinger": "face", "card": "card", "cardandpassword": "card",
    "password": "pin", "qrcode": "qr",
}  # fmt: skip
_BUTTONS: Final = frozenset(["opendoor", "open", "remotedoor"])
_FAILED: Final = {
    "face": "not_registered", "finger": "not_registered", "card": "no_card", "cardandpassword": "no_card",
    "password": "wrong_pin", "faceandcard": "face_mismatch", "idcard": "face_mismatch",
    "faceandpassword": "face_mismatch", "faceandqrcode": "face_mismatch", "faceandfinger": "face_mismatch",
}  # fmt: skip

_RECORD: Final[Mapping[str, str]] = {
    "deviceKey": "sender",
    "personId": "match.person_ref; STRANGERBABY is nobody",
    "personGuid": "match.person_ref, in the cloud's callback",
    "time": "device_time",
    "showTime": "device_time, in the cloud's callback",
    "type": "type, credential.kind",
    "model": "credential.kind, where type is missing",
    "recMode": "credential.kind, in the cloud's callback",
    "identifyType": "access.denied for 2",
    "isPass": "access.denied for false",
    "permissionTimeType": "access.denied (expired) for 2",
    "passTimeType": "access.denied (no_right) for 2",
    "recModeType": "access.denied (no_right) for 2",
    "passbackTriggerType": "access.denied (anti_passback) for 1 and 2",
    "aliveType": "match.liveness",
    "searchScore": "match.score, in 0…1 or in percent",
    "idcardNum": "credential.ref of a card, and of nothing else",
    "base64": "pictures (face)",
    "imgBase64": "pictures (face)",
    "path": "attributes.picture_path, without its query",
    "photoUrl": "attributes.picture_path, without its query",
    "guid": "record_id",
    "id": "record_id",
    "ip": "not kept",
    "recType": "not kept",
    "recStatus": "not kept",
    "dstOffset": "not kept",
    "latitude": "not kept",
    "longitude": "not kept",
}
# A password of the terminal, what an identity card says, the temperature of a body.
_UNKEPT: Final = (
    "pass", "data", "maskState", "iDNumber", "temperature", "standardTemperature", "temperatureState",
    "temperatureUnit", "tempUnit", "std_temperature",
)  # fmt: skip
_HEARTBEAT: Final[Mapping[str, str]] = {
    "ip": "ip", "version": "firmware", "deviceName": "name", "personCount": "people", "faceCount": "faces",
    "freeDiskSpace": "free_disk_mb", "SDKVersion": "algorithm", "cpuTemperature": "cpu_celsius",
}  # fmt: skip
_REGISTERED: Final = frozenset(["faceId", "imgPath", "newImgPath", "feature", "featureKey", "idcardNum"])


class UfaceAdapter(Adapter):
    """Recognitions and heartbeats that terminals call back with."""

    name = "uface"
    title = "宇泛 Uface terminals"
    aliases = ("yufan-uface-http", "yufan", "宇泛")
    pushes = True
    heartbeat_s = 60
    fields: ClassVar[Mapping[str, str]] = {
        **_RECORD,
        **{name: f"facts.{where}" for name, where in _HEARTBEAT.items() if name != "ip"},
        **dict.fromkeys(sorted(_REGISTERED - {"idcardNum"}), "registry_data"),
    }

    def decode(self, message: Incoming) -> Decoded:
        data = _read(message)
        sn = text(data.get("deviceKey"))
        if any(name in data for name in ("type", "identifyType", "recMode", "recType", "model")):
            return _recognition(data, sn)
        if "personCount" in data or "faceCount" in data or "cpuUsageRate" in data:
            return _heartbeat(data, sn)
        if not _REGISTERED.isdisjoint(data):
            raise RefusedError("registry_data", "a photo or a card was registered at the terminal")
        if "personId" in data or "personGuid" in data:
            return _recognition(data, sn)
        if sn is not None and "time" in data:
            return _heartbeat(data, sn)
        raise RefusedError("unknown_type", ", ".join(data)[:64])

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = message, reason
        return Refusal(reply=_DONE)


def _read(message: Incoming) -> dict[str, Any]:
    """The callback's fields: JSON, a form, or the query of an address that was called without a body."""
    query = message.topic.partition("?")[2]
    if not message.body.strip() and query:
        return dict(parse_qsl(query, keep_blank_values=True))
    return read_push(message.body, message.content_type)


def _heartbeat(data: Mapping[str, Any], sn: str | None) -> Decoded:
    if sn is None:
        raise RefusedError("missing_field", "deviceKey")
    facts = {where: text(data.get(name)) for name, where in _HEARTBEAT.items()}
    sign = SignOfLife(
        online=True,
        device_time=epoch(data.get("time")),
        facts={name: value for name, value in facts.items() if value is not None},
    )
    return Decoded(sn, signs=(sign,), reply=_DONE)


def _recognition(data: Mapping[str, Any], sn: str | None) -> Decoded:
    marks: list[str] = []
    ref = text(data.get("personId")) or text(data.get("personGuid"))
    method, failed, outside = _type(data, marks)
    stranger = ref is not None and ref.upper() in _STRANGERS
    person = None if ref is None or ref.upper() in _NOBODY else ref
    failed = failed or stranger or integer(data.get("identifyType")) == 2 or (ref or "").upper() == "NOMASK"
    kind, reason = "access.granted", _reason(data, method.lower(), failed=failed, outside=outside)
    if reason is not None:
        kind = "access.denied"
    elif integer(data.get("identifyType")) == 3 and person is None and method == "face":
        # A face that nobody compared with anything.
        kind = "face.captured"
    pictures: list[tuple[str, bytes]] = []
    for name in ("base64", "imgBase64"):
        picture(_base64(data.get(name)), "face", pictures, marks)
    rest, taken = leftovers(data, _RECORD, _UNKEPT)
    if rest:
        mark(marks, "unknown_fields")
    score, alive = (
        _score(data.get("searchScore")),
        {1: True, 2: False}.get(integer(data.get("aliveType")) or 0),
    )
    credential = _credential(data, method.lower())
    known = person is not None or score is not None or alive is not None
    attributes = {
        "method": method,
        "reason": reason,
        "picture_path": (text(data.get("path")) or text(data.get("photoUrl")) or "").partition("?")[0]
        or None,
    }
    reading = Reading(
        kind,
        (text(data.get("guid")) or text(data.get("id")) or "")[:200] or None,
        _time(data, marks),
        credential=None if kind == "face.captured" else credential,
        match=DeviceMatch(person, score, alive) if known else None,
        pictures=tuple(pictures),
        attributes=rest | {name: value for name, value in attributes.items() if value is not None},
        marks=tuple(marks),
    )
    return Decoded(sn, (reading,), reply=_DONE, dropped=taken)


def _type(data: Mapping[str, Any], marks: list[str]) -> tuple[str, bool, bool]:
    """(method, failed, outside the person's hours) of `face_0`, `card_2` and the like.

    The cloud's callback says the outcome alone (1 done, 2 failed) and the method in `recMode`.
    """
    told = text(data.get("type")) or ""
    method, _, outcome = told.rpartition("_")
    if not method and outcome in {"1", "2"}:
        return _CLOUD_MODES.get(integer(data.get("recMode")) or 0, "face"), outcome == "2", False
    if not method:
        method = outcome or _MODELS.get(_or(integer(data.get("model")), -1), "face")
        outcome = ""
    if method.lower() not in _CREDENTIALS.keys() | _FAILED.keys() | _BUTTONS | {"idnumber"}:
        mark(marks, "undocumented_code")
    return method[:40], outcome == "2", outcome == "1"


def _or(value: int | None, otherwise: int) -> int:
    return otherwise if value is None else value


def _reason(data: Mapping[str, Any], method: str, *, failed: bool, outside: bool) -> str | None:
    """Why somebody was refused, None where they were let in."""
    if integer(data.get("passbackTriggerType")) in {1, 2}:
        return "anti_passback"
    if failed:
        return _FAILED.get(method, "refused")
    if integer(data.get("permissionTimeType")) == 2:
        return "expired"
    if outside or 2 in {integer(data.get("passTimeType")), integer(data.get("recModeType"))}:
        return "no_right"
    # A picture held before the camera, or a reason that the terminal keeps to itself.
    if (integer(data.get("aliveType")) == 2 and method not in _BUTTONS) or flag(data.get("isPass")) is False:
        return "refused"
    return None


def _credential(data: Mapping[str, Any], method: str) -> CredentialUse | None:
    kind = _CREDENTIALS.get(method)
    if kind is None:
        return None
    # The card of a known person comes along with every method; only here was it presented.
    return CredentialUse(kind, text(data.get("idcardNum")) if kind == "card" else None)


def _base64(value: Any) -> Any:
    """A picture out of a form: some firmware escapes it twice, other firmware not at all."""
    if not isinstance(value, str):
        return value
    return (unquote(value) if "%" in value else value).strip().replace(" ", "+")


def _score(value: Any) -> float | None:
    """In 0…1 or in percent, by firmware: above 1 it is percent."""
    found = number(value)
    if found is None or not 0 <= found <= 100:
        return None
    return found if found <= 1 else found / 100


def _time(data: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    """The terminal's clock in milliseconds, or a text without a zone."""
    given = text(data.get("time")) or text(data.get("showTime"))
    when = epoch(given) or moment(given)
    if when is None:
        mark(marks, "time_missing" if given is None else "time_unreadable")
    return when
