"""宇泛 terminals: callbacks as forms, a stranger called STRANGERBABY, the clock in milliseconds."""

import base64
import datetime as dt
from typing import ClassVar, Final
from urllib.parse import urlencode

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, given, to_millisecond

_FORM: Final = "application/x-www-form-urlencoded"


class UfaceWire(Wire):
    adapter = "uface"
    can: ClassVar = frozenset(["access.granted", "access.denied"])
    beat_s = 60
    pushes = True

    def beat(self, at: dt.datetime) -> list[Message]:
        form = {
            "deviceKey": self.place.name,
            "time": str(int(at.timestamp() * 1000)),
            "ip": "192.168.7.70",
            "personCount": "812",
            "faceCount": "790",
            "version": "GD-V32.9.9",
            "freeDiskSpace": "5012",
        }
        return [Message("/heartbeat", urlencode(form).encode(), content_type=_FORM)]

    def broken(self, salt: int) -> Message:
        # A form that breaks off is a shorter form. Firmware that speaks JSON breaks off visibly.
        body = b'{"deviceKey":"%s","personId":"%d' % (self.place.name.encode(), salt)
        return Message("/identify", body, content_type="application/json")

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        number, said = str(self.next()), to_millisecond(at)
        picture = what.jpeg()
        granted = what.kind == "access.granted"
        method = "card" if what.card else "face"
        form = given(
            {
                "deviceKey": self.place.name,
                "personId": what.person or "STRANGERBABY",
                "time": str(round(said.timestamp() * 1000)),
                "type": f"{method}_0" if granted else f"{method}_2",
                "identifyType": "1" if granted else "2",
                "aliveType": "1",
                "searchScore": None if what.score is None else f"{what.score:.4f}",
                "idcardNum": what.card,
                "id": number,
                "path": f"ftp://192.168.7.70:8010/recordsImg/{number}.jpg",
                "imgBase64": base64.b64encode(picture).decode() if picture else None,
            }
        )
        # A record that was kept back comes as it would have come at once.
        fact = Fact(what.kind, number, said)
        return [Message("/identify", urlencode(form).encode(), content_type=_FORM, facts=(fact,))]
