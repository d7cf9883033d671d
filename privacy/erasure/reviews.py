"""Forgetting somebody in what was said afterwards: their own ratings, and their name in what others wrote.

What was learnt, needed and done stays; it is no data on a person then. What was frozen of a shift holds
codes, counts and ids of things alone. A name that somebody wrote beside it is struck out like any other;
the audit log has the digest of what is left, so that the hand-over stands as it was signed.
"""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.handover.models import HandoverEntry
from alerts.handover.sealing import digest
from alerts.review.models import IncidentRating, IncidentReview, Measure, Need
from privacy.erasure.marks import Marks, struck
from storage import audit
from storage.audit import AuditEntry


def sweep_reviews(session: Session, marks: Marks, at: dt.datetime) -> int:
    """Takes the person out; returns out of how many rows."""
    found = 0
    own = select(IncidentRating).where(
        IncidentRating.compound == marks.compound, IncidentRating.person == marks.person
    )
    for rating in session.scalars(own).all():
        # Their score counts on; whose it was and what they wrote goes.
        rating.person = rating.words = None
        found += 1
    for model, column in (
        (IncidentReview, "lesson"),
        (IncidentRating, "words"),
        (Need, "what"),
        (Measure, "what"),
        (Measure, "note"),
    ):
        for row in session.scalars(select(model).where(model.compound == marks.compound)):
            said = getattr(row, column)
            without = struck(said, marks)
            if without != said:
                setattr(row, column, without)
                found += 1
    for entry in session.scalars(select(HandoverEntry).where(HandoverEntry.compound == marks.compound)):
        without = struck(entry.text, marks)
        if without is None or without == entry.text:
            continue
        entry.text = without
        found += 1
        subject = f"handover:{entry.handover}"
        audit.append(
            session,
            at,
            AuditEntry(
                "system", "system", "handover.struck", "erasure", subject, digest(without), marks.compound
            ),
        )
    session.flush()
    return found
