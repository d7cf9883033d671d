"""How each way to reach somebody is doing, and who hears of one that is dead."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Team, TeamKind
from alerts.notify.asking import Ask, ask
from alerts.notify.channels.channel import Outcome, Result
from alerts.notify.models import Contact, Purpose

DEAD_AFTER: Final = 5
"""Failures in a row, after which it is called dead."""

TRY_AGAIN: Final = dt.timedelta(minutes=5)
"""A dead one is tried again after so long; and again."""

SHORTEST_PAUSE_S: Final = 1.0
USUAL_PAUSE_S: Final = 30.0
LONGEST_PAUSE_S: Final = 900.0

_SEVERITY: Final = 3


def note(session: Session, contact: Contact, outcome: Outcome, now: dt.datetime) -> None:
    """Writes down what came of a try, and tells whoever looks after it when it is dead from now on."""
    result = outcome.result
    if result in {Result.HANDED_OVER, Result.RECEIVED}:
        worked(contact, now)
        return
    contact.failed_at, contact.error = now, outcome.error or result.value
    if result is Result.TOO_MANY:
        # It answers, and says when it will take more: nothing is broken.
        asked = USUAL_PAUSE_S if outcome.retry_after_s is None else outcome.retry_after_s
        pause = min(max(asked, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        contact.paused_until = now + dt.timedelta(seconds=pause)
        return
    contact.failures += 1
    if outcome.retry_after_s is not None:
        pause = min(max(outcome.retry_after_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        contact.paused_until = now + dt.timedelta(seconds=pause)
    if result is Result.GONE:
        contact.enabled = False
    if result is Result.GONE or contact.failures >= DEAD_AFTER:
        contact.paused_until = now + TRY_AGAIN
        if contact.dead_since is None:
            contact.dead_since = now
            _tell(session, contact, now)


def worked(contact: Contact, now: dt.datetime) -> None:
    """It works: whatever was said against it is over."""
    contact.worked_at, contact.failures, contact.error = now, 0, None
    contact.dead_since = contact.paused_until = None


def _tell(session: Session, contact: Contact, now: dt.datetime) -> None:
    if contact.responder is not None:
        receivers = [contact.responder]
    else:
        receivers = list(
            session.scalars(
                select(Responder.id)
                .join(Team, Team.id == Responder.team)
                .where(
                    Team.compound == contact.compound,
                    Team.kind == TeamKind.PROPERTY,
                    Responder.active,
                    Responder.leads,
                )
                .order_by(Responder.id)
            )
        )
    stamp = int(now.timestamp())
    ask(
        session,
        [
            Ask(
                compound=contact.compound,
                key=f"channel:{contact.id}:{stamp}:{receiver}",
                purpose=Purpose.CHANNEL,
                severity=_SEVERITY,
                responder=receiver,
                # What it is, never where it leads to.
                arguments={"channel": contact.kind, "error": contact.error, "at": now.isoformat()},
            )
            for receiver in receivers
        ],
        now,
    )
