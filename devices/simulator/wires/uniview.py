"""Uniview terminals and cameras: LightAPI notifications, each with a running number."""

import base64
import datetime as dt
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, encoded, to_second

_ALARMS: Final = {
    "video.line_crossing": "CrossLineAlarmOn",
    "video.intrusion": "IntrusionAlarmOn",
    "video.loitering": "LoiterOn",
}
_STATUS: Final = {"expired": 4, "no_right": 3, "face_mismatch": 2}
_VERIFIED: Final = "/LAPI/V1.0/System/Event/Notification/PersonVerification"
_ALARM: Final = "/LAPI/V1.0/System/Event/Notification/Alarm"
_HEART: Final = "/LAPI/V1.0/PACS/Controller/HeartReportInfo"


class UniviewWire(Wire):
    adapter = "uniview"
    can: ClassVar = frozenset(["access.granted", "access.denied", *_ALARMS])
    beat_s = 30
    pushes = True

    def beat(self, at: dt.datetime) -> list[Message]:
        when = self.local(at).strftime("%Y-%m-%d %H:%M:%S")
        body = {"RefId": "1", "Time": when, "NextTime": when, "DeviceCode": self.place.name, "DeviceType": 5}
        return [Message(_HEART, encoded(body), content_type="application/json")]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        number, said = self.next(), to_second(at)
        stamp = int(said.timestamp())
        fact = Fact(what.kind, str(number), said, late=late)
        if what.kind in _ALARMS:
            alarm = {
                "AlarmType": _ALARMS[what.kind],
                "AlarmLevel": 1,
                "AlarmSeq": number,
                "AlarmSrcID": 1,
                "TimeStamp": stamp,
            }
            body: dict[str, Any] = {"Reference": "/sub/1", "DeviceID": self.place.name, "AlarmInfo": alarm}
            # An alarm is no record: it has no way of saying that it is late.
            fact = Fact(what.kind, str(number), said)
            return [Message(_ALARM, encoded(body), content_type="application/json", facts=(fact,))]
        picture = what.jpeg()
        face: dict[str, Any] = {"ID": number, "Timestamp": stamp, "CapSrc": 1}
        if picture:
            face["FaceImage"] = {
                "Name": f"{number}.jpg",
                "Size": len(picture),
                "Data": base64.b64encode(picture).decode(),
            }
        body = {
            "Reference": "/sub/1",
            "Seq": number,
            "DeviceCode": self.place.name,
            "Timestamp": stamp,
            "NotificationType": int(late),
            "FaceInfoNum": 1,
            "FaceInfoList": [face],
            "CardInfoNum": 0,
            "CardInfoList": [],
            "GateInfoNum": 0,
            "GateInfoList": [],
            "LibMatInfoNum": 1,
            "LibMatInfoList": [self._match(what, number)],
        }
        return [Message(_VERIFIED, encoded(body), content_type="application/json", facts=(fact,))]

    def _match(self, what: Happening, number: int) -> dict[str, Any]:
        known = what.person is not None
        status = 1 if what.kind == "access.granted" else _STATUS.get(what.reason or "", 2)
        return {
            "ID": number,
            "LibID": 3,
            "LibType": 3 if known else 2,
            "MatchStatus": status,
            "MatchPersonID": what.person or "0",
            "MatchFaceID": 0,
            "MatchFaceConfidence": round((what.score or 0.3) * 100),
        }
