"""HaAn face cameras over MQTT: a record stays on the camera until its number and time are answered."""

import base64
import datetime as dt
from typing import Any, ClassVar

from devices.simulator.wires.wire import (
    Fact,
    Happening,
    Heard,
    Message,
    Wire,
    decoded,
    encoded,
    to_millisecond,
)


class HaanWire(Wire):
    adapter = "haan"
    can: ClassVar = frozenset(["access.granted", "access.denied", "face.captured", "face.unknown"])

    def listens(self) -> tuple[str, ...]:
        name = self.place.name
        return (f"topic/face/capture/response/{name}", f"topic/face/manage/request/{name}")

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        number, said = self.next(), to_millisecond(self.local(at))
        when = said.strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]
        body: dict[str, Any] = {
            "cmd": "face",
            "version": "3.4.1",
            "device_sn": self.place.name,
            "sequence_no": number,
            "cap_time": when,
            "is_realtime": 0 if late else 1,
            "match_result": self._result(what),
        }
        person = self._person(what)
        if person is not None:
            role = 2 if what.kind == "access.denied" else 1
            body["match"] = {"person_id": person, "person_role": role, "match_type": ["face"]}
        picture = what.jpeg()
        if picture:
            body["closeup_pic"] = {"format": "jpg", "data": base64.b64encode(picture).decode()}
        fact = Fact(what.kind, str(number), said, late=late)
        topic = f"topic/face/capture/request/{self.place.name}"
        return [Message(topic, encoded(body), facts=(fact,), key=f"{number}@{when}")]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        if told.get("reply") == "ACK":
            return Heard(confirmed=(f"{told.get('sequence_no')}@{told.get('cap_time')}",))
        command = str(told.get("cmd") or "")
        if not topic.endswith(f"manage/request/{self.place.name}") or not command:
            return Heard()
        answer = {"reply": "ACK", "cmd": command, "code": 0, "device_sn": self.place.name}
        if "id" in told:
            answer["id"] = told["id"]
        says = Message(f"topic/face/manage/response/{self.place.name}", encoded(answer))
        return Heard(says=(says,), command=command)

    def _person(self, what: Happening) -> str | None:
        # It refuses whom it knows to be blocked. Whom it does not know, it only does not know.
        return what.person or ("p-blocked" if what.kind == "access.denied" else None)

    def _result(self, what: Happening) -> int:
        if what.kind == "face.captured":
            return 0
        if what.kind == "face.unknown" or self._person(what) is None:
            return -1
        return round((what.score or 0.8) * 100)
