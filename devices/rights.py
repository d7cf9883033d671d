"""What a registered device may do at the broker: its own topics, and nobody else's.

A topic says who speaks only where the broker lets nobody else use it. Topics that all devices
of a vendor share (`mqtt/face/basic`) carry no such proof, so they are open to a device only
where its registration says that it is configured so; its own topics are better wherever the
vendor knows them.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from bus import subjects
from devices.adapters import ADAPTERS, matches
from devices.adapters.contract import Adapter, Rights
from devices.directory import DeviceFacts
from devices.roots import root_of, rooted

# No device is called so: topics that stay the same under this name are shared.
_NOBODY: Final = "nobody-is-called-so"
# In a topic, a NATS subject, a Mosquitto ACL and an Erlang string alike this is only a name.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:@=-]{1,128}")


def is_plain_name(external_id: str) -> bool:
    """Whether an external id can stand in a topic without meaning more than itself."""
    return _PLAIN.fullmatch(external_id) is not None


@lru_cache(4096)
def rights_of(device: DeviceFacts) -> Rights:
    """The MQTT filters of a device; empty for one behind a gateway and for one that only pushes by HTTP."""
    adapter = ADAPTERS.get(device.adapter)
    if adapter is None or device.gateway is not None:
        return Rights()
    if adapter.name == "native":
        branch = f"{subjects.MQTT_ROOT}/{device.compound}/{device.device_id}"
        return Rights((f"{branch}/up/#",), (f"{branch}/down/#",))
    name = device.name_on_wire
    if not is_plain_name(name):
        return Rights()
    granted = adapter.rights(name)
    if adapter.root is not None:
        root = root_of(device, adapter)
        return Rights(
            tuple(rooted(one, adapter, root) for one in granted.publish),
            tuple(rooted(one, adapter, root) for one in granted.subscribe),
        )
    shared = shared_topics(adapter)
    extra = tuple(one for one in shared if device.shared_topics and one not in _listening(adapter))
    return Rights(
        tuple(dict.fromkeys((*(one for one in granted.publish if one not in shared), *extra))),
        tuple(one for one in granted.subscribe if device.shared_topics or one not in shared),
    )


def shared_topics(adapter: Adapter) -> tuple[str, ...]:
    """The filters on which devices of this vendor publish and listen together."""
    if adapter.root is not None:
        return ()
    nobodys = adapter.rights(_NOBODY)
    granted = (one for one in (*nobodys.publish, *nobodys.subscribe) if _NOBODY not in one)
    # What ingest listens to by name and without a wildcard, all devices of a vendor write.
    listed = (one for one in adapter.topics if "+" not in one and "#" not in one)
    return tuple(dict.fromkeys((*granted, *listed)))


def knows_only_shared_topics(adapter: Adapter) -> bool:
    """Whether this vendor's devices cannot be configured to publish on topics of their own."""
    topics = adapter.rights(_NOBODY).publish
    return bool(topics) and adapter.root is None and all(_NOBODY not in one for one in topics)


def proves(device: DeviceFacts, topic: str) -> bool:
    """Whether the broker lets nobody but this device publish on a topic."""
    levels = topic.split("/")
    return any(matches(one.split("/"), levels) for one in _unshared(device))


def overlapping(device: DeviceFacts, others: Iterable[DeviceFacts]) -> str | None:
    """A device whose own topics this one could write as well; None where there is none.

    Shared topics are left out: whoever may use them is known not to be alone.
    """
    mine = _unshared(device)
    for other in others:
        if other.device_id == device.device_id:
            continue
        if any(intersect(one, two) for one in mine for two in _unshared(other)):
            return other.device_id
    return None


def intersect(one: str, two: str) -> bool:
    """Whether some topic matches both MQTT filters."""
    return _meet(one.split("/"), two.split("/"))


def _meet(one: Sequence[str], two: Sequence[str]) -> bool:
    for position in range(max(len(one), len(two)) + 1):
        mine = one[position] if position < len(one) else None
        other = two[position] if position < len(two) else None
        # `#` stands for any number of levels, none among them.
        if "#" in {mine, other}:
            return True
        if mine is None or other is None:
            return mine is other
        if mine != other and "+" not in {mine, other}:
            return False
    return True


def _unshared(device: DeviceFacts) -> tuple[str, ...]:
    adapter = ADAPTERS.get(device.adapter)
    shared = shared_topics(adapter) if adapter is not None else ()
    return tuple(one for one in rights_of(device).publish if one not in shared)


def _listening(adapter: Adapter) -> tuple[str, ...]:
    return adapter.rights(_NOBODY).subscribe
