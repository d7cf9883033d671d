"""Hikvision devices that push to an alarm host: XML or JSON in parts, with a JPEG behind."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Final
from xml.sax.saxutils import escape

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, encoded, given, to_second

_BOUNDARY: Final = "MIME_boundary"
_NAMESPACE: Final = "http://www.hikvision.com/ver20/XMLSchema"
# Access records, as (major, minor), by what was shown.
_GRANTED: Final = {"face": 75, "card": 1}
_DENIED: Final = {"no_card": 9, "expired": 8, "anti_passback": 10, "face_mismatch": 76}
_DOORS: Final = {"door.opened": 25, "door.closed": 26, "door.forced": 27}
_SEEN: Final = {
    "video.line_crossing": "linedetection",
    "video.intrusion": "fielddetection",
    "video.fall": "fallDown",
    "face.captured": "facesnap",
}
_COLORS: Final = {"green": "newEnergyGreen", "yellow_green": "newEnergyYellowGreen"}


class HikvisionWire(Wire):
    """What firmware of the last years does: it does not keep what was not taken, and never posts it twice."""

    adapter = "hikvision"
    can: ClassVar = frozenset(
        ["plate.recognised", "plate.none", "access.granted", "access.denied", *_DOORS, *_SEEN]
    )
    beat_s = 30
    keeps = False
    pushes = True

    def beat(self, at: dt.datetime) -> list[Message]:
        # A video loss that is none: the keep-alive of this vendor.
        body = self._xml(at, {"eventType": "videoloss", "eventState": "inactive", "activePostCount": "0"})
        return [Message("/event", body, content_type="application/xml")]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        said = to_second(self.local(at))
        if what.kind.startswith(("access.", "door.")):
            return [self._access(what, said, late=late)]
        number = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.place.device_id}{self.next()}{said}"))
        fact = Fact(what.kind, number, said)
        fields: dict[str, Any] = {"eventState": "active", "activePostCount": "1", "UUID": number}
        if what.kind.startswith("plate."):
            read = what.plate or "unknown"
            score = str(round((what.score or 0.9) * 100))
            fields |= {
                "eventType": "ANPR",
                "ANPR": {
                    "country": "1",
                    "licensePlate": read,
                    "plateColor": _COLORS.get(what.color or "", what.color or "blue"),
                    "confidenceLevel": score,
                    "plateCharBelieve": ",".join([score] * len(read)),
                    "direction": "forward",
                },
            }
        else:
            fields |= {"eventType": _SEEN[what.kind]}
        return [self._parts("anpr.xml", "application/xml", self._xml(said, fields), what, fact)]

    def _access(self, what: Happening, said: dt.datetime, *, late: bool) -> Message:
        number = str(self.next())
        minor = _DOORS.get(what.kind)
        if minor is None:
            shown = "card" if what.card else "face"
            granted = what.kind == "access.granted"
            minor = _GRANTED[shown] if granted else _DENIED.get(what.reason or "", 76)
        record = given(
            {
                "deviceName": "Access Controller",
                "majorEventType": 5,
                "subEventType": minor,
                "serialNo": int(number),
                "cardNo": what.card,
                "employeeNoString": what.person,
                "currentEvent": not late,
                "doorNo": 1,
            }
        )
        body = {
            "ipAddress": "192.168.7.60",
            "portNo": 80,
            "protocol": "HTTP",
            "channelID": 1,
            "dateTime": said.isoformat(),
            "activePostCount": 1,
            "eventType": "AccessControllerEvent",
            "eventState": "active",
            "deviceSerial": self.place.name,
            "AccessControllerEvent": record,
        }
        fact = Fact(what.kind, number, said, late=late)
        return self._parts("event_log", "application/json", encoded(body), what, fact)

    def _xml(self, at: dt.datetime, fields: dict[str, Any]) -> bytes:
        head = {
            "ipAddress": "192.168.7.60",
            "portNo": "80",
            "protocol": "HTTP",
            "macAddress": "44:19:b6:00:00:01",
            "channelID": "1",
            "dateTime": to_second(self.local(at)).isoformat(),
            "deviceSerial": self.place.name,
        }
        inner = _elements(head | fields)
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<EventNotificationAlert version="2.0"'
            f' xmlns="{_NAMESPACE}">{inner}</EventNotificationAlert>\n'
        ).encode()

    def _parts(self, name: str, kind: str, document: bytes, what: Happening, fact: Fact) -> Message:
        parts = [_part(name, kind, document)]
        picture = what.jpeg()
        if picture:
            # Pictures are called octet-streams by some firmware, and images by other.
            parts.append(_part("Picture", "application/octet-stream", picture))
        body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
        return Message(
            "/event", body, content_type=f"multipart/form-data; boundary={_BOUNDARY}", facts=(fact,)
        )


def _part(name: str, kind: str, content: bytes) -> bytes:
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n'
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content + b"\r\n"


def _elements(fields: dict[str, Any]) -> str:
    return "".join(
        f"<{name}>{_elements(value) if isinstance(value, dict) else escape(str(value))}</{name}>"
        for name, value in fields.items()
    )
