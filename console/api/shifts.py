"""Shifts as they are written, those entered by hand, and who stands in for whom."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import changing, handmade
from alerts.duty.changing import Change
from alerts.duty.models import Responder, Shift, Team
from alerts.duty.rostermodels import DutyChange
from console.accounts.models import Role, User
from console.api.idempotency import Answer, once
from console.api.own_duty import my_responder
from console.api.places import Here
from console.api.rosters import Id, _span
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(tags=["duty"])
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]

# Everybody else sees the own team: whom one relieves, and whom one can ask to swap.
SEE_ALL = frozenset({Role.ADMINISTRATOR, Role.PROPERTY_MANAGER, Role.OPERATOR})


class ShiftView(BaseModel):
    """`roster` None: entered by hand or by a check-in."""

    id: str
    responder: str
    name: str
    team: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    post: str | None
    roster: str | None
    checked_in_at: dt.datetime | None
    checked_out_at: dt.datetime | None


class ShiftGiven(BaseModel):
    """A shift entered by hand."""

    responder: Id
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    on_call: bool = False
    post: Id | None = None


class ShiftMoved(BaseModel):
    """The times that a shift gets instead of its own."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime


class ChangeGiven(BaseModel):
    """`responder` instead of `instead_of`; nobody instead: an absence. Why is for managers alone."""

    instead_of: Id
    responder: Id | None = None
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: Annotated[str | None, Field(max_length=200)] = None


class ChangeView(BaseModel):
    """`author` is a user's id; `swap`: it came of one."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    instead_of: str
    responder: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str | None
    author: str
    made_at: dt.datetime
    ended_at: dt.datetime | None
    swap: str | None


@router.get("/shifts")
def list_shifts(
    here: Here,
    user: Reader,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    team: Annotated[str | None, Query(max_length=64)] = None,
) -> list[ShiftView]:
    """Who is on duty in a span, at most 62 days; whoever has no desk sees the own team."""
    start, end = _span(here.clock.now(), since, until, dt.timedelta(days=7))
    with here.database.read() as session:
        return shifts(session, here.compound, user, start, end, team)


@router.post("/shifts", response_model=ShiftView, status_code=201)
def create_shift(here: Here, request: Request, user: Editor, given: ShiftGiven) -> Response:
    """Enters a shift that no roster makes; the limits of rest and hours hold for it."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = handmade.create(
            session, here.compound, handmade.Given(**given.model_dump()), as_actor(user), at
        )
        return 201, _of(session, row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.put("/shifts/{shift_id}")
def move_shift(here: Here, user: Editor, shift_id: str, given: ShiftMoved) -> ShiftView:
    """Gives a future shift other times; of a roster's duty the old times are noted as an absence."""
    with here.database.write() as session:
        row = handmade.move(
            session,
            here.compound,
            shift_id,
            given.starts_at,
            given.ends_at,
            as_actor(user),
            here.clock.now(),
        )
        return _of(session, row)


@router.delete("/shifts/{shift_id}", status_code=204)
def remove_shift(here: Here, user: Editor, shift_id: str) -> None:
    """Takes a future shift away that was entered by hand; of a roster's say who is absent instead."""
    with here.database.write() as session:
        handmade.remove(session, here.compound, shift_id, as_actor(user), here.clock.now())


@router.get("/duty-changes")
def list_changes(here: Here, _: Editor) -> list[ChangeView]:
    """Stand-ins and absences that are not over."""
    with here.database.read() as session:
        rows = session.scalars(
            select(DutyChange)
            .where(
                DutyChange.compound == here.compound,
                DutyChange.ends_at > here.clock.now(),
                DutyChange.ended_at.is_(None),
            )
            .order_by(DutyChange.starts_at, DutyChange.id)
        )
        return [ChangeView.model_validate(row) for row in rows]


@router.post("/duty-changes", response_model=ChangeView, status_code=201)
def make_change(here: Here, request: Request, user: Editor, given: ChangeGiven) -> Response:
    """Puts somebody in somebody's place, or notes that nobody is; from now at the earliest."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = changing.make(session, here.compound, Change(**given.model_dump()), as_actor(user), at)
        return 201, ChangeView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/duty-changes/{change_id}/end")
def end_change(here: Here, user: Editor, change_id: str) -> ChangeView:
    """Takes a change back, from now on."""
    with here.database.write() as session:
        row = changing.end(session, here.compound, change_id, as_actor(user), here.clock.now())
        return ChangeView.model_validate(row)


def shifts(
    session: Session,
    compound: str,
    user: User,
    start: dt.datetime,
    end: dt.datetime,
    team: str | None = None,
) -> list[ShiftView]:
    """The shifts of a span that a user may see, by their beginning."""
    query = (
        select(Shift, Responder, Team)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Shift.ends_at > start, Shift.starts_at < end)
        .order_by(Shift.starts_at, Team.id, Responder.id)
        .limit(5000)
    )
    if team is not None:
        query = query.where(Team.id == team)
    if user.role not in SEE_ALL:
        query = query.where(Team.id == my_responder(session, compound, user)[1].id)
    return [_view(shift, person, its) for shift, person, its in session.execute(query)]


def _of(session: Session, row: Shift) -> ShiftView:
    person = session.get_one(Responder, row.responder)
    return _view(row, person, session.get_one(Team, person.team))


def _view(row: Shift, person: Responder, team: Team) -> ShiftView:
    return ShiftView(
        id=row.id,
        responder=row.responder,
        name=person.name,
        team=team.id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        on_call=row.on_call,
        post=row.post or person.post,
        roster=row.roster,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
    )
