"""Who was told what, when and by what; and whom an operator is to call."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.notify import calls
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from console.accounts.models import User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from console.security import as_actor

router = APIRouter(tags=["notifications"])
Reader = Annotated[User, may(Action.NOTIFICATIONS_READ)]
Caller = Annotated[User, may(Action.INCIDENTS_DECIDE)]


class AttemptView(BaseModel):
    """One try on one channel. Its id is no part of this: that is the receipt's secret."""

    number: int
    kind: ChannelKind
    channel: str | None
    state: AttemptState
    error: str | None
    at: dt.datetime
    settled_at: dt.datetime | None
    received_at: dt.datetime | None


class NotificationView(BaseModel):
    """`responder` is an id; `held_by`: quiet, cap or cool while it waits until `due_at` for that."""

    id: str
    purpose: Purpose
    severity: int
    responder: str | None
    channel: str | None
    important: bool
    drill: bool
    incident: str | None
    dispatch: str | None
    state: NotificationState
    asked_at: dt.datetime
    due_at: dt.datetime | None
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None
    held_by: str | None
    attempts: list[AttemptView]


class CallView(BaseModel):
    """Somebody to be called: the number is shown to whoever calls, and to nobody else."""

    notification: str
    attempt: int
    responder: str | None
    name: str
    number: str
    purpose: Purpose
    severity: int
    incident: str | None
    since: dt.datetime


class Called(BaseModel):
    """Whether somebody answered."""

    reached: bool


@router.get("/notifications")
def notifications(
    here: Here,
    _: Reader,
    paging: Asked,
    incident: Annotated[str | None, Query(max_length=32)] = None,
    state: Annotated[NotificationState | None, Query()] = None,
    responder: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[NotificationView]:
    """All of them, the newest first."""
    query = select(Notification).where(Notification.compound == here.compound)
    if incident is not None:
        query = query.where(Notification.incident == incident)
    if state is not None:
        query = query.where(Notification.state == state)
    if responder is not None:
        query = query.where(Notification.responder == responder)
    with here.database.read() as session:
        rows, cursor = newest_first(
            session, query, (Notification.asked_at, Notification.id), paging, lambda row: row
        )
        return Page(items=_views(session, rows), next_cursor=cursor)


@router.get("/incidents/{incident_id}/notifications")
def of_incident(here: Here, _: Reader, incident_id: str) -> list[NotificationView]:
    """Who was told of an incident, in the order of the asking."""
    with here.database.read() as session:
        rows = session.scalars(
            select(Notification)
            .where(Notification.compound == here.compound, Notification.incident == incident_id)
            .order_by(Notification.asked_at, Notification.id)
            .limit(500)
        ).all()
        return _views(session, rows)


@router.get("/notifications/calls")
def call_list(here: Here, _: Caller) -> list[CallView]:
    """Whom no other channel has reached: to be called by hand, the gravest first."""
    with here.database.read() as session:
        return [
            CallView(
                notification=row.id,
                attempt=attempt.number,
                responder=row.responder,
                name=name,
                number=contact.address,
                purpose=Purpose(row.purpose),
                severity=row.severity,
                incident=row.incident,
                since=attempt.at,
            )
            for row, attempt, contact, name in calls.open_calls(session, here.compound)
        ]


@router.post("/notifications/calls/{notification_id}", status_code=204)
def called(here: Here, user: Caller, notification_id: str, said: Called) -> Response:
    """What came of a call."""
    with here.database.write() as session:
        done = calls.called(
            session,
            here.compound,
            notification_id,
            as_actor(user),
            here.clock.now(),
            reached=said.reached,
        )
    if not done:
        raise not_found("notification")
    return Response(status_code=204)


def _views(session: Session, rows: Sequence[Notification]) -> list[NotificationView]:
    tries: dict[str, list[AttemptView]] = defaultdict(list)
    found = session.execute(
        select(NotificationAttempt, Contact.name)
        .outerjoin(Contact, Contact.id == NotificationAttempt.contact)
        .where(NotificationAttempt.notification.in_([row.id for row in rows]))
        .order_by(NotificationAttempt.number)
    )
    for one, name in found:
        tries[one.notification].append(
            AttemptView(
                number=one.number,
                kind=ChannelKind(one.kind),
                channel=name,
                state=AttemptState(one.state),
                error=one.error,
                at=one.at,
                settled_at=one.settled_at,
                received_at=one.received_at,
            )
        )
    return [
        NotificationView(
            id=row.id,
            purpose=Purpose(row.purpose),
            severity=row.severity,
            responder=row.responder,
            channel=row.channel,
            important=row.important,
            drill=row.drill,
            incident=row.incident,
            dispatch=row.dispatch,
            state=NotificationState(row.state),
            asked_at=row.asked_at,
            due_at=row.due_at,
            begun_at=row.begun_at,
            ended_at=row.ended_at,
            held_by=row.held_by if row.begun_at is None else None,
            attempts=tries[row.id],
        )
        for row in rows
    ]
