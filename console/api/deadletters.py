"""Dead letters: what was refused and why. The raw bytes may hold a face: administrators only."""

import base64
import datetime as dt
from typing import Annotated, Any, Literal

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
    # Of the last replay: stored, known, nothing, or the reason why it is refused still; or given_up.WHY.
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
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """For the query. Raises a 422 problem where nothing is given."""
        found = deadletters.matching(self.device, self.reason, self.adapter, self.ids, self.since, self.until)
        if not found:
            raise ProblemError(422, "nothing_selected", "Say which: device, reason, adapter, ids or a time")
        return found

    def in_words(self) -> str:
        """For the audit log."""
        said = (("device", self.device), ("reason", self.reason), ("adapter", self.adapter))
        times = (("from", self.since), ("to", self.until))
        return " ".join(
            [
                *(f"{name}={value}" for name, value in said if value is not None),
                *(f"{name}={value.isoformat()}" for name, value in times if value is not None),
            ]
        )


class GivingUp(ReplayWanted):
    """Which letters nothing will come of, and why: a code of `bus.deadletters.WHY_GIVEN_UP`."""

    why: Literal["not_ours", "test", "device_replaced", "too_old", "vendor_fault"]


class GivenUp(BaseModel):
    """How many letters were given up; those that were settled before are not counted."""

    given_up: int


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
    query = select(DeadLetter).where(own(here.compound), *which).options(defer(DeadLetter.raw))
    with here.database.read() as session:
        order = (DeadLetter.received_at, DeadLetter.id)
        items, cursor = newest_first(session, query, order, paging, DeadLetterView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/deadletters/replay", status_code=202)
def replay_many(here: Here, user: Mender, wanted: ReplayWanted) -> ReplayAsked:
    """Has refused messages read again, as history; ingest does it within seconds."""
    which = [own(here.compound), *wanted.conditions()]
    return _ask(here, user, which, "dead_letter:many", wanted.in_words())


@router.post("/deadletters/giving-up")
def give_up(here: Here, user: Mender, wanted: GivingUp) -> GivenUp:
    """Takes refused messages off the list of what is still to be done; they stay until their time is over."""
    at = here.clock.now()
    with here.database.write() as session:
        count = deadletters.give_up(session, [own(here.compound), *wanted.conditions()], wanted.why, at)
        subject = f"dead_letter:{wanted.ids[0]}" if len(wanted.ids) == 1 else "dead_letter:many"
        detail = f"{count} letters why={wanted.why} {wanted.in_words()}".strip()
        look = Look("dead_letter.given_up", Purpose.REGISTRY_MAINTENANCE, subject, detail)
        note_look(session, at, user, look)
    return GivenUp(given_up=count)


@router.post("/deadletters/{letter_id}/replay", status_code=202)
def replay_one(here: Here, user: Mender, letter_id: str) -> ReplayAsked:
    """Has one refused message read again, as history; 409 where there is nothing to read or to gain."""
    which = [own(here.compound), DeadLetter.id == letter_id]
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


def own(compound: str) -> ColumnElement[bool]:
    """Letters of a compound, and those of which nobody knows whose they are."""
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
