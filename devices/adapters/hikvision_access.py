"""A Hikvision access controller's records: who was let in, what its doors did, what is wrong with it."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import HttpReply, Reading, RefusedError
from devices.adapters.fields import flag, integer, mark, remainder
from devices.adapters.hikvision_codes import Meaning, access_meaning, denied
from devices.adapters.hikvision_evidence import impersonal, one, reference, without_urls

_ACCESS_KNOWN: Final = frozenset(
    [
        "majorEventType", "subEventType", "major", "minor", "serialNo", "employeeNoString",
        "employeeNo", "cardNo", "currentEvent", "remoteCheck", "time",
    ]
)  # fmt: skip


def read_access(
    alert: Mapping[str, Any], kind: str, marks: list[str]
) -> tuple[Reading | None, str | None, HttpReply | None]:
    """An access controller's record. `serialNo` counts on through all of its kinds."""
    data = one(alert.get("AccessControllerEvent")) or one(alert.get("QRCodeEvent"))
    major = integer(data.get("majorEventType", data.get("major")))
    minor = integer(data.get("subEventType", data.get("minor")))
    serial = integer(data.get("serialNo"))
    asks = flag(data.get("remoteCheck")) is True
    if major is None or minor is None:
        if kind != "qrcodeevent":
            raise RefusedError("missing_field", "majorEventType and subEventType")
        # A code shown to a terminal that knows none itself: the platform is to decide.
        meaning, asks = denied("refused", "qr"), True
    else:
        known, documented = access_meaning(major, minor)
        if known is None:
            raise RefusedError("unknown_type", f"AccessControllerEvent {major}/{minor}")
        meaning = known
        if not documented:
            mark(marks, "undocumented_code")
    reply = None
    if asks:
        # Fail secure. The terminal recognised somebody and asks us to decide. We answer no, at once
        # and always: the gate never depends on this server. A terminal that reads the answer refuses,
        # one that expects the same by PUT /ISAPI/AccessControl/remoteCheck refuses when its wait is over.
        verdict = {"RemoteCheck": {"serialNo": serial or 0, "checkResult": "failed"}}
        reply = HttpReply(msgspec.json.encode(verdict), "application/json")
        if meaning.type == "access.granted":
            meaning = denied("refused", meaning.credential)
    if meaning.ignored is not None:
        return None, meaning.ignored, reply
    attributes = remainder(impersonal(without_urls(data)), _ACCESS_KNOWN) | {
        "reason": meaning.reason,
        "via": meaning.via,
        "code": None if minor is None else f"{major}/{minor}",
        "remote_check": True if asks else None,
        "ended": meaning.ended or None,
    }
    person = reference(data.get("employeeNoString")) or reference(data.get("employeeNo"))
    reading = Reading(
        meaning.type,
        str(serial) if serial else None,
        late=flag(data.get("currentEvent")) is False,
        credential=_credential(meaning, data),
        match=None if person is None else DeviceMatch(person),
        attributes=attributes,
    )
    return reading, None, reply


def _credential(meaning: Meaning, data: Mapping[str, Any]) -> CredentialUse | None:
    card = reference(data.get("cardNo")) if meaning.type.startswith("access.") else None
    if meaning.credential in {None, "card"} and card is not None:
        return CredentialUse("card", card)
    if meaning.credential is None:
        return None
    shown = data.get("QRCodeInfo") if meaning.credential == "qr" else None
    return CredentialUse(meaning.credential, reference(shown))
