"""Dahua terminals and cameras that push by HTTP, and plate cameras with their push of their own (ITSAPI)."""

import base64
import datetime as dt
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import (
    Fact,
    Happening,
    Message,
    Wire,
    encoded,
    given,
    to_millisecond,
    to_second,
)

_VIDEO: Final = {
    "video.line_crossing": "CrossLineDetection",
    "video.intrusion": "CrossRegionDetection",
    "video.loitering": "WanderDetection",
    "video.fall": "TumbleDetection",
}
_ERRORS: Final = {"expired": 20, "no_right": 18, "blocked": 17, "anti_passback": 21}
_COLORS: Final = {"green": "ShadowGreen", "yellow_green": "YellowGreen"}
# Of these a stop is told as an end; a line is crossed in a moment.
_LASTING: Final = frozenset(["video.loitering"])


class DahuaWire(Wire):
    adapter = "dahua"
    can: ClassVar = frozenset(["access.granted", "access.denied", "plate.recognised", "plate.none", *_VIDEO])
    beat_s = 60
    pushes = True

    def beat(self, at: dt.datetime) -> list[Message]:
        body = {"Active": "keepAlive", "DeviceID": self.place.name}
        return [Message("/NotificationInfo/KeepAlive", encoded(body), content_type="application/json")]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        if what.kind.startswith("plate."):
            return [self._passage(what, at)]
        number, said = str(self.next()), to_second(at)
        if what.kind.startswith("access."):
            data, code, action = self._access(what, number, said), "AccessControl", "Pulse"
        else:
            data = {"EventID": int(number), "Name": "rule 1", "Object": {"ObjectID": int(number) % 1000}}
            code, action = _VIDEO[what.kind], "Start"
        data |= {"RealUTC": int(said.timestamp()), "UTC": int(said.timestamp()) + 8 * 3600}
        fact = Fact(what.kind, number, said, late=late)
        found = [self._event(code, action, data, late=late, fact=fact)]
        if code != "AccessControl":
            # Of what lasts a stop tells the end, and that is an event too.
            ends = fact if what.kind in _LASTING else None
            found.append(self._event(code, "Stop", data, late=late, fact=ends))
        return found

    def _access(self, what: Happening, number: str, said: dt.datetime) -> dict[str, Any]:
        granted = what.kind == "access.granted"
        picture = what.jpeg()
        return given(
            {
                "RecNo": int(number),
                "Status": int(granted),
                "Method": 1 if what.card else 15,
                "ErrorCode": 0 if granted else _ERRORS.get(what.reason or "", 16),
                "UserID": what.person or "",
                "CardNo": what.card or "",
                "Similarity": None if what.score is None or what.card else round(what.score * 100),
                "Type": "Exit" if what.direction == "out" else "Entry",
                "Door": 0,
                "CreateTime": int(said.timestamp()),
                "ImageEncode": base64.b64encode(picture).decode() if picture else None,
            }
        )

    def _event(
        self, code: str, action: str, data: dict[str, Any], *, late: bool, fact: Fact | None
    ) -> Message:
        body = {
            "Events": [{"Code": code, "Action": action, "Index": 0, "Data": data}],
            "serialNumber": self.place.name,
            "DataSource": "Offline" if late else "RealTime",
        }
        facts = () if fact is None else (fact,)
        return Message("/", encoded(body), content_type="application/json", facts=facts)

    def _passage(self, what: Happening, at: dt.datetime) -> Message:
        # The push gives a passage no number: its time to the millisecond is all it has.
        said = to_millisecond(self.local(at))
        picture = what.jpeg()
        content = {"Content": base64.b64encode(picture).decode()} if picture else {}
        plate = {
            "IsExist": what.plate is not None,
            "PlateNumber": what.plate or "",
            "PlateColor": _COLORS.get(what.color or "", (what.color or "blue").title()),
            "Confidence": round((what.score or 0.9) * 100),
        }
        body = {
            "Picture": {
                "Plate": plate,
                "SnapInfo": {
                    "DeviceID": self.place.name,
                    "AccurateTime": said.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
                    "LanNo": 1,
                    "Direction": "Obverse",
                },
                "Vehicle": {"VehicleColor": "White", "VehicleType": "MotorVehicle"},
                "NormalPic": {"PicName": "n.jpg", **content},
            }
        }
        fact = Fact(what.kind, None, said)
        return Message(
            "/NotificationInfo/TollgateInfo", encoded(body), content_type="application/json", facts=(fact,)
        )
