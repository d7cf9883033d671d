"""Absences that people who are looked after have declared: then silence is no reason to call."""

import datetime as dt
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, String, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from registry.errors import RefusedError
from registry.models import Consent, ConsentPurpose, Person
from storage import Base, OwnedByCompound, UtcTime, new_id


class CareAbsence(OwnedByCompound, Base):
    """Somebody who is looked after is away, says themselves, family or the grid worker."""

    __tablename__ = "care_absences"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    compound: Mapped[str] = mapped_column(String(64))
    person: Mapped[str] = mapped_column(ForeignKey("people.id"), index=True)
    starts_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    ends_at: Mapped[dt.datetime] = mapped_column(UtcTime)
    declared_by: Mapped[str] = mapped_column(String(64))
    declared_at: Mapped[dt.datetime] = mapped_column(UtcTime)

    __table_args__ = (CheckConstraint("ends_at > starts_at", name="ends"),)


LONGEST: Final = dt.timedelta(days=92)
"""A quarter. Whoever is away for longer says so again: an absence that nobody remembers is none."""


def declare(
    session: Session, person: Person, starts_at: dt.datetime, ends_at: dt.datetime, by: str, at: dt.datetime
) -> CareAbsence:
    """Notes that somebody who is looked after is away; `by` is a user's id.

    Raises `RefusedError`: `absence_order`, `absence_over`, `absence_too_long`, and `not_cared_for` where
    the person has not agreed to be looked after: then nobody needs to know where they are.
    """
    if ends_at <= starts_at:
        raise RefusedError("absence_order")
    if ends_at <= at:
        raise RefusedError("absence_over")
    if ends_at - starts_at > LONGEST:
        raise RefusedError("absence_too_long", days=LONGEST.days)
    if not _is_cared_for(session, person.id):
        raise RefusedError("not_cared_for")
    absence = CareAbsence(
        id=new_id(),
        compound=person.compound,
        person=person.id,
        starts_at=starts_at,
        ends_at=ends_at,
        declared_by=by,
        declared_at=at,
    )
    session.add(absence)
    session.flush()
    return absence


def end(session: Session, absence: CareAbsence, at: dt.datetime) -> None:
    """They are back, or do not go after all. Raises `RefusedError` `absence_over` for what has ended."""
    if absence.ends_at <= at:
        raise RefusedError("absence_over")
    if absence.starts_at >= at:
        session.delete(absence)
    else:
        absence.ends_at = at
    session.flush()


def of_person(session: Session, person: str, at: dt.datetime) -> list[CareAbsence]:
    """Absences of a person that have not ended, in order of time."""
    query = select(CareAbsence).where(CareAbsence.person == person, CareAbsence.ends_at > at)
    return list(session.scalars(query.order_by(CareAbsence.starts_at, CareAbsence.id)))


def _is_cared_for(session: Session, person: str) -> bool:
    agreed = exists().where(
        Consent.person == person,
        Consent.purpose == ConsentPurpose.ELDER_CARE,
        Consent.withdrawn_at.is_(None),
    )
    return bool(session.scalar(select(agreed)))
