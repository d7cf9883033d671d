"""Somebody could not be reached: of what is grave the control room hears, with how many."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.duty.models import TeamKind
from alerts.duty.onduty import on_duty
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Notification, NotificationState, Purpose
from alerts.notify.plan import GRAVE

REASON = "unreached"


def tell(session: Session, ended: Iterable[tuple[NotificationState, Notification]], now: dt.datetime) -> None:
    """Asks that the operators on duty hear of whom no channel reached; each count of an incident once.

    Those who are not reached themselves are not told of it, and that nobody heard of this is told to nobody.
    """
    grave = [
        row
        for state, row in ended
        if state is NotificationState.UNREACHED
        and row.severity <= GRAVE
        and row.arguments.get("reason") != REASON
    ]
    for matter in sorted({(row.compound, row.incident or row.id) for row in grave}):
        of_it = [row for row in grave if (row.compound, row.incident or row.id) == matter]
        _tell(session, of_it[0], matter[1], now)


def _tell(session: Session, row: Notification, matter: str, now: dt.datetime) -> None:
    session.flush()
    silent = set(
        session.scalars(
            select(Notification.responder).where(
                Notification.compound == row.compound,
                Notification.incident == row.incident if row.incident else Notification.id == row.id,
                Notification.state == NotificationState.UNREACHED,
                Notification.responder.is_not(None),
            )
        )
    )
    count = max(len(silent), 1)
    ask(
        session,
        [
            Ask(
                compound=row.compound,
                key=f"unreached:{matter}:{count}:{operator.id}",
                purpose=Purpose.ESCALATION,
                severity=row.severity,
                responder=operator.id,
                important=True,
                drill=row.drill,
                incident=row.incident,
                dispatch=row.dispatch,
                arguments={**_place(row), "reason": REASON, "count": count},
            )
            for operator in on_duty(session, row.compound, now, kinds=[TeamKind.OPERATOR])
            if operator.id not in silent
        ],
        now,
    )


def _place(row: Notification) -> dict[str, object]:
    return {key: row.arguments[key] for key in ("kind", "zone", "place") if key in row.arguments}


def unreached(session: Session, compound: str, since: dt.datetime) -> int:
    """How many of a compound's notifications reached nobody since then."""
    return (
        session.scalar(
            select(func.count()).where(
                Notification.compound == compound,
                Notification.state == NotificationState.UNREACHED,
                Notification.ended_at >= since,
            )
        )
        or 0
    )
