"""Face terminals and cameras of the HFSecurity/汇凡 family, sold as 德安 and under many other names.

MQTT 3.1.1 at QoS 0 after the vendor's "MQTT Protocol of Intelligent Network Camera V1.25" and,
for doors, cards and QR codes, its terminal protocol. What the documents leave out was seen on
hardware by integrators (helderdene/fras; mqtt gateways for the same terminals).

Reliability is the application's: with `ResumefromBreakpoint=1` a record comes again about every
ten seconds until `PushAck` names it, `Online` until `Online-Ack`. Both are sent for what is
stored, and for what lies with the dead letters too, or poison would come for ever.

By default all terminals share `mqtt/face/basic` and `mqtt/face/heartbeat`, where any of them may
speak in another's name. Set `OnlineTopic` to `mqtt/face/{id}/basic` and `HeartbeatTopic` to
`mqtt/face/{id}/heartbeat`: only these are among the rights of `rights`.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.adapters import facesluice_orders as orders
from devices.adapters.contract import (
    Adapter,
    Decoded,
    Incoming,
    Order,
    Outgoing,
    Reading,
    Refusal,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.facesluice_events import KINDS, TIMES, Draft, Said, record_of
from devices.adapters.fields import moment, picture, read_json, stripped, text

ROOT: Final = "mqtt/face"
SHARED: Final = frozenset({"basic", "heartbeat"})
_IDS: Final = ("facesluiceId", "facesluiceld", "deviceId", "DeviceID")
FIELDS: Final[Mapping[str, str]] = {
    "operator": "type",
    "info.facesluiceId": "sender, where the topic names none",
    "info.deviceId": "sender, where the topic names none",
    "info.RecordID": "record_id (rec:…)",
    "info.SnapID": "record_id (snap:…)",
    "info.SnapOrRecordID": "record_id (push:…)",
    "info.time": "device_time, zone of the compound",
    "info.snapTime": "device_time, zone of the compound",
    "info.startTime": "attributes.started_at",
    "info.endTime": "attributes.ended_at",
    "info.Sendintime": "late where 0",
    "info.PushType": "late where 2",
    "info.VerifyStatus": "type, attributes.verify_status",
    "info.PersonType": "type, attributes.list",
    "info.customId": "match.person_ref",
    "info.personId": "match.person_ref where customId is empty, else attributes.terminal_person",
    "info.similarity1": "match.score",
    "info.VerfyType": "attributes.verify_type",
    "info.targetPosInScene": "attributes.box",
    "info.pic": "pictures",
    "info.scene": "pictures (scene)",
    "info.tempic": "pictures (scene)",
    "info.objectType": "type, attributes.object",
    "info.objectAttr.carplate": "plate.text",
    "info.behaviourType": "type",
    "info.behaviourDirection": "attributes.movement",
    "info.carplate": "plate.text",
    "info.carplateColor": "plate.color",
    "info.carplateType": "attributes.plate_type",
    "info.carplateFlag": "attributes.plate_flag",
    "info.carClolr": "attributes.vehicle_color",
    "info.carClass": "attributes.vehicle_class",
    "info.carSpecial": "attributes.vehicle_duty",
    "info.carBackup": "attributes.spare_wheel",
    "info.carViewpoint": "attributes.seen_from",
    "info.plate": "plate.text",
    "info.fire": "attributes.fire",
    "info.smoke": "attributes.smoke",
    "info.sparkAlarm": "attributes.spark",
    "info.message": "attributes.areas",
    "info.realtimeCount": "attributes.count",
    "info.averageCount": "attributes.average",
    "info.maxCount": "attributes.most",
    "info.minCount": "attributes.fewest",
    "info.QRCodeInfo": "credential.ref",
    "info.CardInfo.CardNum": "credential.ref",
    "info.ip": "facts.ip",
    "info.facesname": "facts.name",
    "info.deviceName": "facts.name, attributes.device_name",
    "messageId": "command_id",
    "code": "results.code",
    "info.result": "results.ok",
    "info.detail": "results.text",
    "info.AddErrInfo[].errcode": "results.people",
    "info.AddSucInfo[].customId": "results.people",
    "info.DelErrInfo[].customId": "results.people",
    "info.DelSucInfo[].customId": "results.people",
}


class Place(msgspec.Struct, frozen=True):
    """What a topic tells. `device` is None on topics that all terminals share."""

    device: str | None
    leaf: str
    # Where the device listens; None where only the body can tell.
    down: str | None

    @property
    def shared(self) -> bool:
        """Whether any terminal may speak here, in anybody's name."""
        return self.device is None and self.leaf in SHARED


class FacesluiceAdapter(Adapter):
    """One terminal or camera a sender; what it says, what it waits for, and its person list.

    `enrol`, `delete` and any other batch exclude each other on the terminal: it answers 410 while
    one is in flight, so whoever sends them waits for the answer before the next one.
    """

    name = "facesluice"
    title = "HFSecurity / 德安 face terminals"
    aliases: ClassVar[tuple[str, ...]] = ("facesluice_mqtt", "hfsecurity", "huifan", "dean")
    topics: ClassVar[tuple[str, ...]] = (
        f"{ROOT}/basic", f"{ROOT}/heartbeat", f"{ROOT}/+/Rec", f"{ROOT}/+/Snap", f"{ROOT}/+/Ack",
        f"{ROOT}/+/ack", f"{ROOT}/+/basic", f"{ROOT}/+/heartbeat", f"{ROOT}/+/QRCode", f"{ROOT}/+/Card",
        f"{ROOT}/+/Alarm",
    )  # fmt: skip
    heartbeat_s = 30
    commands = frozenset({"open", "snapshot", "sync_time", "enrol", "delete", "resend"})
    enrol_limit = 1000
    delete_limit = 200
    fields: ClassVar[Mapping[str, str]] = FIELDS

    def decode(self, message: Incoming) -> Decoded:
        data = stripped(read_json(message.body))
        place = self.place(message.topic)
        said = Said(data)
        operator = _operator(said, place)
        kind = operator.casefold()
        if orders.is_command(kind):
            raise RefusedError("command_not_event", operator[:64])
        stated = text(said.get(*_IDS))
        claimed = self.sender(stated, message.topic)
        sender = place.device or claimed
        if kind.endswith("-ack"):
            return _answer(sender, said, operator, data)
        down = place.down or self.down(sender)
        if kind in {"online", "offline", "heartbeat"}:
            if sender is None:
                raise RefusedError("missing_field", "facesluiceId")
            return _alive(sender, kind, said, stated, down)
        read = KINDS.get(kind)
        if read is None:
            raise RefusedError("unknown_type", operator[:64])
        draft = Draft(said)
        if place.device is not None and claimed not in {None, place.device}:
            # The broker vouches for the topic; what the body claims is only worth a note.
            draft.attributes["facesluice_id"] = stated
        found = read(draft)
        rest, dropped = said.rest()
        # On a topic that all share, a forged message could have another's record thrown away.
        waits = None if place.shared else down
        answers = _push_ack(waits, record_of(said))
        if isinstance(found, str):
            return Decoded(sender, answers=answers, dropped=dropped, ignored=found)
        if rest:
            kept, marks = found.attributes | rest, (*found.marks, "unknown_fields")
            found = msgspec.structs.replace(found, attributes=kept, marks=marks)
        return Decoded(sender, (found,), answers=answers, dropped=dropped)

    def refused(self, message: Incoming, reason: str) -> Refusal:
        if reason == "command_not_event":
            return Refusal()
        place = self.place(message.topic)
        operator = _found(_OPERATOR, message.body)
        if operator is not None and orders.is_command(operator.casefold()):
            return Refusal()
        stated = _found(_STATED, message.body)
        down = place.down or self.down(self.sender(stated, message.topic))
        if operator is not None and operator.casefold() == "online":
            return Refusal(_online_ack(down, stated or place.device))
        if place.shared or (operator or "Push").casefold().endswith("ack"):
            return Refusal()
        return Refusal(_push_ack(down, _record_in(message.body)))

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        """See `devices.adapters.facesluice_orders`. Raises `UnsupportedError`."""
        return orders.encode(self.name, order, f"{ROOT}/{order.external_id}")

    def rights(self, external_id: str) -> Rights:
        branch = f"{ROOT}/{external_id}"
        leaves = ("Rec", "Snap", "Ack", "ack", "basic", "heartbeat", "QRCode", "Card", "Alarm")
        return Rights(tuple(f"{branch}/{leaf}" for leaf in leaves), (branch,))

    def place(self, topic: str) -> Place:
        """What the topic tells; nothing where it is not one of the vendor's."""
        levels = topic.split("/")
        if levels[:2] != ROOT.split("/") or len(levels) < 3:
            return Place(None, "", None)
        if levels[2] in SHARED or not levels[2]:
            return Place(None, levels[2], None)
        return Place(levels[2], levels[-1] if len(levels) > 3 else "", f"{ROOT}/{levels[2]}")

    def sender(self, stated: str | None, topic: str) -> str | None:
        """The external id of a device whose topic does not name it."""
        _ = topic
        return stated

    def down(self, sender: str | None) -> str | None:
        """Where a device listens that its topic does not name."""
        return f"{ROOT}/{sender}" if sender is not None and is_level(sender) else None


def is_level(name: str) -> bool:
    """Whether a name out of a message may stand in a topic that we publish to."""
    return name not in SHARED and not set(name) & set("+#/")


def _operator(said: Said, place: Place) -> str:
    operator = text(said.get("operator"))
    if operator is None:
        # A heartbeat without a name still says who is there.
        if place.leaf == "heartbeat":
            return "HeartBeat"
        raise RefusedError("missing_field", "operator")
    return operator


def _alive(sender: str, kind: str, said: Said, stated: str | None, down: str | None) -> Decoded:
    # The last will was written before it came true: it carries no time.
    when = moment(said.get(*TIMES))
    facts = {
        name: value
        for name, value in (
            ("ip", text(said.get("ip", "wifiIp"))),
            ("name", text(said.get("facesname", "facesluiceName", "deviceName"))),
            ("firmware", text(said.get("version", "softVersion"))),
        )
        if value is not None
    }
    sign = SignOfLife(kind != "offline", when, facts=facts, birth=kind == "online")
    answers = _online_ack(down, stated or sender) if kind == "online" else ()
    return Decoded(sender, signs=(sign,), answers=answers, dropped=said.rest()[1])


def _answer(sender: str | None, said: Said, operator: str, data: Mapping[str, Any]) -> Decoded:
    result = orders.result(operator, said.get, data)
    readings: tuple[Reading, ...] = ()
    if operator.casefold() == "getscenesnap-ack" and result.ok:
        draft = Draft(said)
        picture(said.get("ImgData", "pic", "scene"), "scene", draft.pictures, draft.marks)
        if draft.pictures:
            shot = draft.done("face.captured")
            record = None if result.command_id is None else f"shot:{result.command_id}"[:200]
            kept = {"on_demand": True}
            readings = (msgspec.structs.replace(shot, record_id=record, attributes=kept),)
    # Some answers repeat a person's particulars: they are taken out with all the rest.
    return Decoded(sender, readings, results=(result,), dropped=said.rest()[1])


_OPERATOR: Final = re.compile(rb'"operator\s*"\s*:?\s*"\s*([A-Za-z-]{1,64})', re.IGNORECASE)
_STATED: Final = re.compile(rb'"(?:facesluice[Il]d|deviceId)\s*"\s*:?\s*"?\s*([\w@.:-]{1,64})', re.IGNORECASE)
_NUMBER: Final = re.compile(
    rb'"(RecordID|SnapID|SnapOrRecord[Il]De?)\s*"\s*:?\s*"?\s*(\d{1,18})', re.IGNORECASE
)


def _found(pattern: re.Pattern[bytes], body: bytes) -> str | None:
    found = pattern.search(body)
    return None if found is None else found.group(1).decode("utf-8", "replace")


def _record_in(body: bytes) -> tuple[int, str, str] | None:
    """The same as `record_of`, out of bytes that are no JSON."""
    found = _NUMBER.search(body)
    if found is None:
        return None
    name = found.group(1).decode().casefold()
    kind, prefix = {"recordid": (2, "rec"), "snapid": (1, "snap")}.get(name, (3, "push"))
    return kind, prefix, found.group(2).decode()


def _push_ack(down: str | None, record: tuple[int, str, str] | None) -> tuple[Outgoing, ...]:
    """Tells the terminal that it need not send this record again."""
    if down is None or record is None:
        return ()
    kind, prefix, found = record
    name: int | str = int(found) if found.isascii() and found.isdigit() else found
    told = {
        "operator": "PushAck",
        "messageId": f"PushAck-{prefix}-{found}",
        "info": {"PushAckType": kind, "SnapOrRecordID": name},
    }
    return (Outgoing(down, msgspec.json.encode(told)),)


def _online_ack(down: str | None, stated: str | None) -> tuple[Outgoing, ...]:
    if down is None or stated is None:
        return ()
    told = {
        "operator": "Online-Ack",
        "messageId": "Online-Ack",
        "info": {"facesluiceId": stated, "result": "ok", "detail": ""},
    }
    return (Outgoing(down, msgspec.json.encode(told)),)
