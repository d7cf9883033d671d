"""One file for each vendor's format, behind one contract (`devices.adapters.contract`).

`named` finds an adapter by name or alias, `speaking` those whose topics match; an adapter
is added by listing its class in `_CLASSES` and its tier in `tiers.toml`.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from devices.adapters.artemis import ArtemisAdapter
from devices.adapters.axis import AxisAdapter
from devices.adapters.chirpstack import ChirpStackAdapter
from devices.adapters.contract import Adapter
from devices.adapters.dahua import DahuaAdapter
from devices.adapters.double_take import DoubleTakeAdapter
from devices.adapters.facesluice import FacesluiceAdapter
from devices.adapters.frigate import FrigateAdapter
from devices.adapters.ga1400 import Ga1400Adapter
from devices.adapters.haan import HaanAdapter
from devices.adapters.hc_iot import HcIotAdapter
from devices.adapters.hikvision import HikvisionAdapter
from devices.adapters.homeassistant import HomeAssistantAdapter
from devices.adapters.jsske import JsskeAdapter
from devices.adapters.luozhi import LuozhiAdapter
from devices.adapters.native import NativeAdapter
from devices.adapters.onvif import OnvifAdapter
from devices.adapters.shelly import ShellyAdapter
from devices.adapters.sparkplug import SparkplugAdapter
from devices.adapters.tasmota import TasmotaAdapter
from devices.adapters.uface import UfaceAdapter
from devices.adapters.uniview import UniviewAdapter
from devices.adapters.yilandu import YilanduAdapter
from devices.adapters.zhenshi import ZhenshiAdapter
from devices.adapters.zigbee2mqtt import Zigbee2MqttAdapter

_CLASSES: Final[tuple[type[Adapter], ...]] = (
    NativeAdapter,
    HikvisionAdapter,
    ArtemisAdapter,
    Ga1400Adapter,
    FacesluiceAdapter,
    HaanAdapter,
    JsskeAdapter,
    DahuaAdapter,
    UniviewAdapter,
    AxisAdapter,
    OnvifAdapter,
    ZhenshiAdapter,
    YilanduAdapter,
    UfaceAdapter,
    LuozhiAdapter,
    HcIotAdapter,
    FrigateAdapter,
    DoubleTakeAdapter,
    Zigbee2MqttAdapter,
    HomeAssistantAdapter,
    ShellyAdapter,
    TasmotaAdapter,
    SparkplugAdapter,
    ChirpStackAdapter,
)

ADAPTERS: Final[dict[str, Adapter]] = {kind.name: kind() for kind in _CLASSES}


def named(name: str) -> Adapter:
    """The adapter of that name or alias, in any case, with - for _. Raises `KeyError`."""
    wanted = _key(name)
    for adapter in ADAPTERS.values():
        if wanted in map(_key, (adapter.name, *adapter.aliases)):
            return adapter
    raise KeyError(name)


@lru_cache(4096)
def speaking(topic: str) -> tuple[Adapter, ...]:
    """The adapters whose topic filters match an MQTT topic, most particular filter first."""
    levels = topic.split("/")
    found: list[tuple[int, Adapter]] = []
    for adapter in ADAPTERS.values():
        fits = [wanted for wanted in adapter.topics if matches(wanted.split("/"), levels)]
        if fits:
            found.append((min(map(_width, fits)), adapter))
    return tuple(adapter for _, adapter in sorted(found, key=lambda pair: pair[0]))


def filters() -> tuple[str, ...]:
    """Every topic filter that some adapter listens to."""
    return tuple(dict.fromkeys(wanted for adapter in ADAPTERS.values() for wanted in adapter.topics))


def named_in(adapter: Adapter, topic: str) -> str | None:
    """Who speaks by a topic alone: a device's name is the first level that its vendor leaves open."""
    levels = topic.split("/")
    for wanted in adapter.topics:
        parts = wanted.split("/")
        if "+" in parts and matches(parts, levels):
            return levels[parts.index("+")]
    return adapter.root if adapter.root == levels[0] else None


def matches(wanted: Sequence[str], levels: Sequence[str]) -> bool:
    """Whether an MQTT topic filter matches a topic, both split at their slashes."""
    for position, level in enumerate(wanted):
        if level == "#":
            return True
        if position >= len(levels) or level not in {"+", levels[position]}:
            return False
    return len(wanted) == len(levels)


def _width(wanted: str) -> int:
    """How much a filter leaves open: the fewer wildcards, the more particular."""
    return sum(10 if level == "#" else 1 for level in wanted.split("/") if level in {"+", "#"})


def _key(name: str) -> str:
    return name.lower().replace("-", "_")
