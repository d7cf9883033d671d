"""The letters of an open page: a way to reach people that needs no cloud and no app.

The page asks, waits, shows, and gives a receipt for each letter (`POST /notifications/receipts`). What it
did not receive is still there when it asks again, today or when the phone is back in the network.
"""

import asyncio
import contextlib
import datetime as dt
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from alerts.duty.models import Responder, Team, TeamKind
from alerts.notify.letters import Told
from alerts.notify.models import ChannelKind, Contact, Notification, NotificationAttempt, Purpose
from console.accounts.models import User
from console.context import Rooms, rooms
from console.letterbox import Letterbox, Reader, Waiting
from console.letters import in_words, texts_of
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from console.texts import COOKIE, negotiate
from storage import content_id

router = APIRouter(tags=["notifications"])
Own = Annotated[User, may(Action.CONTACTS_OWN)]

WAIT_MAX_S: Final = 25
"""Shorter than what proxies cut off."""


class InboxItem(BaseModel):
    """One letter. `attempt` is what the receipt names."""

    attempt: str
    notification: str
    purpose: Purpose
    severity: int
    title: str
    body: str
    path: str | None
    tag: str
    drill: bool
    incident: str | None
    at: dt.datetime


class RaisedItem(BaseModel):
    """An incident that nobody has acknowledged."""

    incident: str
    severity: int


class Inbox(BaseModel):
    """`mark` goes back as `after`: the next answer comes when there is something else."""

    items: list[InboxItem]
    raised: list[RaisedItem]
    mark: str


@router.get("/notifications/inbox")
async def inbox(
    request: Request,
    user: Own,
    after: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
    wait: Annotated[int, Query(ge=0, le=WAIT_MAX_S)] = 0,
    control_room: Annotated[bool, Query()] = False,
) -> Inbox:
    """What waits for me. With `control_room` also what is for everybody there, and what is raised."""
    here = rooms(request)
    if control_room and not allowed(user, Action.INCIDENTS_READ):
        raise ProblemError(403, "forbidden", "Your role may not do this")
    if after is None and user.responder_id is not None:
        await run_in_threadpool(open_page, here, user.responder_id)
    reader = Reader(here.compound, user.responder_id, control_room)
    try:
        found = await box_of(request).changed(reader, after, wait)
    except asyncio.CancelledError:
        # The server stops, and nothing else ends this: the page is told, and comes back by itself.
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
        raise ProblemError(503, "stopping", "This server is about to stop") from None
    chosen = request.cookies.get(COOKIE) or user.language
    language = negotiate(chosen, request.headers.get("Accept-Language"))
    return await run_in_threadpool(_answer, here, found, language)


def open_page(here: Rooms, responder: str) -> None:
    """Whoever opens a page can be reached by it from then on; a page that is not open gives no receipt."""
    contact = content_id("page", here.compound, responder)
    with here.database.read() as session:
        if session.get(Contact, contact) is not None:
            return
    # Two pages opened at once may both come here: one of them has made it.
    with contextlib.suppress(IntegrityError), here.database.write() as session:
        session.add(
            Contact(
                id=contact,
                compound=here.compound,
                responder=responder,
                kind=ChannelKind.PHONE_PAGE,
                name="-",
                address="page",
                settings={},
                enabled=True,
                created_at=here.clock.now(),
            )
        )


def box_of(request: Request) -> Letterbox:
    """The process's letterbox, made when the first page asks."""
    box: Letterbox | None = getattr(request.app.state, "letterbox", None)
    if box is None:
        whole: Rooms = request.app.state.rooms
        request.app.state.letterbox = box = Letterbox(whole.database, whole.clock)
    return box


def _answer(here: Rooms, found: Waiting, language: str) -> Inbox:
    with here.database.read() as session:
        items = _items(session, here.compound, found.attempts, language)
    raised = [RaisedItem(incident=one, severity=severity) for one, severity in found.raised]
    return Inbox(items=items, raised=raised, mark=found.mark)


def _items(session: Session, compound: str, attempts: tuple[str, ...], language: str) -> list[InboxItem]:
    rows = session.execute(
        select(NotificationAttempt, Notification, Team.kind)
        .join(Notification, Notification.id == NotificationAttempt.notification)
        .outerjoin(Responder, Responder.id == Notification.responder)
        .outerjoin(Team, Team.id == Responder.team)
        .where(NotificationAttempt.id.in_(attempts), Notification.compound == compound)
        .order_by(NotificationAttempt.at, NotificationAttempt.id)
    ).all()
    texts = texts_of(language)
    items = []
    for attempt, row, team in rows:
        told = Told(
            notification=row.id,
            compound=row.compound,
            purpose=Purpose(row.purpose),
            severity=row.severity,
            asked_at=row.asked_at,
            kind=ChannelKind(attempt.kind),
            important=row.important,
            drill=row.drill,
            incident=row.incident,
            dispatch=row.dispatch,
            arguments=row.arguments,
            team=TeamKind(team) if team else None,
        )
        title, body, path = in_words(session, told, texts)
        items.append(
            InboxItem(
                attempt=attempt.id,
                notification=row.id,
                purpose=told.purpose,
                severity=row.severity,
                title=title,
                body=body,
                path=path,
                tag=row.incident or row.id,
                drill=row.drill,
                incident=row.incident,
                at=attempt.at,
            )
        )
    return items
