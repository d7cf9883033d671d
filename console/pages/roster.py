"""Who is on duty this week, now and next; where somebody is missing; and what waits for a manager's word."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import gaps, planning, rostering
from alerts.duty.days import DayKind
from alerts.duty.localtime import moment
from alerts.duty.models import Responder, Team
from alerts.duty.onduty import next_on_duty, on_duty
from alerts.duty.rostermodels import DutyChange, DutySwap, RosterGap, SwapState
from console.accounts.models import User
from console.api import duty, duty_calendar, shifts, swaps
from console.api.duty_calendar import DayGiven
from console.api.shifts import ChangeGiven
from console.api.swaps import SwapDecided
from console.context import rooms
from console.pages.answers import Answer, Said, said
from console.pages.roster_week import WEEK, days
from console.pages.spans import minute, span
from console.pages.view import Frame, frame, render
from console.permissions import Action, allowed, may
from registry.models import Zone

router = APIRouter(prefix="/console/roster")
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]

_FORM: Final[Said[None]] = Said(None, "roster_form", 422)


@dataclass(frozen=True, slots=True)
class Watch:
    """A team, who is on now, who comes next."""

    id: str
    name: str
    now: tuple[tuple[str, dt.datetime, bool], ...]
    next: tuple[tuple[str, dt.datetime], ...]


@router.get("")
def overview(request: Request, user: Reader, week: Annotated[str, Query(max_length=10)] = "") -> Response:
    return _page(request, user, week=week)


@router.post("/changes")
def change(
    request: Request,
    user: Editor,
    instead_of: Annotated[str, Form(max_length=64)] = "",
    responder: Annotated[str, Form(max_length=64)] = "",
    starts: Annotated[str, Form(max_length=32)] = "",
    ends: Annotated[str, Form(max_length=32)] = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Somebody stands in, or nobody does."""
    view = frame(request)
    try:
        given = ChangeGiven(
            instead_of=instead_of,
            responder=responder or None,
            starts_at=_local(starts, view),
            ends_at=_local(ends, view),
            reason=reason.strip() or None,
        )
    except (ValueError, ValidationError):
        return _back(request, user, _FORM)
    return _back(request, user, said(lambda: shifts.make_change(rooms(request), request, user, given)))


@router.post("/changes/{change_id}/end")
def end_change(request: Request, user: Editor, change_id: str) -> Response:
    return _back(request, user, said(lambda: shifts.end_change(rooms(request), user, change_id)))


@router.post("/swaps/{swap_id}")
def decide(
    request: Request, user: Editor, swap_id: str, verdict: Annotated[str, Form(max_length=8)] = ""
) -> Response:
    """A manager's word on a swap."""
    if verdict not in {"approve", "refuse"}:
        return _back(request, user, _FORM)
    given = SwapDecided(approved=verdict == "approve")
    return _back(request, user, said(lambda: swaps.decide_swap(rooms(request), user, swap_id, given)))


@router.post("/days")
def set_day(
    request: Request,
    user: Editor,
    day: Annotated[str, Form(max_length=10)] = "",
    kind: Annotated[str, Form(max_length=16)] = "",
    name: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """The compound's own word on a day; without a kind it is taken back."""
    here = rooms(request)
    try:
        date = dt.date.fromisoformat(day)
        if not kind:
            return _back(request, user, said(lambda: duty_calendar.unset_day(here, user, date)))
        given = DayGiven(kind=DayKind(kind), name=name.strip())
    except (ValueError, ValidationError):
        return _back(request, user, _FORM)
    return _back(request, user, said(lambda: duty_calendar.set_day(here, user, date, given)))


@router.post("/feeds")
def make_feed(request: Request, user: Editor, team: Annotated[str, Form(max_length=64)] = "") -> Response:
    """A team's calendar address; it is shown on this one answer and never again."""
    made = said(lambda: duty.make_team_feed(rooms(request), user, team))
    if made.answer is None:
        return _back(request, user, made)
    return _page(request, user, feed=str(request.base_url).rstrip("/") + made.answer.path)


def _back(request: Request, user: User, answer: Said[Answer]) -> Response:
    if answer.refused:
        return _page(request, user, refused=answer.refused, status=answer.status)
    return RedirectResponse("/console/roster", 303)


def _page(
    request: Request,
    user: User,
    *,
    week: str = "",
    refused: str | None = None,
    status: int = 200,
    feed: str | None = None,
) -> Response:
    here, view = rooms(request), frame(request)
    monday = _monday(week, view)
    with here.database.read() as session:
        edits = allowed(user, Action.ROSTERS_EDIT)
        people = _people(session, here.compound)
        zones = dict(session.execute(select(Zone.id, Zone.name).where(Zone.compound == here.compound)).all())
        names = {one.id: one.name for one, _ in people}
        # Whoever has no desk sees the own team, as everywhere.
        sees_all = user.role in shifts.SEE_ALL
        own = next((team.id for one, team in people if one.id == user.responder_id), None)
        teams = [
            team
            for team in session.scalars(
                select(Team).where(Team.compound == here.compound).order_by(Team.kind, Team.id)
            )
            if sees_all or team.id == own
        ]
        expected = planning.planned(session, here.compound, view.now, view.now + planning.AHEAD)
        return render(
            view,
            "roster.html",
            status=status,
            refused=refused,
            monday=monday,
            earlier=monday - WEEK,
            later=monday + WEEK,
            days=days(session, here.compound, user, view, monday, zones),
            watches=[_watch(session, here.compound, team, names, view.now) for team in teams],
            gaps=_gaps(session, here.compound, zones),
            unknown_years=sorted(expected.unknown_years),
            swaps=[_swap(row, names) for row in _to_decide(session, here.compound)] if edits else [],
            changes=_changes(session, here.compound, names, view.now) if edits else [],
            rosters=rostering.listed(session, here.compound) if sees_all else [],
            team_names={team.id: team.name for team in teams},
            people=[(one.id, one.name, team.name) for one, team in people if one.active],
            edits=edits,
            feed=feed,
            span=span,
            minute=minute,
            kinds=list(DayKind),
        )


def _monday(week: str, view: Frame) -> dt.date:
    try:
        day = dt.date.fromisoformat(week)
    except ValueError:
        day = view.now.astimezone(view.zone).date()
    return day - dt.timedelta(days=day.weekday())


def _local(typed: str, view: Frame) -> dt.datetime:
    """What a `datetime-local` field holds, by the compound's clock. Raises `ValueError`."""
    naive = dt.datetime.fromisoformat(typed)
    return moment(naive.date(), naive.time().replace(tzinfo=None), view.zone)


def _people(session: Session, compound: str) -> list[tuple[Responder, Team]]:
    rows = session.execute(
        select(Responder, Team)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound)
        .order_by(Team.kind, Team.id, Responder.id)
    )
    return [(person, team) for person, team in rows]


def _watch(session: Session, compound: str, team: Team, names: dict[str, str], now: dt.datetime) -> Watch:
    present = on_duty(session, compound, now, teams=[team.id])
    following = next_on_duty(session, compound, team.id, now)
    return Watch(
        team.id,
        team.name,
        tuple((names.get(one.id, ""), one.until, one.on_call) for one in present),
        tuple((names.get(one.id, ""), one.starts_at) for one in following),
    )


def _gaps(session: Session, compound: str, zones: dict[str, str]) -> list[tuple[RosterGap, str]]:
    return [(row, zones.get(row.zone or "", "")) for row in gaps.open_gaps(session, compound)]


def _to_decide(session: Session, compound: str) -> list[DutySwap]:
    return list(
        session.scalars(
            select(DutySwap)
            .where(DutySwap.compound == compound, DutySwap.state == SwapState.ACCEPTED)
            .order_by(DutySwap.starts_at)
        )
    )


def _swap(row: DutySwap, names: dict[str, str]) -> tuple[DutySwap, str, str]:
    return row, names.get(row.asker, ""), names.get(row.colleague or "", "")


def _changes(
    session: Session, compound: str, names: dict[str, str], now: dt.datetime
) -> list[tuple[DutyChange, str, str]]:
    rows = session.scalars(
        select(DutyChange)
        .where(DutyChange.compound == compound, DutyChange.ends_at > now, DutyChange.ended_at.is_(None))
        .order_by(DutyChange.starts_at, DutyChange.id)
        .limit(100)
    )
    return [(row, names.get(row.instead_of, ""), names.get(row.responder or "", "")) for row in rows]
