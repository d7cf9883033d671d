"""Ringward's own format, at QoS 1: retained state with a last will, answers on `down/ack`."""

import base64
import datetime as dt
from typing import ClassVar

from devices.simulator.wires.wire import (
    Fact,
    Happening,
    Heard,
    Message,
    Place,
    Wire,
    decoded,
    encoded,
    given,
    to_millisecond,
)

_ROLES = {"face": "face", "access": "face", "plate": "vehicle"}


class NativeWire(Wire):
    adapter = "native"
    listens_qos = 1
    can: ClassVar = frozenset(
        ["face.captured", "plate.recognised", "plate.none", "access.granted", "access.denied",
         "access.duress", "door.opened", "door.closed", "door.forced", "barrier.opened", "barrier.closed",
         "video.line_crossing", "video.intrusion", "alarm.sos", "alarm.smoke", "device.tamper"]
    )  # fmt: skip
    beat_s = 30

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._branch = f"rw/v1/{place.compound}/{place.device_id}"

    def listens(self) -> tuple[str, ...]:
        return (f"{self._branch}/down/ack", f"{self._branch}/down/command")

    def will(self) -> Message:
        return Message(f"{self._branch}/up/state", b'{"v":1,"status":"offline"}', qos=1, retain=True)

    def hello(self, at: dt.datetime) -> list[Message]:
        return self.beat(at)

    def beat(self, at: dt.datetime) -> list[Message]:
        state = {"v": 1, "status": "online", "at": self.local(at).isoformat(timespec="milliseconds")}
        return [Message(f"{self._branch}/up/state", encoded(state), qos=1, retain=True)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        record, said = str(self.next()), to_millisecond(self.local(at))
        means = "face" if what.person else "card" if what.card else None
        picture = what.jpeg()
        role = _ROLES.get(what.kind.partition(".")[0], "scene")
        body = given(
            {
                "v": 1,
                "id": record,
                "type": what.kind,
                "at": said.isoformat(timespec="milliseconds"),
                "late": late,
                "direction": what.direction,
                "credential": given({"kind": means, "ref": what.card}) if means else None,
                "plate": {"text": what.plate, "confidence": what.score, "color": what.color}
                if what.plate
                else None,
                "match": {"person_ref": what.person, "score": what.score, "liveness": True}
                if what.person
                else None,
                "images": [{"role": role, "jpeg": base64.b64encode(picture).decode()}] if picture else None,
                "attributes": {"reason": what.reason} if what.reason else None,
            }
        )
        fact = Fact(what.kind, record, said, late=late)
        return [Message(f"{self._branch}/up/event", encoded(body), qos=1, facts=(fact,), key=record)]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        name = str(told.get("id") or "")
        if topic.endswith("/down/command"):
            answer = {"v": 1, "id": name, "ok": True, "code": "0", "text": ""}
            people = [{"ref": one.get("ref"), "ok": True} for one in told.get("people") or ()]
            people += [{"ref": ref, "ok": True} for ref in told.get("refs") or ()]
            if people:
                answer["people"] = people
            says = (Message(f"{self._branch}/up/result", encoded(answer), qos=1),)
            return Heard(says=says, command=str(told.get("kind") or ""))
        if not name:
            return Heard()
        return Heard(confirmed=(name,)) if told.get("ok", True) else Heard(refused=(name,))
