"""Whom or what a route is about: of the compound that is asked for, or not found."""

from sqlalchemy.orm import Session

from console.problems import not_found
from registry.models import Person


def find_person(session: Session, compound: str, person_id: str) -> Person:
    """Raises a 404 problem, also for a person of another compound."""
    row = session.get(Person, person_id)
    if row is None or row.compound != compound:
        raise not_found("person")
    return row
