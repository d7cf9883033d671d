"""交接班: hand-overs of the control room, who signed them, and what was written on them."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from alerts.handover import surroundings, writing
from alerts.handover.models import Handover
from alerts.handover.rules import EntryKind, Side
from alerts.handover.writing import Whole
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, allowed, may
from console.security import as_actor
from registry import rows
from registry.errors import RefusedError

router = APIRouter(tags=["handovers"])
Reader = Annotated[User, may(Action.HANDOVERS_READ)]
Signer = Annotated[User, may(Action.HANDOVERS_SIGN)]
# A signature is somebody's own, whoever else sits at the desk by now.
Signing = Annotated[User, may(Action.HANDOVERS_SIGN, proven=True)]


class SignatureView(BaseModel):
    side: Side
    user: str
    role: str
    at: dt.datetime
    digest: str


class EntryView(BaseModel):
    """A note, a disagreement or an addendum, as it was written."""

    id: str
    kind: EntryKind
    side: Side | None
    author: str
    role: str
    text: str
    at: dt.datetime


class HandoverView(BaseModel):
    """`to_sign` is the digest of what a signature is on; `stands`: nobody has changed it since."""

    id: str
    since: dt.datetime
    until: dt.datetime
    made_at: dt.datetime
    made_by: str
    signatures: list[SignatureView]
    entries: list[EntryView]
    to_sign: str
    stands: bool


class HandoverInFull(HandoverView):
    """With what was frozen: of watch-list orders only the number for whoever may not read them.

    `reasons` says why something is told to nobody, by the silence's id, for as long as that is kept.
    """

    facts: dict[str, Any]
    reasons: dict[str, str]


class SignAsked(BaseModel):
    """`digest` is the `to_sign` of what the signer was shown."""

    side: Side
    digest: Annotated[str, Field(min_length=64, max_length=64)]


class EntryAsked(BaseModel):
    """A note before anybody signed, an addendum after; `disagrees`: what its side does not sign for."""

    text: Annotated[str, Field(min_length=1, max_length=writing.MOST_CHARACTERS)]
    side: Side | None = None
    disagrees: bool = False


@router.get("/handovers")
def handovers(here: Here, _: Reader, limit: Annotated[int, Query(ge=1, le=200)] = 60) -> list[HandoverView]:
    """Hand-overs, newest first."""
    with here.database.read() as session:
        found = writing.listed(session, here.compound, limit)
        return [HandoverView(**_plain(writing.whole(session, row))) for row in found]


@router.post("/handovers", response_model=HandoverInFull, status_code=201)
def make(here: Here, request: Request, user: Signer) -> Response:
    """Freezes how things stand now, since the last one; 409 `handover_made` within the same moment."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = writing.make(session, here.compound, as_actor(user), at)
        if row is None:
            raise RefusedError("handover_made")
        return 201, in_full(session, row, user).model_dump(mode="json")

    return once(here, request, user, {}, work)


@router.get("/handovers/{handover_id}")
def handover(here: Here, user: Reader, handover_id: str) -> HandoverInFull:
    """One, with everything that was frozen."""
    with here.database.read() as session:
        row = rows.find(session, Handover, here.compound, handover_id, "handover")
        return in_full(session, row, user)


@router.post("/handovers/{handover_id}/signatures", status_code=201)
def sign(here: Here, user: Signing, handover_id: str, asked: SignAsked) -> HandoverInFull:
    """Signs one side; two users sign the two. 409 `handover_changed` where a note came in between."""
    with here.database.write() as session:
        found = writing.sign(
            session,
            here.compound,
            handover_id,
            asked.side,
            as_actor(user),
            here.clock.now(),
            responder=user.responder_id,
            seen=asked.digest,
        )
        return in_full(session, found.row, user)


@router.post("/handovers/{handover_id}/entries", status_code=201)
def write(here: Here, user: Signer, handover_id: str, asked: EntryAsked) -> EntryView:
    """Writes beside what was frozen; nothing that was written is ever changed."""
    with here.database.write() as session:
        row = writing.write(
            session,
            here.compound,
            handover_id,
            asked.text,
            as_actor(user),
            here.clock.now(),
            side=asked.side,
            disagrees=asked.disagrees,
        )
        return EntryView.model_validate(row, from_attributes=True)


def in_full(session: Session, row: Handover, user: User) -> HandoverInFull:
    """A hand-over as this user may see it."""
    facts = dict(row.facts)
    if not allowed(user, Action.WATCHLIST_READ):
        facts["watchlist"] = {name: len(ids) for name, ids in facts.get("watchlist", {}).items()}
    reasons = surroundings.reasons(session, row.compound, facts.get("silences", ()))
    return HandoverInFull(**_plain(writing.whole(session, row)), facts=facts, reasons=reasons)


def _plain(found: Whole) -> dict[str, Any]:
    row = found.row
    return {
        "id": row.id,
        "since": row.since,
        "until": row.until,
        "made_at": row.made_at,
        "made_by": row.made_by,
        "signatures": [
            SignatureView.model_validate(one, from_attributes=True) for one in found.signatures.values()
        ],
        "entries": [EntryView.model_validate(one, from_attributes=True) for one in found.entries],
        "to_sign": found.to_sign,
        "stands": found.stands,
    }
