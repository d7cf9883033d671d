"""What another process left when it went away, and what the clock left when it was set back.

A try that is under way for too long was lost with its process: nobody knows whether it went out. Where the
process is seen to be gone it is lost at once: what is grave must not wait for half a minute. A moment
that lies further ahead than it was ever meant to was written before the clock was set back.
"""

import datetime as dt
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from alerts.notify import ends, plan, unreached
from alerts.notify.claims import HOLD
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Notification,
    NotificationAttempt,
    under_way,
)
from alerts.notify.settling import Settled, follow

AT_ONCE: Final = 200


def gone(session: Session, mine: str, is_gone: Callable[[str], bool]) -> frozenset[str]:
    """The processes that have ended of those that are at a try; a look alone."""
    at_it = session.scalars(select(NotificationAttempt.holder).where(under_way()).distinct())
    return frozenset(holder for holder in at_it if holder is not None and holder != mine and is_gone(holder))


def needed(session: Session, now: dt.datetime, ended: Collection[str] = ()) -> bool:
    """Whether there is anything to mend; a look alone. `ended` are processes that are `gone`."""
    lost = select(NotificationAttempt.id).where(_lapsed(now, ended)).limit(1)
    ahead = select(Notification.id).where(_ahead(now)).limit(1)
    return session.scalar(lost) is not None or session.scalar(ahead) is not None


def mend(
    session: Session,
    mine: Collection[str],
    kinds: frozenset[ChannelKind],
    inside: frozenset[ChannelKind],
    now: dt.datetime,
    ended: Collection[str] = (),
) -> Settled:
    """Takes it up. `mine` are the tries that this process is still at, whatever the clock says."""
    for row in session.scalars(
        select(Notification).where(_ahead(now)).limit(AT_ONCE).with_for_update(skip_locked=True)
    ):
        # It waits as long as it was meant to, once more, and no longer.
        set_at = row.moved_at or row.asked_at
        wait = (row.due_at or set_at) - set_at
        ends.move(row, now + max(wait, dt.timedelta(0)), now)
    settled = Settled()
    found = session.execute(
        select(NotificationAttempt.notification, NotificationAttempt.id)
        .where(_lapsed(now, ended), NotificationAttempt.id.not_in(mine))
        .limit(AT_ONCE)
    )
    lost: dict[str, list[str]] = {}
    for notification, attempt in found:
        lost.setdefault(notification, []).append(attempt)
    for notification in sorted(lost):
        # The notification first, as whoever settles does: neither waits for the other.
        held = session.get(Notification, notification, with_for_update={"skip_locked": True})
        if held is None:
            continue
        for key in lost[notification]:
            _give_up(session, key, now, ended)
        session.flush()
        follow(session, held, kinds, inside, now, settled)
    unreached.tell(session, settled.ended, now)
    return settled


def _give_up(session: Session, key: str, now: dt.datetime, ended: Collection[str]) -> None:
    attempt = session.get(NotificationAttempt, key, populate_existing=True)
    if attempt is None or attempt.state != AttemptState.SENDING or attempt.held_until is None:
        return
    if attempt.holder in ended:
        attempt.state, attempt.error, attempt.settled_at = AttemptState.UNCERTAIN, plan.LOST, now
    elif attempt.held_until > now + HOLD + ends.SET_BACK:
        # From before the clock was set back. Whoever sends it may still be there: it gets its time again.
        attempt.held_until = now + HOLD
    elif attempt.held_until <= now:
        attempt.state, attempt.error, attempt.settled_at = AttemptState.UNCERTAIN, plan.LOST, now


def _lapsed(now: dt.datetime, ended: Collection[str]) -> ColumnElement[bool]:
    return and_(
        under_way(),
        or_(
            NotificationAttempt.held_until <= now,
            NotificationAttempt.held_until > now + HOLD + ends.SET_BACK,
            *([NotificationAttempt.holder.in_(ended)] if ended else []),
        ),
    )


def _ahead(now: dt.datetime) -> ColumnElement[bool]:
    late = now + ends.SET_BACK
    return and_(
        Notification.due_at > now,
        or_(
            Notification.moved_at > late,
            and_(Notification.moved_at.is_(None), Notification.asked_at > late),
        ),
    )
