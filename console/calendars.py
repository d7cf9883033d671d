"""The one address that calendars of phones fetch: somebody's duty, or a team's.

A calendar has no user and can send no header, so the token in the path is the credential: 256 random
bits, of which only the digest is stored, revocable at any time. Whatever opens nothing is answered
alike, and nobody may ask often.
"""

import datetime as dt
import ipaddress
import threading
from collections import OrderedDict, deque
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from alerts.duty import feeds
from alerts.duty.ical import Entry, calendar
from console.context import Rooms
from console.texts import load, negotiate

router = APIRouter(include_in_schema=False)

PER_MINUTE: Final = 30
"""Requests of one address: a household's phones ask once an hour each."""

_REMEMBERED: Final = 10_000
_MINUTE: Final = dt.timedelta(minutes=1)


class Throttle:
    """Counts requests of an address in the last minute. Safe to share between threads."""

    def __init__(self, most: int = PER_MINUTE) -> None:
        self._most = most
        self._seen: OrderedDict[str, deque[dt.datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def takes(self, address: str, at: dt.datetime) -> bool:
        """Whether one more request is answered."""
        with self._lock:
            seen = self._seen.pop(address, deque())
            while seen and seen[0] <= at - _MINUTE:
                seen.popleft()
            self._seen[address] = seen
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            if len(seen) >= self._most:
                return False
            seen.append(at)
            return True


@router.get("/calendar/{token}.ics")
def feed(request: Request, token: str) -> Response:
    """A calendar; 404 for whatever opens nothing, 429 for whoever asks too often."""
    here: Rooms = request.app.state.rooms
    throttle: Throttle = request.app.state.calendar_throttle
    now = here.clock.now()
    if not throttle.takes(address_of(request), now):
        return PlainTextResponse("too many requests", 429, {"Retry-After": "60", "Cache-Control": "no-store"})
    # Of every compound of this deployment: a calendar cannot say whose it is, the token does.
    with here.database.read() as session:
        found = feeds.opened(session, token[:128], now)
    if found is None:
        return PlainTextResponse("not found", 404, {"Cache-Control": "no-store"})
    say = load(negotiate(found.language or "zh-CN", None))

    def summary(entry: Entry) -> str:
        key = "ical.on_call" if entry.on_call else "ical.on_duty"
        return say(key) if entry.people == 1 else say("ical.several", what=say(key), count=entry.people)

    content = calendar(found.title, found.entries, summary, now)
    return Response(
        content,
        media_type="text/calendar; charset=utf-8",
        headers={
            "Cache-Control": "private, max-age=900",
            "Content-Disposition": 'inline; filename="duty.ics"',
        },
    )


def address_of(request: Request) -> str:
    """From where somebody asks, as far as asking often is concerned."""
    host = request.client.host if request.client else ""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return host
    # One subscriber holds a whole /64 of IPv6.
    return str(ipaddress.ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False))
