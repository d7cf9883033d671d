"""Orders and requests that were about a person: who ordered what and when stays, for whom does not."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.erasure.marks import Marks, scrub, struck
from privacy.models import Disclosure, LegalHold
from registry.models import LegalBasis, Person, WatchlistApplication, WatchlistEntry


def strike_orders(session: Session, person: Person, marks: Marks, *, by: str, at: dt.datetime) -> None:
    """Lifts what the person reported lost, and strikes the person out of everything else.

    Nothing of it is in force any more: an order in force would have kept the person.
    """
    subjects = [person.id, *marks.vehicles, *marks.plates]
    for entry in session.scalars(
        select(WatchlistEntry).where(
            WatchlistEntry.compound == person.compound, WatchlistEntry.subject.in_(subjects)
        )
    ):
        if entry.legal_basis == LegalBasis.OWNERS_REPORT and entry.lifted_at is None:
            entry.lifted_at, entry.lifted_by = at, by
        _strike(entry, marks)
    for application in session.scalars(
        select(WatchlistApplication).where(
            WatchlistApplication.compound == person.compound, WatchlistApplication.subject.in_(subjects)
        )
    ):
        _strike(application, marks)
    for hold in session.scalars(
        select(LegalHold).where(LegalHold.compound == person.compound, LegalHold.subject == person.id)
    ):
        hold.reason = struck(hold.reason, marks) or ""
    for disclosure in session.scalars(select(Disclosure).where(Disclosure.compound == person.compound)):
        if disclosure.scope.get("id") in subjects:
            if disclosure.scope["id"] != person.id:
                disclosure.scope = scrub(disclosure.scope, marks)
            disclosure.reason = struck(disclosure.reason, marks) or ""


def _strike(row: WatchlistEntry | WatchlistApplication, marks: Marks) -> None:
    if row.subject in marks.plates:
        row.subject = f"erased:{row.id}"[:64]
    row.reason = struck(row.reason, marks) or ""
