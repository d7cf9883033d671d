"""What waits for an open page: the letters handed over to it that nobody has received yet.

Every open page asks and waits; here one look at the database for all of them tells whose letters have
changed. A page gives back the mark of what it was shown last and hears again when there is something
else, so that neither a lost answer nor a closed page loses a letter.
"""

import asyncio
import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
)
from storage import Clock, Database, content_id

log = structlog.get_logger(__name__)

LOOK_S: Final = 0.25
"""Between two looks while anybody waits: how long a letter may lie here."""

_KEPT: Final = dt.timedelta(hours=24)
# What one page has received is there for the others a little longer: a screen that stands open in an empty
# room must not keep it from the phone in somebody's pocket.
_ECHO: Final = dt.timedelta(seconds=15)
_SHOWN_MOST: Final = 50
_WAITS: Final = (AttemptState.HANDED_OVER, AttemptState.UNCERTAIN)
# What was answered, taken back or is over needs no reading any more.
_LIVE: Final = (NotificationState.PENDING, NotificationState.TOLD, NotificationState.UNREACHED)
# Nor does what asks for somebody, once the work is done: who opens the page afterwards is not sent out.
_CALLS: Final = (
    *(Purpose.INCIDENT, Purpose.ESCALATION, Purpose.OFFER),
    *(Purpose.TAKEN, Purpose.HELP, Purpose.LONE_WORKER),
)
_DONE: Final = tuple(
    state for state in State if not state.is_open or state in {State.RESOLVED, State.REVIEWED}
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose page it is. `control_room`: also what is for everybody in the control room."""

    compound: str
    responder: str | None
    control_room: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Ids of attempts, oldest first, and incidents nobody has acknowledged, as (id, severity)."""

    attempts: tuple[str, ...] = ()
    raised: tuple[tuple[str, int], ...] = ()

    @property
    def mark(self) -> str:
        """The same for the same content, and for no other."""
        parts = [*self.attempts, "raised", *(f"{one}:{severity}" for one, severity in self.raised)]
        return content_id("inbox", *parts)


@dataclass(frozen=True, slots=True)
class _Look:
    """Everybody's letters at one moment."""

    own: Mapping[tuple[str, str | None], tuple[str, ...]]
    room: Mapping[str, tuple[str, ...]]
    raised: Mapping[str, tuple[tuple[str, int], ...]]

    def of(self, reader: Reader) -> Waiting:
        own = self.own.get((reader.compound, reader.responder), ()) if reader.responder else ()
        if not reader.control_room:
            return Waiting(own)
        both = dict.fromkeys([*own, *self.room.get(reader.compound, ())])
        return Waiting(tuple(sorted(both))[-_SHOWN_MOST:], self.raised.get(reader.compound, ()))


class Letterbox:
    """One a console process. Looks only while somebody waits."""

    def __init__(self, database: Database, clock: Clock, *, look_s: float = LOOK_S) -> None:
        self._database = database
        self._clock = clock
        self._look_s = look_s
        self._waiting = 0
        self._latest: _Look | None = None
        self._news = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def now(self, reader: Reader) -> Waiting:
        """What waits at this moment."""
        with self._database.read() as session:
            return _look(session, self._clock.now(), [reader.compound]).of(reader)

    async def changed(self, reader: Reader, mark: str | None, seconds: float) -> Waiting:
        """What waits, as soon as it is something else than `mark`, or after so many seconds."""
        found = await asyncio.to_thread(self.now, reader)
        if found.mark != mark or seconds <= 0:
            return found
        self._waiting += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch(), name="letterbox")
        try:
            async with asyncio.timeout(seconds), self._news:
                while found.mark == mark:
                    await self._news.wait()
                    if self._latest is not None:
                        found = self._latest.of(reader)
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1
        return found

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._look_s)
            try:
                latest = await asyncio.to_thread(self._look)
            except Exception:
                # The database comes back; whoever waits asks again by itself meanwhile.
                log.exception("letterbox.look_failed")
                continue
            async with self._news:
                self._latest = latest
                self._news.notify_all()

    def _look(self) -> _Look:
        with self._database.read() as session:
            return _look(session, self._clock.now(), None)


def _look(session: Session, now: dt.datetime, compounds: Iterable[str] | None) -> _Look:
    query = (
        select(
            NotificationAttempt.id,
            NotificationAttempt.kind,
            Notification.compound,
            Notification.responder,
            Contact.responder.label("owner"),
        )
        .join(Notification, Notification.id == NotificationAttempt.notification)
        .join(Contact, Contact.id == NotificationAttempt.contact)
        .outerjoin(Incident, Incident.id == Notification.incident)
        .where(
            NotificationAttempt.kind.in_((ChannelKind.PHONE_PAGE, ChannelKind.CONSOLE)),
            NotificationAttempt.state.in_(_WAITS)
            | (
                (NotificationAttempt.state == AttemptState.RECEIVED)
                & (NotificationAttempt.received_at > now - _ECHO)
            ),
            NotificationAttempt.at > now - _KEPT,
            Notification.state.in_(_LIVE),
            (Notification.expires_at.is_(None)) | (Notification.expires_at > now),
            Notification.purpose.not_in(_CALLS) | Incident.id.is_(None) | Incident.state.not_in(_DONE),
        )
        .order_by(NotificationAttempt.at, NotificationAttempt.id)
    )
    raised = select(Incident.id, Incident.severity, Incident.compound).where(Incident.state == State.RAISED)
    if compounds is not None:
        wanted = list(compounds)
        query = query.where(Notification.compound.in_(wanted))
        raised = raised.where(Incident.compound.in_(wanted))
    own: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    room: dict[str, list[str]] = defaultdict(list)
    for row in session.execute(query):
        if row.owner is not None:
            # The contact's owner and nobody else, whoever the notification names.
            own[row.compound, row.owner].append(row.id)
        elif row.kind == ChannelKind.CONSOLE and row.responder is None:
            room[row.compound].append(row.id)
    loud: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for incident in session.execute(
        raised.order_by(Incident.severity, Incident.raised_at.desc(), Incident.id)
    ):
        if len(loud[incident.compound]) < _SHOWN_MOST:
            loud[incident.compound].append((incident.id, incident.severity))
    return _Look(
        {key: tuple(ids[-_SHOWN_MOST:]) for key, ids in own.items()},
        {key: tuple(ids[-_SHOWN_MOST:]) for key, ids in room.items()},
        {key: tuple(found) for key, found in loud.items()},
    )
