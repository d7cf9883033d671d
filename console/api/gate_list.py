"""The visitors that a guard's own gate expects, for the time without a network.

A browser cannot keep anything sealed from whoever holds the phone. So the list is small and short-lived:
of the gate at which the guard is posted and of no other, a plate, a time, a building and a state; no name,
no phone, nobody's flat; for the guard's shift and at most eight hours, after which the page throws it away
by itself, as it does at sign-out.
"""

import datetime as dt
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift
from console.accounts.models import Role, User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from registry.errors import RefusedError
from registry.models import PassKind, Ring, Zone
from registry.passes.ahead import expected_here
from registry.passes.expected import destinations

router = APIRouter(tags=["passes"])
Guard = Annotated[User, may(Action.PASSES_USE)]

KEPT: Final = dt.timedelta(hours=8)
"""For how long a list may be looked at without being fetched anew: a shift."""


class ExpectedPass(BaseModel):
    """One line. `code` stands for what the visitor's QR holds: the beginning of its SHA-256 in hex."""

    id: str
    kind: PassKind
    plate: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    destination: str | None
    state: Literal["valid", "later", "used_up"]
    code: str | None


class ExpectedAtGate(BaseModel):
    """`expires_at` is when the list must be thrown away."""

    zone: str
    name: str
    at: dt.datetime
    expires_at: dt.datetime
    passes: list[ExpectedPass]


@router.get("/gate/expected")
def expected_at_gate(
    here: Here, user: Guard, zone: Annotated[str, Query(min_length=1, max_length=64)]
) -> ExpectedAtGate:
    """Who may come in at my gate in this shift. 409 `other_gate` for a guard who is posted elsewhere."""
    at = here.clock.now()
    with here.database.read() as session:
        gates, until = own_gates(session, here.compound, user, at)
        name = next((title for key, title in gates if key == zone), None)
        if name is None:
            raise RefusedError("other_gate")
        found = expected_here(session, here.compound, zone, at, until)
        where = destinations(session, here.compound, [one.row for one in found], at)
        passes = [
            ExpectedPass(
                id=one.row.id,
                kind=one.row.kind,
                plate=one.row.plate,
                starts_at=one.row.starts_at,
                ends_at=one.row.ends_at,
                destination=where.get(one.row.id),
                state="later" if one.later else "valid" if one.decision.allowed else "used_up",
                code=one.row.token_hash[:24] if one.row.token_hash else None,
            )
            for one in found
        ]
    with here.database.write() as session:
        look = Look("gate.list_fetched", Purpose.MONITORING, f"zone:{zone}", f"passes={len(passes)}")
        note_look(session, at, user, look)
    return ExpectedAtGate(zone=zone, name=name, at=at, expires_at=until, passes=passes)


def own_gates(
    session: Session, compound: str, user: User, at: dt.datetime
) -> tuple[list[tuple[str, str]], dt.datetime]:
    """The entrances whose list somebody may have, as (id, name), and until when.

    A guard's is the one at which they are posted, in this shift or always; whoever is posted at none stands
    where they are needed and says where.
    """
    latest = at + KEPT
    entrances = session.execute(
        select(Zone.id, Zone.name)
        .where(Zone.compound == compound, Zone.ring == Ring.ENTRANCE)
        .order_by(Zone.name)
    )
    gates = [(row.id, row.name) for row in entrances]
    if user.role != Role.GUARD or user.responder_id is None:
        return gates, latest
    shift = session.scalars(
        select(Shift)
        .where(Shift.responder == user.responder_id, Shift.starts_at <= at, Shift.ends_at > at)
        .order_by(Shift.ends_at.desc())
        .limit(1)
    ).first()
    if shift is not None:
        latest = min(latest, shift.ends_at)
    responder = session.get(Responder, user.responder_id)
    post = (shift.post if shift is not None else None) or (responder.post if responder is not None else None)
    posted = [gate for gate in gates if gate[0] == post]
    return posted or gates, latest
