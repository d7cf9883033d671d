"""From messages to observations: who that was, what the register says of them, where it was."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from sys import intern
from typing import Any, Final

from sqlalchemy.orm import Session

from alerts.knowing import visits as passes
from alerts.knowing.keys import Shown
from alerts.knowing.register import Register
from alerts.knowing.wanted import (
    AFTER_RECOGNITION,
    Wanted,
    certain_plate,
    dwelling_named,
    pass_named,
    plate_of,
    sighting_type,
)
from alerts.rules import DwellingFacts, Observation, PassFacts, WatchHit
from bus.messages import EventStored, Sighting
from registry.models import WatchlistSubject

# What we say of a device ourselves: no clock of its own is in it.
_OURS: Final = frozenset({"device.online", "device.offline", "visitor.checked_in", "visitor.checked_out"})
# Words and numbers that rules read are short; what a vendor adds beyond is looked up where it is stored.
_LONGEST: Final = 200
_NOTHING: Final[dict[str, Any]] = {}


def observe(
    session: Session,
    compound: str,
    messages: Iterable[EventStored | Sighting],
    register: Register | None = None,
) -> list[Observation]:
    """What rules see of events and sightings of a compound, in the same order.

    Pictures come back as sightings and are not seen themselves, nor is where nothing was
    recognised. One message may be seen as several: what stirs in a dwelling is a sign of life of
    everybody there who is looked after.
    """
    known = register or Register(session, compound)
    told = [message for message in messages if _is_seen(message)]
    wanted = Wanted()
    for message in told:
        wanted.note(message, known.credentials)
    wanted.learn(known)
    seen: list[Observation] = []
    for message in told:
        if isinstance(message, EventStored):
            seen += _of_event(known, message)
        else:
            seen.append(_of_sighting(known, message))
    return seen


def _is_seen(message: EventStored | Sighting) -> bool:
    if isinstance(message, EventStored):
        return message.type not in AFTER_RECOGNITION
    return sighting_type(message) is not None


def _of_event(known: Register, event: EventStored) -> Iterable[Observation]:
    at = event.at
    attributes = event.attributes
    cause = attributes.get("cause")
    shown = _shown(known, event)
    first = shown[0] if shown else None
    watch: tuple[WatchHit, ...] = ()
    if shown:
        # A number may have been given out again: the credential that is looked for counts.
        for one in sorted(shown, key=lambda one: one.id):
            hits = known.watching.hits(WatchlistSubject.CREDENTIAL, (one.id,), at)
            if hits and not watch:
                first = one
            watch += hits
    person = event.match.person_id if event.match is not None else None
    if person is None and first is not None and first.is_held:
        person = first.person
    name = dwelling_named(event)
    dwelling = known.homes.named(name) if name is not None else None
    household = None if person is None else known.people.household_of(person)
    if dwelling is None and first is not None:
        theirs = known.people.household_of(first.person)
        dwelling = None if theirs is None else known.homes.of_household(theirs)
    plate = plate_of(event)
    vehicle = None if plate is None else known.motors.facts(plate, at)
    if plate is not None:
        watch += known.watching.hits(WatchlistSubject.PLATE, (plate,), at)
    visit = _visit(known, event, shown, plate if vehicle is None else None)
    observation = Observation(
        id=event.id,
        type=intern(event.type),
        at=at,
        received_at=at if event.received_at == at else event.received_at,
        device=intern(event.device_id),
        zone=intern(event.zone),
        ring=intern(event.ring),
        late=event.late,
        lane=_intern(event.lane),
        direction=_intern(event.direction),
        event_id=event.id,
        person_id=_intern(person),
        household_id=_intern(household),
        vehicle_id=None if vehicle is None else vehicle.id,
        plate=_intern(plate),
        credential_id=None if first is None else intern(first.id),
        score=_score(event),
        cause=intern(cause) if isinstance(cause, str) else None,
        plate_welcome=plate is not None and vehicle is None and known.visits.welcomes_plate(plate, at),
        watch=watch,
        ring_offline=known.presence.offline_share(event.ring, at) if event.type == "device.offline" else 0.0,
        amends=event.amends,
        device_time=None if event.type in _OURS else _same(event.device_time, at),
        attributes=_kept(attributes),
        person=None if person is None else known.people.facts(person, at),
        visit=visit,
        credential=None if first is None else first.facts(at),
        vehicle=vehicle,
        dwelling=_host_home(known, visit) if dwelling is None else dwelling,
    )
    if person is None and name is not None and dwelling is not None:
        return _of_dwelling(known, observation, dwelling)
    return (observation,)


def _of_dwelling(known: Register, observation: Observation, dwelling: DwellingFacts) -> Sequence[Observation]:
    """What was seen in a dwelling, once for everybody there who is looked after."""
    people = known.people.cared_for_in(dwelling.id, observation.at)
    if not people:
        return (observation,)
    return [
        replace(
            observation,
            id=observation.id if number == 0 else f"{observation.id}:{person}",
            person_id=intern(person),
            household_id=_intern(known.people.household_of(person)),
            person=known.people.facts(person, observation.at),
        )
        for number, person in enumerate(people)
    ]


def _of_sighting(known: Register, sighting: Sighting) -> Observation:
    at = sighting.at
    kind = sighting_type(sighting) or ""
    plate = certain_plate(sighting)
    person = sighting.person_id
    vehicle = None if plate is None else known.motors.facts(plate, at)
    watch: tuple[WatchHit, ...] = ()
    if plate is not None:
        watch += known.watching.hits(WatchlistSubject.PLATE, (plate,), at)
    if person is not None:
        watch += known.watching.hits(WatchlistSubject.PERSON, (person,), at)
    household = sighting.household_id
    if household is None and person is not None:
        household = known.people.household_of(person)
    visit = None
    if plate is not None and vehicle is None:
        found = known.visits.by_plate(plate, at)
        visit = None if found is None else found.facts(at)
    return Observation(
        id=sighting.id,
        type=intern(kind),
        at=at,
        received_at=_same(sighting.received_at, at),
        device=intern(sighting.device_id),
        zone=intern(sighting.zone),
        ring=intern(sighting.ring),
        late=sighting.late,
        lane=_intern(sighting.lane),
        direction=_intern(sighting.direction),
        event_id=sighting.event_id,
        sighting_id=sighting.id,
        person_id=_intern(person),
        household_id=_intern(household),
        vehicle_id=_intern(sighting.vehicle_id),
        plate=_intern(sighting.plate),
        score=sighting.score,
        plate_welcome=plate is not None and known.visits.welcomes_plate(plate, at),
        watch=watch,
        amends=sighting.amends,
        token=_intern(sighting.token),
        attributes=_NOTHING,
        person=None if person is None else known.people.facts(person, at),
        visit=visit,
        vehicle=vehicle,
        dwelling=_host_home(known, visit),
    )


def _host_home(known: Register, visit: PassFacts | None) -> DwellingFacts | None:
    """Where somebody with a pass is expected."""
    if visit is None or visit.host_household is None:
        return None
    return known.homes.of_household(visit.host_household)


def _shown(known: Register, event: EventStored) -> list[Shown]:
    """The registered credentials that somebody held before a reader, the one that counts in front."""
    if event.credential is None or not event.type.startswith("access."):
        return []
    return known.credentials.of(event.credential.kind, event.credential.ref)


def _visit(
    known: Register, event: EventStored, shown: Sequence[Shown], plate: str | None
) -> PassFacts | None:
    """The pass that an event names, or that was shown, or that a plate has."""
    found = None
    named = pass_named(event)
    used = event.credential
    if named is not None:
        found = known.visits.by_id(named)
    elif used is not None and passes.is_token(used.kind, used.ref):
        found = known.visits.by_token(used.ref or "")
    elif used is not None and used.kind == "card" and not any(one.is_held for one in shown):
        # A card that somebody had once may lie in the gate's drawer now.
        key = known.credentials.key(used.kind, used.ref)
        found = None if key is None else known.visits.by_card(key, event.at)
    elif plate is not None:
        found = known.visits.by_plate(plate, event.at)
    return None if found is None else found.facts(event.at)


def _score(event: EventStored) -> float | None:
    if event.match is not None:
        return event.match.score
    return event.plate.confidence if event.plate is not None else None


def _kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Words and numbers; the cause has a field of its own."""
    if not attributes:
        return _NOTHING
    kept: dict[str, Any] = {}
    for name, value in attributes.items():
        if isinstance(value, str):
            if len(value) <= _LONGEST and name != "cause":
                kept[intern(name)] = intern(value)
        elif isinstance(value, bool | int | float):
            kept[intern(name)] = value
    return kept or _NOTHING


def _intern(text: str | None) -> str | None:
    return None if text is None else intern(text)


def _same(moment: dt.datetime, at: dt.datetime) -> dt.datetime:
    """One object for equal moments: a day's memory is made of them."""
    return at if moment == at else moment
