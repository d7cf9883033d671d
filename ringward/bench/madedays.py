"""Made days of a compound: what its gates, doors, cameras and devices say, in a realistic mix.

Of the demo compound's size: 38,600 events a day (270,000 a week). Rows of events and decisions for
a database, or messages for an engine; both are functions of the seed. Nobody in them is real.
"""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bus.messages import CredentialUse, EventStored, PlateReading, Sighting
from devices.models import DeviceKind
from ringward.demo import equipment, plan

EVENTS_A_DAY: Final = 38_600
# Share of a day's passages by hour of the compound's clock: nights are quiet, there are two rushes.
_HOURS: Final = (
    *(0.4, 0.2, 0.2, 0.2, 0.4, 1.2, 4.0, 8.5, 8.0, 4.5, 3.5, 4.0),
    *(5.0, 4.0, 3.5, 4.0, 5.5, 8.0, 9.5, 8.0, 6.5, 5.0, 3.5, 1.6),
)
# What happens, and how often among a day's scenes.
_SCENES: Final = (
    ("home", 30), ("walk", 24), ("drive", 22), ("square", 14), ("visitor", 3), ("stranger", 2.5),
    ("unknown_car", 1), ("refused", 1.5), ("held", 0.6), ("alone", 0.4), ("loiter", 0.5), ("gone", 0.3),
    ("trouble", 0.2),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom a made day may name: (person, card number, zone of their building), and (vehicle, plate)."""

    people: Sequence[tuple[str, str, str]]
    cars: Sequence[tuple[str, str]]


class Day:
    """One compound's made days. `prefix` stands before every id, as `registration.under` moves them."""

    def __init__(self, compound: str, prefix: str, cast: Cast, seed: int) -> None:
        self._compound = compound
        self._cast = cast
        self._chance = random.Random(seed)  # noqa: S311 - made days, no secrets
        self._seed = seed
        self._number = 0
        # Plate → whether it is inside, and when it was seen last.
        self._cars: dict[str, tuple[bool, dt.datetime]] = {}
        rings = {zone.id: str(zone.ring) for zone in plan.zones()}
        moved = [
            (device, _moved(device.id, prefix), _moved(device.zone, prefix), rings[device.zone])
            for device in equipment.devices(plan.buildings())
            if device.id not in equipment.GUESTS
        ]
        self._places: dict[str, list[tuple[str, str, str, str | None, str | None]]] = {}
        self._lanes: dict[str | None, dict[DeviceKind, tuple[str, str, str, str | None, str | None]]] = {}
        for device, name, zone, ring in moved:
            lane = None if device.lane is None else _moved(device.lane, prefix)
            place = (name, zone, ring, lane, device.direction)
            self._places.setdefault(str(device.kind), []).append(place)
            self._lanes.setdefault(lane, {})[device.kind] = place
        kinds = [(lane, set(found)) for lane, found in self._lanes.items() if lane is not None]
        self._walks = [lane for lane, found in kinds if DeviceKind.TURNSTILE in found]
        self._drives = [lane for lane, found in kinds if DeviceKind.BARRIER in found]
        self._doors = {
            self._lanes[lane][DeviceKind.DOOR][1]: lane for lane, found in kinds if DeviceKind.DOOR in found
        }
        self._views = [
            place for place in self._places["scene_camera"] if place[3] is None and place[2] == "common"
        ]

    def messages(self, begins: dt.datetime, events: int = EVENTS_A_DAY) -> list[EventStored | Sighting]:
        """A day of messages from a local midnight on, in the order in which they came in."""
        told: list[EventStored | Sighting] = []
        # A scene comes to about three events; what is short is filled up with people on the square.
        names, weights = [name for name, _ in _SCENES], [weight for _, weight in _SCENES]
        moments = sorted(
            begins + dt.timedelta(hours=hour, seconds=self._chance.uniform(0, 3600))
            for hour in self._chance.choices(range(24), _HOURS, k=int(events / 2.9))
        )
        left = events
        for at in moments:
            scene = list(getattr(self, f"_{self._chance.choices(names, weights)[0]}")(at))
            left -= sum(isinstance(message, EventStored) for message in scene)
            if left < 0:
                break
            told += scene
        for at in self._chance.choices(moments, k=max(left, 0)):
            told += self._square(at)
        return sorted(told, key=lambda message: (message.received_at, message.id))

    # ── scenes ────────────────────────────────────────────────────────────────

    def _home(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        """Somebody opens the door of their own building with a card, and it falls shut."""
        person, card, zone = self._chance.choice(self._cast.people)
        lane = self._doors.get(zone) or next(iter(self._doors.values()))
        yield self._event(lane, DeviceKind.DOOR, "access.granted", at, direction="in", card=card)
        yield self._event(lane, DeviceKind.DOOR, "door.opened", at + _s(0.4))
        yield self._event(lane, DeviceKind.DOOR, "door.closed", at + _s(self._chance.uniform(3, 12)))
        if self._chance.random() < 0.25:
            yield from self._face(lane, at - _s(1), "identified", person_id=person, score=0.31)

    def _walk(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        """In or out through a gate, by card or by face."""
        person, card, _ = self._chance.choice(self._cast.people)
        lane = self._chance.choice(self._walks)
        if DeviceKind.FACE_CAMERA in self._lanes[lane]:
            outcome = self._chance.choices(["identified", "uncertain"], [9, 1])[0]
            known = {"person_id": person, "score": 0.33} if outcome == "identified" else {"score": 0.52}
            yield from self._face(lane, at - _s(0.8), outcome, **known)
        yield self._event(lane, DeviceKind.TURNSTILE, "access.granted", at, card=card)
        yield self._event(lane, DeviceKind.SCENE_CAMERA, "video.line_crossing", at + _s(1.5))

    def _drive(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        vehicle, plate = self._chance.choice(self._cast.cars)
        # Out and in by turns, and not twice within minutes; else there would be two of it.
        inside, since = self._cars.get(plate, (True, at - _s(3600)))
        if abs(at - since) < _s(600):
            return
        self._cars[plate] = (not inside, at)
        way = "out" if inside else "in"
        lane = self._chance.choice([one for one in self._drives if one.endswith(way)])
        yield from self._plate(lane, at, plate, "identified", vehicle_id=vehicle)
        yield self._event(lane, DeviceKind.BARRIER, "barrier.opened", at + _s(0.6))
        yield self._event(lane, DeviceKind.BARRIER, "barrier.closed", at + _s(self._chance.uniform(6, 15)))

    def _square(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        place = self._chance.choice(self._views)
        count = self._chance.randint(0, 12)
        yield self._at(place, "video.person_count", at, {"count": count, "class": "person"})

    def _visitor(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        lane = next(iter(self._walks))
        yield from self._face(lane, at, "unknown", score=0.74)
        yield self._event(lane, DeviceKind.TURNSTILE, "visitor.checked_in", at + _s(4), direction="in")
        yield self._event(lane, DeviceKind.SCENE_CAMERA, "video.line_crossing", at + _s(6))

    def _stranger(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        """A face that nobody knows; most of them only look in."""
        lane = self._chance.choice([one for one in self._walks if DeviceKind.FACE_CAMERA in self._lanes[one]])
        yield from self._face(lane, at, "unknown", score=0.74)
        if self._chance.random() < 0.08:
            yield self._event(lane, DeviceKind.SCENE_CAMERA, "video.line_crossing", at + _s(3))

    def _unknown_car(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        lane = self._chance.choice(self._drives)
        plate = f"云M{self._chance.randint(80000, 99999)}"
        yield from self._plate(lane, at, plate, "unknown")
        if self._chance.random() < 0.4:
            yield self._event(lane, DeviceKind.BARRIER, "visitor.registered", at + _s(9), direction="in")
        yield self._event(lane, DeviceKind.BARRIER, "barrier.opened", at + _s(10))
        yield self._event(lane, DeviceKind.BARRIER, "barrier.closed", at + _s(20))

    def _refused(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        lane = self._chance.choice([*self._walks, *self._doors.values()])
        kind = DeviceKind.TURNSTILE if lane in self._walks else DeviceKind.DOOR
        for number in range(self._chance.choice([1, 1, 1, 2, 4])):
            card = f"{self._chance.randint(0, 0xFFFF):08X}"
            yield self._event(lane, kind, "access.denied", at + _s(6 * number), card=card, cause="unknown")

    def _held(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        lane = self._chance.choice(list(self._doors.values()))
        _, card, _ = self._chance.choice(self._cast.people)
        yield self._event(lane, DeviceKind.DOOR, "access.granted", at, direction="in", card=card)
        yield self._event(lane, DeviceKind.DOOR, "door.opened", at + _s(0.5))
        closed = self._chance.choice([20, 40, 90, 400])
        yield self._event(lane, DeviceKind.DOOR, "door.closed", at + _s(closed))

    def _alone(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        """A door that opens from within, rarely with nothing that would say why."""
        lane = self._chance.choice(list(self._doors.values()))
        cause = "exit_button" if self._chance.random() < 0.95 else None
        yield self._event(lane, DeviceKind.DOOR, "door.opened", at, cause=cause)
        yield self._event(lane, DeviceKind.DOOR, "door.closed", at + _s(5))

    def _loiter(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        place = self._chance.choice(self._views)
        dwell = self._chance.randint(60, 400)
        yield self._at(place, "video.loitering", at, {"dwell_s": dwell, "class": "person"})

    def _gone(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        place = self._chance.choice([one for places in self._places.values() for one in places])
        yield self._at(place, "device.offline", at, {"cause": "silence"})
        yield self._at(
            place, "device.online", at + _s(self._chance.choice([20, 200, 1800])), {"cause": "event"}
        )

    def _trouble(self, at: dt.datetime) -> Iterator[EventStored | Sighting]:
        place = self._chance.choice(self._views)
        kind = self._chance.choice(
            ["video.ebike_in_lift", "video.object_left", "video.occlusion", "video.climb", "device.tamper"]
        )
        yield self._at(place, kind, at, {"class": "person"})

    # ── words ─────────────────────────────────────────────────────────────────

    def _face(
        self, lane: str, at: dt.datetime, outcome: str, **known: Any
    ) -> Iterator[EventStored | Sighting]:
        place = self._lanes[lane].get(DeviceKind.FACE_CAMERA)
        if place is None:
            return
        event = self._at(place, "face.captured", at, {})
        yield event
        yield _sighting(event, "face", outcome, **known)

    def _plate(
        self, lane: str, at: dt.datetime, plate: str, outcome: str, **known: Any
    ) -> Iterator[EventStored | Sighting]:
        place = self._lanes[lane][DeviceKind.PLATE_CAMERA]
        event = self._at(place, "plate.recognised", at, {}, plate=PlateReading(plate, 0.96, "blue"))
        yield event
        yield _sighting(event, "plate", outcome, plate=plate, score=0.96, **known)

    def _event(
        self,
        lane: str,
        kind: DeviceKind,
        type_: str,
        at: dt.datetime,
        *,
        direction: str | None = None,
        card: str | None = None,
        cause: str | None = None,
    ) -> EventStored:
        place = self._lanes[lane].get(kind) or next(iter(self._lanes[lane].values()))
        used = None if card is None else CredentialUse("card", card)
        return self._at(
            place, type_, at, {} if cause is None else {"cause": cause}, direction=direction, credential=used
        )

    def _at(
        self,
        place: tuple[str, str, str, str | None, str | None],
        type_: str,
        at: dt.datetime,
        attributes: dict[str, Any],
        *,
        direction: str | None = None,
        **facts: Any,
    ) -> EventStored:
        device, zone, ring, lane, way = place
        self._number += 1
        moment = int(at.timestamp() * 1000)
        # Most come within a second; a few overtake each other.
        delay = 0.05 if self._chance.random() < 0.95 else self._chance.uniform(0, 4)
        return EventStored(
            id=f"{moment:012x}{self._seed:04x}{self._number:016x}",
            compound=self._compound,
            device_id=device,
            type=type_,
            ring=ring,
            zone=zone,
            device_time=at,
            at=at,
            received_at=at + _s(delay),
            lane=lane,
            direction=direction or way,
            attributes=attributes,
            **facts,
        )


def _sighting(event: EventStored, kind: str, outcome: str, **known: Any) -> Sighting:
    return Sighting(
        id=f"s{event.id[1:]}",
        event_id=event.id,
        compound=event.compound,
        device_id=event.device_id,
        subject_kind=kind,
        outcome=outcome,
        ring=event.ring,
        zone=event.zone,
        at=event.at,
        received_at=event.received_at,
        lane=event.lane,
        direction=event.direction,
        **known,
    )


def _moved(name: str, prefix: str) -> str:
    return prefix + name[len(plan.PREFIX) :]


def _s(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)
