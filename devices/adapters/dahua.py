"""大华 Dahua: gate and scene cameras, access terminals, door stations; Intelbras and Imou are the same.

Quirks, each with a test:
- the score of a plate lies in `Object.Confidence` (0…100 for plates), not in `TrafficCar`; the
  vehicle's own `Confidence` runs to 255 and is another thing; an absent score is None;
- `Vehicle.Text` is the brand, the plate is `TrafficCar.PlateNumber` or `Object.Text`;
- `UTC` of a camera is its local time written as an epoch, `RealUTC` is true, and `LocaleTime` is local
  time in plain text: of two the more honest one counts;
- one passage can be several pictures of one `GroupID`;
- Start, Stop and Pulse: what begins or happens is an event; a Stop is said once, with the `EventID` of
  its Start, and is the end of what lasts and no event otherwise;
- a terminal's `Data` may hold the PIN that was typed and the holder's name.

Sources: the vendor's HTTP API as integrators quote it, and those named in `dahua_codes`.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

import msgspec

from devices.adapters.contract import (
    MAX_PICTURES,
    Adapter,
    Decoded,
    HttpReply,
    Incoming,
    Reading,
    Refusal,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.dahua_access import access, door, zone
from devices.adapters.dahua_codes import EVENTS, IGNORED, PLATES
from devices.adapters.dahua_plates import passage, tollgate
from devices.adapters.dahua_video import captured, event, face
from devices.adapters.dahua_wire import Body, NobodyAskedError, Told, read
from devices.adapters.endings import LASTING, over
from devices.adapters.fields import add_picture, section, text

_ENDED: Final = "stop"
_ZONE: Final = "profilealarmtransmit"
_Reader = Callable[[Told], tuple[Reading, tuple[str, ...]]]
_OTHERS: Final[Mapping[str, _Reader]] = {
    "accesscontrol": access,
    "doorstatus": door,
    _ZONE: zone,
    "facerecognition": face,
    "facedetection": captured,
}


class DahuaAdapter(Adapter):
    """eventManager and snapManager text, HTTP push, ITSAPI plate push, DHIP, and DahuaVTO2MQTT."""

    name = "dahua"
    title = "大华 Dahua"
    aliases = ("intelbras", "imou", "大华")
    topics = ("DahuaVTO/+/Event",)
    pushes = True
    root = "DahuaVTO"
    fields: ClassVar[Mapping[str, str]] = {
        "Code": "type",
        "Action": "attributes.ended where it is Stop and ends what lasts",
        "Index": "attributes.channel, attributes.input",
        "Data.RealUTC": "device_time",
        "Data.LocaleTime": "device_time where there is no RealUTC",
        "Data.UTC": "device_time where there is neither, as local time",
        "Data.GroupID": "record_id of a passage; revision counts its pictures",
        "Data.EventID": "record_id",
        "Data.RecNo": "record_id of an access record",
        "Data.Object.Text": "plate.text",
        "Data.TrafficCar.PlateNumber": "plate.text",
        "Data.Object.Confidence": "plate.confidence",
        "Data.TrafficCar.PlateColor": "plate.color",
        "Data.TrafficCar.DrivingDirection": "attributes.moving",
        "Data.Vehicle.Text": "attributes.brand",
        "Data.Object.ObjectID": "track",
        "Data.Name": "attributes.rule; attributes.door_name of an access record",
        "Data.Status": "access.granted, access.denied; door.opened, door.closed",
        "Data.Method": "credential.kind, attributes.method",
        "Data.ErrorCode": "attributes.reason, attributes.error_code",
        "Data.CardNo": "credential.ref",
        "Data.QRCodeStr": "credential.ref",
        "Data.UserID": "match.person_ref",
        "Data.Similarity": "match.score",
        "Data.Type": "direction",
        "Data.Candidates[].Person.UID": "match.person_ref",
        "Data.Candidates[].Similarity": "match.score",
        "Data.SN": "sender",
        "DataSource": "late where it is Offline",
        "serialNumber": "sender",
        "deviceType": "attributes.model",
        "Picture.Plate.PlateNumber": "plate.text",
        "Picture.Plate.Confidence": "plate.confidence",
        "Picture.Plate.PlateColor": "plate.color",
        "Picture.SnapInfo.DeviceID": "sender",
        "Picture.SnapInfo.AccurateTime": "device_time",
        "Picture.NormalPic.Content": "pictures (scene)",
        "Picture.CutoutPic.Content": "pictures (plate)",
        "Picture.VehiclePic.Content": "pictures (vehicle)",
        "Active": "sign of life",
        "DeviceID": "sender",
    }

    def decode(self, message: Incoming) -> Decoded:
        reply = _reply(message)
        levels = message.topic.split("/")
        if message.content_type is None and levels[0] == self.root:
            if len(levels) != 3 or levels[2] != "Event":
                raise RefusedError("command_not_event" if "Command" in levels else "wrong_topic", levels[-1])
            if not message.body.strip():
                return Decoded(ignored="cleared_state")
        elif message.content_type is None and message.topic and not message.topic.startswith("/"):
            raise RefusedError("wrong_topic", f"expected {self.root}/…/Event")
        body = read(message.body, message.content_type)
        if body.other:
            return _other(body, reply)
        if not body.events:
            if body.alive:
                return Decoded(signs=(SignOfLife(True),), reply=reply, ignored="keep_alive")
            raise RefusedError("missing_field", "no event")
        named = levels[1] if levels[0] == self.root and len(levels) == 3 else ""
        return _decoded(body, named, reply)

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = reason
        # A terminal sends a record again until it is told that we have it.
        return Refusal(reply=_reply(message))

    def rights(self, external_id: str) -> Rights:
        _ = external_id
        return Rights(publish=(f"{self.root}/+/Event",))


def _reply(message: Incoming) -> HttpReply | None:
    if message.content_type is None and not message.topic.startswith("/"):
        return None
    # Plate cameras look for `result`, terminals for `code`; each overlooks the other's.
    said = {"code": 0, "message": "success", "Result": True, "result": "true"}
    return HttpReply(msgspec.json.encode(said), "application/json")


def _decoded(body: Body, named: str, reply: HttpReply | None) -> Decoded:
    readings: list[Reading] = []
    # Apart from what begins, which the pictures of a message belong to.
    ends: list[Reading] = []
    refused: list[RefusedError] = []
    ignored: list[str] = []
    hidden: dict[str, None] = {}
    sender: str | None = None
    alive = body.alive
    for told in body.events:
        code = (told.code or named).strip()
        key = code.lower()
        sender = sender or _sender(told)
        if key in {"heartbeat", "keepalive"}:
            alive = True
        elif told.action == _ENDED and key not in PLATES:
            end, dropped = _end(msgspec.structs.replace(told, code=code))
            if end is None:
                ignored.append("no_change")
                continue
            ends.append(end)
            hidden.update(dict.fromkeys(dropped))
        elif key in IGNORED:
            ignored.append(IGNORED[key])
        else:
            try:
                reading, dropped = _read(msgspec.structs.replace(told, code=code))
            except NobodyAskedError:
                ignored.append("not_security")
                continue
            except RefusedError as error:
                refused.append(error)
                continue
            readings.append(reading)
            hidden.update(dict.fromkeys(dropped))
    if refused and not (readings or ends):
        raise refused[0]
    return Decoded(
        sender,
        (*_with_pictures(readings, body.pictures), *ends),
        (SignOfLife(True),) if alive else (),
        reply=reply,
        dropped=tuple(hidden),
        partial=(refused[0].reason, refused[0].detail) if refused else None,
        ignored=None if readings or ends else (ignored[0] if ignored else "keep_alive"),
    )


def _read(told: Told) -> tuple[Reading, tuple[str, ...]]:
    """Raises `RefusedError`."""
    key = told.code.lower()
    if key in PLATES:
        return passage(told)
    if key in _OTHERS:
        return _OTHERS[key](told)
    if key in EVENTS:
        return event(told)
    raise RefusedError("unknown_type", told.code[:64] or "no code")


def _end(told: Told) -> tuple[Reading | None, tuple[str, ...]]:
    """The end of a condition, and what was taken out; None for what is over as soon as it happens."""
    key = told.code.lower()
    if key != _ZONE and EVENTS.get(key) not in LASTING:
        return None, ()
    began, dropped = _read(told)
    return over(began), dropped


def _sender(told: Told) -> str | None:
    for source, name in (
        (told.wrap, "serialNumber"),
        (told.data, "SN"),
        (told.wrap, "SN"),
        (told.wrap, "DeviceID"),
    ):
        found = text(source.get(name))
        if found is not None:
            return found
    return None


def _with_pictures(readings: list[Reading], contents: tuple[bytes, ...]) -> tuple[Reading, ...]:
    """One picture an event where there are as many; else all with the first, which is all that is known."""
    shares: list[tuple[bytes, ...]] = [(content,) for content in contents]
    if len(contents) != len(readings):
        shares = [contents] + [()] * (len(readings) - 1)
    found = []
    for reading, share in zip(readings, shares, strict=False):
        pictures, marks = list(reading.pictures), list(reading.marks)
        role = "face" if reading.type.startswith(("access.", "face.")) else "scene"
        for content in share[: MAX_PICTURES - len(pictures)]:
            add_picture(content, role, pictures, marks)
        found.append(
            msgspec.structs.replace(
                reading, pictures=tuple(pictures[:MAX_PICTURES]), marks=tuple(dict.fromkeys(marks))
            )
        )
    return tuple(found)


def _other(body: Body, reply: HttpReply | None) -> Decoded:
    """What is no list of events: a plate camera's own push, its heartbeat, an answer.

    Raises `RefusedError`.
    """
    data = body.other
    if section(data, "Picture"):
        return tollgate(data, reply)
    sender = text(data.get("DeviceID")) or text(data.get("SN")) or text(data.get("serialNumber"))
    if (text(data.get("Active")) or "").lower() == "keepalive":
        return Decoded(sender, signs=(SignOfLife(True),), reply=reply, ignored="keep_alive")
    if section(data, "DeviceInfo") or "DeviceModel" in data or "DeviceName" in data:
        return Decoded(sender, signs=(SignOfLife(True),), reply=reply, ignored="keep_alive")
    if "result" in data and "id" in data:
        return Decoded(sender, reply=reply, ignored="answer")
    raise RefusedError("missing_field", "no Code, no Events, no Picture")
