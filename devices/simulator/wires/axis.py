"""Axis cameras on their MQTT event bridge: every value is text, and a passage is told three times."""

import datetime as dt
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Place, Wire, encoded, to_millisecond

_SCENARIOS: Final = {
    "video.line_crossing": "fence",
    "video.intrusion": "motion",
    "video.loitering": "timeinarea",
}
_ANALYTICS: Final = "tns:axis/CameraApplicationPlatform/ObjectAnalytics/Device1Scenario1"
_PLATES: Final = "tns:axis/CameraApplicationPlatform/ALPV.Update"


class AxisWire(Wire):
    adapter = "axis"
    can: ClassVar = frozenset(["plate.recognised", *_SCENARIOS])
    keeps = False

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._branch = f"{place.root or 'axis'}/{place.name}"

    def will(self) -> Message:
        body = {"serial": self.place.name, "description": "Connection lost"}
        return Message(f"{self._branch}/event/connection", encoded(body), qos=1)

    def hello(self, at: dt.datetime) -> list[Message]:
        body = {"serial": self.place.name, "description": "Connected", "model": "P1465-LE-3"}
        return [Message(f"{self._branch}/event/connection", encoded(body), qos=1)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        number, said = str(self.next()), to_millisecond(at)
        fact = Fact(what.kind, number, said)
        if what.kind == "plate.recognised":
            return [
                self._plate(what, number, said, state, fact, after)
                for after, state in enumerate(("new", "update", "lost"))
            ]
        data = {
            "active": "1",
            "triggerTime": said.astimezone(dt.UTC).isoformat(timespec="milliseconds"),
            "scenarioType": _SCENARIOS[what.kind],
            "objectId": number,
            "classTypes": "human",
        }
        over = data | {"active": "0"}
        return [self._event(_ANALYTICS, data, said, (fact,)), self._event(_ANALYTICS, over, said, ())]

    def _plate(
        self, what: Happening, number: str, said: dt.datetime, state: str, fact: Fact, after: int
    ) -> Message:
        data = {
            "carID": number,
            "carState": state,
            "carMoveDirection": what.direction or "unknown",
            "text": what.plate,
            "lpConfidence": f"{what.score or 0.9:.2f}",
            "capture_timestamp": str(round(said.timestamp() * 1000)),
            "country": "CHN",
            "packetCounter": str(int(number) * 3 + after),
        }
        return self._event(_PLATES, data, said, (fact,))

    def _event(self, topic: str, data: dict[str, Any], said: dt.datetime, facts: tuple[Fact, ...]) -> Message:
        body = {
            "topic": topic.replace("tns:axis/", "axis:"),
            "timestamp": round(said.timestamp() * 1000),
            "serial": self.place.name,
            "message": {"source": {}, "key": {}, "data": data},
        }
        return Message(f"{self._branch}/event/{topic}", encoded(body), qos=1, facts=facts, ordered=True)
