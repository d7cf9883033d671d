"""Dead letters: what was refused and why. The raw bytes may hold a face: administrators only."""

import base64
import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import defer

from bus import deadletters
from bus.deadletters import DeadLetter
from console.accounts.models import Role, User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from storage.audit import AuditEntry, append

router = APIRouter(tags=["deadletters"])
Reader = Annotated[User, may(Action.EVENTS_READ)]
Mender = Annotated[User, may(Action.DEVICES_EDIT)]


class DeadLetterView(BaseModel):
    """`reason` is a code with a text in the catalogues."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    source: str
    reason: str
    detail: str
    topic: str
    device_id: str | None
    adapter: str | None
    # First and last time; the last is None where it came once.
    received_at: dt.datetime
    last_seen: dt.datetime | None
    size: int
    count: int
    replay_asked_at: dt.datetime | None
    replayed_at: dt.datetime | None
    # Of the last replay: stored, known, nothing, or the reason why it is refused still.
    outcome: str | None
    # Ids of the events that it became.
    became: list[str] | None


class ReplayWanted(BaseModel):
    """Which letters: all that fit everything that is given. Something has to be given."""

    model_config = ConfigDict(extra="forbid")

    device: Annotated[str | None, Field(max_length=64)] = None
    reason: Annotated[str | None, Field(max_length=64)] = None
    adapter: Annotated[str | None, Field(max_length=32)] = None
    ids: Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=500)] = []


class ReplayAsked(BaseModel):
    """How many letters will be read again; those that waited already are not counted."""

    asked: int


class DeadLetterInFull(DeadLetterView):
    """`raw_base64` is None for operators, and where only the broker saw the bytes."""

    context: dict[str, Any]
    raw_base64: str | None


@router.get("/deadletters")
def dead_letters(
    here: Here,
    _: Reader,
    paging: Asked,
    *,
    reason: Annotated[str | None, Query(max_length=64)] = None,
    device: Annotated[str | None, Query(max_length=64)] = None,
    adapter: Annotated[str | None, Query(max_length=32)] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[DeadLetterView]:
    """Refused input, newest first; also what could not be told to belong to any compound.

    `from` and `to` are about when it was first seen; `from` is included, `to` is not.
    """
    which = deadletters.matching(device, reason, adapter, (), since, until)
    query = select(DeadLetter).where(_own(here.compound), *which).options(defer(DeadLetter.raw))
    with here.database.read() as session:
        order = (DeadLetter.received_at, DeadLetter.id)
        items, cursor = newest_first(session, query, order, paging, DeadLetterView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/deadletters/replay", status_code=202)
def replay_many(here: Here, user: Mender, wanted: ReplayWanted) -> ReplayAsked:
    """Has refused messages read again, as history; ingest does it within seconds."""
    which = deadletters.matching(wanted.device, wanted.reason, wanted.adapter, wanted.ids)
    if not which:
        raise ProblemError(422, "nothing_selected", "Say which: device, reason, adapter or ids")
    said = (("device", wanted.device), ("reason", wanted.reason), ("adapter", wanted.adapter))
    detail = " ".join(f"{name}={value}" for name, value in said if value is not None)
    return _ask(here, user, [_own(here.compound), *which], "dead_letter:many", detail)


@router.post("/deadletters/{letter_id}/replay", status_code=202)
def replay_one(here: Here, user: Mender, letter_id: str) -> ReplayAsked:
    """Has one refused message read again, as history; 409 where there is nothing to read or to gain."""
    which = [_own(here.compound), DeadLetter.id == letter_id]
    with here.database.read() as session:
        if session.scalars(select(DeadLetter.id).where(*which)).first() is None:
            raise not_found("dead_letter")
        if (
            session.scalars(select(DeadLetter.id).where(*which, deadletters.can_be_replayed())).first()
            is None
        ):
            raise ProblemError(409, "not_replayable", "Its bytes are not here, or it is an event by now")
    return _ask(here, user, which, f"dead_letter:{letter_id}", "")


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


def _own(compound: str) -> ColumnElement[bool]:
    return or_(DeadLetter.compound == compound, DeadLetter.compound.is_(None))


def _ask(here: Here, user: User, which: list[ColumnElement[bool]], subject: str, detail: str) -> ReplayAsked:
    at = here.clock.now()
    with here.database.write() as session:
        asked = deadletters.ask_replay(session, which, user.id, at)
        append(
            session,
            at,
            AuditEntry(
                user.id,
                str(user.role),
                "dead_letter.replayed",
                Purpose.REGISTRY_MAINTENANCE,
                subject,
                f"{asked} letters {detail}".strip(),
                here.compound,
            ),
        )
    return ReplayAsked(asked=asked)
