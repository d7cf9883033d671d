"""Which adapter reads a message, and which registered device stands behind its topic."""

from functools import lru_cache

import msgspec

from devices.adapters import ADAPTERS, matches, speaking
from devices.adapters.contract import Adapter, RefusedError
from devices.directory import DeviceDirectory, DeviceFacts
from devices.roots import GATEWAYS


class Route(msgspec.Struct, frozen=True):
    """Where a message goes.

    `device` is known where the topic or the sign-in tells; elsewhere the message itself
    names its sender. `topic` has the vendor's default root; `root` is what stood in its place.
    """

    adapters: tuple[Adapter, ...]
    topic: str
    device: DeviceFacts | None = None
    root: str | None = None


@lru_cache(1)
def mqtt_filters() -> tuple[str, ...]:
    """What ingest subscribes to, in as few filters as let nothing of ours come back.

    Every filter is a consumer of its own at nats-server, which allows so many messages in
    flight over all filters of one client.
    """
    found = dict.fromkeys(wanted for adapter in ADAPTERS.values() for wanted in _merged(adapter))
    return (*found, f"{GATEWAYS}/+/#")


def _merged(adapter: Adapter) -> list[str]:
    """Filters that differ in their last level only, as one, unless it would catch what we send."""
    downward = [topic.split("/") for topic in adapter.rights("x").subscribe]
    groups: dict[str, list[str]] = {}
    for wanted in adapter.topics:
        groups.setdefault(wanted.rpartition("/")[0], []).append(wanted)
    merged: list[str] = []
    for above, group in groups.items():
        one = f"{above}/+"
        ours = any(matches(one.split("/"), topic) for topic in downward)
        several = len(group) > 1 and not any(wanted.endswith("#") for wanted in group)
        merged += [one] if several and not ours and above else group
    return merged


def find(directory: DeviceDirectory, topic: str, signed_in: str | None) -> Route:
    """The route of a message; `signed_in` is the device that pushed it by HTTP.

    Raises `RefusedError`: unknown_device, wrong_compound, wrong_topic.
    """
    if signed_in is not None:
        device = _known(directory, signed_in)
        return Route((ADAPTERS[device.adapter],), topic, device)
    parts = _levels(topic)
    if parts[:2] == ("rw", "v1"):
        return Route((ADAPTERS["native"],), topic, _native(directory, parts))
    if parts[:2] == ("rw", "gw") and len(parts) > 3:
        device = _known(directory, parts[2])
        adapter = ADAPTERS[device.adapter]
        if adapter.root is None:
            raise RefusedError("wrong_topic", f"{device.adapter} has no root of its own")
        return Route((adapter,), "/".join((adapter.root, *parts[3:])), device, "/".join(parts[:3]))
    adapters = speaking(topic)
    if not adapters:
        raise RefusedError("wrong_topic", "no adapter listens to this topic")
    return Route(adapters, topic)


def _native(directory: DeviceDirectory, parts: tuple[str, ...]) -> DeviceFacts:
    if len(parts) != 6 or parts[4] != "up":
        raise RefusedError("wrong_topic", "expected rw/v1/{compound}/{device}/up/event or …/state")
    device = _known(directory, parts[3])
    if device.compound != parts[2]:
        raise RefusedError("wrong_compound", f"{parts[3][:64]} is registered elsewhere")
    return device


def _known(directory: DeviceDirectory, device_id: str) -> DeviceFacts:
    device = directory.get(device_id)
    if device is None:
        raise RefusedError("unknown_device", device_id[:64])
    return device


@lru_cache(4096)
def _levels(topic: str) -> tuple[str, ...]:
    return tuple(topic.split("/"))
