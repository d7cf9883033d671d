"""伊兰度 (Yilandu, "YLD") face terminals over MQTT.

Sources: the public adapter of java110's MicroCommunityThings and scripts of integrators; the
vendor publishes no manual.

Topics carry dots and slashes. MQTT knows only the slash: `face.{sn}.response` is one level,
which no filter but `+` catches, so that everything of one level comes here and what is not ours
is refused as wrong_topic. nats-server (2.10 and later) writes the dot as `//` in its subjects
(`face.9f15.response` is `face//9f15//response`, still one token) and turns it back towards MQTT;
a native NATS client or a permission has to be written in that form.

`face/response` and `online/response` are shared by all terminals: which of them speaks stands
in the body alone, and a broker cannot keep one from speaking for another.
"""

import datetime as dt
import re
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
    integer,
    mark,
    number,
    percentage,
    picture,
    read_json,
    section,
    text,
)
from devices.adapters.leftovers import leftovers

_VERSION: Final = "0.2"
_OURS: Final = re.compile(r"(?:face|online)(?:[./]([^./]{1,64}))?[./]response")
_COMMAND_TOPIC: Final = re.compile(r"face(?:[./][^./]{1,64})?[./]request")
_COMMANDS: Final = {
    "create_face": "enrol",
    "update_face": "enrol",
    "delete_face": "delete",
    "gpio control": "open",
}
_ALIVE: Final = frozenset(["mqtt_online", "online", "heartbeat", "heart_beat", "keep_alive"])
_GONE: Final = frozenset(["mqtt_offline", "offline"])
# A person on the terminal's block list; 0 is an ordinary one, 1 one of its allow list.
_BLOCKED: Final = 2
# A visitor's time has an end; where none is set, the terminal still wants one.
_FOR_GOOD: Final = dt.timedelta(days=3650)

_BODY: Final[Mapping[str, str]] = {
    "sn": "sender",
    "per_id": "match.person_ref",
    "matched": "match.score; -1 is a comparison that failed, 0 one that was not made",
    "role": "access.denied (blocked) for 2",
    "sec": "device_time",
    "usec": "device_time, as microseconds; whole seconds on firmware without sec",
    "sequence": "record_id",
    "code": "attributes.code",
    "face_imgdata": "pictures (face)",
    "img_data": "pictures (scene)",
    "e_imgurl": "attributes.picture_path, without its query",
    "pic_name": "attributes.pic_name",
} | dict.fromkeys(["face_imgsize", "model_imgsize", "e_imgsize", "isurl", "per_id_base64"], "not kept")
# The photo that somebody was enrolled with, a name in base64 beside `name`, a body's temperature.
_UNKEPT: Final = ("model_imgdata", "name_base64", "tep")


class YilanduAdapter(Adapter):
    """Recognitions, presence and answers of YLD terminals; opening, enrolment and deletion."""

    name = "yilandu"
    title = "伊兰度 Yilandu face terminals"
    aliases = ("yilandu-yld-mqtt", "yld", "伊兰度")
    topics = ("+", "face/response", "online/response", "face/+/response")
    commands = frozenset(["open", "enrol", "delete"])
    fields: ClassVar[Mapping[str, str]] = {
        **{f"body.{name}": where for name, where in _BODY.items()},
        "body.model_imgdata": "not kept: the photo of the enrolment",
        "type": "face_result",
        "flag": "late for offline_face_result",
        "cmd": "sign of life, or which command is answered",
        "sn": "sender",
        "cmd_id": "command_id",
        "code": "code of an answer, 0 for done",
        "reply": "text of an answer",
        "per_id": "the person that an answer is about",
    }

    def decode(self, message: Incoming) -> Decoded:
        if message.topic and _COMMAND_TOPIC.fullmatch(message.topic) is not None:
            raise RefusedError("command_not_event", "a request to a terminal")
        ours = _OURS.fullmatch(message.topic)
        if message.topic and ours is None:
            raise RefusedError("wrong_topic", "expected face.{sn}.response, face/response or online/response")
        data = read_json(message.body)
        sn = (
            (ours.group(1) if ours else None) or text(data.get("sn")) or text(section(data, "body").get("sn"))
        )
        command = text(data.get("cmd"))
        if command in _ALIVE or command in _GONE:
            facts = {} if (address := text(data.get("ipaddr"))) is None else {"ip": address}
            return Decoded(sn, signs=(SignOfLife(command in _ALIVE, facts=facts),))
        if command is not None:
            return _answer(data, sn, command)
        kind = text(data.get("type"))
        if kind in {"heartbeat", "heart_beat"}:
            return Decoded(sn, signs=(SignOfLife(online=True),))
        if kind != "face_result":
            raise RefusedError("unknown_type", (kind or ", ".join(data))[:64])
        return _recognition(data, sn)

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        common = {"client_id": order.external_id, "cmd_id": order.id, "version": _VERSION}
        match order.kind:
            case "open":
                told: list[dict[str, Any]] = [{"cmd": "gpio control", "ctrl_type": "on"}]
            case "enrol":
                told = [_person(order, position) for position in range(len(order.people))]
            case "delete":
                told = [{"cmd": "delete_face", "type": 0, "per_id": ref} for ref in order.refs]
            case _:
                raise UnsupportedError(self.name, order.kind)
        topic = f"face.{order.external_id}.request"
        return tuple(Outgoing(topic, msgspec.json.encode(common | one), 1) for one in told)

    def rights(self, external_id: str) -> Rights:
        return Rights(
            (
                f"face.{external_id}.response",
                f"face/{external_id}/response",
                "face.response",
                "face/response",
                "online.response",
                "online/response",
            ),
            (f"face.{external_id}.request",),
        )


def _person(order: Order, position: int) -> dict[str, Any]:
    """One person of the terminal's list. The number of an identity document has a field and never a value."""
    person = order.people[position]
    if person.picture_url is None:
        raise UnsupportedError(YilanduAdapter.name, "enrol without a picture")
    until = person.valid_until or order.at + _FOR_GOOD
    return {
        "cmd": "create_face",
        "per_id": person.ref,
        "face_id": person.ref,
        "per_name": person.label,
        "idcardNum": "",
        "idcardper": "",
        "img_url": person.picture_url,
        "s_time": int((person.valid_from or order.at).timestamp() * 1000),
        "e_time": int(until.timestamp() * 1000),
        "per_type": 0,
        "usr_type": 0,
    }


def _answer(data: Mapping[str, Any], sn: str | None, command: str) -> Decoded:
    if "code" not in data and "reply" not in data and "result" not in data:
        raise RefusedError("command_not_event", command[:64])
    code = text(data.get("code")) or ""
    said = text(data.get("reply")) or text(data.get("result")) or ""
    kind = _COMMANDS.get(command)
    person = text(data.get("per_id")) if kind in {"enrol", "delete"} else None
    people = () if person is None else ((person, code == "0", code, said),)
    result = CommandResult(
        text(data.get("cmd_id")), code == "0", code, said, command=kind or command[:64], people=people
    )
    return Decoded(sn, results=(result,))


def _recognition(data: Mapping[str, Any], sn: str | None) -> Decoded:
    body = section(data, "body")
    if not body:
        raise RefusedError("missing_field", "body")
    marks: list[str] = []
    person, matched = text(body.get("per_id")), number(body.get("matched"))
    kind, reason = _verdict(person, matched, integer(body.get("role")))
    pictures: list[tuple[str, bytes]] = []
    picture(body.get("face_imgdata"), "face", pictures, marks)
    picture(body.get("img_data"), "scene", pictures, marks)
    rest, taken = leftovers(body, _BODY, _UNKEPT, "body")
    other, also_taken = leftovers(data, ("type", "flag", "body", "sn"), _UNKEPT)
    rest |= other
    if rest:
        mark(marks, "unknown_fields")
    address = text(body.get("e_imgurl"))
    attributes = {
        "reason": reason,
        "code": integer(body.get("code")),
        "pic_name": text(body.get("pic_name")),
        "picture_path": None if address is None else address.partition("?")[0],
    }
    score = percentage(matched) if matched else None
    reading = Reading(
        kind,
        (text(body.get("sequence")) or "")[:200] or None,
        _time(body, marks),
        late=text(data.get("flag")) == "offline_face_result",
        credential=CredentialUse("face") if kind != "face.captured" else None,
        match=DeviceMatch(person, score) if person is not None or score is not None else None,
        pictures=tuple(pictures),
        attributes=rest | {name: value for name, value in attributes.items() if value is not None},
        marks=tuple(marks),
    )
    return Decoded(sn, (reading,), dropped=taken + also_taken)


def _verdict(person: str | None, matched: float | None, role: int | None) -> tuple[str, str | None]:
    """(type, reason of a refusal). A terminal that knows somebody opens, unless they are blocked."""
    if role == _BLOCKED:
        return "access.denied", "blocked"
    if person is not None and (matched is None or matched > 0):
        return "access.granted", None
    if matched == 0:
        return "face.captured", None
    return "access.denied", "not_registered"


def _time(body: Mapping[str, Any], marks: list[str]) -> dt.datetime | None:
    seconds = body.get("sec")
    # Firmware without `sec` puts whole seconds where the microseconds belong.
    when = epoch(body.get("usec")) if text(seconds) is None else epoch(seconds, body.get("usec"))
    if when is None:
        given = text(seconds) or text(body.get("usec"))
        mark(marks, "time_missing" if given is None else "time_unreadable")
    return when
