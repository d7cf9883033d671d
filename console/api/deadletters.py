"""Dead letters: what was refused and why. The raw bytes may hold a face: administrators only."""

import base64
import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select
from sqlalchemy.orm import defer

from bus.deadletters import DeadLetter
from console.accounts.models import Role, User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from console.problems import not_found

router = APIRouter(tags=["deadletters"])
Reader = Annotated[User, may(Action.EVENTS_READ)]


class DeadLetterView(BaseModel):
    """`reason` is a code with a text in the catalogues."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    source: str
    reason: str
    detail: str
    topic: str
    device_id: str | None
    received_at: dt.datetime
    size: int
    count: int
    replayed_at: dt.datetime | None


class DeadLetterInFull(DeadLetterView):
    """`raw_base64` is None for operators, and where only the broker saw the bytes."""

    context: dict[str, Any]
    raw_base64: str | None


@router.get("/deadletters")
def dead_letters(
    here: Here, _: Reader, paging: Asked, reason: Annotated[str | None, Query(max_length=64)] = None
) -> Page[DeadLetterView]:
    """Refused input, newest first; also what could not be told to belong to any compound."""
    query = (
        select(DeadLetter)
        .where(or_(DeadLetter.compound == here.compound, DeadLetter.compound.is_(None)))
        .options(defer(DeadLetter.raw))
    )
    if reason is not None:
        query = query.where(DeadLetter.reason == reason)
    with here.database.read() as session:
        order = (DeadLetter.received_at, DeadLetter.id)
        items, cursor = newest_first(session, query, order, paging, DeadLetterView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/deadletters/{letter_id}")
def dead_letter(
    here: Here, user: Reader, letter_id: str, purpose: Purpose = Purpose.MONITORING
) -> DeadLetterInFull:
    """One refused message; reading its bytes is audited."""
    with here.database.write() as session:
        row = session.get(DeadLetter, letter_id)
        if row is None or row.compound not in {here.compound, None}:
            raise not_found("dead_letter")
        raw = None
        if user.role == Role.ADMINISTRATOR and row.raw is not None:
            raw = base64.b64encode(row.raw).decode()
            look = Look("dead_letter.viewed", purpose, f"dead_letter:{row.id}", row.reason)
            note_look(session, here.clock.now(), user, look)
        return DeadLetterInFull(
            **DeadLetterView.model_validate(row).model_dump(), context=row.context, raw_base64=raw
        )
