"""Receipts: the phone, the page or the device says that a letter came."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.notify import ends, health, plan
from alerts.notify.models import (
    AttemptState,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
)
from storage import tracing


def received(session: Session, attempt_id: str, at: dt.datetime) -> bool:
    """Notes a receipt; False where there is no such try. A second one changes nothing.

    What needs no answer is told with it. What needs one goes on by its rule, until somebody does something
    about it or the rule is through: a phone may take a letter and wake nobody.
    """
    named = session.scalar(
        select(NotificationAttempt.notification).where(NotificationAttempt.id == attempt_id)
    )
    # In the engine's own order, so that neither waits for the other: the notification first.
    row = session.get(Notification, named, with_for_update=True) if named else None
    attempt = session.get(NotificationAttempt, attempt_id)
    if row is None or attempt is None:
        return False
    if attempt.state == AttemptState.RECEIVED:
        return True
    tracing.mark(
        "notify.receipt",
        attempt.trace,
        compound=row.compound,
        purpose=row.purpose,
        channel=attempt.kind,
        severity=row.severity,
    )
    attempt.state, attempt.received_at = AttemptState.RECEIVED, at
    attempt.error = None
    if attempt.settled_at is None:
        attempt.settled_at = at
    contact = session.get(Contact, attempt.contact, with_for_update=True)
    if contact is not None:
        health.worked(contact, at)
    if row.state == NotificationState.UNREACHED:
        # It has come after all.
        row.state = NotificationState.TOLD
    elif row.state == NotificationState.PENDING and row.purpose not in plan.NEEDS_ANSWER:
        ends.end(session, row, NotificationState.TOLD, at)
    return True
