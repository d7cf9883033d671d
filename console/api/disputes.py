"""Disputes between neighbours: a mediator sees what is theirs to settle, everybody else counts."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.intake import disputes, facts
from alerts.intake.disputes import TEXT_MAX, Move
from alerts.intake.models import Dispute, DisputeState
from alerts.intake.taking import reports_of
from console.accounts.models import User
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms
from console.permissions import Action, may
from console.problems import not_found

router = APIRouter(tags=["disputes"])
Reader = Annotated[User, may(Action.DISPUTES)]
_Text = Annotated[str, Field(max_length=TEXT_MAX)]
_SHOWN = 100
_OPEN = [state for state in DisputeState if state.is_open]


class DisputeView(BaseModel):
    """What one may see of a dispute. Until it is one's own there are no words, parties or agreement."""

    id: str
    kind: str
    zone: str
    state: DisputeState
    version: int
    mine: bool
    drill: bool
    reports: int
    words: list[str]
    parties: str | None
    agreement: str | None
    opened_at: dt.datetime
    accepted_at: dt.datetime | None
    meeting_at: dt.datetime | None
    ended_at: dt.datetime | None
    follow_up_on: dt.date | None


class DisputeCounts(BaseModel):
    """Of the last thirty days; `open_now` whenever they began."""

    opened: int
    settled: int
    failed: int
    passed_on: int
    open_now: int


class Disputes(Page[DisputeView]):
    """`mediator`: whether the asker settles disputes here; without it there are only counts."""

    counts: DisputeCounts
    mediator: bool


class DisputeStep(BaseModel):
    """`version` is the one that was read."""

    to: DisputeState
    version: int | None = None
    meeting_at: AwareDatetime | None = None
    parties: _Text | None = None
    agreement: _Text | None = None
    follow_up_on: dt.date | None = None


@router.get("/disputes")
def list_disputes(here: Here, user: Reader) -> Disputes:
    """For a mediator what is open to be taken and what is theirs; for all the counts."""
    with here.database.read() as session:
        # What began in this moment counts.
        end = here.clock.now() + dt.timedelta(seconds=1)
        found = facts.disputes(session, here.compound, end - dt.timedelta(days=30), end)
        counts = DisputeCounts(
            opened=found.opened,
            settled=found.settled,
            failed=found.failed,
            passed_on=found.passed_on,
            open_now=found.open_now,
        )
        mediates = disputes.is_mediator(session, here.compound, user.responder_id)
        rows = _for(session, here.compound, user) if mediates else []
        return Disputes(
            items=[dispute_view(session, row, user) for row in rows],
            next_cursor=None,
            counts=counts,
            mediator=mediates,
        )


@router.get("/disputes/{dispute_id}")
def one(here: Here, user: Reader, dispute_id: str) -> DisputeView:
    """A dispute that is one's own, or free to be taken; reading one's own is written down."""
    with here.database.write() as session:
        row = seen(session, here.compound, user, dispute_id)
        if row.mediator is not None:
            look = Look("dispute.viewed", Purpose.INCIDENT_HANDLING, f"dispute:{row.id}")
            note_look(session, here.clock.now(), user, look)
        return dispute_view(session, row, user)


@router.post("/disputes/{dispute_id}/steps")
def step(here: Here, user: Reader, dispute_id: str, asked: DisputeStep) -> DisputeView:
    """Takes it, sets a meeting, settles it, gives it up, or passes it on."""
    return take_step(here, user, dispute_id, asked)


def take_step(here: Rooms, user: User, dispute_id: str, asked: DisputeStep) -> DisputeView:
    """A step of a mediator, for the API and the page."""
    with here.database.write() as session:
        seen(session, here.compound, user, dispute_id)
        move = Move(asked.to, asked.meeting_at, asked.parties, asked.agreement, asked.follow_up_on)
        row = disputes.move(
            session,
            here.compound,
            dispute_id,
            move,
            user.responder_id or "",
            here.clock.now(),
            expected_version=asked.version,
        )
        return dispute_view(session, row, user)


def seen(session: Session, compound: str, user: User, dispute_id: str) -> Dispute:
    """A dispute that this user may see. Raises a 404 problem for any other."""
    row = session.get(Dispute, dispute_id)
    if (
        row is None
        or row.compound != compound
        or row.mediator not in {None, user.responder_id}
        or not disputes.is_mediator(session, compound, user.responder_id)
    ):
        raise not_found("dispute")
    return row


def dispute_view(session: Session, row: Dispute, user: User) -> DisputeView:
    mine = row.mediator is not None and row.mediator == user.responder_id
    incident = session.get_one(Incident, row.incident)
    reports = reports_of(session, row.incident)
    return DisputeView(
        id=row.id,
        kind=incident.kind,
        zone=row.zone,
        state=DisputeState(row.state),
        version=row.version,
        mine=mine,
        drill=incident.drill,
        reports=len(reports),
        words=[report.words for report in reports if report.words] if mine else [],
        parties=row.parties if mine else None,
        agreement=row.agreement if mine else None,
        opened_at=row.opened_at,
        accepted_at=row.accepted_at,
        meeting_at=row.meeting_at,
        ended_at=row.ended_at,
        follow_up_on=row.follow_up_on,
    )


def _for(session: Session, compound: str, user: User) -> list[Dispute]:
    mine = Dispute.mediator == user.responder_id
    free = Dispute.mediator.is_(None) & Dispute.state.in_(_OPEN)
    rows = session.scalars(
        select(Dispute)
        .where(Dispute.compound == compound, or_(mine, free))
        .order_by(Dispute.state.in_(_OPEN).desc(), Dispute.opened_at.desc())
        .limit(_SHOWN)
    )
    return list(rows)
