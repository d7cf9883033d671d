"""Who lives behind the doors of a zone on a day: the smallest gallery that its cameras need."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.places.models import Building, Dwelling, Unit


def of_zone(session: Session, compound: str, zone: str, day: dt.date) -> frozenset[str]:
    """Person ids of everybody who lives in a building of the zone on a day of the compound.

    By a dated residence, or because their household lives there and nobody has written down
    since when; dates go before. Those of whom only the household registration is there are
    not among them.
    """
    here = (
        select(Dwelling.id)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Building.compound == compound, Building.zone == zone)
    )
    dwellings = set(session.scalars(here))
    if not dwellings:
        return frozenset()
    dated = session.execute(
        select(Residence.person, Residence.dwelling, Residence.kind, Residence.since, Residence.until).where(
            Residence.compound == compound, Residence.dwelling.in_(here.scalar_subquery())
        )
    ).all()
    living = {
        row.person
        for row in dated
        if row.kind != ResidenceKind.REGISTERED_ABSENT
        and row.since <= day
        and (row.until is None or row.until >= day)
    }
    known = {(row.person, row.dwelling) for row in dated}
    families = session.execute(
        select(Person.id, Household.dwelling)
        .join(Household, Household.id == Person.household)
        .where(Person.compound == compound, Household.dwelling.in_(here.scalar_subquery()))
    )
    living |= {person for person, dwelling in families if (person, dwelling) not in known}
    return frozenset(living)
