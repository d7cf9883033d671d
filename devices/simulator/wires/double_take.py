"""Double Take: one run of recognition, told for the camera and once more for each name."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Place, Wire, encoded, to_millisecond

_LISTS: Final = {"face.identified": "matches", "face.uncertain": "misses", "face.unknown": "unknowns"}


class DoubleTakeWire(Wire):
    adapter = "double_take"
    can: ClassVar = frozenset(_LISTS)
    keeps = False
    gateway = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._root = place.root or "double-take"

    def will(self) -> Message:
        return Message(f"{self._root}/available", b"offline", retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return [Message(f"{self._root}/available", b"online", retain=True)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        said = to_millisecond(at)
        number = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.place.device_id}{self.next()}"))
        name = "unknown" if what.kind == "face.unknown" else what.person or "somebody"
        face: dict[str, Any] = {
            "name": name,
            "confidence": round((what.score or 0.4) * 100, 2),
            "match": what.kind == "face.identified",
            "box": {"top": 286, "left": 744, "width": 319, "height": 397},
            "type": "latest",
            "duration": 0.28,
            "detector": "compreface",
            "filename": f"{number}.jpg",
            "base64": None,
        }
        run = {
            "id": number,
            "duration": 1.4,
            "timestamp": said.isoformat(timespec="milliseconds"),
            "attempts": 5,
            "camera": what.device,
            "zones": [],
        }
        fact = Fact(what.kind, number, said, what.device)
        lists: dict[str, Any] = {
            listed: [face] if listed == _LISTS[what.kind] else [] for listed in _LISTS.values()
        }
        found = [self._said(f"cameras/{what.device}", run | lists, fact)]
        if what.kind == "face.identified":
            found.append(self._said(f"matches/{name}", run | {"match": face}, fact))
        elif what.kind == "face.unknown":
            found.append(self._said("matches/unknown", run | {"unknown": face}, fact))
        return found

    def _said(self, leaf: str, body: dict[str, Any], fact: Fact) -> Message:
        return Message(f"{self._root}/{leaf}", encoded(body), qos=1, facts=(fact,))
