"""What a rule sees: an event or a sighting with the registry's facts already joined to it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A watch-list entry that looks for this subject and was in force at the time."""

    entry_id: str
    rings: frozenset[str]
    # 1 the most urgent … 4.
    priority: int = 3
    # What this entry asks of a match beyond what recognition does: the largest distance of a face or
    # the least confidence of a plate, and how far behind the second person must lie. None: nothing.
    threshold: float | None = None
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What the register says of a registered person at the time; no name, no picture."""

    id: str
    household_id: str | None = None
    # Lives or works here.
    belongs: bool = False
    # Works here: guards, cleaners, stewards. Patrols are not loitering.
    staff: bool = False
    # Zones of the buildings that the person may be in without being anybody's guest.
    buildings: frozenset[str] = frozenset()
    # The last day of the last tenancy, where it is over and nothing else keeps the person here.
    tenancy_ended_on: dt.date | None = None
    # Has agreed that somebody looks after them when they are not heard of (关爱).
    cared_for: bool = False


@dataclass(frozen=True, slots=True)
class PassFacts:
    """A visitor pass that was shown, as it stood at the time."""

    id: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    kind: str = "visitor"
    host_household: str | None = None
    # Zones that it opens; the way to the host's building is among them.
    zones: frozenset[str] = frozenset()
    # Uses that were counted before this one, and how many there may be (None: no limit).
    uses: int = 0
    max_uses: int | None = None


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """The registered credential that was shown; `status` is active, suspended, lost or ended."""

    id: str
    kind: str
    status: str
    # Outside its own dates, although nobody has ended it.
    expired: bool = False


@dataclass(frozen=True, slots=True)
class VehicleFacts:
    """A registered vehicle whose plate was read."""

    id: str
    household_id: str | None = None
    # Its owner wants to be asked when somebody else drives it.
    guarded: bool = False
    # People who may drive it, owners among them.
    drivers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DwellingFacts:
    """The dwelling that a contact, a meter or a credential belongs to."""

    id: str
    # occupied, vacant, let, under_repair, shop.
    state: str
    # The zone of its building.
    zone: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen or reported, at `at` (corrected event time, UTC).

    `type` is the canonical event type; recognition's outcomes appear as face.identified,
    face.unknown, face.uncertain, plate.recognised, plate.uncertain and plate.none. Some come from
    the register and the clock rather than from a device: see `alerts.calendar`.
    """

    id: str
    type: str
    at: dt.datetime
    received_at: dt.datetime
    device: str
    zone: str
    ring: str
    late: bool = False
    lane: str | None = None
    direction: str | None = None
    # The event this is, or the one that the sighting was made from.
    event_id: str = ""
    sighting_id: str | None = None
    person_id: str | None = None
    household_id: str | None = None
    vehicle_id: str | None = None
    plate: str | None = None
    # The registered credential that was shown at a reader.
    credential_id: str | None = None
    # Nearest distance of a face, or confidence of a plate (0…1).
    score: float | None = None
    # Why a door or barrier moved, or how a device went: exit_button, manual_open, last_will …
    cause: str | None = None
    # A plate that may enter without being registered: a valid pass, an emergency vehicle.
    plate_welcome: bool = False
    watch: tuple[WatchHit, ...] = ()
    # Share of the ring's devices that are offline now, 0…1.
    ring_offline: float = 0.0
    # More is known of what was observed before under this id: this takes its place.
    amends: bool = False
    # The device's own clock, as it came; None where the device has no say in it.
    device_time: dt.datetime | None = None
    # The same stranger again, within minutes (L-19); or an id that a device gave a stranger.
    token: str | None = None
    # Numbers and words of the event that have no field: dwell_s, count, armed, ended …
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    person: PersonFacts | None = None
    visit: PassFacts | None = None
    credential: CredentialFacts | None = None
    vehicle: VehicleFacts | None = None
    dwelling: DwellingFacts | None = None
    # Until when what is declared holds: an absence, a shift, a pass that was extended.
    until: dt.datetime | None = None

    @property
    def place(self) -> str:
        """What belongs together at one passage: the lane, or the device where it has none."""
        return self.lane or self.device

    @property
    def subjects(self) -> tuple[str, ...]:
        """Whom or what this is about, surest first: `person:…`, `pass:…`, `plate:…`, `token:…`…"""
        named = (
            ("person", self.person_id),
            ("pass", self.visit.id if self.visit is not None else None),
            ("plate", self.plate),
            ("token", self.token),
            ("credential", self.credential_id),
        )
        return tuple(f"{kind}:{value}" for kind, value in named if value is not None)

    @property
    def is_over(self) -> bool:
        """Whether the device says that what it reported before has ended."""
        return bool(self.attributes.get("ended"))

    def number(self, name: str) -> float | None:
        """An attribute that is a number; None where it is absent or something else."""
        value = self.attributes.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def by_time(seen: Observation) -> tuple[dt.datetime, str]:
    """The order of things: by the time at which they happened, and of one moment by their ids."""
    return (seen.at, seen.id)
