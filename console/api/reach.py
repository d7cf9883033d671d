"""How far a role sees: a grid worker sees the dwellings of the own grid and who is in them.

Everybody else who may look at people or dwellings at all sees those of the whole compound.
What is out of reach is not found, as if it did not exist.
"""

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.api.subjects import find_person
from console.problems import not_found
from registry.models import Dwelling, Grid, Household, Person, Residence
from registry.rows import find


def person_in_reach(session: Session, user: User, compound: str, person_id: str) -> Person:
    """A person who lives, lived or keeps house where the user looks. Raises a 404 problem."""
    person = find_person(session, compound, person_id)
    if user.role == Role.GRID_WORKER:
        homes = select(Residence.dwelling).where(
            Residence.compound == compound, Residence.person == person_id
        )
        family = select(Household.dwelling).where(
            Household.compound == compound, Household.id == person.household
        )
        if not _any_of_grid(session, user, compound, or_(Dwelling.id.in_(homes), Dwelling.id.in_(family))):
            raise not_found("person")
    return person


def dwelling_in_reach(session: Session, user: User, compound: str, dwelling_id: str) -> Dwelling:
    """A dwelling that the user may look at. Raises `MissingError("dwelling")` or a 404 problem."""
    dwelling = find(session, Dwelling, compound, dwelling_id, "dwelling")
    if not sees_dwelling(session, user, compound, dwelling_id):
        raise not_found("dwelling")
    return dwelling


def sees_dwelling(session: Session, user: User, compound: str, dwelling_id: str | None) -> bool:
    """Whether a dwelling is in the user's reach; nowhere is in no grid."""
    return user.role != Role.GRID_WORKER or _any_of_grid(session, user, compound, Dwelling.id == dwelling_id)


def _any_of_grid(session: Session, user: User, compound: str, which: ColumnElement[bool]) -> bool:
    query = (
        select(Dwelling.id)
        .join(Grid, Grid.id == Dwelling.grid)
        .where(
            Dwelling.compound == compound,
            Grid.compound == compound,
            or_(Grid.worker == user.id, Grid.deputy == user.id),
            which,
        )
    )
    return session.execute(query.limit(1)).first() is not None
