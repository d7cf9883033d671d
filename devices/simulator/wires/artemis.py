"""iSecure Center: a platform's callbacks for its cameras, doors and lanes.

One thing may be told twice under one `eventId`: that it began, and that its picture is there.
"""

import datetime as dt
import uuid
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, encoded, given, to_millisecond

# Kind → (event type, ability, kind of source).
_EVENTS: Final = {
    "access.granted": (198914, "event_acs", "door"),
    "access.denied": (197634, "event_acs", "door"),
    "door.opened": (198916, "event_acs", "door"),
    "door.closed": (199169, "event_acs", "door"),
    "plate.recognised": (771760130, "event_pms", "roadway"),
    "plate.none": (771760130, "event_pms", "roadway"),
    "video.intrusion": (131588, "event_vss", "camera"),
    "video.line_crossing": (131585, "event_vss", "camera"),
    "face.captured": (131614, "event_face_recognition", "camera"),
    "alarm.sos": (327687, "event_ias", "defence"),
}
_PICTURED: Final = frozenset(["video.intrusion", "video.line_crossing"])
_COLORS: Final = {"blue": "0", "yellow": "1", "white": "2", "black": "3", "green": "4"}


class ArtemisWire(Wire):
    adapter = "artemis"
    can: ClassVar = frozenset(_EVENTS)
    gateway = True
    pushes = True

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        said = to_millisecond(self.local(at))
        number = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.place.device_id}{self.next()}")).upper()
        # It has no mark for what it kept back: its old time says so.
        fact = Fact(what.kind, number, said, what.device)
        if what.kind not in _PICTURED:
            return [self._message(what, number, said, 0, fact)]
        return [
            self._message(what, number, said, 1, fact),
            self._message(what, number, said, 5, fact),
            self._message(what, number, said, 2, None),
        ]

    def _message(
        self, what: Happening, number: str, said: dt.datetime, status: int, fact: Fact | None
    ) -> Message:
        code, ability, source = _EVENTS[what.kind]
        when = said.isoformat(timespec="milliseconds")
        data: dict[str, Any] = {"dataType": ability, "sendTime": when}
        if what.kind.startswith("access."):
            data |= given(
                {
                    "ExtEventCardNo": what.card or "0",
                    "ExtEventPersonNo": what.person,
                    "ExtEventInOut": 1 if what.direction == "in" else 0,
                    "ExtEventReaderID": 1,
                }
            )
        elif what.kind.startswith("plate."):
            data |= {
                "plateNo": what.plate or "无车牌",
                "plateBelieve": round((what.score or 0.9) * 100),
                "plateColor": _COLORS.get(what.color or "", "0"),
                "inoutType": 0,
            }
        elif status == 5 or what.kind == "face.captured":
            data["imageUrl"] = f"http://192.168.7.2:6120/pic?id={number}"
        event = {
            "eventId": number,
            "eventType": code,
            "happenTime": when,
            "srcIndex": what.device,
            "srcName": f"source {what.device}",
            "srcType": source,
            "srcParentIndex": "",
            "status": status,
            "timeout": 30,
            "data": data,
        }
        body = {
            "method": "OnEventNotify",
            "params": {"ability": ability, "sendTime": when, "events": [event]},
        }
        facts = () if fact is None else (fact,)
        # The end of a thing must not overtake its beginning.
        return Message(
            "/eventRcv", encoded(body), content_type="application/json", facts=facts, ordered=status != 0
        )
