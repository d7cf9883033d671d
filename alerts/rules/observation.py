"""What a rule sees: an event or a sighting with the registry's facts already joined to it."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WatchHit:
    """A watch-list entry that looks for this subject and was in force at the time."""

    entry_id: str
    rings: frozenset[str]
    # 1 the most urgent … 4.
    priority: int = 3


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing seen or reported, at `at` (corrected event time, UTC).

    `type` is the canonical event type; recognition's outcomes appear as face.identified,
    face.unknown, face.uncertain, plate.recognised, plate.uncertain and plate.none.
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
    # Nearest distance of a face, for the text that explains the incident.
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

    @property
    def place(self) -> str:
        """What belongs together at one passage: the lane, or the device where it has none."""
        return self.lane or self.device
