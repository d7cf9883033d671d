"""People come into the registry, are corrected, and stand under a guardian.

A birth date, given or read from an id number, only decides whether and until when somebody
is a child; of adults nothing is kept of it. Everybody is let in by something besides a face from the first
moment on: whoever has no card gets the guard's call.
"""

import datetime as dt
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from registry import citizen_id, lookups
from registry.credentials.models import Credential, CredentialKind, CredentialStatus
from registry.errors import MissingError, RefusedError
from registry.faces import revisions
from registry.people.ages import is_adult
from registry.people.models import Person
from registry.rows import at_version, lock, write_unique
from registry.spelling import PhoneError
from storage import new_id

NAME_MAX: Final = 64
_FOURTEEN: Final = 14
_TO_ADULT: Final = 4
_EARLIEST: Final = dt.date(1880, 1, 1)


class Unchanged(Enum):
    """Stands where an edit says nothing about a field; None there means "take it away"."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What is known of somebody who is registered. `under_14` counts only without a date of birth."""

    name: str
    phone: str | None = None
    id_number: str | None = None
    born_on: dt.date | None = None
    under_14: bool = False
    guardian: str | None = None
    hukou_registered_here: bool | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What is to be different from now on."""

    name: str | Unchanged = UNCHANGED
    phone: str | Unchanged | None = UNCHANGED
    id_number: str | Unchanged | None = UNCHANGED
    born_on: dt.date | Unchanged = UNCHANGED
    under_14: bool | Unchanged = UNCHANGED
    guardian: str | Unchanged | None = UNCHANGED
    hukou_registered_here: bool | Unchanged | None = UNCHANGED

    def named(self) -> tuple[str, ...]:
        """Which fields it changes: for the audit log, which names fields and no contents."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) is not UNCHANGED)


def turns_14_on(born_on: dt.date) -> dt.date:
    """The fourteenth birthday; for who was born on 29 February the first of March."""
    return _years(born_on, _FOURTEEN)


def register(session: Session, compound: str, given: NewPerson, *, at: dt.datetime, today: dt.date) -> Person:
    """Adds a person, let in by the guard's call until there is something better.

    Raises `RefusedError` with the codes of `spelling.PhoneError`, `citizen_id.CitizenIdError`,
    `name_missing`, `birth_date_impossible`, `birth_date_differs`, `external_id_taken` and
    those of `guard_by`.
    """
    person = Person(
        id=new_id(),
        compound=compound,
        hukou_registered_here=given.hukou_registered_here,
        external_id=given.external_id,
        version=1,
    )
    _identify(person, given.name, given.phone, given.id_number)
    _age(person, _born(given.id_number, given.born_on, today), given.under_14, today)
    write_unique(session, "external_id_taken", person)
    if given.guardian is not None:
        guard_by(session, person, given.guardian, today=today)
    session.add(
        Credential(
            id=new_id(),
            compound=compound,
            person=person.id,
            kind=CredentialKind.GUARD_CALL,
            status=CredentialStatus.ACTIVE,
            zones=[],
            starts_at=at,
        )
    )
    session.flush()
    return person


def edit(session: Session, person: Person, version: int, change: PersonChange, *, today: dt.date) -> Person:
    """Corrects a person. Raises what `register` raises, `StaleEditError` and `person_erased`."""
    at_version(person, version)
    if person.erased_at is not None:
        raise RefusedError("person_erased")
    if change.guardian is not UNCHANGED:
        guard_by(session, person, change.guardian, today=today)
    if {"name", "phone", "id_number"} & set(change.named()):
        _identify(
            person,
            _or(change.name, person.name),
            _or(change.phone, person.phone),
            _or(change.id_number, person.id_number),
        )
    if change.hukou_registered_here is not UNCHANGED:
        person.hukou_registered_here = change.hukou_registered_here
    if {"id_number", "born_on", "under_14"} & set(change.named()):
        _age_again(session, person, change, today)
    session.flush()
    return person


def guard_by(session: Session, person: Person, guardian_id: str | None, *, today: dt.date) -> None:
    """Puts a person under a guardian, or under nobody.

    A guardian is somebody else, an adult of the same compound, and under no guardian:
    so no circle can be. Raises `guardian_is_self`, `guardian_not_adult`, `guardian_circle`,
    `guardian_has_guardian`, `person_is_guardian` and `MissingError("guardian")`.
    """
    if guardian_id is None:
        person.guardian = None
        return
    if guardian_id == person.id:
        raise RefusedError("guardian_is_self")
    session.flush()
    lock(session, Person, person.compound, (person.id, guardian_id), "guardian")
    guardian = session.get_one(Person, guardian_id)
    if guardian.erased_at is not None:
        raise MissingError("guardian")
    if guardian.guardian == person.id:
        raise RefusedError("guardian_circle")
    if not is_adult(guardian, today):
        raise RefusedError("guardian_not_adult")
    if guardian.guardian is not None:
        raise RefusedError("guardian_has_guardian")
    if _guards_somebody(session, person):
        raise RefusedError("person_is_guardian")
    person.guardian = guardian_id
    session.flush()


def come_of_age(session: Session, compound: str, today: dt.date) -> int:
    """Takes the mark "under 14" from whoever has turned 14; returns from how many.

    The date stays until it has served to tell who is grown up, and goes at 18: of an adult
    it would be a birthday that nobody needs.
    """
    grown = session.execute(
        update(Person)
        .where(Person.compound == compound, Person.under_14, Person.turns_14_on <= today)
        .values(under_14=False, version=Person.version + 1)
        .returning(Person.id)
    ).all()
    session.execute(
        update(Person)
        .where(Person.compound == compound, Person.turns_14_on <= _years(today, -_TO_ADULT))
        .values(turns_14_on=None, version=Person.version + 1)
    )
    # Galleries hold who is under 14, and match nobody who is.
    revisions.tell_of_people(session, compound, [row.id for row in grown])
    return len(grown)


def _identify(person: Person, name: str, phone: str | None, id_number: str | None) -> None:
    if not name.strip():
        raise RefusedError("name_missing")
    if len(name) > NAME_MAX:
        raise RefusedError("name_too_long", maximum=NAME_MAX)
    try:
        lookups.identify(person, name=name.strip(), phone=phone or None, id_number=id_number or None)
    except (PhoneError, citizen_id.CitizenIdError) as error:
        raise RefusedError(error.code) from error


def _born(id_number: str | None, born_on: dt.date | None, today: dt.date) -> dt.date | None:
    """The date of birth that one of the two, or both, say."""
    written = citizen_id.born_on(citizen_id.check(id_number)) if id_number else None
    if written is not None and born_on is not None and written != born_on:
        raise RefusedError("birth_date_differs")
    born = written or born_on
    if born is not None and not _EARLIEST <= born <= today:
        raise RefusedError("birth_date_impossible")
    return born


def _age(person: Person, born: dt.date | None, said: bool, today: dt.date) -> None:
    until = None if born is None else turns_14_on(born)
    person.under_14 = said if until is None else today < until
    person.turns_14_on = until
    if is_adult(person, today):
        person.turns_14_on = None


def _age_again(session: Session, person: Person, change: PersonChange, today: dt.date) -> None:
    born = _born(
        None if change.id_number is UNCHANGED else change.id_number,
        None if change.born_on is UNCHANGED else change.born_on,
        today,
    )
    if born is None and change.under_14 is UNCHANGED:
        return
    before = person.under_14
    _age(person, born, person.under_14 if change.under_14 is UNCHANGED else change.under_14, today)
    if person.under_14 == before:
        return
    if person.under_14:
        # Whoever is making this person a guardian at the same moment has to come first or last.
        session.flush()
        lock(session, Person, person.compound, (person.id,), "person")
        if _guards_somebody(session, person):
            raise RefusedError("person_is_guardian")
    revisions.tell_of_people(session, person.compound, [person.id])


def _guards_somebody(session: Session, person: Person) -> bool:
    return (
        session.scalar(
            select(Person.id).where(Person.compound == person.compound, Person.guardian == person.id).limit(1)
        )
        is not None
    )


def _years(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)


def _or(given: Any, before: Any) -> Any:
    return before if given is UNCHANGED else given
