"""Commands to terminals of the facesluice family, and what their answers mean.

Everything goes at QoS 0, as the vendor has it. At QoS 1 a broker would keep a command for a
terminal that is away, and a door would open long after somebody asked for it.

Shapes after V1.25 (EditPersonsNew, DeletePersons, ManualPushRecords) and, for what only terminals
with a door have (Unlock, GetSceneSnap, SetSysTime), after gateways that run with them.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from devices.adapters.contract import CommandResult, Order, Outgoing, Person, UnsupportedError
from devices.adapters.fields import integer, text

ENROL_LIMIT: Final = 1000
DELETE_LIMIT: Final = 200
_LONGEST_NAME: Final = 32
_FOREVER: Final = "2037-12-31 23:59:59"
# A visitor whose visits are not counted; the vendor counts up to this.
_UNCOUNTED: Final = 10_000

# The vendor's word → ours.
_OURS: Final[Mapping[str, str]] = {
    "unlock": "open",
    "opendoor": "open",
    "getscenesnap": "snapshot",
    "setsystime": "sync_time",
    "editperson": "enrol",
    "editpersonsnew": "enrol",
    "addpersons": "enrol",
    "delperson": "delete",
    "deletepersons": "delete",
    "manualpushrecords": "resend",
    "manualpushsnaps": "resend",
}

_BATCH: Final[Mapping[str, str]] = {
    "410": "busy: a batch is still in flight",
    "412": "DataBegin is missing",
    "413": "DataEnd is missing",
    "414": "info is missing",
    "415": "PersonNum is missing",
    "416": "PersonNum is out of range",
    "417": "PersonNum is not the number of people",
    "460": "the message is larger than 1 MB",
}
# Codes mean different things by command, and by source for one command: the number is
# always shown beside these words.
_CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "editpersonsnew": {
        **_BATCH,
        "461": "no customId",
        "463": "no picURI for somebody new",
        "464": "the picture's host name cannot be resolved",
        "465": "the picture cannot be downloaded",
        "466": "the picture is empty",
        "467": "the picture is too large",
        "468": "no usable face in the picture",
        "474": "the terminal is full",
        "478": "too similar to somebody on the list",
        "481": "no picURI",
    },
    "addpersons": {
        **_BATCH,
        "461": "customId is on the list already",
        "463": "no picURI",
        "464": "the picture's host name cannot be resolved",
        "465": "the picture cannot be downloaded",
        "466": "the picture is empty",
        "467": "the picture is too large",
        "468": "no usable face in the picture",
        "474": "the terminal is full",
        "478": "too similar to somebody on the list",
    },
    "editperson": {
        "461": "no customId",
        "462": "a parameter is wrong",
        "463": "the picture is no base64",
        "464": "no usable face in the picture",
        "465": "the terminal's database failed",
        "467": "the terminal is full",
        "468": "the picture is empty",
        "469": "the picture is too large",
        "470": "the picture's host name cannot be resolved",
        "471": "the picture's host cannot be reached",
        "472": "neither pic nor picURI",
        "474": "the terminal is full",
        "478": "too similar to somebody on the list",
        "479": "the list cannot be changed",
        "482": "the picture on the terminal cannot be read",
    },
    "deletepersons": {**_BATCH, "461": "no customId"},
    # An integrator takes 464 for "was not on the list": what was wanted is so.
    "delperson": {"461": "no customId", "464": "nobody with this customId"},
    "manualpushrecords": {
        "463": "another terminal's id",
        "464": "TimeS is missing",
        "465": "TimeE is missing",
        "467": "no record in this period",
        "468": "the last manual push is still running",
    },
    "getscenesnap": {"11000": "the camera took no picture"},
}
_ALIKE: Final[Mapping[str, str]] = {"manualpushsnaps": "manualpushrecords"}

_VERBS: Final = re.compile(
    r"(get|set|up|edit|add|del|query|search|manualpush|target|reboot|restore|show|control|subscribe"
    r"|unsubscribe|voiceplay|versions|unlock|opendoor|closedoor|persons(un)?bind|basic$|upgrade)"
)


def is_command(operator: str) -> bool:
    """Whether an operator, in lower case, is said *to* a terminal: a command, or our own answer to it."""
    if operator in {"pushack", "online-ack", "offline-ack", "heartbeat-ack"}:
        return True
    if operator.endswith("-ack"):
        return False
    return operator.endswith("ack") or (_VERBS.match(operator) is not None and not operator.endswith("push"))


def encode(adapter: str, order: Order, topic: str) -> tuple[Outgoing, ...]:
    """A command on the wire, under the order's id as `messageId`. Raises `UnsupportedError`.

    `open` has no door and no seconds: the terminal has one relay and its own opening time.
    `enrol` sends what the list needs and nothing else: our reference, the label for the screen, the
    picture's address, a card, the validity. `resend` is two messages, recognitions and strangers.
    Raises `ValueError` for more people than one batch may carry.
    """
    build = _BUILT.get(order.kind)
    if build is None:
        raise UnsupportedError(adapter, order.kind)
    return tuple(Outgoing(topic, msgspec.json.encode(message)) for message in build(order))


def _message(order: Order, operator: str, **info: Any) -> dict[str, Any]:
    return {
        "messageId": order.id,
        "operator": operator,
        "info": {"facesluiceId": order.external_id, **info},
    }


def _batch(order: Order, operator: str, count: int, info: Any) -> dict[str, Any]:
    """The flags at both ends are how the terminal sees that it got the whole."""
    return {
        "messageId": order.id,
        "DataBegin": "BeginFlag",
        "operator": operator,
        "PersonNum": count,
        "info": info,
        "DataEnd": "EndFlag",
    }


def _open(order: Order) -> list[dict[str, Any]]:
    # `uid` is whom the terminal logs as the opener; it knows none of us.
    return [_message(order, "Unlock", uid="0", openDoor=1, Showinfo="")]


def _snapshot(order: Order) -> list[dict[str, Any]]:
    return [_message(order, "GetSceneSnap", ImgType=2, ImgQuality=80)]


def _sync_time(order: Order) -> list[dict[str, Any]]:
    return [_message(order, "SetSysTime", SysTime=order.at.strftime("%Y-%m-%dT%H:%M:%S"))]


def _enrol(order: Order) -> list[dict[str, Any]]:
    if len(order.people) > ENROL_LIMIT:
        raise ValueError(f"{len(order.people)} people, at most {ENROL_LIMIT} a batch")
    people = [_person(person, order.at) for person in order.people]
    return [_batch(order, "EditPersonsNew", len(people), people)]


def _person(person: Person, at: dt.datetime) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "customId": person.ref,
        "name": person.label[:_LONGEST_NAME],
        "personType": 0,
        # Brothers and sisters look alike. The check would keep the second one of a family out.
        "isCheckSimilarity": 0,
        "tempValid": 0,
    }
    if person.picture_url is not None:
        entry["picURI"] = person.picture_url
    if person.card is not None:
        entry["RFIDCard"] = person.card
    if (person.valid_from, person.valid_until, person.uses) != (None, None, None):
        entry |= {
            "tempValid": 1,
            "validBegin": _local(person.valid_from or at),
            "validEnd": _FOREVER if person.valid_until is None else _local(person.valid_until),
            "effectNumber": _UNCOUNTED if person.uses is None else person.uses,
        }
    return entry


def _delete(order: Order) -> list[dict[str, Any]]:
    if len(order.refs) > DELETE_LIMIT:
        raise ValueError(f"{len(order.refs)} people, at most {DELETE_LIMIT} a batch")
    return [_batch(order, "DeletePersons", len(order.refs), {"customId": list(order.refs)})]


def _resend(order: Order) -> list[dict[str, Any]]:
    zone = order.at.tzinfo
    period = {
        "TimeS": _local(order.arguments["from"].astimezone(zone)),
        "TimeE": _local(order.arguments["until"].astimezone(zone)),
    }
    return [
        _message(order, "ManualPushRecords", **period, Name=""),
        _message(order, "ManualPushSnaps", **period),
    ]


def _local(when: dt.datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


_BUILT: Final[Mapping[str, Callable[[Order], list[dict[str, Any]]]]] = {
    "open": _open,
    "snapshot": _snapshot,
    "sync_time": _sync_time,
    "enrol": _enrol,
    "delete": _delete,
    "resend": _resend,
}


def result(operator: str, get: Callable[..., Any], data: Mapping[str, Any]) -> CommandResult:
    """A terminal's answer. `ok` is the command's; what became of each person stands in `people`."""
    command = operator[: -len("-Ack")]
    kind = command.casefold()
    code = text(get("code", "errcode")) or ""
    said = (text(get("result")) or "").casefold()
    ok = said in {"ok", "success"} if said else code in {"", "200"}
    if code not in {"", "0", "200"}:
        ok = False
    words = text(get("detail")) or ("" if ok else _words(kind, code))
    people = (
        *_people(kind, get("AddErrInfo", "DelErrInfo"), ok=False),
        *_people(kind, get("AddSucInfo", "DelSucInfo"), ok=True),
    )
    for counted in ("AddErrNum", "AddSucNum", "DelErrNum", "DelSucNum"):
        get(counted)
    single = text(get("customId"))
    if kind in {"editperson", "delperson"} and single is not None and not people:
        people = ((single, ok, code, words),)
    return CommandResult(
        text(data.get("messageId")),
        ok,
        code,
        words,
        command=_OURS.get(kind, command[:64]),
        people=people,
    )


def _people(kind: str, told: Any, *, ok: bool) -> tuple[tuple[str, bool, str, str], ...]:
    if isinstance(told, dict):
        told = [told]
    if not isinstance(told, list):
        return ()
    found = []
    for one in told[:ENROL_LIMIT]:
        # Some firmware lists bare references instead of objects.
        entry = one if isinstance(one, dict) else {"customId": one}
        reference = text(entry.get("customId"))
        if reference is not None:
            number = integer(entry.get("errcode", entry.get("code")))
            code = "" if number is None else str(number)
            found.append((reference, ok, code, "" if ok else _words(kind, code)))
    return tuple(found)


def _words(kind: str, code: str) -> str:
    if kind == "deletepersons" and not code:
        # The vendor counts among the failures whoever was not on the list in the first place.
        return "not deleted, or not on the list"
    return _CODES.get(_ALIKE.get(kind, kind), {}).get(code, "")
