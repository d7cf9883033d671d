"""Where a notification stands: moved on, or at its end with everything that its letter said too."""

import datetime as dt
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session, object_session

from alerts.notify import plan
from alerts.notify.models import Notification, NotificationState, Purpose

SET_BACK: Final = dt.timedelta(seconds=5)
"""A moment dated further ahead than this was written down before the clock was set back."""


def standing(row: Notification) -> plan.Standing:
    return plan.Standing(
        purpose=Purpose(row.purpose),
        severity=row.severity,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        step=row.step,
        round=row.round,
    )


def move(row: Notification, until: dt.datetime, now: dt.datetime) -> None:
    """Nothing is due before `until`."""
    row.due_at, row.moved_at = until, now


def apply(row: Notification, step: plan.Move, now: dt.datetime) -> NotificationState | None:
    """Does what the plan says; returns the state where it has come to its end."""
    if isinstance(step, plan.End):
        session = object_session(row)
        if session is not None:
            end(session, row, step.state, now)
        return step.state
    if isinstance(step, plan.Again):
        row.round, row.step = step.round, 0
        move(row, step.until, now)
    elif isinstance(step, plan.Wait):
        move(row, step.until, now)
    else:
        move(row, now, now)
    return None


def end(session: Session, row: Notification, state: NotificationState, now: dt.datetime) -> None:
    """The notification's end, and that of the others in its letter."""
    row.state, row.due_at, row.ended_at = state, None, now
    if row.held_by is not None:
        session.execute(
            update(Notification)
            .where(Notification.bundle == row.id, Notification.state == NotificationState.PENDING)
            .values(state=state, ended_at=now)
            .execution_options(synchronize_session=False)
        )
