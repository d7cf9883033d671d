"""Sparkplug B: edge nodes that tell of contacts, detectors and buttons as named metrics.

Quirks:

- payloads are protobuf, not JSON;
- `is_historical` marks what the node kept back while it was cut off: it completes history and
  says nothing of how things stand now;
- a metric may be named by an alias that only its birth certificate explains; whoever joins later
  cannot read it, so nodes have to be set to send names: an alias alone is refused;
- NDEATH is the last will and its time is that of the connection, not of the death;
- commands (NCMD, DCMD) share the namespace;
- a node's name is its own within its group only: here it has to be one's own altogether, since a
  name with a slash in it can be granted no topics.

Source: the Sparkplug 3.0 specification, chapters 4 (topics) and 6 (payload B).
"""

import struct
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from devices.adapters import protobuf, states
from devices.adapters.contract import (
    MAX_BYTES,
    Adapter,
    Decoded,
    Incoming,
    Reading,
    RefusedError,
    Rights,
    SignOfLife,
)
from devices.adapters.fields import epoch, flag, mark

ROOT: Final = "spBv1.0"
MAX_NAME: Final = 150


class _Metric(msgspec.Struct):
    name: str | None = None
    alias: int | None = None
    timestamp: int | None = None
    is_historical: bool = False
    is_null: bool = False
    value: Any = None


class SparkplugAdapter(Adapter):
    """An edge node and the devices behind it."""

    name = "sparkplug"
    title = "Sparkplug B"
    aliases = ("sparkplug_b", "spb")
    topics = tuple(f"{ROOT}/+/{kind}/+" for kind in ("NBIRTH", "NDATA", "NDEATH")) + tuple(
        f"{ROOT}/+/{kind}/+/+" for kind in ("DBIRTH", "DDATA", "DDEATH")
    )
    gateway = True
    root = ROOT
    fields: ClassVar[Mapping[str, str]] = {
        "topic.edge_node": "sender",
        "topic.device": "device",
        "payload.timestamp": "device_time where the metric has none",
        "payload.seq": "unused: the time of each metric tells more",
        "payload.metrics[].name": "type and point, by what the name says",
        "payload.metrics[].timestamp": "device_time",
        "payload.metrics[].is_historical": "late",
        "payload.metrics[].boolean_value": "point",
        "payload.metrics[].int_value": "point: 1 is true",
        "payload.metrics[].string_value": "point: on, off, true, false",
    }

    def decode(self, message: Incoming) -> Decoded:
        kind, node, device = _place(message.topic)
        if kind in {"NDEATH", "DDEATH"}:
            return Decoded(node, signs=(SignOfLife(False, device=device),))
        if len(message.body) > MAX_BYTES:
            raise RefusedError("too_large", f"{len(message.body)} bytes, at most {MAX_BYTES}")
        told_at, metrics = _payload(message.body)
        nameless = [metric for metric in metrics if metric.name is None]
        readings = [
            reading
            for metric in metrics
            if metric.name is not None and not metric.is_null
            for reading in _readings(metric, device, told_at)
        ]
        partial = None
        if nameless:
            partial = ("missing_field", "a metric without its name: set the edge node to send no aliases")
            if len(nameless) == len(metrics):
                raise RefusedError(*partial)
        is_birth = kind in {"NBIRTH", "DBIRTH"}
        live = None if any(metric.is_historical for metric in metrics) else epoch(told_at)
        return Decoded(
            node,
            tuple(readings),
            (SignOfLife(True, live, device, birth=is_birth),),
            partial=partial,
            ignored=None if readings or partial else "not_security",
        )

    def rights(self, external_id: str) -> Rights:
        own = [f"{ROOT}/+/{kind}/{external_id}" for kind in ("NBIRTH", "NDATA", "NDEATH")]
        behind = [f"{ROOT}/+/{kind}/{external_id}/+" for kind in ("DBIRTH", "DDATA", "DDEATH")]
        return Rights((*own, *behind), (f"{ROOT}/+/NCMD/{external_id}", f"{ROOT}/+/DCMD/{external_id}/+"))


def _place(topic: str) -> tuple[str, str | None, str | None]:
    """(message type, edge node, device); a message without its topic is read as data of a node."""
    if not topic:
        return "NDATA", None, None
    parts = topic.split("/")
    if parts[0] != ROOT or not 4 <= len(parts) <= 5:
        raise RefusedError("wrong_topic", f"expected {ROOT}/{{group}}/{{type}}/{{node}}[/{{device}}]")
    kind = parts[2]
    if kind in {"NCMD", "DCMD", "STATE"}:
        raise RefusedError("command_not_event", kind)
    if kind not in {"NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"}:
        raise RefusedError("wrong_topic", f"no message type {kind[:32]}")
    if (kind[0] == "D") != (len(parts) == 5):
        raise RefusedError("wrong_topic", "a device's message names its device, a node's does not")
    return kind, parts[3], parts[4] if len(parts) == 5 else None


def _payload(body: bytes) -> tuple[int | None, list[_Metric]]:
    told_at: int | None = None
    metrics: list[_Metric] = []
    for number, value in protobuf.fields(body):
        if number == 1 and isinstance(value, int):
            told_at = value
        elif number == 2 and isinstance(value, bytes):
            metrics.append(_metric(value))
    return told_at, metrics


def _metric(content: bytes) -> _Metric:
    """One metric; fields by their numbers in the specification's sparkplug_b.proto."""
    metric = _Metric()
    for number, value in protobuf.fields(content):
        if isinstance(value, bytes):
            if number == 1:
                metric.name = value.decode("utf-8", "replace").replace("\0", "")[:MAX_NAME] or None
            elif number == 15:
                metric.value = value.decode("utf-8", "replace")
            continue
        match number:
            case 2:
                metric.alias = value
            case 3:
                metric.timestamp = value
            case 5:
                metric.is_historical = bool(value)
            case 7:
                metric.is_null = bool(value)
            case 10 | 11:
                metric.value = value
            case 12:
                metric.value = struct.unpack("<f", value.to_bytes(4, "little"))[0] if value < 2**32 else None
            case 13:
                metric.value = struct.unpack("<d", value.to_bytes(8, "little"))[0]
            case 14:
                metric.value = bool(value)
    return metric


def _readings(metric: _Metric, device: str | None, told_at: int | None) -> list[Reading]:
    """What a metric means, by the name that its installer gave it; nothing for what is no state."""
    name = metric.name or ""
    what = states.meaning(name)
    is_on = flag(metric.value)
    if what is None or is_on is None:
        return []
    when = epoch(told_at if metric.timestamp is None else metric.timestamp)
    marks: list[str] = []
    if when is None:
        mark(marks, "time_missing")
    reading = states.state(what, is_on, {"device": device, "device_time": when, "marks": tuple(marks)}, name)
    if reading is None:
        return []
    if not metric.is_historical:
        return [reading]
    if reading.rests:
        return []
    # How it was then is no point: it must not move what is known of now.
    return [msgspec.structs.replace(reading, late=True, point=None, record_id=f"metric:{name}")]
