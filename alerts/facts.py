"""Joining the registry's facts to an event or a sighting: what rules may know.

Rules are pure; whatever they need from the database is looked up here, once.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.rules import Observation, WatchHit
from bus.messages import EventStored, Sighting
from devices.models import Device, DeviceStatus
from registry.models import WatchlistSubject, Zone
from registry.passes import admission
from registry.watchlist import lookout
from registry.watchlist.lookout import Lookout

# Events that rules see as sightings, after recognition has looked at them: also those of which a
# terminal says who it was, since its word is checked against the registry first.
_AFTER_RECOGNITION = frozenset(
    {
        *("face.captured", "face.identified", "face.unknown", "face.uncertain"),
        *("plate.recognised", "plate.none"),
    }
)
_SIGHTING_TYPES = {
    ("face", "identified"): "face.identified",
    ("face", "household"): "face.identified",
    ("face", "unknown"): "face.unknown",
    ("face", "uncertain"): "face.uncertain",
    ("plate", "identified"): "plate.recognised",
    ("plate", "unknown"): "plate.recognised",
    ("plate", "uncertain"): "plate.uncertain",
    ("plate", "no_plate"): "plate.none",
}


def of_event(session: Session, event: EventStored) -> Observation | None:
    """What rules see of an event; None for pictures, which come back as sightings."""
    if event.type in _AFTER_RECOGNITION:
        return None
    cause = event.attributes.get("cause")
    shown = _credentials_shown(session, event)
    watched = _watched(session, event, {WatchlistSubject.CREDENTIAL: shown})
    return Observation(
        id=event.id,
        type=event.type,
        at=event.at,
        received_at=event.received_at,
        device=event.device_id,
        zone=event.zone,
        ring=event.ring,
        late=event.late,
        lane=event.lane,
        direction=event.direction,
        event_id=event.id,
        cause=cause if isinstance(cause, str) else None,
        # A number may have been given out again: the credential that is looked for counts.
        credential_id=next((entry.subject for entry in watched), shown[0] if shown else None),
        watch=_hits(watched),
        ring_offline=_ring_offline(session, event) if event.type == "device.offline" else 0.0,
        amends=event.amends,
    )


def of_sighting(session: Session, sighting: Sighting) -> Observation | None:
    """What rules see of a recognition result; None when nothing was recognised."""
    seen_type = _SIGHTING_TYPES.get((sighting.subject_kind, sighting.outcome))
    if seen_type is None:
        return None
    certain_plate = sighting.plate if seen_type == "plate.recognised" else None
    return Observation(
        id=sighting.id,
        type=seen_type,
        at=sighting.at,
        received_at=sighting.received_at,
        device=sighting.device_id,
        zone=sighting.zone,
        ring=sighting.ring,
        late=sighting.late,
        lane=sighting.lane,
        direction=sighting.direction,
        event_id=sighting.event_id,
        sighting_id=sighting.id,
        person_id=sighting.person_id,
        household_id=sighting.household_id,
        vehicle_id=sighting.vehicle_id,
        plate=sighting.plate,
        score=sighting.score,
        amends=sighting.amends,
        plate_welcome=certain_plate is not None
        and admission.plate_is_welcome(session, sighting.compound, certain_plate, sighting.at),
        watch=_hits(
            _watched(
                session,
                sighting,
                {
                    WatchlistSubject.PLATE: () if certain_plate is None else (certain_plate,),
                    WatchlistSubject.PERSON: () if sighting.person_id is None else (sighting.person_id,),
                },
            )
        ),
    )


def _credentials_shown(session: Session, event: EventStored) -> Sequence[str]:
    """Ids of the registered credentials that somebody held before a reader."""
    if event.credential is None or not event.type.startswith("access."):
        return ()
    return lookout.credentials_shown(session, event.compound, event.credential.kind, event.credential.ref)


def _watched(
    session: Session, seen: EventStored | Sighting, subjects: Mapping[WatchlistSubject, Sequence[str]]
) -> tuple[Lookout, ...]:
    return lookout.looking_for(session, seen.compound, subjects, seen.at)


def _hits(entries: Iterable[Lookout]) -> tuple[WatchHit, ...]:
    return tuple(WatchHit(entry.entry_id, entry.rings, entry.priority) for entry in entries)


def _ring_offline(session: Session, event: EventStored) -> float:
    """Share of the ring's devices that are offline now."""
    counts = session.execute(
        select(DeviceStatus.online, func.count())
        .join(Device, Device.id == DeviceStatus.device_id)
        .join(Zone, Zone.id == Device.zone)
        .where(Device.compound == event.compound, Zone.ring == event.ring, Device.enabled)
        .group_by(DeviceStatus.online)
    )
    by_state = {bool(online): count for online, count in counts}
    total = sum(by_state.values())
    return by_state.get(False, 0) / total if total else 0.0
