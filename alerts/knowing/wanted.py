"""Whom a chunk of messages names, collected first so that each is looked up once."""

from typing import Final

from alerts.knowing import visits as passes
from alerts.knowing.keys import Credentials
from alerts.knowing.register import Register
from bus.messages import EventStored, Sighting
from registry import plates as spelling
from registry.models import WatchlistSubject

AFTER_RECOGNITION: Final = frozenset(
    {
        *("face.captured", "face.identified", "face.unknown", "face.uncertain"),
        *("plate.recognised", "plate.none"),
    }
)
"""Events that rules see as sightings, after recognition has looked at them: also those of which a
terminal says who it was, since its word is checked against the registry first."""

_SIGHTING_TYPES: Final = {
    ("face", "identified"): "face.identified",
    ("face", "household"): "face.identified",
    ("face", "unknown"): "face.unknown",
    ("face", "uncertain"): "face.uncertain",
    ("plate", "identified"): "plate.recognised",
    ("plate", "unknown"): "plate.recognised",
    ("plate", "uncertain"): "plate.uncertain",
    ("plate", "no_plate"): "plate.none",
}


def sighting_type(sighting: Sighting) -> str | None:
    """What rules call a recognition result; None where nothing was recognised."""
    return _SIGHTING_TYPES.get((sighting.subject_kind, sighting.outcome))


def certain_plate(sighting: Sighting) -> str | None:
    """The plate that was read, where the reading is no guess."""
    return sighting.plate if sighting_type(sighting) == "plate.recognised" else None


def plate_of(event: EventStored) -> str | None:
    """The plate that a device names beside what it reports (a stranded car, a blocked fire lane)."""
    if event.plate is None or not event.plate.text:
        return None
    plate = spelling.normalise(event.plate.text)
    return plate if plate is not None and spelling.is_well_formed(plate) else None


def dwelling_named(event: EventStored) -> str | None:
    """The dwelling that a contact or a meter says it hangs in."""
    name = event.attributes.get("dwelling")
    return name if isinstance(name, str) and name.strip() else None


def pass_named(event: EventStored) -> str | None:
    """The id of the pass that a guard's check-in, or a platform, names."""
    named = event.attributes.get("visitor_pass")
    if isinstance(named, str):
        return named
    used = event.credential
    return used.ref if used is not None and used.kind == "pass" else None


class Wanted:
    """What has to be known to see a chunk of messages."""

    def __init__(self) -> None:
        self.people: set[str] = set()
        self.keys: set[str] = set()
        self.cards: set[str] = set()
        self.tokens: set[str] = set()
        self.passes: set[str] = set()
        self.plates: set[str] = set()
        self.dwellings: set[str] = set()
        self.watched_people: set[str] = set()
        self._offline: list[EventStored] = []

    def note(self, message: EventStored | Sighting, credentials: Credentials) -> None:
        if isinstance(message, Sighting):
            self._note_sighting(message)
            return
        used = message.credential
        if used is not None:
            self._note_credential(message.type, used.kind, used.ref, credentials)
        if message.match is not None and message.match.person_id is not None:
            self.people.add(message.match.person_id)
        if message.attributes or used is not None:
            _add(self.passes, pass_named(message))
            _add(self.dwellings, dwelling_named(message))
        _add(self.plates, plate_of(message))
        if message.type == "device.offline":
            self._offline.append(message)

    def learn(self, known: Register) -> None:
        """Looks everything up; each step may lead to what the next one asks for."""
        known.credentials.learn(self.keys)
        shown = [one for key in self.keys for one in known.credentials.shown(key)]
        self.people |= {one.person for one in shown}
        known.motors.learn(self.plates)
        # Whoever has a car here needs no pass for it; others may have one.
        strangers = {plate for plate in self.plates if not known.motors.knows(plate)}
        known.visits.learn(ids=self.passes, tokens=self.tokens, cards=self.cards, plates=strangers)
        known.people.learn(self.people)
        holders = {known.people.household_of(one.person) for one in shown}
        homes = {one for one in holders if one is not None} | known.visits.hosts()
        known.homes.learn(self.dwellings, homes)
        if self.dwellings:
            known.people.learn(self._cared_for(known))
        known.watching.learn(
            {
                WatchlistSubject.PLATE: self.plates,
                WatchlistSubject.PERSON: self.watched_people,
                WatchlistSubject.CREDENTIAL: {one.id for one in shown},
            }
        )
        if self._offline:
            known.presence.learn([event.at for event in self._offline])

    def _note_sighting(self, sighting: Sighting) -> None:
        if sighting.person_id is not None:
            self.people.add(sighting.person_id)
            self.watched_people.add(sighting.person_id)
        _add(self.plates, certain_plate(sighting))

    def _note_credential(self, kind: str, used: str, ref: str | None, credentials: Credentials) -> None:
        if passes.is_token(used, ref):
            self.tokens.add(ref or "")
        key = credentials.key(used, ref)
        if key is None:
            return
        if kind.startswith("access."):
            self.keys.add(key)
        if used == "card":
            self.cards.add(key)

    def _cared_for(self, known: Register) -> set[str]:
        found = {known.homes.named(name) for name in self.dwellings}
        return known.people.ever_cared_for({one.id for one in found if one is not None})


def _add(names: set[str], name: str | None) -> None:
    if name is not None:
        names.add(name)
