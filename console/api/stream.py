"""Live changes as server-sent events, resumable by `Last-Event-ID`.

`id` is the sequence number in the JetStream stream, `event` the kind of the change, and
`data` small JSON without personal data: what changed, to be looked up under the reader's
own rights. `reset` means that changes are missing and everything is to be loaded anew.
"""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, cast

import msgspec
from fastapi import APIRouter, Header, Query, Request
from sqlalchemy import select
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from alerts.dispatch.models import Dispatch
from bus.messages import DispatchChanged, IncidentChanged, Message
from console.accounts.models import User
from console.context import Rooms, rooms
from console.live import DroppedError, FeedFullError, LiveFeed, ResumeImpossibleError, Watcher
from console.live_tail import Change, TailBrokenError
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from console.security import at_home, look_up

router = APIRouter(tags=["stream"])
Listener = Annotated[User, may(Action.TASKS)]

KEEP_ALIVE_S: Final = 15
SEND_TIMEOUT_S: Final = 30.0
# A stream outlives the request that opened it: whether its user still may is asked again.
CHECKED_EVERY_S: Final = 15.0
# What a reader does not get to see still moves its position, or it could not resume later.
SKIPPED_MAX: Final = 100

# Kind → fields. Everything else of a message (person, plate, household, credential) stays here.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "incident": ("id", "version", "state", "severity", "ring", "at"),
    "dispatch": ("id", "incident_id", "responder_id", "state", "at"),
    "sighting": ("id", "event_id", "device_id", "subject_kind", "outcome", "ring", "zone", "late", "at"),
    "device": ("device_id", "online", "at"),
    "event": ("id", "device_id", "type", "ring", "zone", "late", "at"),
}


class Audience:
    """Who reads, and which changes concern them.

    A volunteer gets the dispatches of their responder and the incidents these are about.
    """

    def __init__(self, user: User, incidents: set[str]) -> None:
        self._all = allowed(user, Action.INCIDENTS_READ)
        self._responder = user.responder_id
        self._incidents = incidents

    @classmethod
    def of(cls, here: Rooms, user: User) -> "Audience":
        """Reads which incidents a volunteer was asked to so far."""
        if allowed(user, Action.INCIDENTS_READ) or user.responder_id is None:
            return cls(user, set())
        with here.database.read() as session:
            asked = select(Dispatch.incident).where(Dispatch.responder == user.responder_id)
            return cls(user, set(session.scalars(asked)))

    def wants(self, message: Message) -> bool:
        if self._all:
            return True
        if isinstance(message, DispatchChanged):
            if self._responder is None or message.responder_id != self._responder:
                return False
            self._incidents.add(message.incident_id)
            return True
        return isinstance(message, IncidentChanged) and message.id in self._incidents


class _Stream(EventSourceResponse):
    """Ends quietly when its reader stops reading; the reader comes back and resumes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(SendTimeoutError):
            await super().__call__(scope, receive, send)


@router.get("/stream", response_class=EventSourceResponse)
async def stream(
    request: Request,
    user: Listener,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,18}$")] = None,
    after: Annotated[int | None, Query(ge=0)] = None,
) -> EventSourceResponse:
    """Changes as they happen. `after` is what `Last-Event-ID` is, for the first connection."""
    feed = cast("LiveFeed", request.app.state.feed)
    if rooms(request).compound != feed.compound:
        raise ProblemError(409, "other_compound", "This console streams the changes of another compound")
    if feed.is_full:
        raise ProblemError(503, "too_many_streams", "Too many streams are open")
    audience = await run_in_threadpool(Audience.of, rooms(request), user)
    resume = int(last_event_id) if last_event_id is not None else after
    return _Stream(_changes(request, feed, audience, resume), ping=KEEP_ALIVE_S, send_timeout=SEND_TIMEOUT_S)


async def _changes(
    request: Request, feed: LiveFeed, audience: Audience, after: int | None
) -> AsyncIterator[ServerSentEvent]:
    await feed.wait_connected()
    # Each of these ends the stream; the reader comes back by itself and resumes.
    with contextlib.suppress(DroppedError, TailBrokenError, FeedFullError), feed.watch() as watcher:
        start = feed.position or 0
        if after is not None:
            try:
                async with contextlib.aclosing(feed.replay(after, start)) as missed:
                    async for change in missed:
                        if audience.wants(change.message):
                            yield _event(change)
            except ResumeImpossibleError:
                yield ServerSentEvent(event="reset", id=str(start), data="{}")
        # Only an id: the browser remembers where it is before anything has happened.
        yield ServerSentEvent(id=str(start))
        async for event in _live(request, watcher, audience):
            yield event


async def _live(request: Request, watcher: Watcher, audience: Audience) -> AsyncIterator[ServerSentEvent]:
    checked = time.monotonic()
    skipped = 0
    while True:
        change = await watcher.next(CHECKED_EVERY_S)
        if time.monotonic() - checked >= CHECKED_EVERY_S:
            identity = await run_in_threadpool(look_up, request)
            if identity is None or not at_home(identity.user, rooms(request).compound):
                return  # Signed out, ended, deactivated or sent to another compound since.
            checked = time.monotonic()
        if change is None:
            continue
        if audience.wants(change.message):
            skipped = 0
            yield _event(change)
        else:
            skipped += 1
            if skipped >= SKIPPED_MAX:
                skipped = 0
                yield ServerSentEvent(id=str(change.seq))


def _event(change: Change) -> ServerSentEvent:
    kind = change.message.__struct_config__.tag
    assert isinstance(kind, str)
    data: dict[str, Any] = {name: getattr(change.message, name) for name in FIELDS[kind]}
    return ServerSentEvent(event=kind, id=str(change.seq), data=msgspec.json.encode(data).decode())
