"""What came of the tries: into the log, onto the contact, and what follows for the notification."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.orm import Session

from alerts.notify import ends, health, plan, unreached
from alerts.notify.channels.channel import Outcome, Result
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
)
from alerts.notify.receivers import Usable, around

NOT_WANTED: Final = "not_wanted"
"""The error of a try that was over before it was sent."""

_STATES: Final = {
    Result.HANDED_OVER: AttemptState.HANDED_OVER,
    Result.RECEIVED: AttemptState.RECEIVED,
    Result.UNCERTAIN: AttemptState.UNCERTAIN,
}


@dataclass(frozen=True, slots=True)
class Done:
    """A try and what came of it; `sent` is False where nobody was asked to take anything."""

    attempt: str
    notification: str
    contact: str
    outcome: Outcome
    at: dt.datetime
    sent: bool = True


@dataclass(slots=True)
class Settled:
    ended: list[tuple[NotificationState, Notification]] = field(default_factory=list)


def settle(
    session: Session,
    done: Iterable[Done],
    kinds: frozenset[ChannelKind],
    inside: frozenset[ChannelKind],
    now: dt.datetime,
) -> Settled:
    """Settles tries, in an order of their notifications in which two processes cannot wait for each other."""
    settled = Settled()
    for one in sorted(done, key=lambda each: (each.notification, each.attempt)):
        row = session.get(Notification, one.notification, with_for_update=True)
        attempt = session.get(NotificationAttempt, one.attempt)
        if attempt is None:
            # Erased meanwhile, with whom it was for.
            continue
        if attempt.state in {AttemptState.SENDING, AttemptState.UNCERTAIN}:
            attempt.state = _STATES.get(one.outcome.result, AttemptState.FAILED)
            attempt.settled_at = one.at
            attempt.error = _error(one.outcome)
            if attempt.state == AttemptState.RECEIVED:
                attempt.received_at = one.at
        if one.sent:
            contact = session.get(Contact, one.contact, with_for_update=True)
            if contact is not None:
                health.note(session, contact, one.outcome, now)
        if row is not None:
            session.flush()
            follow(session, row, kinds, inside, now, settled)
    unreached.tell(session, settled.ended, now)
    return settled


def follow(
    session: Session,
    row: Notification,
    kinds: frozenset[ChannelKind],
    inside: frozenset[ChannelKind],
    now: dt.datetime,
    settled: Settled,
) -> None:
    """Reads the plan anew for a notification that is still to be told."""
    if row.state != NotificationState.PENDING or row.due_at is None:
        return
    circle = around(session, [row])
    tried = circle.tried(row)
    if row.purpose not in plan.NEEDS_ANSWER and any(one.state is AttemptState.RECEIVED for one in tried):
        move: plan.Move = plan.End(NotificationState.TOLD)
    else:
        steps = circle.steps(row, Usable(kinds, inside, now))
        move = plan.walk(ends.standing(row), steps, tried, now, due=False)
    state = ends.apply(row, move, now)
    if state is not None:
        settled.ended.append((state, row))


def _error(outcome: Outcome) -> str | None:
    if outcome.result in {Result.HANDED_OVER, Result.RECEIVED}:
        return None
    # What will never be taken is said by its result: the plan goes by it.
    if outcome.result in {Result.GONE, Result.REFUSED}:
        return outcome.result.value
    code = outcome.error or outcome.result.value
    return outcome.result.value if code in plan.FOR_GOOD else code[:32]
