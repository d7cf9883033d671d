"""The shapes in which Dahua devices send one and the same event.

| shape | from |
|---|---|
| `Code=…;action=…;index=…;data={…}` | eventManager.cgi, in a multipart stream or alone |
| `Events[0].EventBaseInfo.Code=…` lines, then a JPEG part | snapManager.cgi |
| `{"Code", "Action", "Index", "Data"}`, `{"Events": […]}` | HTTP push of terminals |
| `{"method": "client.notifyEventStream", "params": {"eventList": […]}}` | DHIP, port 5000 and 37777 |
| `{"Action", "Data", "serialNumber"}` under `DahuaVTO/{code}/Event` | DahuaVTO2MQTT |

`data=` comes last and its JSON holds semicolons and equals signs of its own, over many lines:
it is read as one object, never by the separators.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from devices.adapters.contract import RefusedError
from devices.adapters.fields import section, stripped, text
from devices.adapters.lenient import pieces, read_object, readable
from devices.adapters.multipart import is_multipart

_HEAD: Final = re.compile(
    r"Code\s*=\s*([^;\r\n]+)((?:;(?!\s*data\s*=)[^;={}\r\n]+=[^;{}\r\n]*)*)", re.IGNORECASE
)
_DATA: Final = re.compile(r";\s*data\s*=\s*(?=\{)", re.IGNORECASE)
_LINE: Final = re.compile(
    r"^\s*Events\[(\d{1,3})\]\.([^=\r\n]{1,200})=([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)
_MOST: Final = 1000
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d{1,3})\]")
_DEEPEST: Final = 12


# Says where an object ends, which msgspec does not; msgspec is the stricter reader.
_ends: Final = json.JSONDecoder()
_strict: Final = msgspec.json.Decoder()


class NobodyAskedError(Exception):
    """What a camera saw is nothing that anybody asks about."""


class Told(msgspec.Struct, frozen=True):
    """One event as the device told it. `wrap` is what stood around it: serial number, source, time."""

    code: str
    action: str
    index: str | None
    data: dict[str, Any]
    wrap: dict[str, Any]


class Body(msgspec.Struct, frozen=True):
    """A whole message: its events, its pictures in order, and whether it was a mere heartbeat."""

    events: tuple[Told, ...] = ()
    pictures: tuple[bytes, ...] = ()
    alive: bool = False
    # An object of none of these shapes: a plate camera's own push, an answer.
    other: dict[str, Any] = {}


def read(body: bytes, content_type: str | None) -> Body:
    """Raises `RefusedError`: too_large, malformed_json, malformed_form, malformed_multipart."""
    found = _of_parts(body, content_type) if is_multipart(body, content_type) else _of_text(body)
    if len(found.events) > _MOST:
        raise RefusedError("too_large", f"{len(found.events)} events, at most {_MOST}")
    return found


def _of_parts(body: bytes, content_type: str | None) -> Body:
    found = pieces(body, content_type)
    told = [_of_text(document) for document in found.documents if document.strip()]
    return Body(
        tuple(event for one in told for event in one.events),
        found.pictures,
        any(one.alive for one in told),
        next((one.other for one in told if one.other), {}),
    )


def _of_text(body: bytes) -> Body:
    cut = readable(body).strip()
    if cut[:1] in {b"{", b"["}:
        return _of_json(cut)
    lines = cut.decode("utf-8", "replace")
    if lines.lower().startswith("heartbeat") and "=" not in lines:
        return Body(alive=True)
    events = (*_streamed(lines), *_listed(lines))
    if events:
        return Body(events)
    raise RefusedError("malformed_form", "neither JSON nor Code=…")


def _of_json(body: bytes) -> Body:
    if body[:1] == b"[":
        body = b'{"Events":' + body + b"}"
    data = read_object(body)
    params = section(data, "params")
    for listed in (data.get("Events"), data.get("events"), params.get("eventList"), data.get("eventList")):
        if isinstance(listed, list):
            wrap = {name: value for name, value in data.items() if not isinstance(value, dict | list)}
            return Body(tuple(_told(one, wrap) for one in listed if isinstance(one, dict)))
    if _field(data, "Code") is not None or ("Action" in data and isinstance(data.get("Data"), dict)):
        return Body((_told(data, {}),))
    return Body(other=data)


def _told(one: dict[str, Any], wrap: dict[str, Any]) -> Told:
    base = section(one, "EventBaseInfo")
    data = one.get("Data", one.get("data"))
    around = wrap | {name: value for name, value in one.items() if not isinstance(value, dict | list)}
    if not isinstance(data, dict):
        # Lines of snapManager.cgi, and some JSON, have the fields beside the code.
        data = {name: value for name, value in one.items() if name not in _BASE}
        around = wrap
    code = _field(one, "Code") or _field(base, "Code") or ""
    action = _field(one, "Action") or _field(base, "Action") or ""
    return Told(code, action.lower(), _field(one, "Index") or _field(base, "Index"), data, around)


_BASE: Final = frozenset(["EventBaseInfo", "Code", "code", "Action", "action", "Index", "index", "Param"])


def _field(data: Mapping[str, Any], name: str) -> str | None:
    found = text(data.get(name))
    return text(data.get(name.lower())) if found is None else found


def _streamed(lines: str) -> Iterator[Told]:
    """Events of eventManager.cgi. Raises `RefusedError` where `data=` is no JSON."""
    position = 0
    while (head := _HEAD.search(lines, position)) is not None:
        # `EventBaseInfo.Code=` belongs to the other kind of lines.
        if head.start() and lines[head.start() - 1] not in "\r\n \t":
            position = head.end()
            continue
        words = {"code": head.group(1).strip()}
        for pair in head.group(2).split(";"):
            name, _, value = pair.partition("=")
            words[name.strip().lower()] = value.strip()
        position = head.end()
        data: dict[str, Any] = {}
        begins = _DATA.match(lines, position)
        if begins is not None:
            data, position = _object(lines, begins.end())
        yield Told(words["code"], words.get("action", "").lower(), words.get("index"), data, {})


def _object(lines: str, start: int) -> tuple[dict[str, Any], int]:
    """The object that begins at `start`, and where it ends. Raises `RefusedError`."""
    try:
        _, end = _ends.raw_decode(lines, start)
        value = _strict.decode(lines[start:end].encode())
    except (ValueError, RecursionError) as error:
        raise RefusedError("malformed_json", f"data= {error}"[:200]) from None
    data: dict[str, Any] = stripped(value)
    return data, end


def _listed(lines: str) -> tuple[Told, ...]:
    """Events of snapManager.cgi: one path and value a line."""
    events: dict[int, dict[str, Any]] = {}
    for line in _LINE.finditer(lines):
        number, path, value = line.groups()
        steps = [step.group(1) or int(step.group(2)) for step in _STEP.finditer(path.strip())]
        if 0 < len(steps) <= _DEEPEST:
            _put(events.setdefault(int(number), {}), steps, value.strip())
    plain = ({str(name): _plain(value) for name, value in one.items()} for _, one in sorted(events.items()))
    return tuple(_told(event, {}) for event in plain)


def _put(tree: dict[Any, Any], steps: list[Any], value: str) -> None:
    for step in steps[:-1]:
        below = tree.get(step)
        if not isinstance(below, dict):
            below = tree[step] = {}
        tree = below
    tree[steps[-1]] = value


def _plain(tree: Any) -> Any:
    """Objects whose keys are numbers, as the lists that they were."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(isinstance(key, int) for key in tree):
        return [_plain(tree[key]) for key in sorted(tree)]
    return {str(key): _plain(value) for key, value in tree.items()}
