"""Whom an operator is to call: a telephone is the last way, and people dial it."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.incidents.actor import Actor
from alerts.notify import ends
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
)
from alerts.notify.receipts import received
from storage.audit import AuditEntry, append

Call = tuple[Notification, NotificationAttempt, Contact, str]


def open_calls(session: Session, compound: str) -> Sequence[Call]:
    """Those whom nobody has called yet, the gravest first, then the oldest."""
    found = session.execute(
        select(Notification, NotificationAttempt, Contact, Responder.name)
        .join(NotificationAttempt, NotificationAttempt.notification == Notification.id)
        .join(Contact, Contact.id == NotificationAttempt.contact)
        .join(Responder, Responder.id == Notification.responder)
        .where(
            Notification.compound == compound,
            Notification.state == NotificationState.PENDING,
            NotificationAttempt.kind == ChannelKind.TELEPHONE,
            NotificationAttempt.state == AttemptState.HANDED_OVER,
        )
        .order_by(Notification.severity, NotificationAttempt.at)
        .limit(200)
    ).all()
    return [(row, attempt, contact, name) for row, attempt, contact, name in found]


def called(
    session: Session, compound: str, notification: str, actor: Actor, at: dt.datetime, *, reached: bool
) -> bool:
    """Notes what came of a call; False where there is none to be made."""
    row = session.get(Notification, notification, with_for_update=True)
    if row is None or row.compound != compound:
        return False
    attempt = session.scalars(
        select(NotificationAttempt)
        .where(
            NotificationAttempt.notification == notification,
            NotificationAttempt.kind == ChannelKind.TELEPHONE,
            NotificationAttempt.state == AttemptState.HANDED_OVER,
        )
        .order_by(NotificationAttempt.number.desc())
        .limit(1)
    ).one_or_none()
    if attempt is None:
        return False
    if reached:
        received(session, attempt.id, at)
    else:
        attempt.state, attempt.error = AttemptState.FAILED, "no_answer"
    if row.state == NotificationState.PENDING and row.due_at is not None:
        ends.move(row, at, at)
    what = "notification.called" if reached else "notification.no_answer"
    append(
        session,
        at,
        AuditEntry(actor.id, actor.role, what, "notifications", f"notification:{notification}", "", compound),
    )
    return True
