"""Who belongs here and by what they are let in, read from the database for many people at once."""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.entry.decision import EntryFacts, Key, Right, RightKind
from registry.errors import MissingError
from registry.faces.models import Consent, ConsentPurpose
from registry.organisations.models import Premises, StaffLink
from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.people.residences import overlap
from registry.places.models import Building, Compound, Dwelling, Unit
from storage.columns import EPOCH


def facts_of(session: Session, compound: str, people: Collection[str] | None = None) -> dict[str, EntryFacts]:
    """What `registry.entry.decision` decides by, of some people or of everybody of a compound.

    The same few queries for one and for all; erased people are not among them.
    """
    keys = keys_of(session, compound, people)
    return {
        person: EntryFacts(rights, tuple(keys.get(person, ())))
        for person, rights in rights_of(session, compound, people).items()
    }


def rights_of(
    session: Session, compound: str, people: Collection[str] | None = None
) -> dict[str, tuple[Right, ...]]:
    """Why people belong here, whatever they are let in by; nothing of erased people."""
    zone = _zone(session, compound)
    rights: defaultdict[str, list[Right]] = defaultdict(list)
    found = (_homes(session, compound, people, zone), _work(session, compound, people, zone))
    for person, right in itertools.chain(*found):
        rights[person].append(right)
    here = session.scalars(
        select(Person.id).where(
            Person.compound == compound, Person.erased_at.is_(None), _among(Person.id, people)
        )
    )
    return {person: tuple(rights.get(person, ())) for person in here}


def keys_of(session: Session, compound: str, people: Collection[str] | None = None) -> dict[str, list[Key]]:
    """Credentials that are active, by person."""
    found: defaultdict[str, list[Key]] = defaultdict(list)
    rows = session.execute(
        select(
            Credential.person,
            Credential.kind,
            Credential.status,
            Credential.zones,
            Credential.starts_at,
            Credential.ends_at,
        ).where(
            Credential.compound == compound,
            Credential.status == CredentialStatus.ACTIVE,
            _among(Credential.person, people),
        )
    ).all()
    faces = {row.person for row in rows if row.kind == CredentialKind.FACE}
    agreed = _consenting(session, compound, faces)
    for person, kind, status, zones, starts_at, ends_at in rows:
        consented = kind != CredentialKind.FACE or person in agreed
        found[person].append(
            Key(
                CredentialKind(kind),
                CredentialStatus(status),
                frozenset(zones),
                starts_at,
                ends_at,
                consented=consented,
            )
        )
    return found


def key_of(session: Session, credential: Credential) -> Key:
    """One credential, active or not."""
    face = credential.kind == CredentialKind.FACE
    return Key(
        CredentialKind(credential.kind),
        CredentialStatus(credential.status),
        frozenset(credential.zones),
        credential.starts_at,
        credential.ends_at,
        consented=not face or bool(_consenting(session, credential.compound, {credential.person})),
    )


def _homes(
    session: Session, compound: str, people: Collection[str] | None, zone: ZoneInfo
) -> Iterable[tuple[str, Right]]:
    dated: set[tuple[str, str]] = set()
    query = (
        select(
            Residence.person,
            Residence.dwelling,
            Residence.kind,
            Residence.since,
            Residence.until,
            Building.zone,
        )
        .select_from(Residence)
        .join(Dwelling, Dwelling.id == Residence.dwelling)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Residence.compound == compound, _among(Residence.person, people))
    )
    for person, dwelling, kind, since, until, building in session.execute(query):
        dated.add((person, dwelling))
        # Of some only the household registration is here: they live elsewhere.
        if kind != ResidenceKind.REGISTERED_ABSENT:
            yield person, _right(RightKind.RESIDENCE, {building}, (since, until), zone)
    # Members of a household that lives here, of whom nobody has written down since when. Dates
    # go before: who has any in this dwelling is here as long as they say.
    for person, dwelling, building in _families(session, compound, people):
        if (person, dwelling) not in dated:
            yield person, Right(RightKind.RESIDENCE, frozenset({building}), EPOCH, None)


def _families(
    session: Session, compound: str, people: Collection[str] | None
) -> Iterable[tuple[str, str, str]]:
    """Everybody with the dwelling of their household, and the zone of its building."""
    query = (
        select(Person.id, Dwelling.id, Building.zone)
        .select_from(Person)
        .join(Household, Household.id == Person.household)
        .join(Dwelling, Dwelling.id == Household.dwelling)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Person.compound == compound, _among(Person.id, people))
    )
    return [(person, dwelling, building) for person, dwelling, building in session.execute(query)]


def _work(
    session: Session, compound: str, people: Collection[str] | None, zone: ZoneInfo
) -> Iterable[tuple[str, Right]]:
    links = session.execute(
        select(StaffLink.person, StaffLink.organisation, StaffLink.since, StaffLink.until).where(
            StaffLink.compound == compound, _among(StaffLink.person, people)
        )
    ).all()
    places: defaultdict[str, list[tuple[dt.date, dt.date | None, str]]] = defaultdict(list)
    query = (
        select(Premises.organisation, Premises.since, Premises.until, Building.zone)
        .select_from(Premises)
        .join(Dwelling, Dwelling.id == Premises.dwelling)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(
            Premises.compound == compound,
            _among(Premises.organisation, {link.organisation for link in links}),
        )
    )
    for organisation, since, until, building in session.execute(query):
        places[organisation].append((since, until, building))
    for person, organisation, since, until in links:
        # Cleaners of the yard have work here and no premises.
        yield person, _right(RightKind.WORK, set(), (since, until), zone)
        for from_, to, building in places[organisation]:
            if overlap((since, until), (from_, to)):
                ends = [day for day in (until, to) if day is not None]
                both = (max(since, from_), min(ends, default=None))
                yield person, _right(RightKind.WORK, {building}, both, zone)


def _right(
    kind: RightKind, buildings: set[str], period: tuple[dt.date, dt.date | None], zone: ZoneInfo
) -> Right:
    since, until = period
    ends_at = None if until is None else _midnight(until + dt.timedelta(days=1), zone)
    return Right(kind, frozenset(buildings), _midnight(since, zone), ends_at)


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)


def _consenting(session: Session, compound: str, people: Collection[str]) -> set[str]:
    if not people:
        return set()
    return set(
        session.scalars(
            select(Consent.person).where(
                Consent.compound == compound,
                Consent.purpose == ConsentPurpose.FACE_ACCESS,
                Consent.withdrawn_at.is_(None),
                _among(Consent.person, people),
            )
        )
    )


def _among(column: InstrumentedAttribute[str], ids: Collection[str] | None) -> ColumnElement[bool]:
    # Above what a statement takes as parameters, everybody of the compound is read.
    return true() if ids is None or len(ids) > 900 else column.in_(ids)


def _zone(session: Session, compound: str) -> ZoneInfo:
    row = session.get(Compound, compound)
    if row is None:
        raise MissingError("compound")
    return ZoneInfo(row.time_zone)
