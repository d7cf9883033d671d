"""From a person to dwellings (以人找房), and from a dwelling to its people (以房管人).

Each is one statement, since both stand behind every match, visit and dispatch. People
belong to a dwelling by a dated residence or because their household lives there; the
second has no dates and no kind. Who may see the answers is for the caller to say.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from registry.people.models import Household, Person, Residence, ResidenceKind
from registry.places.models import Building, Dwelling, Unit
from registry.places.signboards import write_out
from storage.tenancy import bound_to
from storage.vault import current_vault, open_for


@dataclass(frozen=True, slots=True)
class Home:
    """A dwelling of a person. `kind` and the dates are None where only the household lives there."""

    dwelling_id: str
    address: str
    kind: ResidenceKind | None
    since: dt.date | None
    until: dt.date | None
    household_id: str | None
    residence_id: str | None
    verified_on: dt.date | None
    verified_by: str | None


@dataclass(frozen=True, slots=True)
class Occupant:
    """A person of a dwelling. `head`: of the household that lives in it."""

    person_id: str
    kind: ResidenceKind | None
    since: dt.date | None
    until: dt.date | None
    head: bool
    household_id: str | None
    residence_id: str | None
    verified_on: dt.date | None
    under_14: bool
    sealed_name: bytes | None = field(repr=False)

    @property
    def name(self) -> str:
        """Opened when it is asked for; `load_names` first where many are."""
        return open_for(self.person_id, "name", self.sealed_name) or ""


def find_dwellings_of_person(
    session: Session, person_id: str, on: dt.date, *, ended: bool = False
) -> Sequence[Home]:
    """Where a person lives or is registered on a day of the compound, the newest first (以人找房).

    With `ended` also what is over by then or has yet to begin. Nobody of another compound
    is found by a session that is bound to one.
    """
    rows = _run(session, _HOMES_EVER if ended else _HOMES, person_id, on)
    dated = {row.dwelling for row in rows if row.residence is not None and _lasts(row, on)}
    return [
        Home(
            row.dwelling,
            write_out(row.building_name, row.unit_name, row.floor, row.room_no),
            _kind(row.kind),
            row.since,
            row.until,
            row.household if row.household_dwelling == row.dwelling else None,
            row.residence,
            row.verified_on,
            row.verified_by,
        )
        for row in sorted(rows, key=_newest_first)
        if row.residence is not None or row.dwelling not in dated
    ]


def list_people_of_dwelling(
    session: Session, dwelling_id: str, on: dt.date, *, ended: bool = False
) -> Sequence[Occupant]:
    """Who lives or is registered in a dwelling on a day, heads of households first (以房管人).

    With `ended` also whoever has left by then or has yet to come.
    """
    rows = _run(session, _PEOPLE_EVER if ended else _PEOPLE, dwelling_id, on)
    dated = {row.person for row in rows if row.residence is not None and _lasts(row, on)}
    return [
        Occupant(
            row.person,
            _kind(row.kind),
            row.since,
            row.until,
            row.head == row.person and row.household_dwelling == dwelling_id,
            row.household,
            row.residence,
            row.verified_on,
            row.under_14,
            row.name,
        )
        for row in sorted(rows, key=_heads_first)
        if row.residence is not None or row.person not in dated
    ]


def load_names(occupants: Iterable[Occupant]) -> None:
    """Fetches the keys of many names at once."""
    current_vault().load([occupant.person_id for occupant in occupants])


# ── the two statements, put together once ────────────────────────────────────────

_people: Table = Person.__table__  # type: ignore[assignment]
_households: Table = Household.__table__  # type: ignore[assignment]
_residences: Table = Residence.__table__  # type: ignore[assignment]
_dwellings: Table = Dwelling.__table__  # type: ignore[assignment]
_units: Table = Unit.__table__  # type: ignore[assignment]
_buildings: Table = Building.__table__  # type: ignore[assignment]

_subject = bindparam("subject", type_=String)
_on = bindparam("on_day", type_=Date)
_bound = bindparam("bound", type_=String)


def _linked(by: ColumnElement[Any], *, ended: bool) -> Select[Any]:
    """Residences of one person or in one dwelling, with the person and the household.

    The compound is the person's and not compared here: SQLite would go by it, through all
    residences of the compound.
    """
    r = _residences.c
    lasts = and_(r.since <= _on, or_(r.until.is_(None), r.until >= _on))
    return (
        _of_people(r.dwelling, r.id, r.kind, r.since, r.until, r.verified_on, r.verified_by)
        .select_from(
            _residences.join(_people, _people.c.id == r.person).outerjoin(
                _households, _households.c.id == _people.c.household
            )
        )
        .where(by == _subject, *(() if ended else (lasts,)))
    )


def _kept_house(by: ColumnElement[Any]) -> Select[Any]:
    """The same of households that live somewhere: no dates, no kind."""
    r = _residences.c
    none = [cast(null(), column.type) for column in (r.id, r.kind, r.since, r.until, r.verified_on)]
    return (
        _of_people(_households.c.dwelling, *none, cast(null(), r.verified_by.type))
        .select_from(_people.join(_households, _households.c.id == _people.c.household))
        .where(by == _subject, _households.c.dwelling.is_not(None))
    )


def _of_people(dwelling: ColumnElement[Any], *link: ColumnElement[Any]) -> Select[Any]:
    labels = ("residence", "kind", "since", "until", "verified_on", "verified_by")
    return select(
        dwelling.label("dwelling"),
        *(column.label(label) for column, label in zip(link, labels, strict=True)),
        _people.c.id.label("person"),
        _people.c.name,
        _people.c.under_14,
        _people.c.household,
        _households.c.head_person_id.label("head"),
        _households.c.dwelling.label("household_dwelling"),
    ).where(
        _people.c.erased_at.is_(None),
        # The criteria of a bound session do not reach statements on tables.
        or_(_bound.is_(None), _people.c.compound == _bound),
    )


def _homes(*, ended: bool) -> Select[Any]:
    homes = union_all(_linked(_residences.c.person, ended=ended), _kept_house(_people.c.id)).subquery("homes")
    return select(
        homes,
        _buildings.c.name.label("building_name"),
        _units.c.name.label("unit_name"),
        _dwellings.c.floor,
        _dwellings.c.room_no,
    ).select_from(
        homes.join(_dwellings, _dwellings.c.id == homes.c.dwelling)
        .join(_units, _units.c.id == _dwellings.c.unit)
        .join(_buildings, _buildings.c.id == _units.c.building)
    )


def _occupants(*, ended: bool) -> Select[Any]:
    people = union_all(
        _linked(_residences.c.dwelling, ended=ended), _kept_house(_households.c.dwelling)
    ).subquery("people")
    return select(people)


_HOMES, _HOMES_EVER = _homes(ended=False), _homes(ended=True)
_PEOPLE, _PEOPLE_EVER = _occupants(ended=False), _occupants(ended=True)


def _run(session: Session, statement: Select[Any], subject: str, on: dt.date) -> Sequence[Any]:
    # On the connection: an ORM session has nothing to add to rows of tables.
    session.flush()
    return (
        session.connection()
        .execute(statement, {"subject": subject, "on_day": on, "bound": bound_to(session)})
        .all()
    )


def _lasts(row: Any, on: dt.date) -> bool:
    return bool(row.since <= on and (row.until is None or row.until >= on))


def _kind(kind: str | None) -> ResidenceKind | None:
    return None if kind is None else ResidenceKind(kind)


def _newest_first(row: Any) -> tuple[bool, int, str]:
    return row.since is None, -(row.since.toordinal() if row.since else 0), row.dwelling


def _heads_first(row: Any) -> tuple[bool, bool, str]:
    return row.head != row.person, row.since is None, row.person
