"""臻识 plate cameras over MQTT: texts in base64, `keep_alive`, records kept while offline, a barrier."""

import base64
import datetime as dt
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import (
    Fact,
    Happening,
    Heard,
    Message,
    Place,
    Wire,
    decoded,
    encoded,
    to_second,
)

_COLORS: Final = {"blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5, "yellow_green": 6}


class ZhenshiWire(Wire):
    adapter = "zhenshi"
    listens_qos = 1
    can: ClassVar = frozenset(
        ["plate.recognised", "plate.none", "barrier.opened", "barrier.closed", "vehicle.stranded"]
    )
    beat_s = 10

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._gate: str | None = None
        self._said = 0

    def listens(self) -> tuple[str, ...]:
        return (f"device/{self.place.name}/message/down/+",)

    def beat(self, at: dt.datetime) -> list[Message]:
        body = {"type": "keep_alive", "body": {"timestamp": int(at.timestamp())}}
        return [self._up("keep_alive", body, at)]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        if what.kind.startswith("barrier."):
            return self._barrier(what.kind, at, late=late)
        number = str(self.next())
        if what.kind == "vehicle.stranded":
            return [self._stranded(what, number, at, late=late)]
        said = at.replace(microsecond=at.microsecond // 1000 * 1000)
        result: dict[str, Any] = {
            "license": _wrapped(what.plate or "_无_"),
            "confidence": round((what.score or 0.9) * 100) if what.plate else 0,
            "colorType": _COLORS.get(what.color or "", 0),
            "plateid": int(number),
            "triggerType": 8,
            "isoffline": int(late),
            "type": 1 if what.plate else 0,
            "direction": 4,
            "timeStamp": {"Timeval": {"sec": int(said.timestamp()), "usec": said.microsecond}},
        }
        picture = what.jpeg()
        if picture:
            result["full_image_content"] = base64.b64encode(picture).decode()
        alarm = {
            "channel": 0,
            "deviceName": _wrapped(self.place.device_id),
            "ipaddr": "192.168.7.30",
            "serialno": self.place.name,
            "result": {"PlateResult": result},
        }
        fact = Fact(what.kind, number, said, late=late)
        name = "offline_record" if late else "ivs_result"
        return [self._up(name, {"AlarmInfoPlate": alarm}, at, fact)]

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        name = topic.rpartition("/")[2]
        answer = {
            "id": told.get("id"),
            "sn": self.place.name,
            "name": name,
            "version": "1.0",
            "timestamp": int(at.timestamp()),
            "code": 200,
            "msg": "ok",
        }
        says = [Message(f"{topic}/reply", encoded(answer), qos=1)]
        if name == "gpio_out":
            payload = told.get("payload")
            output = payload.get("body", {}).get("io") if isinstance(payload, dict) else None
            says += self._barrier("barrier.closed" if output == 1 else "barrier.opened", at, late=False)
        return Heard(says=tuple(says), command=name)

    def _barrier(self, kind: str, at: dt.datetime, *, late: bool) -> list[Message]:
        # It tells how the barrier stands, and keeps nothing of it for later.
        if kind == self._gate or late:
            return []
        self._gate = kind
        said = to_second(at)
        state = {
            "type": "barr_gate_status",
            "body": {
                "enable": 1,
                "connect_status": 1,
                "gate_ctrl_id": 1,
                "gate_status": int(kind == "barrier.opened"),
            },
        }
        return [self._up("barr_gate_status", state, at, Fact(kind, self._name(), said), ordered=True)]

    def _stranded(self, what: Happening, number: str, at: dt.datetime, *, late: bool) -> Message:
        said = to_second(self.local(at))
        plate = {
            "license": _wrapped(what.plate or "_无_"),
            "color_type": _wrapped("蓝色"),
            "confidence": round((what.score or 0.9) * 100),
        }
        payload = {
            "event_type": 82,
            "result_id": number,
            "time": said.strftime("%Y-%m-%d %H:%M:%S"),
            "isoffline": int(late),
            "result": [{"plate_result": plate}],
        }
        return self._up("lanectrl_result", payload, at, Fact(what.kind, number, said, late=late))

    def _name(self) -> str:
        return f"{self.place.name}-{self._said + 1}"

    def _up(
        self, name: str, payload: Any, at: dt.datetime, fact: Fact | None = None, *, ordered: bool = False
    ) -> Message:
        self._said += 1
        body = {
            "id": f"{self.place.name}-{self._said}",
            "sn": self.place.name,
            "name": name,
            "version": "1.0",
            "timestamp": int(at.timestamp()),
            "payload": payload,
        }
        facts = () if fact is None else (fact,)
        topic = f"device/{self.place.name}/message/up/{name}"
        return Message(topic, encoded(body), qos=1, facts=facts, ordered=ordered)


def _wrapped(said: str) -> str:
    return base64.b64encode(said.encode()).decode()
