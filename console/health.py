"""Is the process alive, can it work, and its metrics."""

import ipaddress
from collections.abc import Callable
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from console.accounts.models import Role
from console.accounts.tokens import Scope
from console.context import Rooms, rooms
from console.live import LiveFeed
from console.security import ForbiddenError, NotSignedInError, identify
from storage import Database, ringmark
from storage.keys import current_ring
from storage.ringmark import MarkState

router = APIRouter(tags=["health"])
Here = Annotated[Rooms, Depends(rooms)]


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers; nothing else is asked, so that a database outage restarts nobody."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(request: Request, here: Here) -> JSONResponse:
    """What the console needs, each by itself; 503 when one is missing."""
    feed = cast("LiveFeed", request.app.state.feed)
    checks = {
        "database": _holds(lambda: _pings(here.database)),
        "broker": _holds(here.broker_ready),
        "ingest": _holds(here.ingest_ready),
        "keys": _holds(lambda: ringmark.check(here.database, current_ring()) is not MarkState.FOREIGN),
        "live": feed.connected,
    }
    ready = all(checks.values())
    body = {"status": "ready" if ready else "not_ready", "checks": checks}
    return JSONResponse(body, 200 if ready else 503)


@router.get("/metrics")
def metrics(request: Request, here: Here) -> Response:
    """Prometheus text: for this machine, and for whoever signs in or has a token for it."""
    if not _is_local(request):
        identity = identify(request)
        if identity is None:
            raise NotSignedInError
        allowed = identity.user.role != Role.VOLUNTEER
        if identity.scopes is not None:
            allowed = Scope.METRICS in identity.scopes
        if not allowed:
            raise ForbiddenError
    return Response(generate_latest(here.metrics_registry), media_type=CONTENT_TYPE_LATEST)


def _pings(database: Database) -> bool:
    database.ping()
    return True


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception:  # noqa: BLE001 - whatever it is, the answer is "not ready"
        return False


def _is_local(request: Request) -> bool:
    # A proxy on this machine connects from loopback for the whole world; it says so in a header.
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP")):
        return False
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
