"""Who there is: the devices of a simulated compound, in shares like those of real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from devices.simulator.wires import WIRES


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a device is for: what it sees (canonical type → weight), what it is, and where it hangs."""

    sees: Mapping[str, int]
    kind: str
    ring: str
    # Happenings an hour, over the whole hour with its peak.
    an_hour: float
    # Share of happenings that bring a picture.
    pictured: float = 0.0


PURPOSES: Final[Mapping[str, Purpose]] = {
    "gate": Purpose(
        {"access.granted": 84, "access.denied": 6, "face.captured": 10}, "turnstile", "entrance", 120, 0.3
    ),
    "door": Purpose(
        {"access.granted": 88, "access.denied": 6, "face.captured": 6}, "door", "building", 45, 0.25
    ),
    "plate": Purpose({"plate.recognised": 92, "plate.none": 8}, "plate_camera", "entrance", 75, 0.6),
    "scene": Purpose(
        {"video.line_crossing": 55, "video.intrusion": 20, "video.loitering": 10, "video.object_left": 5,
         "face.captured": 10},
        "scene_camera", "common", 25, 0.4,
    ),
    "recorder": Purpose(
        {"plate.recognised": 50, "face.identified": 30, "face.unknown": 10, "video.intrusion": 10,
         "face.captured": 10},
        "scene_camera", "common", 30,
    ),
    "contact": Purpose({"door.opened": 1}, "sensor", "building", 20),
    "detector": Purpose({"alarm.smoke": 1}, "sensor", "building", 0.5),
    "button": Purpose({"alarm.sos": 1}, "sensor", "common", 0.7),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """So many devices of one wire and purpose among three hundred; `behind`: on one gateway."""

    wire: str
    purpose: str
    share: float


MIX: Final[Sequence[Line]] = (
    Line("native", "gate", 8), Line("native", "plate", 4), Line("native", "contact", 8),
    Line("facesluice", "gate", 20), Line("facesluice", "door", 34),
    Line("zhenshi", "plate", 14),
    Line("hikvision", "door", 18), Line("hikvision", "plate", 6), Line("hikvision", "scene", 14),
    Line("dahua", "door", 12), Line("dahua", "scene", 8), Line("dahua", "plate", 3),
    Line("uniview", "door", 10), Line("uniview", "scene", 5),
    Line("uface", "gate", 4), Line("uface", "door", 16),
    Line("axis", "scene", 8), Line("axis", "plate", 2),
    Line("onvif", "scene", 10),
    Line("haan", "door", 8), Line("jsske", "gate", 3), Line("yilandu", "door", 6), Line("luozhi", "door", 6),
    Line("shelly", "contact", 8), Line("shelly", "button", 4), Line("tasmota", "contact", 6),
    Line("artemis", "door", 8), Line("artemis", "scene", 4), Line("artemis", "plate", 2),
    Line("frigate", "recorder", 5), Line("double_take", "recorder", 3),
    Line("zigbee2mqtt", "contact", 8), Line("zigbee2mqtt", "detector", 6), Line("zigbee2mqtt", "button", 3),
    Line("homeassistant", "contact", 4), Line("homeassistant", "detector", 2),
    Line("chirpstack", "contact", 5), Line("chirpstack", "detector", 4), Line("chirpstack", "button", 3),
    Line("sparkplug", "contact", 4), Line("sparkplug", "button", 1),
    Line("hc_iot", "door", 4), Line("ga1400", "plate", 2), Line("ga1400", "recorder", 3),
)  # fmt: skip
"""A compound that has bought from everybody for ten years."""
_FULL: Final = 300


@dataclass(frozen=True, slots=True)
class Member:
    """One device. `name` is its own in its vendor's messages, `gateway` the id of whoever speaks for it.

    A gateway itself sees nothing: `purpose` is None.
    """

    device_id: str
    wire: str
    name: str
    purpose: str | None
    gateway: str | None = None
    direction: str | None = None

    @property
    def sees(self) -> Mapping[str, int]:
        """What it can see and its protocol can say, with weights."""
        if self.purpose is None:
            return {}
        can = WIRES[self.wire].can
        return {kind: weight for kind, weight in PURPOSES[self.purpose].sees.items() if kind in can}


def fleet(devices: int, mix: Sequence[Line] = MIX) -> tuple[Member, ...]:
    """`devices` members in the shares of the mix, gateways not counted, gateways first.

    With fewer devices than lines some lines have none; every vendor has one if there are
    devices enough.
    """
    counts = _shares(devices, mix)
    gateways: dict[str, Member] = {}
    members: list[Member] = []
    numbers: dict[str, int] = {}
    for line, count in zip(mix, counts, strict=True):
        for _ in range(count):
            number = numbers[line.wire] = numbers.get(line.wire, 0) + 1
            gateway = None
            if WIRES[line.wire].gateway:
                gateway = f"sim-{line.wire}"
                gateways.setdefault(
                    gateway, Member(gateway, line.wire, _gateway_name(line.wire, gateway), None)
                )
            members.append(
                Member(
                    f"sim-{line.wire}-{number:03d}",
                    line.wire,
                    _name(line.wire, line.purpose, number),
                    line.purpose,
                    gateway,
                    "out" if number % 3 == 0 else "in",
                )
            )
    return (*gateways.values(), *members)


def _shares(devices: int, mix: Sequence[Line]) -> list[int]:
    """Whole numbers in the shares of the mix: first one for each vendor, then by the largest remainder."""
    first = {line.wire: position for position, line in reversed(list(enumerate(mix)))}
    counts = [0] * len(mix)
    for position in sorted(first.values())[:devices]:
        counts[position] = 1
    left = devices - sum(counts)
    total = sum(line.share for line in mix)
    wished = [max(0.0, line.share * devices / total - counts[at]) for at, line in enumerate(mix)]
    scale = left / sum(wished) if sum(wished) else 0.0
    exact = [one * scale for one in wished]
    for at, one in enumerate(exact):
        counts[at] += int(one)
    by_remainder = sorted(range(len(mix)), key=lambda at: exact[at] - int(exact[at]), reverse=True)
    for at in by_remainder[: devices - sum(counts)]:
        counts[at] += 1
    return counts


def _gateway_name(wire: str, device_id: str) -> str:
    return "53050200005030000001" if wire == "ga1400" else device_id


def _name(wire: str, purpose: str, number: int) -> str:
    """A name such as the vendor gives, or an installer."""
    word = {"contact": "door", "detector": "smoke", "button": "sos"}.get(purpose, "cam")
    return {
        "native": f"sim-native-{number:03d}",
        "facesluice": f"{2_000_000 + number}",
        "jsske": f"s{number}:{30 + number}",
        "haan": f"HA{number:08d}",
        "zhenshi": f"b7d1{number:04x}-5a31c0de",
        "hikvision": f"DS0K1T671{number:07d}",
        "dahua": f"9D0A07{number:06d}",
        "uniview": f"210235{number:010d}",
        "uface": f"84E0F42{number:09d}",
        "axis": f"ACCC8E{number:06X}",
        "onvif": f"sim-cam-{number}",
        "yilandu": f"YLD{number:06d}",
        "luozhi": f"LZ{number:06d}",
        "shelly": f"sim-{word}-s{number}",
        "tasmota": f"sim-{word}-t{number}",
        "zigbee2mqtt": f"b{number}_{word}",
        "homeassistant": f"binary_sensor.b{number}_{word}",
        "chirpstack": f"24e124136c{number:06x}",
        "artemis": f"{number:032x}",
        "ga1400": f"5305020000132{number:07d}",
    }.get(wire, f"{wire}_{word}_{number}")
