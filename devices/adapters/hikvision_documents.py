"""How Hikvision's devices wrap what they say: XML, JSON, and both in parts with JPEGs among them."""

from typing import Any

from devices.adapters.contract import MAX_BYTES, Incoming, RefusedError
from devices.adapters.fields import read_json, stripped
from devices.adapters.hikvision_evidence import many, one
from devices.adapters.multipart import is_multipart, parts
from devices.adapters.xml_documents import read_xml

# Pictures as (name of their part, bytes).
Attached = list[tuple[str, bytes]]


def documents(message: Incoming) -> list[tuple[dict[str, Any], Attached]]:
    """What the body says, each event with the pictures that came with it."""
    body = message.body
    if len(body) > MAX_BYTES:
        raise RefusedError("too_large", f"{len(body)} bytes, at most {MAX_BYTES}")
    if not is_multipart(body, message.content_type):
        return [(alert, []) for alert in _alerts(body, message.content_type or "")]
    found: list[tuple[dict[str, Any], Attached]] = []
    early: Attached = []
    for part in parts(body, message.content_type):
        start = part.content.lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1]
        if start in {b"<", b"{"} and "image" not in part.content_type:
            found += [(alert, []) for alert in _alerts(part.content, part.content_type)]
        elif "text" not in part.content_type and "json" not in part.content_type:
            # JPEGs come as image/jpeg, pjpeg, octet-stream or as nothing at all.
            (found[-1][1] if found else early).append((part.name, part.content))
    if not found:
        raise RefusedError("missing_field", "no part is an event")
    found[0][1][:0] = early
    return found


def _alerts(body: bytes, content_type: str) -> list[dict[str, Any]]:
    """The events of one document; history that was asked for holds several."""
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1]
    if start == b"<" or body[:2] in {b"\xff\xfe", b"\xfe\xff"} or (start != b"{" and "xml" in content_type):
        root, alert = read_xml(body)
        if root == "ResponseStatus":
            raise RefusedError("command_not_event", "an answer of a device")
        if root != "EventNotificationAlert":
            raise RefusedError("unknown_type", root[:64])
    else:
        alert = stripped(read_json(body))
        alert = one(alert.get("EventNotificationAlert")) or alert
        history = one(alert.get("AcsEvent"))
        if history:
            return [
                {"dateTime": item.get("time"), "AccessControllerEvent": {**item, "currentEvent": False}}
                for item in many(history.get("InfoList"))
            ] or [alert]
    return [alert]
