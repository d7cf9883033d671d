"""Cameras that publish ONVIF events as JSON (`onvif-ej`): no record number, UTC to the millisecond."""

import datetime as dt
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Wire, encoded, to_millisecond

# Kind → (ONVIF topic, the value that says so).
_TOPICS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "video.line_crossing": ("RuleEngine/LineDetector/Crossed", {"ObjectId": "12"}),
    "video.intrusion": ("RuleEngine/FieldDetector/ObjectsInside", {"IsInside": "true"}),
    "video.object_left": ("IVA/IdleObject", {"State": True}),
    "video.occlusion": ("VideoSource/GlobalSceneChange", {"State": True}),
}


class OnvifWire(Wire):
    adapter = "onvif"
    can: ClassVar = frozenset(_TOPICS)
    keeps = False

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        topic, values = _TOPICS[what.kind]
        said = to_millisecond(at.astimezone(dt.UTC))
        number = self.next()
        source = {"VideoSource": "1", "Rule": f"rule {number % 3}"}
        if number % 2:
            # Two shapes of one payload are on the market.
            items = [{"Name": name, "Value": value} for name, value in values.items()]
            told: dict[str, Any] = {
                "Source": {"SimpleItem": [{"Name": name, "Value": value} for name, value in source.items()]},
                "Data": {"SimpleItem": items},
            }
        else:
            told = {"Source": source, "Data": values}
        body = {
            "UtcTime": said.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "PropertyOperation": "Changed",
            **told,
        }
        fact = Fact(what.kind, None, said)
        return [Message(f"{self.place.name}/onvif-ej/{topic}/&1", encoded(body), qos=1, facts=(fact,))]
