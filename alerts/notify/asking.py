"""Asking that somebody is told something, in the commit of whatever makes it so. Nothing is sent here."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from alerts.notify.models import Notification, NotificationState, Purpose
from storage import new_id

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Ask:
    """Something that somebody has to hear.

    `key` is what makes it one thing within the compound: the same key again asks for nothing. `responder` or
    `channel` is given; both: that responder by this one contact of theirs, whatever their rule says.
    `arguments` fill the words' blanks: codes, ids of places, times; never a name, a plate or a person.
    """

    compound: str
    key: str
    purpose: Purpose
    severity: int = 3
    responder: str | None = None
    channel: str | None = None
    important: bool = False
    drill: bool = False
    incident: str | None = None
    dispatch: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    expires_at: dt.datetime | None = None


def ask(session: Session, asks: Iterable[Ask], at: dt.datetime) -> list[Notification]:
    """Writes down what is to be told; returns what was new."""
    wanted = {(one.compound, one.key): one for one in asks}
    if not wanted:
        return []
    keys = [key for _, key in wanted]
    known = {
        (compound, key)
        for compound, key in session.execute(
            select(Notification.compound, Notification.key).where(Notification.key.in_(keys))
        )
    }
    made = [
        Notification(
            id=new_id(),
            compound=one.compound,
            key=one.key,
            purpose=one.purpose,
            responder=one.responder,
            channel=one.channel,
            severity=one.severity,
            important=one.important,
            drill=one.drill,
            incident=one.incident,
            dispatch=one.dispatch,
            arguments=dict(one.arguments),
            state=NotificationState.PENDING,
            asked_at=at,
            due_at=at,
            step=0,
            expires_at=one.expires_at,
        )
        for place, one in wanted.items()
        if place not in known
    ]
    session.add_all(made)
    session.flush()
    return made


def withdraw(
    session: Session,
    at: dt.datetime,
    *,
    incident: str | None = None,
    dispatch: str | None = None,
    responder: str | None = None,
    channel: str | None = None,
    purposes: Iterable[Purpose] = (),
    prefix: str | None = None,
) -> int:
    """What is not sent yet is not sent any more; returns how many. At least one narrowing is given.

    `prefix`: what the keys of the asks begin with.
    """
    narrowed = {"incident": incident, "dispatch": dispatch, "responder": responder, "channel": channel}
    return _end(session, NotificationState.WITHDRAWN, at, narrowed, purposes, prefix)


def answered(
    session: Session,
    at: dt.datetime,
    *,
    incident: str | None = None,
    dispatch: str | None = None,
    responder: str | None = None,
    channel: str | None = None,
    purposes: Iterable[Purpose] = (),
    prefix: str | None = None,
) -> int:
    """The receiver has done something about it: no further channel is tried. Returns how many.

    `channel`: of the compound's own (the console's sound), for which somebody has answered.
    """
    narrowed = {"incident": incident, "dispatch": dispatch, "responder": responder, "channel": channel}
    return _end(session, NotificationState.ANSWERED, at, narrowed, purposes, prefix)


def _end(
    session: Session,
    state: NotificationState,
    at: dt.datetime,
    narrowed: Mapping[str, str | None],
    purposes: Iterable[Purpose],
    prefix: str | None,
) -> int:
    columns = {
        "incident": Notification.incident,
        "dispatch": Notification.dispatch,
        "responder": Notification.responder,
        "channel": Notification.channel,
    }
    given = [columns[name] == value for name, value in narrowed.items() if value is not None]
    if prefix is not None:
        given.append(Notification.key.startswith(prefix, autoescape=True))
    if not given:
        raise ValueError("whose notifications end has to be said")
    wanted = list(purposes)
    if wanted:
        given.append(Notification.purpose.in_(wanted))
    ended = session.execute(
        update(Notification)
        .where(*given, Notification.due_at.is_not(None))
        .values(state=state, due_at=None, ended_at=at)
        .returning(Notification.id, Notification.held_by)
        .execution_options(synchronize_session=False)
    ).all()
    # What was to be said in the same letter is another matter: it is told by itself.
    carriers = [row.id for row in ended if row.held_by is not None]
    if carriers:
        session.execute(
            update(Notification)
            .where(Notification.bundle.in_(carriers), Notification.state == NotificationState.PENDING)
            .values(bundle=None, due_at=at, moved_at=at)
            .execution_options(synchronize_session=False)
        )
    return len(ended)
