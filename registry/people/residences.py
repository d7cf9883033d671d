"""Residences: who lives where, from when until when, and who has made sure of it.

`until` is the last day. Nobody has two residences in one dwelling on one day; two
dwellings at once are possible, since somebody may own one and rent another.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.people.models import Person, Residence, ResidenceKind
from registry.places.models import Dwelling
from registry.rows import at_version, find, lock, write_unique
from storage import new_id

Period = tuple[dt.date, dt.date | None]

EARLIEST: Final = dt.date(1900, 1, 1)
# A move is known some time ahead; a year that is mistyped is not a move.
AHEAD: Final = dt.timedelta(days=366)
LONGEST: Final = dt.timedelta(days=100 * 366)


def refuse_dates(since: dt.date, until: dt.date | None, today: dt.date) -> None:
    """Raises `ends_before_it_begins` and `date_impossible` (`RefusedError`)."""
    if until is not None and until < since:
        raise RefusedError("ends_before_it_begins")
    if not EARLIEST <= since <= today + AHEAD or (until is not None and until > today + LONGEST):
        raise RefusedError("date_impossible")


def overlap(one: Period, other: Period) -> bool:
    """Whether two periods share a day; both ends count, None never ends."""
    (since, until), (from_, to) = one, other
    return (to is None or since <= to) and (until is None or from_ <= until)


def add(
    session: Session,
    person: Person,
    dwelling: str,
    kind: ResidenceKind,
    since: dt.date,
    until: dt.date | None = None,
    *,
    today: dt.date,
    external_id: str | None = None,
) -> Residence:
    """Adds a residence. Raises what `refuse_dates` raises, `residence_overlaps`, `external_id_taken`."""
    refuse_dates(since, until, today)
    _hold(session, person)
    find(session, Dwelling, person.compound, dwelling, "dwelling")
    _refuse_overlap(session, person, dwelling, (since, until))
    residence = Residence(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        dwelling=dwelling,
        kind=kind,
        since=since,
        until=until,
        external_id=external_id,
        version=1,
    )
    write_unique(session, "external_id_taken", residence)
    return residence


def correct(
    session: Session,
    residence: Residence,
    version: int,
    *,
    kind: ResidenceKind,
    since: dt.date,
    until: dt.date | None,
    today: dt.date,
) -> None:
    """Says anew of what kind a residence is and how long. Raises what `add` raises."""
    refuse_dates(since, until, today)
    _hold(session, find(session, Person, residence.compound, residence.person, "person"))
    session.refresh(residence)
    at_version(residence, version)
    _refuse_overlap(
        session, session.get_one(Person, residence.person), residence.dwelling, (since, until), residence.id
    )
    if (kind, since) != (residence.kind, residence.since):
        # What somebody made sure of was another residence.
        residence.verified_on = residence.verified_by = None
    residence.kind, residence.since, residence.until = kind, since, until
    session.flush()


def verify(
    session: Session, residence: Residence, version: int, *, on: dt.date, by: str, today: dt.date
) -> None:
    """Notes that somebody made sure of a residence. `by` is a user's id.

    Raises `date_impossible` for a day that is to come or before the residence, and
    `residence_ended` for one that was over by then.
    """
    at_version(residence, version)
    if on > today or on < residence.since:
        raise RefusedError("date_impossible")
    if residence.until is not None and residence.until < on:
        raise RefusedError("residence_ended")
    residence.verified_on, residence.verified_by = on, by
    session.flush()


def end(session: Session, residence: Residence, version: int, last_day: dt.date, *, today: dt.date) -> None:
    """Sets the last day. Raises what `refuse_dates` raises, `residence_overlaps`, `StaleEditError`."""
    correct(
        session,
        residence,
        version,
        kind=residence.kind,
        since=residence.since,
        until=last_day,
        today=today,
    )


def move_out(session: Session, person: Person, last_day: dt.date, *, today: dt.date) -> Sequence[Residence]:
    """Ends every residence that goes beyond `last_day`; returns those.

    A household registration that stays behind (`REGISTERED_ABSENT`) is no residence that
    one moves out of. Raises `ends_before_it_begins` for one that has yet to begin.
    """
    _hold(session, person)
    query = (
        select(Residence)
        .where(
            Residence.compound == person.compound,
            Residence.person == person.id,
            Residence.kind != ResidenceKind.REGISTERED_ABSENT,
            or_(Residence.until.is_(None), Residence.until > last_day),
        )
        .order_by(Residence.since, Residence.id)
        .execution_options(populate_existing=True)
    )
    ended = session.scalars(query).all()
    for residence in ended:
        refuse_dates(residence.since, last_day, today)
        residence.until = last_day
    session.flush()
    return ended


def move(
    session: Session, person: Person, dwelling: str, kind: ResidenceKind, on: dt.date, *, today: dt.date
) -> Residence:
    """Moves a person: out of everything the day before, and into a dwelling on `on`."""
    move_out(session, person, on - dt.timedelta(days=1), today=today)
    return add(session, person, dwelling, kind, on, today=today)


def _hold(session: Session, person: Person) -> None:
    session.flush()
    lock(session, Person, person.compound, (person.id,), "person")
    if person.erased_at is not None:
        raise MissingError("person")


def _refuse_overlap(session: Session, person: Person, dwelling: str, period: Period, but: str = "") -> None:
    others: Iterable[Residence] = session.scalars(
        select(Residence)
        .where(
            Residence.compound == person.compound,
            Residence.person == person.id,
            Residence.dwelling == dwelling,
            Residence.id != but,
        )
        .execution_options(populate_existing=True)
    )
    for other in others:
        if overlap(period, (other.since, other.until)):
            raise RefusedError("residence_overlaps", residence=other.id)
