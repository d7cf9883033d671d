"""The checks behind the consistency report, one statement for each: a question about a compound on a day.

All give the same columns: person, household, dwelling, residence and a fact, where they have them.
"""

import datetime as dt
import enum
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, null, or_, select, union_all
from sqlalchemy.orm import aliased

from registry.organisations.models import Premises
from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.places.models import Dwelling, DwellingState, Grid

# An attribute of a class or an expression of one.
Column = Any
Check = Callable[[str, dt.date], Select[Any]]

_LET_TO: Final = (ResidenceKind.TENANT, ResidenceKind.LODGER, ResidenceKind.DORMITORY)


class Separation(enum.StrEnum):
    """What does not coincide."""

    RESIDENT_NOT_REGISTERED_HERE = "resident_not_registered_here"  # lives here, hukou elsewhere
    REGISTERED_BUT_ABSENT = "registered_but_absent"  # hukou here, lives elsewhere
    HOUSEHOLD_ELSEWHERE = "household_elsewhere"  # lives in another dwelling than the household
    MEMBER_WITHOUT_RESIDENCE = "member_without_residence"
    OCCUPIED_WITHOUT_PEOPLE = "occupied_without_people"
    VACANT_WITH_PEOPLE = "vacant_with_people"
    LET_WITHOUT_TENANT = "let_without_tenant"
    TENANT_NOT_LET = "tenant_not_let"
    OWNER_OF_TWO = "owner_of_two"  # an owner-occupier occupies one dwelling
    HOUSEHOLD_WITHOUT_HEAD = "household_without_head"
    HEAD_NOT_MEMBER = "head_not_member"
    HOUSEHOLD_EMPTY = "household_empty"
    NEVER_VERIFIED = "never_verified"
    RESIDENCES_OVERLAP = "residences_overlap"
    DWELLING_WITHOUT_GRID = "dwelling_without_grid"
    ADDRESS_NOT_UNDERSTOOD = "address_not_understood"  # no spelling of it finds the dwelling


def _row(
    *,
    person: Column | None = None,
    household: Column | None = None,
    dwelling: Column | None = None,
    residence: Column | None = None,
    fact: Column | None = None,
) -> Select[Any]:
    """A finding's columns."""
    given = {
        "person": person,
        "household": household,
        "dwelling": dwelling,
        "residence": residence,
        "fact": fact,
    }
    columns = [
        (cast(null(), String) if column is None else column).label(label) for label, column in given.items()
    ]
    return select(*columns)


def lasts(residence: Any, on: dt.date) -> ColumnElement[bool]:
    """Whether a dated link lasts on a day; both its ends count."""
    return and_(residence.since <= on, or_(residence.until.is_(None), residence.until >= on))


def lives(residence: Any, on: dt.date) -> ColumnElement[bool]:
    """Whether somebody lives there: being registered and absent is not living."""
    return and_(lasts(residence, on), residence.kind != ResidenceKind.REGISTERED_ABSENT)


def inhabited(compound: str, on: dt.date) -> ColumnElement[bool]:
    """Whether a dwelling is somebody's home, as far as the registry knows.

    Here and below a set is made once and asked for members. SQLite answers questions about
    each row with whatever index comes first, which is a thousand times slower.
    """
    return or_(
        Dwelling.id.in_(_lived_in(compound, on)),
        Dwelling.id.in_(
            select(Household.dwelling).where(Household.compound == compound, Household.dwelling.is_not(None))
        ),
    )


def used(compound: str, on: dt.date) -> ColumnElement[bool]:
    """Whether an organisation has a dwelling as its premises."""
    return Dwelling.id.in_(
        select(Premises.dwelling).where(Premises.compound == compound, lasts(Premises, on))
    )


def _lived_in(compound: str, on: dt.date) -> Select[str]:
    return select(Residence.dwelling).where(Residence.compound == compound, lives(Residence, on))


def _living(compound: str, on: dt.date) -> Select[str]:
    return select(Residence.person).where(Residence.compound == compound, lives(Residence, on))


def _linked(compound: str, on: dt.date) -> Select[str]:
    return select(Residence.person).where(Residence.compound == compound, lasts(Residence, on))


def _residents(compound: str, on: dt.date) -> Select[Any]:
    return (
        _row(
            person=Person.id,
            household=Person.household,
            dwelling=Residence.dwelling,
            residence=Residence.id,
            fact=Residence.kind,
        )
        .join_from(Residence, Person, Person.id == Residence.person)
        .where(Residence.compound == compound, Person.erased_at.is_(None), lasts(Residence, on))
    )


def _not_registered_here(compound: str, on: dt.date) -> Select[Any]:
    return _residents(compound, on).where(
        Residence.kind != ResidenceKind.REGISTERED_ABSENT,
        or_(
            Person.hukou_registered_here.is_(False),
            and_(
                Residence.kind == ResidenceKind.REGISTERED_ELSEWHERE,
                Person.hukou_registered_here.is_not(True),
            ),
        ),
    )


def _absent(compound: str, on: dt.date) -> Select[Any]:
    """By the kind of link, or registered here and with no home here at all."""
    said = _residents(compound, on).where(
        Residence.kind == ResidenceKind.REGISTERED_ABSENT, Person.id.not_in(_living(compound, on))
    )
    homeless = (
        _row(person=Person.id, household=Person.household)
        .outerjoin_from(Person, Household, Household.id == Person.household)
        .where(
            Person.compound == compound,
            Person.erased_at.is_(None),
            Person.hukou_registered_here.is_(True),
            Person.id.not_in(_linked(compound, on)),
            Household.dwelling.is_(None),
        )
    )
    return select(union_all(said, homeless).subquery())


def _members(compound: str, dwelling: Column) -> Select[Any]:
    return (
        _row(person=Person.id, household=Household.id, dwelling=dwelling)
        .join_from(Person, Household, Household.id == Person.household)
        .where(Person.compound == compound, Person.erased_at.is_(None), Household.dwelling.is_not(None))
    )


def _household_elsewhere(compound: str, on: dt.date) -> Select[Any]:
    together = (
        _living(compound, on)
        .join(Person, Person.id == Residence.person)
        .join(Household, Household.id == Person.household)
        .where(Household.dwelling == Residence.dwelling)
    )
    return _members(compound, Household.dwelling).where(
        Person.id.in_(_living(compound, on)), Person.id.not_in(together)
    )


def _without_residence(compound: str, on: dt.date) -> Select[Any]:
    return _members(compound, Household.dwelling).where(Person.id.not_in(_linked(compound, on)))


def _dwellings(compound: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    return _row(dwelling=Dwelling.id, fact=Dwelling.state).where(Dwelling.compound == compound, *conditions)


def _let_without_tenant(compound: str, on: dt.date) -> Select[Any]:
    let = _lived_in(compound, on).where(Residence.kind.in_(_LET_TO))
    return _dwellings(
        compound, Dwelling.state == DwellingState.LET, Dwelling.id.not_in(let), ~used(compound, on)
    )


def _tenant_not_let(compound: str, on: dt.date) -> Select[Any]:
    return (
        _residents(compound, on)
        .join(Dwelling, Dwelling.id == Residence.dwelling)
        .where(
            Residence.kind == ResidenceKind.TENANT,
            Dwelling.state.not_in([DwellingState.LET, DwellingState.SHOP]),
        )
    )


def _owner_of_two(compound: str, on: dt.date) -> Select[Any]:
    owns = Residence.kind == ResidenceKind.OWNER_OCCUPIER
    of_several = (
        _linked(compound, on)
        .where(owns)
        .group_by(Residence.person)
        .having(func.count(Residence.dwelling.distinct()) > 1)
    )
    return _residents(compound, on).where(owns, Residence.person.in_(of_several))


def _households(compound: str, *conditions: ColumnElement[bool]) -> Select[Any]:
    return _row(household=Household.id, dwelling=Household.dwelling, person=Household.head_person_id).where(
        Household.compound == compound, *conditions
    )


def _with_somebody(compound: str) -> Select[str | None]:
    return select(Person.household).where(
        Person.compound == compound, Person.erased_at.is_(None), Person.household.is_not(None)
    )


def _headed(compound: str) -> Select[str]:
    """Households whose head is among their people."""
    return (
        select(Household.id)
        .join(Person, Person.id == Household.head_person_id)
        .where(Household.compound == compound, Person.household == Household.id, Person.erased_at.is_(None))
    )


def _overlapping(compound: str, on: dt.date) -> Select[Any]:  # noqa: ARG001 they overlap on any day
    other = aliased(Residence)
    several = (
        select(Residence.person)
        .where(Residence.compound == compound)
        .group_by(Residence.person, Residence.dwelling)
        .having(func.count() > 1)
    )
    return (
        _row(
            person=Residence.person,
            dwelling=Residence.dwelling,
            residence=Residence.id,
            fact=other.id,
        )
        .join(
            other,
            and_(
                other.person == Residence.person,
                other.dwelling == Residence.dwelling,
                other.id > Residence.id,
                or_(Residence.until.is_(None), other.since <= Residence.until),
                or_(other.until.is_(None), Residence.since <= other.until),
            ),
        )
        .where(Residence.compound == compound, Residence.person.in_(several))
    )


def _without_grid(compound: str, on: dt.date) -> Select[Any]:  # noqa: ARG001 grids have no dates
    grids = select(Grid.id).where(Grid.compound == compound)
    return _dwellings(compound, Dwelling.grid.is_(None), grids.exists())


CHECKS: Final[dict[Separation, Check]] = {
    Separation.RESIDENT_NOT_REGISTERED_HERE: _not_registered_here,
    Separation.REGISTERED_BUT_ABSENT: _absent,
    Separation.HOUSEHOLD_ELSEWHERE: _household_elsewhere,
    Separation.MEMBER_WITHOUT_RESIDENCE: _without_residence,
    Separation.OCCUPIED_WITHOUT_PEOPLE: lambda compound, on: _dwellings(
        compound, Dwelling.state == DwellingState.OCCUPIED, ~inhabited(compound, on), ~used(compound, on)
    ),
    Separation.VACANT_WITH_PEOPLE: lambda compound, on: _dwellings(
        compound, Dwelling.state == DwellingState.VACANT, inhabited(compound, on)
    ),
    Separation.LET_WITHOUT_TENANT: _let_without_tenant,
    Separation.TENANT_NOT_LET: _tenant_not_let,
    Separation.OWNER_OF_TWO: _owner_of_two,
    Separation.HOUSEHOLD_WITHOUT_HEAD: lambda compound, _: _households(
        compound, Household.head_person_id.is_(None), Household.id.in_(_with_somebody(compound))
    ),
    Separation.HEAD_NOT_MEMBER: lambda compound, _: _households(
        compound, Household.head_person_id.is_not(None), Household.id.not_in(_headed(compound))
    ),
    Separation.HOUSEHOLD_EMPTY: lambda compound, _: _households(
        compound, Household.id.not_in(_with_somebody(compound))
    ),
    Separation.NEVER_VERIFIED: lambda compound, on: _residents(compound, on).where(
        Residence.verified_on.is_(None)
    ),
    Separation.RESIDENCES_OVERLAP: _overlapping,
    Separation.DWELLING_WITHOUT_GRID: _without_grid,
    Separation.ADDRESS_NOT_UNDERSTOOD: lambda compound, _: _dwellings(
        compound, Dwelling.address_key.is_(None)
    ),
}
