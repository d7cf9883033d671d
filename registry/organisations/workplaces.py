"""Organisations of the compound: their premises, and the staff who may enter because of them.

Whoever changes premises or staff holds the organisation's row until the end of the
transaction; the periods of one dwelling, or of one person, do not overlap.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.organisations.models import Organisation, OrganisationKind, Premises, StaffLink
from registry.people.models import Person
from registry.people.residences import overlap, refuse_dates
from registry.places.models import Dwelling
from registry.rows import at_version, find, lock, write_unique
from storage import new_id

# GB 32100-2015, ISO 7064 MOD 31-3: 18 characters without I, O, S, V, Z; the last one checks.
_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_NUMBER: Final = re.compile(rf"[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}")


@dataclass(frozen=True, slots=True)
class OrganisationDetails:
    """What is said of an organisation; `registration_no` is the 统一社会信用代码."""

    name: str
    kind: OrganisationKind
    registration_no: str | None = None


def check_registration_no(text: str) -> str:
    """A unified social credit code in its one spelling. Raises `registration_no_malformed`."""
    number = "".join(text.split()).upper()
    if not _NUMBER.fullmatch(number):
        raise RefusedError("registration_no_malformed")
    total = sum(_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(number[:17]))
    if _ALPHABET[-total % 31] != number[17]:
        raise RefusedError("registration_no_malformed")
    return number


def found(
    session: Session, compound: str, details: OrganisationDetails, *, external_id: str | None = None
) -> Organisation:
    """Adds an organisation. Raises `name_missing`, `registration_no_malformed`, `external_id_taken`."""
    organisation = Organisation(id=new_id(), compound=compound, external_id=external_id, version=1)
    _describe(organisation, details)
    write_unique(session, "external_id_taken", organisation)
    return organisation


def edit(session: Session, organisation: Organisation, version: int, details: OrganisationDetails) -> None:
    """Corrects an organisation. Raises what `found` raises and `StaleEditError`."""
    at_version(organisation, version)
    _describe(organisation, details)
    session.flush()


def move_in(
    session: Session,
    organisation: Organisation,
    dwelling: str,
    since: dt.date,
    until: dt.date | None = None,
    *,
    today: dt.date,
) -> Premises:
    """Gives an organisation premises. Raises what `refuse_dates` raises and `premises_overlap`."""
    refuse_dates(since, until, today)
    find(session, Dwelling, organisation.compound, dwelling, "dwelling")
    _hold(session, organisation)
    _refuse_overlap(session, _premises_in(organisation, dwelling), since, until, "premises_overlap")
    premises = Premises(
        id=new_id(),
        compound=organisation.compound,
        organisation=organisation.id,
        dwelling=dwelling,
        since=since,
        until=until,
    )
    session.add(premises)
    session.flush()
    return premises


def move_out(session: Session, premises: Premises, last_day: dt.date, *, today: dt.date) -> None:
    """Sets the last day of premises. Raises what `refuse_dates` raises and `premises_overlap`."""
    organisation = _of(session, premises)
    refuse_dates(premises.since, last_day, today)
    query = _premises_in(organisation, premises.dwelling).where(Premises.id != premises.id)
    _refuse_overlap(session, query, premises.since, last_day, "premises_overlap")
    premises.until = last_day
    session.flush()


def employ(
    session: Session,
    organisation: Organisation,
    person: str,
    since: dt.date,
    until: dt.date | None = None,
    *,
    today: dt.date,
) -> StaffLink:
    """Notes that a person works for an organisation. Raises what `refuse_dates` raises, `staff_overlap`."""
    refuse_dates(since, until, today)
    row = find(session, Person, organisation.compound, person, "person")
    if row.erased_at is not None:
        raise MissingError("person")
    _hold(session, organisation)
    _refuse_overlap(session, _work_of(organisation, person), since, until, "staff_overlap")
    link = StaffLink(
        id=new_id(),
        compound=organisation.compound,
        organisation=organisation.id,
        person=person,
        since=since,
        until=until,
    )
    session.add(link)
    session.flush()
    return link


def dismiss(session: Session, link: StaffLink, last_day: dt.date, *, today: dt.date) -> None:
    """Sets the last day of somebody's work. Raises what `refuse_dates` raises and `staff_overlap`."""
    organisation = _of(session, link)
    refuse_dates(link.since, last_day, today)
    query = _work_of(organisation, link.person).where(StaffLink.id != link.id)
    _refuse_overlap(session, query, link.since, last_day, "staff_overlap")
    link.until = last_day
    session.flush()


def premises_of(session: Session, organisation: Organisation) -> Sequence[Premises]:
    """All premises that an organisation has or had, the earliest first."""
    return session.scalars(
        select(Premises)
        .where(Premises.compound == organisation.compound, Premises.organisation == organisation.id)
        .order_by(Premises.since, Premises.id)
    ).all()


def staff_of(session: Session, organisation: Organisation, on: dt.date | None = None) -> Sequence[StaffLink]:
    """Everybody who works or worked for an organisation; with `on` those who do on that day."""
    query = select(StaffLink).where(
        StaffLink.compound == organisation.compound, StaffLink.organisation == organisation.id
    )
    if on is not None:
        query = query.where(StaffLink.since <= on, (StaffLink.until.is_(None)) | (StaffLink.until >= on))
    return session.scalars(query.order_by(StaffLink.since, StaffLink.id)).all()


def _describe(organisation: Organisation, details: OrganisationDetails) -> None:
    if not details.name.strip():
        raise RefusedError("name_missing")
    number = details.registration_no
    organisation.name = details.name.strip()
    organisation.kind = details.kind
    organisation.registration_no = None if number is None else check_registration_no(number)


def _of(session: Session, row: Premises | StaffLink) -> Organisation:
    organisation = find(session, Organisation, row.compound, row.organisation, "organisation")
    _hold(session, organisation)
    return organisation


def _hold(session: Session, organisation: Organisation) -> None:
    session.flush()
    lock(session, Organisation, organisation.compound, (organisation.id,), "organisation")


def _premises_in(organisation: Organisation, dwelling: str) -> Select[Premises]:
    return select(Premises).where(
        Premises.compound == organisation.compound,
        Premises.organisation == organisation.id,
        Premises.dwelling == dwelling,
    )


def _work_of(organisation: Organisation, person: str) -> Select[StaffLink]:
    return select(StaffLink).where(
        StaffLink.compound == organisation.compound,
        StaffLink.organisation == organisation.id,
        StaffLink.person == person,
    )


def _refuse_overlap(
    session: Session,
    query: Select[Premises] | Select[StaffLink],
    since: dt.date,
    until: dt.date | None,
    code: str,
) -> None:
    for other in session.scalars(query.execution_options(populate_existing=True)):
        if overlap((since, until), (other.since, other.until)):
            raise RefusedError(code)
