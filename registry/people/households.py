"""Households: one head, who is a member; people join and leave; the household lives in one dwelling.

Whoever changes a household or who is in it holds the people concerned, and then its row,
until the end of the transaction: the head cannot leave while being chosen.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.faces import revisions
from registry.people.ages import is_under_14
from registry.people.models import Household, Person
from registry.places.models import Dwelling
from registry.rows import at_version, find, lock, write_unique
from storage import new_id


def create(
    session: Session,
    compound: str,
    *,
    head: str,
    members: Iterable[str] = (),
    dwelling: str | None = None,
    external_id: str | None = None,
    today: dt.date,
) -> Household:
    """A household with its head, who becomes a member with the others.

    Raises `in_another_household`, `head_under_14`, `external_id_taken` (`RefusedError`) and
    `MissingError` of a person or dwelling.
    """
    if dwelling is not None:
        find(session, Dwelling, compound, dwelling, "dwelling")
    household = Household(
        id=new_id(),
        compound=compound,
        dwelling=dwelling,
        head_person_id=head,
        external_id=external_id,
        version=1,
    )
    write_unique(session, "external_id_taken", household)
    ids = {head, *members}
    lock(session, Person, compound, ids, "person")
    for person_id in sorted(ids):
        _take_in(household, session.get_one(Person, person_id))
    _refuse_child(session.get_one(Person, head), today)
    session.flush()
    revisions.tell_of_people(session, compound, ids)
    return household


def members(session: Session, household: Household) -> Sequence[Person]:
    """Who belongs to a household now."""
    return session.scalars(
        select(Person)
        .where(Person.compound == household.compound, Person.household == household.id)
        .order_by(Person.id)
    ).all()


def change_head(session: Session, household: Household, version: int, head: str, *, today: dt.date) -> None:
    """Makes another member the head. Raises `head_not_member`, `head_under_14`, `StaleEditError`."""
    _hold(session, household, head)
    at_version(household, version)
    person = session.get_one(Person, head)
    if person.household != household.id:
        raise RefusedError("head_not_member")
    _refuse_child(person, today)
    household.head_person_id = head
    session.flush()


def settle(session: Session, household: Household, version: int, dwelling: str | None) -> None:
    """Says in which dwelling a household lives; None while nobody knows. Residences are separate."""
    at_version(household, version)
    if dwelling is not None:
        find(session, Dwelling, household.compound, dwelling, "dwelling")
    household.dwelling = dwelling
    session.flush()


def join(session: Session, household: Household, person: Person, version: int, *, today: dt.date) -> None:
    """Takes a person in; one household at a time (`in_another_household`)."""
    _hold(session, household, person.id)
    at_version(person, version)
    _take_in(household, person)
    if household.head_person_id is None:
        _refuse_child(person, today)
        household.head_person_id = person.id
    session.flush()
    revisions.tell_of_people(session, person.compound, [person.id])


def leave(session: Session, person: Person, version: int) -> None:
    """Takes a person out. The head goes last, or after another has become head (`head_leaves`)."""
    session.flush()
    lock(session, Person, person.compound, (person.id,), "person")
    at_version(person, version)
    if person.household is None:
        raise RefusedError("in_no_household")
    household = find(session, Household, person.compound, person.household, "household")
    _hold(session, household, person.id)
    if household.head_person_id == person.id:
        others = session.scalar(
            select(Person.id)
            .where(
                Person.compound == person.compound,
                Person.household == household.id,
                Person.id != person.id,
            )
            .limit(1)
        )
        if others is not None:
            raise RefusedError("head_leaves")
        household.head_person_id = None
    person.household = None
    session.flush()
    revisions.tell_of_people(session, person.compound, [person.id])


def _hold(session: Session, household: Household, person: str) -> None:
    session.flush()
    lock(session, Person, household.compound, (person,), "person")
    lock(session, Household, household.compound, (household.id,), "household")


def _take_in(household: Household, person: Person) -> None:
    if person.erased_at is not None:
        raise MissingError("person")
    if person.household not in {None, household.id}:
        raise RefusedError("in_another_household", person=person.id)
    person.household = household.id


def _refuse_child(person: Person, today: dt.date) -> None:
    if is_under_14(person, today):
        raise RefusedError("head_under_14")
