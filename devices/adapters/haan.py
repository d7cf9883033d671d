"""Face cameras and terminals of HaAn (华安), over MQTT and by HTTP push.

After benny856694/face-http-server and gateways that run with the devices. A record comes on
`topic/face/capture/request/{id}` and is kept on the camera until it is answered on
`topic/face/capture/response/{id}` with its own `sequence_no` and `cap_time`, both as they were
sent; over HTTP the same answer is the body. Commands go to `topic/face/manage/request/{id}` and are
answered beside it without any id: whoever sends one waits for its answer before the next.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from bus.messages import CredentialUse, DeviceMatch
from devices.adapters.contract import (
    Adapter,
    CommandResult,
    Decoded,
    HttpReply,
    Incoming,
    Order,
    Outgoing,
    Reading,
    Refusal,
    RefusedError,
    Rights,
    SignOfLife,
    UnsupportedError,
)
from devices.adapters.fields import (
    integer,
    mark,
    moment,
    percentage,
    picture,
    read_json,
    section,
    stripped,
    text,
)
from devices.adapters.leftovers import leftovers

_ROOT: Final = "topic/face"
# Body temperature is health data (L-13), and the picture that a person registered with is on file
# already: neither is taken down. A card's number counts where the card was shown, nowhere else.
_PRIVATE: Final = (
    "temperatur", "temperature", "has_mask", "person_attr", "customer_text", "idcard_number",
    "idcard_name", "email", "visiting_who", "person_company", "image", "wg_card_id", "long_card_id",
)  # fmt: skip
_TOP: Final = frozenset(
    [
        "cmd", "cap_time", "sequence_no", "device_sn", "device_no", "is_realtime", "match_result", "match",
        "match_failed_reson", "person", "closeup_pic", "closeup_pic_flag", "overall_pic",
        "overall_pic_flag", "video_flag", "version", "addr_no", "addr_name", "ip",
    ]
)  # fmt: skip
_MATCH: Final = frozenset(["person_id", "person_role", "match_type", "format", "is_encryption", "origin"])
_FACE: Final = frozenset(["face_quality", "turn_angle", "rotate_angle"])
_BLOCKED: Final = 2
_COMMANDS: Final[Mapping[str, str]] = {"gpio control extend": "open", "delete person(s)": "delete"}


class HaanAdapter(Adapter):
    """A camera that compares faces itself; the score is its own, in percent."""

    name = "haan"
    title = "HaAn 华安 face cameras"
    aliases = ("haan_mqtt", "huaan")
    topics = (f"{_ROOT}/capture/request/+", f"{_ROOT}/manage/response/+")
    pushes = True
    # A picture must be sent within the command and there is no address for it, so the list of
    # people can be cleared from here, but not filled.
    commands = frozenset({"open", "delete"})
    fields: ClassVar[Mapping[str, str]] = {
        "cmd": "type",
        "device_sn": "sender, where the topic names none",
        "sequence_no": "record_id",
        "cap_time": "device_time, zone of the compound",
        "is_realtime": "late where 0",
        "match_result": "match.score where above 0, type",
        "match_failed_reson": "attributes.failed_reason",
        "match.person_id": "match.person_ref",
        "match.person_role": "attributes.list",
        "match.match_type": "attributes.match_type",
        "match.wg_card_id": "credential.ref, where a card was shown",
        "person.face_quality": "attributes.face_quality",
        "closeup_pic.data": "pictures (face)",
        "overall_pic.data": "pictures (scene)",
        "ip": "facts.ip",
        "version": "facts.firmware",
        "addr_name": "facts.name",
        "code": "results.code, ok where 0",
    }

    def decode(self, message: Incoming) -> Decoded:
        data = stripped(read_json(message.body))
        named = _named(message.topic)
        sender = named or text(data.get("device_sn")) or text(data.get("device_no"))
        cmd = (text(data.get("cmd")) or "").casefold()
        if message.topic.startswith(f"{_ROOT}/manage/response/"):
            return Decoded(sender, results=(_result(data, cmd),))
        if "reply" in data:
            raise RefusedError("command_not_event", "an answer to a camera")
        if not cmd:
            raise RefusedError("missing_field", "cmd")
        if cmd in {"heart beat", "heartbeat"}:
            return Decoded(sender, signs=(_alive(data),), reply=HttpReply(b"OK"))
        if cmd in _COMMANDS or cmd in {"upload person", "request persons", "get network"}:
            raise RefusedError("command_not_event", cmd[:64])
        if cmd != "face":
            raise RefusedError("unknown_type", cmd[:64])
        reading, dropped = _face(data)
        told = _ack(data.get("sequence_no"), data.get("cap_time"))
        return Decoded(sender, (reading,), answers=_answers(named, told), reply=_reply(told), dropped=dropped)

    def refused(self, message: Incoming, reason: str) -> Refusal:
        _ = reason
        sequence, taken = _SEQUENCE.search(message.body), _TAKEN.search(message.body)
        if sequence is None or taken is None or _ANSWER.search(message.body) is not None:
            return Refusal()
        told = _ack(int(sequence.group(1)), taken.group(1).decode("utf-8", "replace"))
        return Refusal(_answers(_named(message.topic), told), _reply(told))

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        """Commands on the wire. Raises `UnsupportedError`.

        `open` closes the contact of door 1 or 2 for as long as the camera is set to; `delete` is a
        message for each person.
        """
        topic = f"{_ROOT}/manage/request/{order.external_id}"
        if order.kind == "open":
            door = integer(order.arguments.get("door")) or 1
            told = [{"cmd": "gpio control Extend", "port": door, "ctrl_type": "on", "ctrl_mode": "force"}]
        elif order.kind == "delete":
            told = [{"cmd": "delete person(s)", "flag": -1, "id": ref} for ref in order.refs]
        else:
            raise UnsupportedError(self.name, order.kind)
        # At QoS 0: nobody keeps a command for a camera that is away.
        return tuple(Outgoing(topic, msgspec.json.encode(one)) for one in told)

    def rights(self, external_id: str) -> Rights:
        return Rights(
            (f"{_ROOT}/capture/request/{external_id}", f"{_ROOT}/manage/response/{external_id}"),
            (f"{_ROOT}/capture/response/{external_id}", f"{_ROOT}/manage/request/{external_id}"),
        )


def _named(topic: str) -> str | None:
    """The device that an MQTT topic names; None for a pushed path."""
    levels = topic.split("/")
    known = len(levels) == 5 and levels[:2] == ["topic", "face"]
    return levels[4] or None if known else None


def _alive(data: Mapping[str, Any]) -> SignOfLife:
    facts = {
        name: value
        for name, value in (
            ("ip", text(data.get("ip"))),
            ("firmware", text(data.get("version"))),
            ("name", text(data.get("addr_name"))),
        )
        if value is not None
    }
    return SignOfLife(online=True, device_time=moment(data.get("cap_time")), facts=facts)


def _face(data: Mapping[str, Any]) -> tuple[Reading, tuple[str, ...]]:
    marks: list[str] = []
    pictures: list[tuple[str, bytes]] = []
    match, person = section(data, "match"), section(data, "person")
    picture(section(data, "closeup_pic").get("data"), "face", pictures, marks)
    picture(section(data, "overall_pic").get("data"), "scene", pictures, marks)
    when = text(data.get("cap_time"))
    device_time = moment(when)
    if device_time is None:
        mark(marks, "time_missing" if when is None else "time_unreadable")
    reference, score = text(match.get("person_id")), integer(data.get("match_result"))
    role = integer(match.get("person_role"))
    kind, reason = _verdict(score, reference, role)
    attributes = {
        name: value
        for name, value in (
            ("reason", reason),
            ("failed_reason", integer(data.get("match_failed_reson")) or None),
            ("match_type", _ways(match.get("match_type"))),
            ("list", {0: "none", 1: "allow", _BLOCKED: "block"}.get(-1 if role is None else role)),
            ("face_quality", integer(person.get("face_quality"))),
            ("turn_angle", integer(person.get("turn_angle"))),
            ("rotate_angle", integer(person.get("rotate_angle"))),
        )
        if value is not None
    }
    kept: dict[str, Any] = {}
    dropped: list[str] = []
    for part, known, path in ((data, _TOP, ""), (match, _MATCH, "match"), (person, _FACE, "person")):
        rest, taken = leftovers(part, known, _PRIVATE, path)
        kept |= rest
        dropped += taken
    if kept:
        mark(marks, "unknown_fields")
    sequence = text(data.get("sequence_no"))
    return Reading(
        kind,
        None if sequence is None or len(sequence) > 64 else sequence,
        device_time,
        late=integer(data.get("is_realtime")) == 0,
        credential=_used(kind, match, person),
        match=None if reference is None else DeviceMatch(reference, _score(score)),
        pictures=tuple(pictures),
        attributes=kept | attributes,
        marks=tuple(marks),
    ), tuple(dict.fromkeys(dropped))


def _ways(value: Any) -> list[str] | None:
    """How somebody was compared: face, card, any face. A list, or one word in older firmware."""
    found = [text(one) for one in (value if isinstance(value, list) else [value])]
    return [one for one in found if one is not None][:8] or None


def _verdict(score: int | None, reference: str | None, role: int | None) -> tuple[str, str | None]:
    """The type, and why somebody was refused.

    `match_result` is the score of a match, 0 where nobody was compared and -1 where the
    comparison found nobody (华安 SDK). A door that opens for any face says 100 and names nobody.
    """
    if score is not None and score > 0 and reference is not None:
        return ("access.denied", "blocked") if role == _BLOCKED else ("access.granted", None)
    return ("face.unknown" if score is not None and score < 0 else "face.captured"), None


def _score(score: int | None) -> float | None:
    return percentage(score) if score is not None and score > 0 else None


def _used(kind: str, match: Mapping[str, Any], person: Mapping[str, Any]) -> CredentialUse | None:
    if not kind.startswith("access."):
        return None
    # A card is told of as a number, 0 where there is none.
    card = integer(person.get("wg_card_id")) or integer(match.get("wg_card_id"))
    shown = "card" in str(match.get("match_type") or "").casefold()
    return CredentialUse("card", str(card)) if card and shown else CredentialUse("face")


def _result(data: Mapping[str, Any], cmd: str) -> CommandResult:
    code = text(data.get("code")) or ""
    ok = code in {"", "0"}
    person = text(data.get("id"))
    people = ((person, ok, code, ""),) if cmd == "delete person(s)" and person is not None else ()
    words = text(data.get("msg")) or text(data.get("message")) or ""
    return CommandResult(None, ok, code, words, command=_COMMANDS.get(cmd, cmd[:64]) or None, people=people)


def _ack(sequence: Any, taken: Any) -> bytes:
    """What makes the camera forget a record: its number and time, exactly as it wrote them."""
    return msgspec.json.encode(
        {"reply": "ACK", "cmd": "face", "code": 0, "sequence_no": sequence, "cap_time": taken}
    )


def _answers(named: str | None, told: bytes) -> tuple[Outgoing, ...]:
    return () if named is None else (Outgoing(f"{_ROOT}/capture/response/{named}", told),)


def _reply(told: bytes) -> HttpReply:
    return HttpReply(told, "application/json")


_SEQUENCE: Final = re.compile(rb'"sequence_no\s*"\s*:\s*"?\s*(\d{1,18})')
_TAKEN: Final = re.compile(rb'"cap_time\s*"\s*:\s*"([^"\\\r\n]{1,40})"')
_ANSWER: Final = re.compile(rb'"reply\s*"\s*:')
