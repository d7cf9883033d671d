"""What of the registry concerns lists, read for a whole compound or for a few people.

Numbers and names are read in the clear here and go no further than the terminal: what is
kept of them in our own rows is a keyed hash.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from devices.directory import DeviceFacts
from devices.lists.models import Carries
from devices.lists.wanted import Card, Holder, Resident, Visitor, Wanted, by_holder, entry_of, visit_of
from registry.days import local_date
from registry.entry.decision import EntryZone, Key
from registry.entry.rights import rights_of
from registry.faces.models import Consent, ConsentPurpose, FaceTemplate, GivenBy
from registry.models import Credential, CredentialKind, CredentialStatus, Person, Ring, VisitorPass
from registry.passes import admission
from registry.people.ages import under_14_on
from storage.keys import current_ring
from storage.vault import current_vault, open_for

# More than this many at once and everybody is read: a statement takes only so many parameters.
_FEW: Final = 900


@dataclass(frozen=True, slots=True)
class Register:
    """A compound's people as lists need them; the same for all its terminals."""

    residents: tuple[Resident, ...]


def register_of(
    session: Session, compound: str, at: dt.datetime, people: Collection[str] | None = None
) -> Register:
    """Everybody of a compound, or these people, as far as they have anything to show to a terminal."""
    pictures = pictures_of(session, compound, at, people)
    cards, faces = _keys(session, compound, people)
    shown = {*pictures, *cards}
    rights = rights_of(session, compound, people)
    current_vault().load(shown)
    names = {
        person: open_for(person, "name", sealed) or ""
        for person, sealed in session.execute(
            select(Person.id, Person.sealed_name).where(
                Person.compound == compound, Person.erased_at.is_(None), _among(Person.id, people)
            )
        )
        if person in shown
    }
    return Register(
        tuple(
            Resident(
                person,
                name,
                rights.get(person, ()),
                tuple(_readable(person, cards.get(person, ()))),
                pictures.get(person),
                faces.get(person, (_ANY_FACE,)),
            )
            for person, name in names.items()
        )
    )


def pictures_of(
    session: Session, compound: str, at: dt.datetime, people: Collection[str] | None = None
) -> dict[str, str]:
    """Person → the photo that a terminal may be given, by its name in the media store.

    The consent has to be the person's own and in force: a guardian's is for children, and no
    child is matched by a machine that asks nobody.
    """
    today = local_date(session, compound, at)
    rows = session.execute(
        select(FaceTemplate.person, FaceTemplate.media_id, Person.under_14, Person.turns_14_on)
        .join(Consent, Consent.id == FaceTemplate.consent)
        .join(Person, Person.id == FaceTemplate.person)
        .where(
            Person.compound == compound,
            Person.erased_at.is_(None),
            FaceTemplate.media_id.is_not(None),
            Consent.purpose == ConsentPurpose.FACE_ACCESS,
            Consent.given_by == GivenBy.SELF,
            Consent.withdrawn_at.is_(None),
            _among(FaceTemplate.person, people),
        )
        # The latest one is kept.
        .order_by(FaceTemplate.created_at, FaceTemplate.id)
    )
    return {
        person: media_id
        for person, media_id, flag, turns_14_on in rows
        if media_id is not None and not under_14_on(today, flag=flag, turns_14_on=turns_14_on)
    }


def visitors_of(
    session: Session, compound: str, zone: str, at: dt.datetime, passes: Collection[str] | None = None
) -> list[Visitor]:
    """Passes that let into a zone now and whose card was handed out."""
    found = session.scalars(
        select(VisitorPass)
        .where(
            *admission.in_force(compound, at),
            VisitorPass.sealed_card.is_not(None),
            _among(VisitorPass.id, passes),
        )
        .order_by(VisitorPass.id)
    ).all()
    if not found:
        return []
    current_vault().load(one.id for one in found)
    decided = admission.check_all(session, compound, found, zone, at)
    return [
        Visitor(one.id, card, one.ends_at, None if one.max_uses is None else max(0, one.max_uses - one.uses))
        for one in found
        if decided[one.id].allowed and (card := one.card) is not None
    ]


def list_of(
    register: Register,
    visitors: Iterable[Visitor],
    zone: EntryZone,
    carries: Carries,
    at: dt.datetime,
    *,
    fetches: bool,
) -> dict[Holder, Wanted]:
    """The list of a terminal in a zone. `fetches`: it can get pictures from us."""
    if carries not in {Carries.CARDS, Carries.FACES}:
        return {}
    faces = carries == Carries.FACES and fetches
    residents = (entry_of(one, zone, at, faces=faces) for one in register.residents)
    return by_holder([*(one for one in residents if one is not None), *map(visit_of, visitors)])


def zone_of(device: DeviceFacts) -> EntryZone:
    """The zone that a terminal stands before."""
    return EntryZone(device.zone, Ring(device.ring))


def fingerprint(entry: Wanted) -> str:
    """A keyed hash of an entry's content: equal for equal content, and nothing to be read off it."""
    content: Mapping[str, object] = {
        "label": entry.label,
        "card": entry.card,
        "picture": entry.picture,
        "from": entry.starts_at,
        "until": entry.ends_at,
        "uses": entry.uses,
    }
    return current_ring().fingerprint("terminal-entry", msgspec.json.encode(content).decode())


_Sealed = tuple[str, bytes | None, Key]
"""A card: its id, its sealed number, and when and where it opens."""

# Who was enrolled without a credential of the kind face opens wherever they may enter.
_ANY_FACE: Final = Key(CredentialKind.FACE, CredentialStatus.ACTIVE)


def _keys(
    session: Session, compound: str, people: Collection[str] | None
) -> tuple[dict[str, list[_Sealed]], dict[str, tuple[Key, ...]]]:
    """Active cards, and faces in whatever state: a face that is suspended is not one without bounds."""
    cards: defaultdict[str, list[_Sealed]] = defaultdict(list)
    faces: defaultdict[str, tuple[Key, ...]] = defaultdict(tuple)
    rows = session.execute(
        select(
            Credential.id,
            Credential.person,
            Credential.kind,
            Credential.status,
            Credential.zones,
            Credential.starts_at,
            Credential.ends_at,
            Credential.sealed_ref,
        ).where(
            Credential.compound == compound,
            Credential.kind.in_((CredentialKind.CARD, CredentialKind.FACE)),
            _among(Credential.person, people),
        )
    )
    for number, person, kind, status, zones, starts_at, ends_at, sealed in rows:
        key = Key(CredentialKind(kind), CredentialStatus(status), frozenset(zones), starts_at, ends_at)
        if kind == CredentialKind.FACE:
            faces[person] = (*faces[person], key)
        elif status == CredentialStatus.ACTIVE:
            cards[person].append((number, sealed, key))
    return cards, faces


def _readable(person: str, cards: Iterable[_Sealed]) -> Iterable[Card]:
    for card_id, sealed, key in cards:
        number = open_for(person, "credential", sealed)
        if number is not None:
            yield Card(card_id, number, key)


def _among(column: InstrumentedAttribute[str], ids: Collection[str] | None) -> ColumnElement[bool]:
    return true() if ids is None or len(ids) > _FEW else column.in_(ids)
