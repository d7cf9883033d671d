"""罗之派 (Luozhi) face terminals, the "hiot" protocol over MQTT.

Sources: two public adapters of java110's MicroCommunityThings, one for doors and one for
attendance; the vendor publishes no manual, and the two disagree on the shape of a record
(`body` with `img_data`, `data` with `snap_image`) and of an answer (`code` 200, `status` ok).
Both are read.

Topics begin with a slash, so that their first level is empty. `/hio/device_cmd_reply` is spelt
like that by every public source. nats-server writes the leading slash as `/.` in its subjects
(`/hiot/connection` is `/.hiot.connection`) and turns it back towards MQTT.
All terminals publish on the same topics: which of them speaks stands in the body alone.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import (
    Adapter,
    CommandResult,
    Decoded,
    Incoming,
    Order,
    Outgoing,
    Reading,
    RefusedError,
    Rights,
    SignOfLife,
    UnsupportedError,
)
from devices.adapters.fields import (
    epoch,
    flag,
    mark,
    moment,
    number,
    percentage,
    picture,
    read_json,
    text,
)
from devices.adapters.leftovers import leftovers

_REPLIES: Final = frozenset(["people_send_reply", "device_cmd_reply"])
_CONFIRM: Final = "/hiot/people_send_reply"
_SERIALS: Final = ("sn", "device_sn", "device_uuid", "device_id", "machine_code")
_PERSONS: Final = ("person_uuid", "per_id", "person_id")
_TIMES: Final = ("recog_time", "record_time", "time")
_RECORDS: Final = ("record_uuid", "record_id", "sequence")
_SCORES: Final = ("matched", "similarity", "recog_score")

_BODY: Final[Mapping[str, str]] = {
    **dict.fromkeys(_SERIALS, "sender"),
    **dict.fromkeys(_PERSONS, "match.person_ref"),
    **dict.fromkeys(_TIMES, "device_time"),
    "sec": "device_time",
    "usec": "device_time",
    **dict.fromkeys(_RECORDS, "record_id"),
    **dict.fromkeys(_SCORES, "match.score, in percent"),
    "snap_image": "pictures (face)",
    "img_data": "pictures (face)",
    "face_imgdata": "pictures (face)",
    "scene_image": "pictures (scene)",
    "card": "credential.ref, where no face was compared",
}
_ENVELOPE: Final[Mapping[str, str]] = {
    "response_type": "identification_record is a recognition",
    "request_type": "a command, no event",
    "message_uuid": "record_id of a record that has none of its own; command_id of an answer",
    "message_id": "not kept",
    "confirmation_topic": "a command, no event",
    "code": "code of an answer, 200 for done",
    "status": "ok for done",
    "message_info": "text of an answer",
}
# The photo that somebody was enrolled with; where the protocol's own platform puts a citizen's number.
_UNKEPT: Final = ("model_imgdata", "product_key")


class LuozhiAdapter(Adapter):
    """Recognitions, presence and answers of hiot terminals; enrolment and deletion."""

    name = "luozhi"
    title = "罗之派 Luozhi face terminals"
    aliases = ("luozhi-hiot-mqtt", "hiot", "罗之派")
    topics = ("/hiot/+", "/hio/+")
    # One answer comes for a message, whoever stands in it: one person a message.
    commands = frozenset(["enrol", "delete"])
    fields: ClassVar[Mapping[str, str]] = {
        **{f"data.{name}": where for name, where in _BODY.items()},
        **_ENVELOPE,
    }

    def decode(self, message: Incoming) -> Decoded:
        leaf = _leaf(message.topic)
        data = read_json(message.body)
        if "confirmation_topic" in data or "request_type" in data:
            raise RefusedError("command_not_event", "a request to a terminal")
        body = _body(data)
        sn = _first(body, _SERIALS) or _first(data, _SERIALS)
        if leaf == "connection" or (leaf == "" and text(data.get("cmd")) == "mqtt_online"):
            return Decoded(sn, signs=(_sign(body),))
        if leaf in _REPLIES or ("message_uuid" in data and ("code" in data or "status" in data)):
            return _answer(data, sn)
        kind = text(data.get("response_type"))
        if kind in {"heartbeat", "heart_beat", "connection"}:
            return Decoded(sn, signs=(_sign(body),))
        if kind == "identification_record" or leaf == "record_message":
            if kind not in {None, "identification_record"}:
                raise RefusedError("unknown_type", str(kind)[:64])
            return _recognition(data, body, sn)
        raise RefusedError("unknown_type", (kind or ", ".join(data))[:64])

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        told: Any
        common: dict[str, Any] = {"confirmation_topic": _CONFIRM, "message_uuid": order.id, "message_id": "0"}
        match order.kind:
            case "enrol":
                people = [
                    {
                        "person_uuid": person.ref,
                        "name": person.label,
                        "image_url": person.picture_url or "",
                        "card": person.card or "",
                        # Fields that the terminal wants and nobody needs to fill.
                        "product_key": "",
                        "age": 0,
                        "gender": 0,
                    }
                    for person in order.people
                ]
                leaf, told = "add_data", people
            case "delete":
                leaf, told = "del_data", {"clear_all": False, "person_uuids": list(order.refs)}
            case _:
                raise UnsupportedError(self.name, order.kind)
        return (
            Outgoing(f"/hiot/{order.external_id}/{leaf}", msgspec.json.encode(common | {"data": told}), 1),
        )

    def rights(self, external_id: str) -> Rights:
        return Rights(
            ("/hiot/record_message", "/hiot/connection", _CONFIRM, "/hio/device_cmd_reply"),
            tuple(f"/hiot/{external_id}/{leaf}" for leaf in ("add_data", "del_data", "request_setting")),
        )


def _leaf(topic: str) -> str:
    """The last level of a shared topic; empty where no topic is known. Raises `RefusedError`."""
    if not topic:
        return ""
    match topic.split("/"):
        case ["", "hiot" | "hio", leaf]:
            return leaf
        case ["", "hiot", _, leaf]:
            raise RefusedError("command_not_event", leaf[:64])
    raise RefusedError("wrong_topic", "expected /hiot/record_message, /hiot/connection or a reply")


def _body(data: Mapping[str, Any]) -> dict[str, Any]:
    for name in ("data", "body"):
        value = data.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            return value
    return {}


def _first(data: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := text(data.get(name))) is not None), None)


def _sign(body: Mapping[str, Any]) -> SignOfLife:
    state = text(body.get("status")) or text(body.get("state")) or ""
    facts = {} if (address := text(body.get("ip"))) is None else {"ip": address}
    online = flag(state) is not False and state.lower() not in {"offline", "disconnected"}
    return SignOfLife(online, facts=facts)


def _answer(data: Mapping[str, Any], sn: str | None) -> Decoded:
    code = text(data.get("code")) or text(data.get("status"))
    if code is None:
        raise RefusedError("missing_field", "code")
    ok = code.lower() in {"200", "0", "ok"}
    said = text(data.get("message_info")) or ""
    return Decoded(sn, results=(CommandResult(text(data.get("message_uuid")), ok, code, said),))


def _recognition(data: Mapping[str, Any], body: Mapping[str, Any], sn: str | None) -> Decoded:
    if not body:
        raise RefusedError("missing_field", "data")
    marks: list[str] = []
    person, card = _first(body, _PERSONS), text(body.get("card"))
    # -1 is how the first source writes that nobody was found.
    person = None if person == "-1" else person
    matched = number(_first(body, _SCORES))
    if person is not None and (matched is None or matched > 0):
        kind, reason = "access.granted", None
    elif matched is None or matched == 0:
        kind, reason = "face.captured", None
    else:
        kind, reason = "access.denied", "not_registered"
    pictures: list[tuple[str, bytes]] = []
    for name, role in (
        ("snap_image", "face"),
        ("img_data", "face"),
        ("face_imgdata", "face"),
        ("scene_image", "scene"),
    ):
        picture(body.get(name), role, pictures, marks)
    rest, taken = leftovers(body, _BODY, _UNKEPT, "data" if "data" in data else "body")
    other, also_taken = leftovers(data, (*_ENVELOPE, *_BODY, "data", "body"), _UNKEPT)
    rest |= other
    if rest:
        mark(marks, "unknown_fields")
    score = percentage(matched) if matched else None
    credential = None
    if kind != "face.captured":
        by_card = card is not None and not pictures and score is None
        credential = CredentialUse("card", card) if by_card else CredentialUse("face")
    reading = Reading(
        kind,
        _record(_first(body, _RECORDS) or text(data.get("message_uuid"))),
        _time(body, marks),
        credential=credential,
        match=DeviceMatch(person, score) if person is not None or score is not None else None,
        pictures=tuple(pictures),
        attributes=rest | ({} if reason is None else {"reason": reason}),
        marks=tuple(marks),
    )
    return Decoded(sn, (reading,), dropped=taken + also_taken)


def _record(found: str | None) -> str | None:
    return None if found is None else found[:200]


def _time(body: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    """An epoch in seconds or milliseconds, or a text without a zone."""
    given = _first(body, _TIMES)
    when = epoch(body.get("sec"), body.get("usec")) if given is None else epoch(given) or moment(given)
    if when is None:
        mark(marks, "time_missing" if given is None else "time_unreadable")
    return when
