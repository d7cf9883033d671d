"""How far a role sees: a grid worker sees who lives in the dwellings of the own grids.

Everybody else who may look at people at all sees those of the whole compound. Who is out
of reach is not found, as if there were nobody.
"""

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.own_grids import own_grids
from console.api.subjects import find_person
from console.problems import not_found
from registry.models import Dwelling, Household, Person, Residence


def person_in_reach(session: Session, user: User, compound: str, person_id: str) -> Person:
    """A person who lives, lived or keeps house where the user looks. Raises a 404 problem."""
    person = find_person(session, compound, person_id)
    grids = own_grids(session, compound, user)
    if grids is not None:
        homes = select(Residence.dwelling).where(
            Residence.compound == compound, Residence.person == person_id
        )
        family = select(Household.dwelling).where(
            Household.compound == compound, Household.id == person.household
        )
        if not _any(session, compound, grids, or_(Dwelling.id.in_(homes), Dwelling.id.in_(family))):
            raise not_found("person")
    return person


def sees_dwelling(session: Session, user: User, compound: str, dwelling_id: str | None) -> bool:
    """Whether a dwelling is in the user's reach; nowhere is in no grid."""
    grids = own_grids(session, compound, user)
    return grids is None or _any(session, compound, grids, Dwelling.id == dwelling_id)


def _any(session: Session, compound: str, grids: frozenset[str], which: ColumnElement[bool]) -> bool:
    query = select(Dwelling.id).where(Dwelling.compound == compound, Dwelling.grid.in_(grids), which)
    return session.execute(query.limit(1)).first() is not None
