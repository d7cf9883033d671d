"""Forgetting a person in the registry: the rows go, and an empty one stays.

Proofs of consent and the audit log refer to the empty row; nothing in it says who it was.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import Text, column, delete, or_, select, table, update
from sqlalchemy.orm import Session

from alerts.absences import CareAbsence
from alerts.intake.models import IntakeReport
from devices.enrolments import TerminalEnrolment
from privacy.erasure.face import Forgotten, forget_at_terminals, forget_face
from privacy.erasure.marks import Marks
from privacy.erasure.orders import strike_orders
from privacy.models import SubjectRequest
from registry import spelling
from registry.models import (
    AuthorisedDriver,
    Consent,
    Credential,
    Household,
    ImportChange,
    PassUse,
    Person,
    Residence,
    StaffLink,
    Vehicle,
    VisitorPass,
)

# The console's tables, by name: no arrow points up to its models.
_users = table(
    "users",
    column("id"),
    column("name"),
    column("person_id"),
    column("active"),
    column("password_hash"),
    column("provider_key"),
)
_ways_in = [
    table(name, column("user"))
    for name in (
        "user_sessions",
        "setup_links",
        "api_tokens",
        "second_factors",
        "recovery_codes",
        "half_sign_ins",
        "provider_requests",
        "known_devices",
    )
]
_answers = table("idempotency_keys", column("response", Text))


def own_vehicles(session: Session, person: Person) -> Sequence[Vehicle]:
    """Vehicles that nobody else has a part in: they are forgotten together with the person."""
    household = [] if person.household is None or _others(session, person) else [person.household]
    return session.scalars(
        select(Vehicle)
        .where(
            Vehicle.compound == person.compound,
            Vehicle.organisation.is_(None),
            or_(
                Vehicle.owner == person.id,
                Vehicle.household.in_(household) & Vehicle.owner.is_(None),
            ),
            or_(Vehicle.household.is_(None), Vehicle.household.in_(household)),
        )
        .order_by(Vehicle.id)
    ).all()


def marks_of(session: Session, person: Person) -> Marks:
    """By what the person is found in records of passages; read before the registry forgets it."""
    credentials = session.scalars(select(Credential).where(Credential.person == person.id)).all()
    refs = {spelling.card(ref) for c in credentials if (ref := c.ref)}
    unreadable = {c.ref_key for c in credentials if c.ref_key and c.ref is None}
    vehicles = own_vehicles(session, person)
    terminal_refs = session.scalars(
        select(TerminalEnrolment.ref).where(TerminalEnrolment.person == person.id)
    )
    return Marks(
        person.id,
        person.compound,
        refs=sorted(refs),
        ref_keys=sorted(unreadable),
        terminal_refs=sorted(terminal_refs),
        vehicles=[vehicle.id for vehicle in vehicles],
        plates=[vehicle.plate for vehicle in vehicles],
        words=[word for word in (person.name, person.phone, person.id_number) if word],
        word_keys=[] if person.name else [key for key in _hashes(person) if key],
    )


def _hashes(person: Person) -> tuple[str | None, ...]:
    return person.name_key, person.phone_key, person.id_key


def forget_person(
    session: Session, person: Person, marks: Marks, *, cause: str, by: str, at: dt.datetime
) -> Forgotten:
    """Takes a person out of the registry; what it cannot reach itself is in the answer."""
    face = forget_face(session, person, cause, at)
    terminals = forget_at_terminals(session, person.id, cause, at, faces_only=False)
    agreed = session.scalars(select(Consent.id).where(Consent.person == person.id)).all()
    session.execute(
        update(Consent)
        .where(Consent.person == person.id, Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=at)
    )
    session.execute(delete(TerminalEnrolment).where(TerminalEnrolment.person == person.id))
    emptied = None if person.household is None or _others(session, person) else person.household
    passes = _passes(session, person, emptied)
    gone = [
        *marks.vehicles,
        *_delete_vehicles(session, person, marks),
        *_delete_links(session, person),
        *passes,
        person.id,
    ]
    strike_orders(session, person, marks, by=by, at=at)
    _forget_reports(session, person)
    _close_account(session, person)
    session.execute(update(SubjectRequest).where(SubjectRequest.person == person.id).values(detail={}))
    household = person.household
    _empty(person, at)
    session.flush()
    if household is not None:
        session.execute(
            update(Household)
            .where(Household.head_person_id == person.id)
            .values(head_person_id=None, version=Household.version + 1)
        )
    if emptied is not None:
        session.execute(
            update(Vehicle)
            .where(Vehicle.household == emptied)
            .values(household=None, version=Vehicle.version + 1)
        )
        session.execute(delete(Household).where(Household.id == emptied))
        gone.append(emptied)
    # What an import would have put back when it is undone.
    session.execute(
        delete(ImportChange).where(ImportChange.compound == person.compound, ImportChange.row_id.in_(gone))
    )
    return Forgotten(
        face.media,
        sorted({person.id, *face.subjects, *agreed, *passes}),
        terminals,
        face.templates,
        face.exclusions,
    )


def delete_passes(session: Session, pass_ids: Iterable[str]) -> None:
    """Passes with their uses."""
    ids = list(pass_ids)
    session.execute(delete(PassUse).where(PassUse.visitor_pass.in_(ids)))
    session.execute(delete(VisitorPass).where(VisitorPass.id.in_(ids)))


def _others(session: Session, person: Person) -> bool:
    """Whether somebody else keeps house with this person."""
    return (
        session.scalar(
            select(Person.id)
            .where(
                Person.household == person.household,
                Person.id != person.id,
                Person.erased_at.is_(None),
            )
            .limit(1)
        )
        is not None
    )


def _passes(session: Session, person: Person, emptied: str | None) -> list[str]:
    hosted = VisitorPass.host_person == person.id
    if emptied is not None:
        hosted = or_(hosted, VisitorPass.host_household == emptied)
    ids = list(session.scalars(select(VisitorPass.id).where(hosted)))
    delete_passes(session, ids)
    return ids


def _delete_vehicles(session: Session, person: Person, marks: Marks) -> list[str]:
    """Deletes own vehicles, leaves shared ones to the others; returns ids of rows that went with them."""
    drivers = session.execute(
        delete(AuthorisedDriver)
        .where(or_(AuthorisedDriver.vehicle.in_(marks.vehicles), AuthorisedDriver.person == person.id))
        .returning(AuthorisedDriver.id)
    ).scalars()
    gone = list(drivers)
    session.execute(
        update(AuthorisedDriver).where(AuthorisedDriver.granted_by == person.id).values(granted_by=None)
    )
    session.execute(delete(Vehicle).where(Vehicle.id.in_(marks.vehicles)))
    session.execute(
        update(Vehicle).where(Vehicle.owner == person.id).values(owner=None, version=Vehicle.version + 1)
    )
    return gone


def _delete_links(session: Session, person: Person) -> list[str]:
    gone: list[str] = []
    for link in (Residence, StaffLink, Credential, CareAbsence):
        gone += session.execute(delete(link).where(link.person == person.id).returning(link.id)).scalars()
    session.execute(
        update(Person).where(Person.guardian == person.id).values(guardian=None, version=Person.version + 1)
    )
    return gone


def _forget_reports(session: Session, person: Person) -> None:
    """That something was reported stays; by whom, in which words and with which photo does not."""
    session.execute(
        update(IntakeReport)
        .where(IntakeReport.person == person.id)
        .values(person=None, reporter=None, responder=None, words=None, media_id=None)
    )


def _close_account(session: Session, person: Person) -> None:
    """Nobody signs in as an erased person, and their sign-in name is no trace of them."""
    accounts = session.execute(select(_users.c.id).where(_users.c.person_id == person.id)).scalars().all()
    for account in accounts:
        for way_in in _ways_in:
            session.execute(delete(way_in).where(way_in.c.user == account))
        session.execute(
            update(_users)
            .where(_users.c.id == account)
            .values(
                active=False,
                person_id=None,
                password_hash=None,
                provider_key=None,
                name=f"erased-{account}",
            )
        )
    # Answers that were kept for a day, should the same request come again.
    session.execute(delete(_answers).where(_answers.c.response.contains(person.id, autoescape=True)))


def _empty(person: Person, at: dt.datetime) -> None:
    person.sealed_name = person.sealed_phone = person.sealed_id_number = None
    person.name_key = person.phone_key = person.id_key = None
    person.household = person.guardian = person.external_id = None
    person.turns_14_on = None
    person.hukou_registered_here = None
    person.under_14 = False
    person.erased_at = at
