"""Opening a door for whoever was recognised before it, while they still stand there.

Fail secure: whatever is missing, late or doubtful opens nothing, and whoever may enter has
another way in (L-03). A sighting that comes twice opens once. A terminal that opens its own
door by its own match needs none of this.
"""

import datetime as dt
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter
from sqlalchemy.orm import Session

from bus.messages import Message, Sighting
from devices import openings
from devices.adapters.contract import UnsupportedError
from devices.commands import desk
from devices.commands.desk import Asking, DeviceAwayError
from devices.directory import DeviceFacts, facts_of
from registry.entry.byface import by_face, by_household
from registry.entry.decision import Entry, EntryReason
from registry.entry.gatehouse import by_plate
from storage import Clock, Database

log = structlog.get_logger(__name__)

SUBJECTS: Final = (
    "sighting.*.face.identified",
    "sighting.*.face.household",
    "sighting.*.plate.identified",
)
"""All that anything may be opened because of."""

_NAMED: Final = frozenset({("face", "identified"), ("face", "household"), ("plate", "identified")})
# A name that only the watch-list gave says whom somebody looks for, not who may enter.
_NO_KEY: Final = "watchlist_gallery"


class OpeningMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.sightings = Counter(
            "ringward_devices_opening_sightings",
            "Sightings at cameras that may open a door, by what came of them.",
            ["result"],
            registry=registry,
        )


class Opener:
    """Asks for a door to be opened. Safe to call from several threads and processes."""

    def __init__(self, database: Database, clock: Clock, metrics: OpeningMetrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics

    def handle(self, message: Message) -> bool:
        """Takes a sighting; whether a door was asked to open for it. When it returns, that is committed."""
        if not isinstance(message, Sighting) or (message.subject_kind, message.outcome) not in _NAMED:
            return False
        with self._database.read() as session:
            if openings.of_camera(session, message.device_id) is None:
                return False
        with self._database.write() as session:
            # After the wait for the write: what counts is when the door would open.
            result = self._decide(session, message, self._clock.now())
        if result is None:
            return False
        self._metrics.sightings.labels(result).inc()
        log.info("opening.decided", sighting=message.id, device=message.device_id, result=result)
        return result == "opened"

    def _decide(self, session: Session, sighting: Sighting, now: dt.datetime) -> str | None:
        """`opened`, or why not; None where the camera opens nothing anyway."""
        setting = openings.of_camera(session, sighting.device_id)
        if setting is None or setting.compound != sighting.compound:
            return None
        if sighting.late or sighting.valid_until is None or now >= sighting.valid_until:
            return "stale"
        if _NO_KEY in sighting.reasons:
            return "watchlist"
        if sighting.direction == "out":
            return "way_out"
        camera, opener = facts_of(session, sighting.device_id), facts_of(session, setting.opener)
        if camera is None or opener is None or opener.compound != sighting.compound:
            return "no_device"
        if not camera.trusted or not opener.trusted:
            return "not_trusted"
        entry = _entry(session, sighting, opener, now)
        if not entry.allowed or (entry.until is not None and entry.until <= now):
            return "not_entitled"
        return self._ask(session, sighting, opener, setting.door, now)

    def _ask(
        self, session: Session, sighting: Sighting, opener: DeviceFacts, door: int, now: dt.datetime
    ) -> str:
        asking = Asking(desk.SYSTEM, "system", f"sighting {sighting.id}", desk.key_of("opening", sighting.id))
        try:
            command = desk.ask(session, opener, "open", {"door": door}, asking, now)
        except UnsupportedError:
            return "unsupported"
        except DeviceAwayError as away:
            return f"opener_{away.why}"
        assert sighting.valid_until is not None
        # A command that waits must not outlive the one who stands there.
        command.expires_at = min(command.expires_at, sighting.valid_until)
        session.flush()
        return "opened" if command.asked_at == now else "repeated"


def _entry(session: Session, sighting: Sighting, opener: DeviceFacts, now: dt.datetime) -> Entry:
    """The door's own decision for whoever was recognised, at the zone that the door leads into."""
    compound, zone = sighting.compound, opener.zone
    if sighting.subject_kind == "plate" and sighting.plate is not None:
        return by_plate(session, compound, sighting.plate, zone, now)
    if sighting.outcome == "household" and sighting.household_id is not None:
        return by_household(session, compound, sighting.household_id, zone, now)
    if sighting.subject_kind == "face" and sighting.person_id is not None:
        return by_face(session, compound, sighting.person_id, zone, now)
    return Entry(allowed=False, reason=EntryReason.UNKNOWN)
