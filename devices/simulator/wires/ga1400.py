"""A GA/T 1400 view library: faces and vehicles of its capture devices, in Beijing's time without a zone."""

import base64
import datetime as dt
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, encoded, to_second

_TYPE: Final = "application/VIID+JSON"
_COLORS: Final = {"blue": "5", "yellow": "6", "white": "2", "black": "1", "green": "9"}


class Ga1400Wire(Wire):
    adapter = "ga1400"
    can: ClassVar = frozenset(["face.captured", "plate.recognised", "plate.none"])
    beat_s = 90
    gateway = True
    pushes = True

    def beat(self, at: dt.datetime) -> list[Message]:
        body = {"KeepaliveObject": {"DeviceID": self.place.name}}
        return [Message("/VIID/System/Keepalive", encoded(body), content_type=_TYPE)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        said = to_second(self.local(at))
        when = said.strftime("%Y%m%d%H%M%S")
        device = what.device or self.place.name
        image = f"{device}02{when}{self.next() % 100_000:05d}"
        is_face = what.kind == "face.captured"
        number = f"{image}{'06' if is_face else '02'}{self.count % 100_000:05d}"
        fact = Fact(what.kind, number, said, what.device)
        images: list[dict[str, Any]] = []
        picture = what.jpeg()
        if picture:
            images.append(
                {
                    "ImageID": image,
                    "DeviceID": device,
                    "EventSort": 10,
                    "StoragePath": "",
                    "FileFormat": "Jpeg",
                    "ShotTime": when,
                    "Type": "11" if is_face else "01",
                    "Data": base64.b64encode(picture).decode(),
                }
            )
        common = {
            "InfoKind": "1",
            "SourceID": image,
            "DeviceID": device,
            "SubImageList": {"SubImageInfoObject": images},
        }
        if is_face:
            thing: dict[str, Any] = common | {
                "FaceID": number,
                "FaceAppearTime": when,
                "LocationMarkTime": when,
            }
            body = {"FaceListObject": {"FaceObject": [thing]}}
            return [Message("/VIID/Faces", encoded(body), content_type=_TYPE, facts=(fact,))]
        thing = common | {
            "MotorVehicleID": number,
            "TollgateID": "",
            "PassTime": when,
            "HasPlate": "1" if what.plate else "0",
            "PlateNo": what.plate or "",
            "PlateColor": _COLORS.get(what.color or "", "99"),
            "PlateReliability": str(round((what.score or 0.9) * 100)),
        }
        body = {"MotorVehicleListObject": {"MotorVehicleObject": [thing]}}
        return [Message("/VIID/MotorVehicles", encoded(body), content_type=_TYPE, facts=(fact,))]
