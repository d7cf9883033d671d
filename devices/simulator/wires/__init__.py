"""Each vendor's half of its protocol, written from its documents and not from our adapters."""

from typing import Final

from devices.simulator.wires.artemis import ArtemisWire
from devices.simulator.wires.axis import AxisWire
from devices.simulator.wires.chirpstack import ChirpStackWire
from devices.simulator.wires.dahua import DahuaWire
from devices.simulator.wires.double_take import DoubleTakeWire
from devices.simulator.wires.facesluice import FacesluiceWire
from devices.simulator.wires.frigate import FrigateWire
from devices.simulator.wires.ga1400 import Ga1400Wire
from devices.simulator.wires.haan import HaanWire
from devices.simulator.wires.hc_iot import HcIotWire
from devices.simulator.wires.hikvision import HikvisionWire
from devices.simulator.wires.homeassistant import HomeAssistantWire
from devices.simulator.wires.jsske import JsskeWire
from devices.simulator.wires.luozhi import LuozhiWire
from devices.simulator.wires.native import NativeWire
from devices.simulator.wires.onvif import OnvifWire
from devices.simulator.wires.shelly import ShellyWire
from devices.simulator.wires.sparkplug import SparkplugWire
from devices.simulator.wires.tasmota import TasmotaWire
from devices.simulator.wires.uface import UfaceWire
from devices.simulator.wires.uniview import UniviewWire
from devices.simulator.wires.wire import Fact, Happening, Heard, Message, Place, Wire
from devices.simulator.wires.yilandu import YilanduWire
from devices.simulator.wires.zhenshi import ZhenshiWire
from devices.simulator.wires.zigbee2mqtt import Zigbee2MqttWire

WIRES: Final[dict[str, type[Wire]]] = {
    wire.adapter: wire
    for wire in (
        NativeWire, FacesluiceWire, ZhenshiWire, HikvisionWire, ArtemisWire, DahuaWire, UniviewWire,
        UfaceWire, AxisWire, OnvifWire, FrigateWire, Zigbee2MqttWire, HomeAssistantWire, ShellyWire,
        TasmotaWire, ChirpStackWire, YilanduWire, LuozhiWire, HcIotWire, HaanWire, JsskeWire, Ga1400Wire,
        DoubleTakeWire, SparkplugWire,
    )
}  # fmt: skip
"""By the adapter's name."""

__all__ = ["WIRES", "Fact", "Happening", "Heard", "Message", "Place", "Wire"]
