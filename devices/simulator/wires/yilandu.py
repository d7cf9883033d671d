"""伊兰度 face terminals: topics with dots, results with a sequence, requests answered one by one."""

import base64
import datetime as dt
from typing import Any, ClassVar

from devices.simulator.wires.wire import Fact, Happening, Heard, Message, Wire, decoded, encoded


class YilanduWire(Wire):
    adapter = "yilandu"
    listens_qos = 1
    can: ClassVar = frozenset(["access.granted", "access.denied", "face.captured"])

    def listens(self) -> tuple[str, ...]:
        return (f"face.{self.place.name}.request",)

    def hello(self, at: dt.datetime) -> list[Message]:
        body = {"cmd": "mqtt_online", "sn": self.place.name, "ipaddr": "192.168.7.40"}
        return [Message("online/response", encoded(body), qos=1)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        number = str(self.next())
        body: dict[str, Any] = {
            "sn": self.place.name,
            "sequence": int(number),
            "sec": int(at.timestamp()),
            "usec": at.microsecond,
            "role": 2 if what.reason == "blocked" else 0,
            "matched": self._matched(what),
            "per_id": what.person or "",
        }
        picture = what.jpeg()
        if picture:
            body["face_imgdata"] = base64.b64encode(picture).decode()
        flag = "offline_face_result" if late else "face_result"
        told = {"type": "face_result", "flag": flag, "sn": self.place.name, "body": body}
        fact = Fact(what.kind, number, at, late=late)
        return [Message(self._answers, encoded(told), qos=1, facts=(fact,))]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        command = str(told.get("cmd") or "")
        answer = {
            "cmd": command,
            "cmd_id": told.get("cmd_id"),
            "sn": self.place.name,
            "code": 0,
            "reply": "ACK",
        }
        if "per_id" in told:
            answer["per_id"] = told["per_id"]
        return Heard(says=(Message(self._answers, encoded(answer), qos=1),), command=command)

    @property
    def _answers(self) -> str:
        return f"face.{self.place.name}.response"

    def _matched(self, what: Happening) -> float:
        if what.kind == "face.captured":
            return 0
        return -1 if what.person is None else round((what.score or 0.8) * 100, 2)
