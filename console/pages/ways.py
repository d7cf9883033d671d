"""The ways in which somebody is reached, as a page shows them: how each stands, and what came of a test."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.notify import contacts
from alerts.notify.models import Contact, Notification, NotificationAttempt, NotificationState, Purpose
from console.accounts.models import User
from console.context import Rooms
from console.pages.view import Frame
from console.permissions import Action, allowed

_ROWS: Final = 4


@dataclass(frozen=True, slots=True)
class Way:
    """One way as the page shows it. `health`: works, failing, dead, paused, never."""

    id: str
    kind: str
    name: str
    hint: str
    health: str
    since: dt.datetime | None
    failures: int
    error: str | None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a rule's form; `contact` empty: none."""

    contact: str
    after_s: int


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one try, and when that was known."""

    kind: str
    state: str
    error: str | None
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Tested:
    """A test; `waits`: more may come of it."""

    state: str
    asked_at: dt.datetime
    waits: bool
    came: tuple[Came, ...]


def rules_of(session: Session, responder: str) -> dict[str, list[Step]]:
    """Both rules, each with rows to spare."""
    made: dict[str, list[Step]] = {}
    for name, important in (("default", False), ("important", True)):
        steps = [
            Step(one.contact, one.after_s)
            for one in contacts.rule_of(session, responder, important=important)
        ]
        spare = max(1, _ROWS - len(steps)) if len(steps) < contacts.STEPS_MOST else 0
        made[name] = [*steps, *[Step("", 30)] * spare]
    return made


def way_of(row: Contact, view: Frame) -> Way:
    since: dt.datetime | None
    if row.dead_since is not None:
        health, since = "dead", row.dead_since
    elif row.paused_until is not None and row.paused_until > view.now:
        health, since = "paused", row.paused_until
    elif row.failures:
        health, since = "failing", row.failed_at
    elif row.worked_at is not None:
        health, since = "works", row.worked_at
    else:
        health, since = "never", None
    return Way(
        id=row.id,
        kind=str(row.kind),
        name="" if row.name == "-" else row.name,
        hint=contacts.hint(row),
        health=health,
        since=since,
        failures=row.failures,
        error=row.error,
        settings=row.settings,
    )


def tested_of(here: Rooms, user: User, notification: str) -> Tested | None:
    """What came of a test; None where there is none that is this user's to see."""
    with here.database.read() as session:
        row = session.get(Notification, notification)
        if row is None or row.compound != here.compound or row.purpose != Purpose.TEST:
            return None
        mine = row.responder is not None and row.responder == user.responder_id
        if not mine and not (row.responder is None and allowed(user, Action.CONTACTS_EDIT)):
            return None
        tries = session.scalars(
            select(NotificationAttempt)
            .where(NotificationAttempt.notification == notification)
            .order_by(NotificationAttempt.number)
        )
        came = tuple(
            Came(str(one.kind), str(one.state), one.error, one.received_at or one.settled_at or one.at)
            for one in tries
        )
        return Tested(str(row.state), row.asked_at, row.state == NotificationState.PENDING, came)
