"""Face terminals of the facesluice family: everything at QoS 0, and answers of the protocol's own.

A record is said again until `PushAck` names it, `Online` until `Online-Ack`. The terminal keeps
a list of people, opens its door when told to, and pushes records of a period again on demand.
"""

import base64
import datetime as dt
from collections import deque
from typing import Any, ClassVar, Final

import msgspec

from devices.simulator.wires.wire import (
    MEMORY,
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

MOST_PEOPLE: Final = 1000
ONLINE: Final = "online"
# What a refusal is called in VerifyStatus: 2 known and refused, 3 not registered.
_STATUS: Final = {"not_registered": 3}
# Kind → (operator, the counter's field, its number in PushAck).
_PUSHES: Final = {
    "face.captured": ("StrSnapPush", "SnapID", 1),
    "access.granted": ("RecPush", "RecordID", 2),
    "access.denied": ("RecPush", "RecordID", 2),
    "video.intrusion": ("BehaviorSnapPush", "SnapOrRecordID", 3),
    "video.line_crossing": ("BehaviorSnapPush", "SnapOrRecordID", 3),
    "video.ebike_in_lift": ("ElectricalBicycleSnapPush", "SnapOrRecordID", 3),
    "video.parabolic": ("ParabolicSnapPush", "SnapOrRecordID", 3),
    "video.fire_smoke": ("FireSmokeSnapPush", "SnapOrRecordID", 3),
    "video.absence_from_post": ("LeaveSnapPush", "SnapOrRecordID", 3),
}


class FacesluiceWire(Wire):
    adapter = "facesluice"
    can: ClassVar[frozenset[str]] = frozenset(_PUSHES)
    beat_s = 30

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.people: dict[str, dict[str, Any]] = {}
        self._counts: dict[str, int] = {}
        self._kept: deque[tuple[dt.datetime, Message]] = deque(maxlen=MEMORY)

    @property
    def branch(self) -> str:
        """Where this terminal listens, and below which it speaks."""
        return f"mqtt/face/{self.place.name}"

    def listens(self) -> tuple[str, ...]:
        return (self.branch,)

    def will(self) -> Message:
        body = {"operator": "Offline", "info": {"facesluiceId": self._id, "facesname": self.place.device_id}}
        return Message(self._basic, encoded(body))

    def hello(self, at: dt.datetime) -> list[Message]:
        info = {
            "facesluiceId": self._id,
            "facesname": self.place.device_id,
            "time": self._time(at),
            "ip": "192.168.7.20",
        }
        return [Message(self._basic, encoded({"operator": "Online", "info": info}), key=ONLINE)]

    def beat(self, at: dt.datetime) -> list[Message]:
        info = {"facesluiceId": self._id, "time": self._time(at)}
        return [Message(self._heartbeat, encoded({"operator": "HeartBeat", "info": info}))]

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        operator, field, push_type = _PUSHES[what.kind]
        number = self._counts[field] = self._counts.get(field, 0) + 1
        said = to_second(self.local(at))
        info: dict[str, Any] = {
            "facesluiceId": self._id,
            field: str(number),
            "time": self._time(at),
            "Sendintime": 0 if late else 1,
            "PushType": 0,
        }
        info |= self._particulars(what, at)
        picture = what.jpeg()
        if picture:
            info["pic"] = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
        fact = Fact(what.kind, str(number), said, late=late)
        body = encoded({"operator": operator, "info": info})
        message = Message(self._leaf(operator), body, facts=(fact,), key=f"{push_type}:{number}")
        self._kept.append((said, message))
        return [message]

    def again(self, message: Message) -> Message:
        if message.key == ONLINE:
            return message
        # Not within ten seconds of it any more.
        return msgspec.structs.replace(
            message, body=message.body.replace(b'"Sendintime":1', b'"Sendintime":0')
        )

    def hear(self, topic: str, body: bytes, at: dt.datetime) -> Heard:
        told = decoded(body)
        operator, info = str(told.get("operator")), told.get("info")
        if operator == "Online-Ack":
            return Heard(confirmed=(ONLINE,))
        if operator == "PushAck" and isinstance(info, dict):
            return Heard(confirmed=(f"{info.get('PushAckType')}:{info.get('SnapOrRecordID')}",))
        if operator == "EditPersonsNew":
            return self._edited(told)
        if operator == "DeletePersons":
            return self._deleted(told)
        if operator == "ManualPushRecords" and isinstance(info, dict):
            return self._pushed_again(told, info)
        if operator in {"Unlock", "SetSysTime", "GetSceneSnap", "ManualPushSnaps"}:
            return self._answer(told, operator, {"result": "ok", "detail": ""})
        return Heard()

    def reset(self) -> None:
        super().reset()
        self._counts.clear()
        self._kept.clear()

    @property
    def _id(self) -> str:
        return self.place.name

    @property
    def _basic(self) -> str:
        return f"{self.branch}/basic"

    @property
    def _heartbeat(self) -> str:
        return f"{self.branch}/heartbeat"

    def _leaf(self, operator: str) -> str:
        return f"{self.branch}/{'Rec' if operator == 'RecPush' else 'Snap'}"

    def _time(self, at: dt.datetime) -> str:
        return self.local(at).strftime("%Y-%m-%d %H:%M:%S")

    def _particulars(self, what: Happening, at: dt.datetime) -> dict[str, Any]:
        match what.kind:
            case "access.granted" | "access.denied":
                known = what.person is not None
                return {
                    "customId": what.person or " ",
                    "personId": "1" if known else "0",
                    "persionName": " ",
                    "VerifyStatus": "1"
                    if what.kind == "access.granted"
                    else str(_STATUS.get(what.reason or "", 2)),
                    "PersonType": "1" if what.reason == "blocked" else "0",
                    "VerfyType": "1",
                    "similarity1": "" if what.score is None else f"{what.score * 100:.6f}",
                }
            case "face.captured":
                return {"targetPosInScene": [410, 220, 560, 390]}
            case "video.intrusion" | "video.line_crossing":
                return {"objectType": 0, "behaviourType": 1 if what.kind == "video.intrusion" else 0}
            case "video.fire_smoke":
                return {"fire": 0, "smoke": 1}
            case "video.parabolic":
                return {"startTime": self._time(at), "endTime": self._time(at + dt.timedelta(seconds=2))}
        return {}

    def _edited(self, told: dict[str, Any]) -> Heard:
        people = [one for one in told.get("info") or () if isinstance(one, dict)]
        if told.get("PersonNum") != len(people):
            return self._answer(told, "EditPersonsNew", {"result": "fail", "detail": ""}, "417")
        if len(people) > MOST_PEOPLE:
            return self._answer(told, "EditPersonsNew", {"result": "fail", "detail": ""}, "416")
        wrong, right = [], []
        for one in people:
            reference = one.get("customId")
            if not reference:
                wrong.append({"customId": "", "errcode": "461"})
            elif not one.get("picURI") and not one.get("RFIDCard") and reference not in self.people:
                wrong.append({"customId": reference, "errcode": "463"})
            else:
                self.people[reference] = self.people.get(reference, {}) | one
                right.append({"customId": reference})
        info = {
            "AddErrNum": str(len(wrong)), "AddSucNum": str(len(right)),
            "AddErrInfo": wrong, "AddSucInfo": right, "result": "ok",
        }  # fmt: skip
        return self._answer(told, "EditPersonsNew", info)

    def _deleted(self, told: dict[str, Any]) -> Heard:
        info = told.get("info")
        asked = info.get("customId", []) if isinstance(info, dict) else []
        gone = [{"customId": one} for one in asked if self.people.pop(one, None) is not None]
        known = {one["customId"] for one in gone}
        absent = [{"customId": one} for one in asked if one not in known]
        told_back = {
            "DelErrNum": str(len(absent)), "DelSucNum": str(len(gone)),
            "DelErrInfo": absent, "DelSucInfo": gone, "result": "ok",
        }  # fmt: skip
        return self._answer(told, "DeletePersons", told_back)

    def _pushed_again(self, told: dict[str, Any], info: dict[str, Any]) -> Heard:
        try:
            begin, end = (
                dt.datetime.fromisoformat(str(info.get(name))).replace(tzinfo=self.place.zone)
                for name in ("TimeS", "TimeE")
            )
        except ValueError:
            return self._answer(told, "ManualPushRecords", {"result": "fail", "detail": ""}, "464")
        found = [
            _replayed(message)
            for said, message in self._kept
            if begin <= said <= end and message.key is not None and message.key.startswith("2:")
        ]
        heard = self._answer(told, "ManualPushRecords", {"result": "ok", "detail": ""})
        return msgspec.structs.replace(heard, says=(*heard.says, *found))

    def _answer(self, told: dict[str, Any], operator: str, info: dict[str, Any], code: str = "200") -> Heard:
        body = {
            "messageId": told.get("messageId"),
            "operator": f"{operator}-Ack",
            "code": code,
            "info": {"facesluiceId": self._id, **info},
        }
        return Heard(says=(Message(f"{self.branch}/Ack", encoded(body)),), command=operator)


def _replayed(message: Message) -> Message:
    """The same record, pushed because somebody asked: marked so, and its similarity forgotten."""
    told = decoded(message.body)
    told["info"] |= {"PushType": 2, "Sendintime": 0}
    return msgspec.structs.replace(message, body=encoded(told))
