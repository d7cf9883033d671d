"""May this card, this person, this car, this pass enter here now? And who may at all?"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from registry import plates
from registry.credentials.issuing import ref_key
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.entry.decision import Entry, EntryFacts, EntryReason, EntryZone, best, may_enter
from registry.entry.rights import facts_of, key_of, rights_of
from registry.errors import RefusedError
from registry.passes import admission, cards, expected
from registry.passes.admission import PassReason
from registry.passes.models import VisitorPass
from registry.places.models import Ring, Zone
from registry.rows import find
from registry.vehicles.models import Vehicle, VehicleKind

_UNKNOWN: Final = Entry(allowed=False, reason=EntryReason.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Entitled:
    """Who may enter a zone now: ids of registered people, and ids of visitor passes."""

    people: tuple[str, ...]
    passes: tuple[str, ...]


def by_credential(
    session: Session, compound: str, kind: CredentialKind, ref: str, zone: str, at: dt.datetime
) -> Entry:
    """Of what was shown to a reader. A QR or a card may be a visitor's, a plate a registered car.

    What nobody could have given out is as unknown as what nobody has. Raises `MissingError("zone")`.
    """
    if kind is CredentialKind.PLATE:
        return by_plate(session, compound, ref, zone, at)
    place = _place(session, compound, zone)
    answer = _by_number(session, compound, kind, ref, place, at)
    if answer is None and kind is CredentialKind.QR:
        visitor_pass = expected.by_token(session, compound, ref)
        return _UNKNOWN if visitor_pass is None else by_pass(session, visitor_pass, zone, at)
    if kind is CredentialKind.CARD and (answer is None or not answer.allowed):
        # A card that somebody had once may lie in the gate's drawer now.
        visitor_pass = _by_card(session, compound, ref, at)
        if visitor_pass is not None:
            return by_pass(session, visitor_pass, zone, at)
    return answer or _UNKNOWN


def by_person(session: Session, compound: str, person: str, zone: str, at: dt.datetime) -> Entry:
    """Of a registered person, by whichever of their credentials. Raises `MissingError("zone")`."""
    place = _place(session, compound, zone)
    facts = facts_of(session, compound, [person]).get(person)
    return _UNKNOWN if facts is None else replace(may_enter(facts, place, at), subject=f"person:{person}")


def by_plate(session: Session, compound: str, text: str, zone: str, at: dt.datetime) -> Entry:
    """Of a plate as it was read, which has to be the very one. Raises `MissingError("zone")`.

    A car of residents or of an organisation may enter while it is registered; a temporary
    one needs a pass, or a credential of its driver.
    """
    place = _place(session, compound, zone)
    plate = plates.normalise(text)
    if plate is None:
        return _UNKNOWN
    if place.ring is Ring.BUILDING:
        return Entry(allowed=False, reason=EntryReason.OTHER_ZONE)
    answers = []
    if plates.always_allowed(plate):
        answers.append(Entry(allowed=True, reason=EntryReason.EMERGENCY_VEHICLE))
    vehicle = session.scalars(
        select(Vehicle).where(Vehicle.compound == compound, Vehicle.plate == plate)
    ).first()
    if vehicle is not None:
        temporary = vehicle.kind == VehicleKind.TEMPORARY
        reason = EntryReason.NO_RIGHT if temporary else EntryReason.VEHICLE
        answers.append(Entry(allowed=not temporary, reason=reason, subject=f"vehicle:{vehicle.id}"))
    if plates.is_well_formed(plate):
        own = _by_number(session, compound, CredentialKind.PLATE, plate, place, at)
        answers += [] if own is None else [own]
        answers += [
            by_pass(session, visitor_pass, zone, at)
            for visitor_pass in expected.by_plate(session, compound, plate, at)
        ]
    return best(answers)


def by_pass(session: Session, visitor_pass: VisitorPass, zone: str, at: dt.datetime) -> Entry:
    """Of a visitor pass, without using it. Raises `MissingError("zone")`."""
    decision = admission.check(session, visitor_pass, zone, at)
    subject = f"visitor_pass:{visitor_pass.id}"
    if decision.allowed:
        return Entry(allowed=True, reason=EntryReason.VISITOR, until=visitor_pass.ends_at, subject=subject)
    return Entry(allowed=False, reason=f"pass_{decision.reason}", subject=subject)


def list_entitled(session: Session, compound: str, zone: str, at: dt.datetime) -> Entitled:
    """Everybody who may enter a zone now, by the same decision as at its door."""
    place = _place(session, compound, zone)
    people = facts_of(session, compound)
    passes = session.scalars(
        select(VisitorPass).where(*admission.in_force(compound, at)).order_by(VisitorPass.id)
    ).all()
    decided = admission.check_all(session, compound, passes, zone, at)
    return Entitled(
        tuple(sorted(person for person, facts in people.items() if may_enter(facts, place, at).allowed)),
        tuple(pass_id for pass_id, decision in decided.items() if decision.allowed),
    )


def _by_number(
    session: Session, compound: str, kind: CredentialKind, ref: str, place: EntryZone, at: dt.datetime
) -> Entry | None:
    try:
        key = ref_key(compound, kind, ref)
    except RefusedError:
        return None
    credential = session.scalars(
        select(Credential)
        .where(Credential.compound == compound, Credential.ref_key == key)
        # At most one is active; of the others the latest says what has become of the number.
        .order_by(case((Credential.status == CredentialStatus.ACTIVE, 0), else_=1), Credential.id.desc())
        .limit(1)
    ).first()
    if credential is None:
        return None
    rights = rights_of(session, compound, [credential.person]).get(credential.person)
    if rights is None:
        return None
    answer = may_enter(EntryFacts(rights, (key_of(session, credential),)), place, at)
    return replace(answer, subject=f"person:{credential.person}")


def _by_card(session: Session, compound: str, ref: str, at: dt.datetime) -> VisitorPass | None:
    try:
        return cards.by_card(session, compound, ref, at)
    except RefusedError:
        return None


def _place(session: Session, compound: str, zone: str) -> EntryZone:
    row = find(session, Zone, compound, zone, "zone")
    return EntryZone(row.id, Ring(row.ring))


PASS_REASONS: Final = tuple(f"pass_{reason}" for reason in PassReason)
"""What `Entry.reason` may be besides an `EntryReason`."""
