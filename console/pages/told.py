"""Who was told of an incident, when, by what, and whether it came; for the incident's page."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.notify.models import AttemptState, Contact, Notification, NotificationAttempt, NotificationState
from console.texts import Texts

MOST: Final = 40

_CHIPS: Final = {
    NotificationState.TOLD: "ok",
    NotificationState.ANSWERED: "done",
    NotificationState.UNREACHED: "bad",
    NotificationState.EXPIRED: "bad",
    NotificationState.PENDING: "todo",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One channel and what came of it, in words."""

    channel: str
    came: str
    at: dt.datetime
    failed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One notification: for whom, where it stands, by which ways."""

    name: str
    state: str
    chip: str
    asked_at: dt.datetime
    drill: bool
    ways: tuple[Way, ...]


def told_of(session: Session, incident: str, t: Texts) -> tuple[Told, ...]:
    """The newest `MOST`, first those whom nobody reached: an operator can do something about it."""
    rows = session.execute(
        select(Notification, Responder.name, Contact.name)
        .outerjoin(Responder, Responder.id == Notification.responder)
        .outerjoin(Contact, Contact.id == Notification.channel)
        .where(Notification.incident == incident)
        .order_by(
            (Notification.state != NotificationState.UNREACHED), Notification.asked_at.desc(), Notification.id
        )
        .limit(MOST)
    ).all()
    ways: dict[str, list[Way]] = defaultdict(list)
    for one in session.scalars(
        select(NotificationAttempt)
        .where(NotificationAttempt.notification.in_([row.id for row, _, _ in rows]))
        .order_by(NotificationAttempt.number)
    ):
        state = AttemptState(one.state)
        ways[one.notification].append(
            Way(
                channel=t.code("channel", one.kind),
                came=t.code("attempt", state.value),
                at=one.received_at or one.settled_at or one.at,
                failed=state in {AttemptState.FAILED, AttemptState.UNCERTAIN},
            )
        )
    return tuple(
        Told(
            name=person or channel or "–",
            state=t.code("told", row.state),
            chip=_CHIPS.get(NotificationState(row.state), ""),
            asked_at=row.asked_at,
            drill=row.drill,
            ways=tuple(ways[row.id]),
        )
        for row, person, channel in rows
    )
