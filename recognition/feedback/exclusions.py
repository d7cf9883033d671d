"""Pairs that an operator saw being taken for each other: from then on a face alone tells no more."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from recognition.models import FaceExclusion
from registry import rows
from registry.errors import MissingError, RefusedError
from registry.models import Person
from storage import content_id

Pair = tuple[str, str | None]


def exclusions_for(session: Session, compound: str) -> frozenset[Pair]:
    """The pairs that hold now: (who was named, who it was); None for somebody not registered.

    One indexed query over a handful of rows. Whoever decides keeps the answer for some
    seconds: an exclusion need not hold within a blink, but within a minute of the answer.
    """
    found = session.execute(
        select(FaceExclusion.person, FaceExclusion.other).where(
            FaceExclusion.compound == compound, FaceExclusion.lifted_at.is_(None)
        )
    )
    return frozenset((person, other) for person, other in found)


def make(
    session: Session,
    compound: str,
    *,
    named: str,
    was: str | None,
    sighting_id: str | None,
    by: str,
    at: dt.datetime,
) -> FaceExclusion:
    """The exclusion of a pair; the one that holds already where there is one.

    `named` is whom recognition named, `was` who it was, None for a stranger. Raises
    `RefusedError` (`exclusion_self`) and `MissingError` (`person`), also for a person who was
    forgotten.
    """
    if named == was:
        raise RefusedError("exclusion_self")
    people = {named} if was is None else {named, was}
    # Held until the commit: a person who is forgotten meanwhile would leave a pair behind.
    rows.lock(session, Person, compound, people, "person")
    if any(session.get_one(Person, person).erased_at is not None for person in people):
        raise MissingError("person")
    same = (
        FaceExclusion.compound == compound,
        FaceExclusion.person == named,
        FaceExclusion.other.is_not_distinct_from(was),
    )
    lifted = session.scalar(select(func.count()).where(*same, FaceExclusion.lifted_at.is_not(None)))
    # Two operators who say the same at once make one row: the key is the pair and its turn.
    key = content_id("face_exclusion", compound, named, was or "", str(lifted))
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        dialect.insert(FaceExclusion)
        .values(
            id=key,
            compound=compound,
            person=named,
            other=was,
            sighting_id=sighting_id,
            made_by=by,
            made_at=at,
        )
        .on_conflict_do_nothing()
    )
    return session.get_one(FaceExclusion, key)


def lift(session: Session, compound: str, exclusion_id: str, *, by: str, at: dt.datetime) -> FaceExclusion:
    """Ends an exclusion; who lifted it and when stays written down.

    Raises `MissingError` (`face_exclusion`) and `RefusedError` (`exclusion_lifted`).
    """
    rows.lock(session, FaceExclusion, compound, [exclusion_id], "face_exclusion")
    row = rows.find(session, FaceExclusion, compound, exclusion_id, "face_exclusion")
    if row.lifted_at is not None:
        raise RefusedError("exclusion_lifted")
    row.lifted_by, row.lifted_at = by, at
    session.flush()
    return row


def said(session: Session, compound: str, sighting_id: str, by: str) -> Sequence[FaceExclusion]:
    """What one operator's answer to a sighting made and holds still."""
    return session.scalars(
        select(FaceExclusion).where(
            FaceExclusion.compound == compound,
            FaceExclusion.sighting_id == sighting_id,
            FaceExclusion.made_by == by,
            FaceExclusion.lifted_at.is_(None),
        )
    ).all()


def of_person(session: Session, person_id: str) -> Sequence[FaceExclusion]:
    """All that a person is or was part of, on either side, newest first."""
    return session.scalars(
        select(FaceExclusion)
        .where(_part_of(person_id))
        .order_by(FaceExclusion.made_at.desc(), FaceExclusion.id)
    ).all()


def forget(session: Session, person_id: str) -> int:
    """Deletes all that a person is part of; returns how many."""
    gone = session.execute(delete(FaceExclusion).where(_part_of(person_id)).returning(FaceExclusion.id))
    return len(gone.all())


def _part_of(person_id: str) -> ColumnElement[bool]:
    return or_(FaceExclusion.person == person_id, FaceExclusion.other == person_id)
