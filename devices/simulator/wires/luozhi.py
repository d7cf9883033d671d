"""罗之派 hiot terminals: all on one topic, each by its serial number in the body."""

import base64
import datetime as dt
from typing import Any, ClassVar

from devices.simulator.wires.wire import Fact, Happening, Heard, Message, Wire, decoded, encoded, to_second


class LuozhiWire(Wire):
    adapter = "luozhi"
    listens_qos = 1
    can: ClassVar = frozenset(["access.granted", "access.denied", "face.captured"])

    def listens(self) -> tuple[str, ...]:
        return tuple(f"/hiot/{self.place.name}/{leaf}" for leaf in ("add_data", "del_data"))

    def hello(self, at: dt.datetime) -> list[Message]:
        body = {"response_type": "connection", "data": {"sn": self.place.name, "ip": "192.168.7.50"}}
        return [Message("/hiot/connection", encoded(body), qos=1)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        number, said = self.next(), to_second(at)
        data: dict[str, Any] = {
            "sn": self.place.name,
            "record_uuid": f"{self.place.name}-{number}",
            "person_uuid": what.person or "-1",
            "recog_time": int(said.timestamp()),
            "matched": self._matched(what),
        }
        picture = what.jpeg()
        if picture:
            data["snap_image"] = base64.b64encode(picture).decode()
        told = {
            "response_type": "identification_record",
            "message_uuid": f"m-{self.place.name}-{number}",
            "data": data,
        }
        # The protocol has no mark for a record that was kept back.
        fact = Fact(what.kind, str(data["record_uuid"]), said)
        return [Message("/hiot/record_message", encoded(told), qos=1, facts=(fact,))]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        answer = {
            "message_uuid": told.get("message_uuid"),
            "code": 200,
            "message_info": "ok",
            "data": {"sn": self.place.name},
        }
        where = str(told.get("confirmation_topic") or "/hiot/people_send_reply")
        return Heard(says=(Message(where, encoded(answer), qos=1),), command=topic.rpartition("/")[2])

    def _matched(self, what: Happening) -> float:
        if what.kind == "face.captured":
            return 0
        return -1 if what.person is None else round((what.score or 0.8) * 100, 2)
