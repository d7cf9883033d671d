"""One's own duty: who is on now and next, checking in and out, hours, and the calendar address."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import changing, checkins, feeds, hours
from alerts.duty.changing import Change
from alerts.duty.models import Responder, Shift
from alerts.duty.onduty import next_on_duty, on_duty
from alerts.duty.rostermodels import DutyFeed
from console.accounts.models import User
from console.api.own_duty import my_responder
from console.api.places import Here
from console.permissions import Action, allowed, may
from console.security import as_actor

router = APIRouter(tags=["duty"])
Own = Annotated[User, may(Action.DUTY_OWN)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]
Month = Annotated[str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class OwnShift(BaseModel):
    """A duty of mine."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    post: str | None
    checked_in_at: dt.datetime | None
    checked_out_at: dt.datetime | None


class Colleague(BaseModel):
    """Somebody of my team who is on duty, or comes next."""

    id: str
    name: str
    post: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool


class DutyNow(BaseModel):
    """`mine` are shifts of mine that are not over; `checked_in` until when I am, None where I am not."""

    on_duty: bool
    checked_in: dt.datetime | None
    now: list[Colleague]
    next: list[Colleague]
    mine: list[OwnShift]


class HoursLine(BaseModel):
    """A duty, cut to the month."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool
    by_own_word: bool
    ended_by: str | None


class HoursView(BaseModel):
    """Hours on the spot and on call. Why somebody was away is not in it."""

    responder: str
    worked_h: float
    on_call_h: float
    lines: list[HoursLine]


class AbsenceGiven(BaseModel):
    """I am away; `reason` is for whoever edits rosters alone."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    reason: Annotated[str | None, Field(max_length=200)] = None


class FeedMade(BaseModel):
    """`path` is shown once; whoever has it reads the calendar."""

    id: str
    path: str


class FeedView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    responder: str | None
    team: str | None
    created_at: dt.datetime


@router.get("/duty")
def duty_now(here: Here, user: Own) -> DutyNow:
    """Who of my team is on duty, who is next, and what is mine."""
    with here.database.read() as session:
        return duty_of(session, here.compound, user, here.clock.now())


@router.post("/duty/check-in")
def check_in(here: Here, user: Own) -> OwnShift:
    """I am here. It ends when I check out, or at the limit."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        row = checkins.check_in(session, here.compound, me.id, as_actor(user), here.clock.now())
        return OwnShift.model_validate(row)


@router.post("/duty/check-out")
def check_out(here: Here, user: Own) -> OwnShift:
    """I go."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        row = checkins.check_out(session, here.compound, me.id, as_actor(user), here.clock.now())
        return OwnShift.model_validate(row)


@router.post("/duty/absences", status_code=204)
def absent(here: Here, user: Own, given: AbsenceGiven) -> None:
    """I cannot come; my shifts of that time are empty, and whoever edits rosters sees the gap."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        change = Change(me.id, None, given.starts_at, given.ends_at, given.reason)
        changing.make(session, here.compound, change, as_actor(user), here.clock.now())


@router.get("/duty/hours")
def own_hours(here: Here, user: Own, month: Month) -> HoursView:
    """My hours of a month, until now."""
    year, number = map(int, month.split("-"))
    with here.database.read() as session:
        me, _ = my_responder(session, here.compound, user)
        return _hours(hours.own(session, here.compound, me.id, year, number, here.clock.now()))


@router.get("/teams/{team_id}/hours")
def team_hours(here: Here, _: Editor, team_id: str, month: Month) -> list[HoursView]:
    """Everybody's hours of a month in a team."""
    year, number = map(int, month.split("-"))
    with here.database.read() as session:
        return [
            _hours(one)
            for one in hours.of_team(session, here.compound, team_id, year, number, here.clock.now())
        ]


@router.get("/duty/feeds")
def own_feeds(here: Here, user: Own) -> list[FeedView]:
    """Calendar addresses that open my duty."""
    with here.database.read() as session:
        me, _ = my_responder(session, here.compound, user)
        rows = session.scalars(
            select(DutyFeed)
            .where(
                DutyFeed.compound == here.compound,
                DutyFeed.responder == me.id,
                DutyFeed.revoked_at.is_(None),
            )
            .order_by(DutyFeed.created_at)
        )
        return [FeedView.model_validate(row) for row in rows]


@router.post("/duty/feeds", status_code=201)
def make_own_feed(here: Here, user: Own) -> FeedMade:
    """A calendar address of my own duty; nobody else is in it. An earlier one stops working."""
    with here.database.write() as session:
        me, _ = my_responder(session, here.compound, user)
        made = feeds.make(session, here.compound, as_actor(user), here.clock.now(), responder=me.id)
        return FeedMade(id=made.id, path=made.path)


@router.post("/duty/feeds/{feed_id}/revocation", status_code=204)
def revoke_feed(here: Here, user: Own, feed_id: str) -> None:
    """It opens nothing any more. One's own; those of others and of teams by whoever edits rosters."""
    with here.database.write() as session:
        feeds.revoke(
            session,
            here.compound,
            feed_id,
            as_actor(user),
            here.clock.now(),
            only_of=None if allowed(user, Action.ROSTERS_EDIT) else user.responder_id or "",
        )


@router.post("/teams/{team_id}/feeds", status_code=201)
def make_team_feed(here: Here, user: Editor, team_id: str) -> FeedMade:
    """A calendar address of a team's duty: when and where somebody is, and not who."""
    with here.database.write() as session:
        made = feeds.make(session, here.compound, as_actor(user), here.clock.now(), team=team_id)
        return FeedMade(id=made.id, path=made.path)


def duty_of(session: Session, compound: str, user: User, now: dt.datetime) -> DutyNow:
    """Of the user's own team. Raises `RefusedError("no_responder")`."""
    me, team = my_responder(session, compound, user)
    names = {row.id: row.name for row in session.scalars(select(Responder).where(Responder.team == team.id))}
    present = on_duty(session, compound, now, teams=[team.id])
    mine = session.scalars(
        select(Shift).where(Shift.responder == me.id, Shift.ends_at > now).order_by(Shift.starts_at).limit(30)
    ).all()
    current = checkins.current(session, me.id, now)
    return DutyNow(
        on_duty=any(one.id == me.id for one in present),
        checked_in=current.ends_at if current else None,
        now=[
            Colleague(
                id=one.id,
                name=names[one.id],
                post=one.post,
                starts_at=one.since,
                ends_at=one.until,
                on_call=one.on_call,
            )
            for one in present
        ],
        next=[
            Colleague(
                id=one.id,
                name=names[one.id],
                post=one.post,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                on_call=one.on_call,
            )
            for one in next_on_duty(session, compound, team.id, now)
        ],
        mine=[OwnShift.model_validate(row) for row in mine],
    )


def _hours(one: hours.Statement) -> HoursView:
    hour = dt.timedelta(hours=1)
    return HoursView(
        responder=one.responder,
        worked_h=round(one.worked / hour, 2),
        on_call_h=round(one.on_call / hour, 2),
        lines=[
            HoursLine(
                starts_at=line.starts_at,
                ends_at=line.ends_at,
                on_call=line.on_call,
                by_own_word=line.by_own_word,
                ended_by=line.ended_by,
            )
            for line in one.lines
        ],
    )
