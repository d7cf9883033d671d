"""The visitor's own page: the code to show, until when, at which gate. No sign-in, the address is the key.

192 random bits open it, of which only a digest is stored. It says where to go and never to whom; it is
kept in no cache, counted per address, and answers alike whatever opens nothing.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.calendars import Throttle, address_of
from console.context import rooms
from console.pages.view import frame, render
from registry.models import PassKind, PassState, Ring, VisitorPass, Zone
from registry.passes.admission import not_used_up
from registry.passes.expected import by_token, destinations
from registry.passes.visiting import TOKEN_PREFIX

router = APIRouter()

_GATES_SHOWN: Final = 6
_TOKEN_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class Ticket:
    """What stands on a pass. `state`: valid, waiting, not_yet, over, refused, revoked or used_up."""

    image: str
    code: str
    state: str
    kind: PassKind
    starts_at: dt.datetime
    ends_at: dt.datetime
    destination: str | None
    gates: tuple[str, ...]
    by_plate: bool
    by_phone: bool


@router.get("/pass/{token}", name="visitor_pass")
def visitor_pass(request: Request, token: str) -> Response:
    """A pass; 404 for whatever is none, 429 for whoever asks too often."""
    here = rooms(request)
    now = here.clock.now()
    throttle: Throttle = request.app.state.pass_throttle
    if not throttle.takes(address_of(request), now):
        return PlainTextResponse("too many requests", 429, {"Retry-After": "60", "Cache-Control": "no-store"})
    with here.database.read() as session:
        ticket = ticket_of(session, here.compound, token[:_TOKEN_MAX], now)
    response = render(
        frame(request), "visitor_pass.html", status=404 if ticket is None else 200, ticket=ticket
    )
    # A search engine that is sent the link, too, must not keep it.
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def link_to(request: Request, token: str) -> str:
    """The address that a visitor is sent."""
    base = (rooms(request).public_url or str(request.base_url)).rstrip("/")
    return f"{base}/pass/{token.removeprefix(TOKEN_PREFIX)}"


def ticket_of(session: Session, compound: str, token: str, at: dt.datetime) -> Ticket | None:
    """What a pass shows at a moment; None for a token that is none of ours."""
    code = token if token.startswith(TOKEN_PREFIX) else f"{TOKEN_PREFIX}{token}"
    row = by_token(session, compound, code)
    if row is None:
        return None
    state = _state(session, row, at)
    opens = state in {"valid", "not_yet"}
    return Ticket(
        image=segno.make(code, error="m").png_data_uri(scale=8, border=4) if opens else "",
        code=code if opens else "",
        state=state,
        kind=PassKind(row.kind),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        destination=destinations(session, compound, [row], at).get(row.id),
        gates=_gates(session, row),
        by_plate=row.plate is not None,
        by_phone=row.sealed_phone is not None,
    )


def _state(session: Session, row: VisitorPass, at: dt.datetime) -> str:
    if row.state != PassState.APPROVED:
        return {PassState.REQUESTED: "waiting", PassState.REFUSED: "refused"}.get(
            PassState(row.state), "revoked"
        )
    if row.ends_at <= at:
        return "over"
    if row.starts_at > at:
        return "not_yet"
    usable = session.scalar(select(VisitorPass.id).where(VisitorPass.id == row.id, not_used_up(at)))
    return "valid" if usable is not None else "used_up"


def _gates(session: Session, row: VisitorPass) -> tuple[str, ...]:
    """Where to show it: the zones it is limited to, else the entrances."""
    query = select(Zone.name).where(Zone.compound == row.compound)
    query = query.where(Zone.id.in_(row.zones)) if row.zones else query.where(Zone.ring == Ring.ENTRANCE)
    return tuple(session.scalars(query.order_by(Zone.name).limit(_GATES_SHOWN)))
