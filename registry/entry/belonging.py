"""What a guard may ask: does this person belong to that door, and whose car is this?

The first is answered with yes or no and nothing else. Who asks has to know something of
the person already; a dwelling's people cannot be read off it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry import lookups, plates, spelling
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.errors import RefusedError
from registry.passes import expected
from registry.passes.admission import plates_expected
from registry.people.finding import list_people_of_dwelling
from registry.people.models import Person, Residence, ResidenceKind
from registry.places.locating import find_dwelling
from registry.places.models import Dwelling
from registry.rows import find
from registry.vehicles.models import Vehicle
from storage.vault import current_vault

TAIL_DIGITS: Final = 4
NEAR_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody at the door says or shows of themselves; all of it has to be of one person."""

    name: str | None = None
    phone_tail: str | None = None
    card: str | None = None


@dataclass(frozen=True, slots=True)
class NearPlate:
    """A known plate that the reading may be a misreading of; a question for a guard, never an answer."""

    plate: str
    vehicle: str | None
    cost: float


@dataclass(frozen=True, slots=True)
class PlateAnswer:
    """What is known of a plate: the very vehicle, passes that hold now, else what looks alike."""

    plate: str
    well_formed: bool
    always_allowed: bool
    vehicle: Vehicle | None
    passes: tuple[str, ...]
    near: tuple[NearPlate, ...]


def belongs(session: Session, compound: str, dwelling: str, claim: Claim, on: dt.date) -> bool:
    """Whether somebody who lives in a dwelling on a day is the one that the claim describes.

    Raises `MissingError("dwelling")`, `nothing_to_compare` and `phone_tail_malformed`.
    """
    tail = _tail(claim)
    find(session, Dwelling, compound, dwelling, "dwelling")
    people = _living_in(session, compound, dwelling, on)
    if claim.name is not None:
        key = lookups.name_key(compound, claim.name)
        people = [row for row in people if row.name_key == key]
    if tail is not None:
        current_vault().load(row.id for row in people)
        people = [row for row in people if (row.phone or "").endswith(tail)]
    if claim.card is not None:
        owner = _owner_of_card(session, compound, claim.card)
        people = [row for row in people if row.id == owner]
    return bool(people)


def belongs_at(session: Session, compound: str, address: str, claim: Claim, on: dt.date) -> bool:
    """The same for an address as people write it. Raises also what `find_dwelling` raises."""
    return belongs(session, compound, find_dwelling(session, compound, address, on).id, claim, on)


def whose_plate(session: Session, compound: str, text: str, at: dt.datetime) -> PlateAnswer:
    """Whose car it is. A near match is never taken for the same. Raises `plate_missing`."""
    plate = plates.normalise(text)
    if plate is None:
        raise RefusedError("plate_missing")
    well_formed = plates.is_well_formed(plate)
    vehicle = session.scalars(
        select(Vehicle).where(Vehicle.compound == compound, Vehicle.plate == plate)
    ).first()
    passes = expected.by_plate(session, compound, plate, at) if well_formed else ()
    near: tuple[NearPlate, ...] = ()
    if vehicle is None and not passes and not plates.always_allowed(plate):
        near = _near(session, compound, plate, at)
    return PlateAnswer(
        plate,
        well_formed,
        plates.always_allowed(plate),
        vehicle,
        tuple(found.id for found in passes),
        near,
    )


def _near(session: Session, compound: str, plate: str, at: dt.datetime) -> tuple[NearPlate, ...]:
    known: dict[str, str | None] = {
        other: None for other, _ in session.execute(plates_expected(compound, at)) if other is not None
    }
    rows = session.execute(select(Vehicle.plate, Vehicle.id).where(Vehicle.compound == compound))
    known.update((row.plate, row.id) for row in rows)
    return tuple(
        NearPlate(other, known[other], cost) for other, cost in plates.nearest(plate, known)[:NEAR_MAX]
    )


def _living_in(session: Session, compound: str, dwelling: str, on: dt.date) -> Sequence[Person]:
    found = list_people_of_dwelling(session, dwelling, on)
    living = {one.person_id for one in found if one.kind not in {None, ResidenceKind.REGISTERED_ABSENT}}
    dateless = {one.person_id for one in found if one.kind is None} - living
    if dateless:
        # Whose dates in this dwelling are over does not belong here for a household's sake.
        dateless -= set(
            session.scalars(
                select(Residence.person).where(
                    Residence.compound == compound,
                    Residence.dwelling == dwelling,
                    Residence.person.in_(dateless),
                )
            )
        )
    return session.scalars(
        select(Person).where(
            Person.compound == compound, Person.id.in_(living | dateless), Person.erased_at.is_(None)
        )
    ).all()


def _owner_of_card(session: Session, compound: str, card: str) -> str | None:
    key = lookups.credential_key(compound, CredentialKind.CARD, card)
    return session.scalar(
        select(Credential.person).where(
            Credential.compound == compound,
            Credential.ref_key == key,
            Credential.status == CredentialStatus.ACTIVE,
        )
    )


def _tail(claim: Claim) -> str | None:
    said = [part for part in (claim.name, claim.phone_tail, claim.card) if part is not None]
    if not said or not all(spelling.card(part) for part in said):
        raise RefusedError("nothing_to_compare")
    tail = claim.phone_tail
    if tail is not None and not (tail.isascii() and tail.isdigit() and len(tail) == TAIL_DIGITS):
        raise RefusedError("phone_tail_malformed")
    return tail
