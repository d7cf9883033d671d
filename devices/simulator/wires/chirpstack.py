"""ChirpStack 4: uplinks of LoRaWAN sensors, each with a deduplication id, decoded by their codec."""

import datetime as dt
import uuid
from typing import Any, ClassVar, Final

from devices.simulator.wires.wire import Fact, Happening, Message, Place, Wire, encoded, to_millisecond

_FIELDS: Final[dict[str, tuple[str, Any]]] = {
    "door.opened": ("magnet_status", "open"),
    "door.closed": ("magnet_status", "close"),
    "alarm.smoke": ("smoke", 1),
    "alarm.sos": ("sos", 1),
    "device.tamper": ("tamper_status", "uninstalled"),
}
_REST: Final = {"alarm.smoke": 0, "device.tamper": "installed"}


class ChirpStackWire(Wire):
    """The network server keeps no uplink for later; its gateways may, but then the sensors repeat them."""

    adapter = "chirpstack"
    can: ClassVar = frozenset(_FIELDS)
    keeps = False
    gateway = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._states: dict[str, str] = {}

    def tell(self, what: Happening, at: dt.datetime, *, late: bool = False) -> list[Message]:
        field, value = _FIELDS[what.kind]
        device = what.device or ""
        if what.kind.startswith("door.") and self._states.get(device) == what.kind:
            return []
        self._states[device] = what.kind
        found = [self._uplink(device, {field: value}, at, what.kind)]
        if what.kind in _REST:
            over = at + dt.timedelta(milliseconds=1)
            found.append(self._uplink(device, {field: _REST[what.kind]}, over, what.kind))
        return found

    def _uplink(self, device: str, told: dict[str, Any], at: dt.datetime, kind: str | None) -> Message:
        said = to_millisecond(at)
        number = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.place.device_id}{self.next()}"))
        body = {
            "deduplicationId": number,
            "time": said.isoformat(timespec="milliseconds"),
            "deviceInfo": {
                "tenantName": "compound",
                "applicationName": "sensors",
                "deviceName": f"sensor {device[-4:]}",
                "deviceProfileName": "contact",
                "devEui": device,
            },
            "devAddr": "00189440",
            "dr": 5,
            "fCnt": self.count,
            "fPort": 85,
            "confirmed": False,
            "object": told,
        }
        topic = f"{self.place.root or 'application'}/7/device/{device}/event/up"
        facts = () if kind is None else (Fact(kind, number, said, device),)
        return Message(topic, encoded(body), qos=1, facts=facts, ordered=True)
