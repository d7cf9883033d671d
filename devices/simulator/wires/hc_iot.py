"""HC 物联网: a platform that pushes openings for the terminals behind it, without any record number."""

import base64
import datetime as dt
from typing import Any, ClassVar

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, encoded, to_second


class HcIotWire(Wire):
    adapter = "hc_iot"
    can: ClassVar = frozenset(["access.granted", "access.denied"])
    gateway = True
    pushes = True

    def beat(self, at: dt.datetime) -> list[Message]:
        when = self.local(at).strftime("%Y-%m-%d %H:%M:%S")
        return [
            Message(
                "/heartbeat",
                encoded({"machineCode": name, "heartbeatTime": when}),
                content_type="application/json",
            )
            for name in self.place.behind
        ]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        said = to_second(self.local(at))
        picture = what.jpeg()
        body: dict[str, Any] = {
            "machineCode": what.device,
            "userId": what.person or "-1",
            "openTypeCd": "2000" if what.card else "1000",
            "recordTypeCd": "8888",
            # Of two openings in one second this tells them apart.
            "similar": f"{what.score or 0.0:.6f}",
            "dateTime": said.strftime("%Y-%m-%d %H:%M:%S"),
        }
        if picture:
            body["photo"] = base64.b64encode(picture).decode()
        fact = Fact(what.kind, None, said, what.device)
        return [Message("/openDoor", encoded(body), content_type="application/json", facts=(fact,))]
