"""HC 物联网 (java110's IoT platform), which pushes by HTTP for the door terminals behind it.

Source: the public interface documents of java110's MicroCommunity. The older "machineTranslate"
interface, which terminals call themselves, has the same shapes with other spellings; both are
read. Names of fields that begin with `ext` are our side's ids as the platform was told them.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import (
    Adapter,
    CommandResult,
    Decoded,
    HttpReply,
    Incoming,
    Reading,
    Refusal,
    RefusedError,
    SignOfLife,
)
from devices.adapters.fields import integer, mark, moment, number, picture, text
from devices.adapters.forms import read_push
from devices.adapters.leftovers import leftovers

_FACE: Final = "1000"
# 2000 is called a key: what is held against the reader.
_CREDENTIALS: Final = {_FACE: "face", "2000": "card"}
_OPENED: Final = "8888"
_VISITOR_PICTURE: Final = "6666"
_NOBODY: Final = frozenset(["-1", "0"])
_DONE: Final = HttpReply('{"code":0,"msg":"成功"}'.encode(), "application/json")

_RECORD: Final[Mapping[str, str]] = {
    "machineCode": "device",
    "userId": "match.person_ref, -1 for nobody",
    "openTypeCd": "credential.kind",
    "recordTypeCd": "type: 8888 an opening, 6666 a picture of a visitor",
    "similar": "match.score, in 0…1 or in percent",
    "photo": "pictures (face)",
    "dateTime": "device_time",
    "extCommunityId": "not kept",
    "screenId": "not kept",
    "faceid": "not kept",
}


class HcIotAdapter(Adapter):
    """Openings, heartbeats and outcomes of tasks, for the terminals of an HC platform."""

    name = "hc_iot"
    title = "HC 物联网 (java110)"
    aliases = ("hc-iot", "java110")
    pushes = True
    gateway = True
    # Its documents name no interval: how long silence is normal is the platform's own setting.
    heartbeat_s = None
    fields: ClassVar[Mapping[str, str]] = {
        **_RECORD,
        "heartbeatTime": "device_time of a sign of life",
        "taskId": "command_id",
        "code": "code of an outcome, 0 for done",
        "errorcode": "code of an outcome, in the older interface",
        "msg": "text of an outcome",
        "ip": "facts.ip",
        "mac": "facts.mac",
        "versionCode": "facts.firmware",
        "faceNum": "facts.faces",
        "authCode": "not kept: it is the terminal's secret",
    }

    def decode(self, message: Incoming) -> Decoded:
        data = read_push(message.body, message.content_type)
        machine = text(data.get("machineCode"))
        if "openTypeCd" in data or "recordTypeCd" in data:
            return _record(data, machine)
        if "heartbeatTime" in data or "authCode" in data or "devGroup" in data:
            return _heartbeat(data, machine)
        task = text(data.get("taskId")) or text(data.get("taskid"))
        if task is not None and ("code" in data or "errorcode" in data):
            code = text(data.get("code")) or text(data.get("errorcode")) or ""
            result = CommandResult(task, code == "0", code, text(data.get("msg")) or "", machine)
            return Decoded(results=(result,), reply=_DONE)
        if "code" in data or "taskcmd" in data:
            raise RefusedError("command_not_event", "what the platform answers a terminal")
        if "faceid" in data or "faceBase64" in data:
            raise RefusedError("registry_data", "a person of the platform's list")
        raise RefusedError("unknown_type", ", ".join(data)[:64])

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = message, reason
        return Refusal(reply=_DONE)


def _heartbeat(data: Mapping[str, Any], machine: str | None) -> Decoded:
    if machine is None:
        raise RefusedError("missing_field", "machineCode")
    facts = {
        "ip": text(data.get("ip")),
        "mac": text(data.get("mac")),
        "firmware": text(data.get("versionCode")),
        "faces": integer(data.get("faceNum")),
    }
    sign = SignOfLife(
        online=True,
        device_time=moment(data.get("heartbeatTime")),
        device=machine,
        facts={name: value for name, value in facts.items() if value is not None},
    )
    taken = ("authCode",) if text(data.get("authCode")) is not None else ()
    return Decoded(signs=(sign,), reply=_DONE, dropped=taken)


def _record(data: Mapping[str, Any], machine: str | None) -> Decoded:
    if machine is None:
        raise RefusedError("missing_field", "machineCode")
    marks: list[str] = []
    how, what = text(data.get("openTypeCd")), text(data.get("recordTypeCd")) or _OPENED
    person = text(data.get("userId"))
    person = None if person in _NOBODY else person
    score = _score(data.get("similar"))
    kind, reason = "access.granted", None
    if what == _VISITOR_PICTURE:
        kind = "face.captured"
    elif what != _OPENED:
        raise RefusedError("unknown_type", f"recordTypeCd {what}"[:64])
    elif how == _FACE and person is None:
        # Adapters behind the platform report faces that they did not know in the same words.
        kind, reason = "access.denied", "not_registered"
    credential = None
    if kind != "face.captured":
        credential = CredentialUse(_CREDENTIALS[how]) if how in _CREDENTIALS else None
        if how is not None and credential is None:
            mark(marks, "undocumented_code")
    pictures: list[tuple[str, bytes]] = []
    picture(data.get("photo"), "face", pictures, marks)
    rest, taken = leftovers(data, _RECORD)
    if rest:
        mark(marks, "unknown_fields")
    attributes = {"reason": reason, "open_type": how}
    reading = Reading(
        kind,
        # The platform gives a record no id of its own.
        None,
        _time(data, marks),
        device=machine,
        credential=credential,
        match=DeviceMatch(person, score) if person is not None else None,
        pictures=tuple(pictures),
        attributes=rest | {name: value for name, value in attributes.items() if value is not None},
        marks=tuple(marks),
    )
    return Decoded(readings=(reading,), reply=_DONE, dropped=taken)


def _score(value: Any) -> float | None:
    """The documents say 0…1 and the platform's own adapters send percent: above 1 it is percent.

    Nought is what they send where nothing was compared.
    """
    found = number(value)
    if found is None or not 0 < found <= 100:
        return None
    return found if found <= 1 else found / 100


def _time(data: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    when = moment(data.get("dateTime"))
    if when is None:
        mark(marks, "time_missing" if text(data.get("dateTime")) is None else "time_unreadable")
    return when
