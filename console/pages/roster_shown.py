"""What the page of a week of duty is given: the week, who is on, gaps, swaps and changes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import gaps, planning
from alerts.duty.models import Responder, Shift, Team
from alerts.duty.onduty import next_on_duty, on_duty
from alerts.duty.rostermodels import DutyChange, DutySwap, SwapState
from console.accounts.models import User
from console.api import shifts, swaps
from console.pages.roster_week import WEEK, Place, week_of
from console.pages.spans import minute, span
from console.pages.view import Frame
from console.permissions import Action, allowed
from registry.models import Zone


@dataclass(frozen=True, slots=True)
class Asked:
    """The week by any of its days, a team alone, a duty to do something about."""

    week: str = ""
    team: str | None = None
    shift: str | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A team, who is on now, who comes next."""

    id: str
    name: str
    now: tuple[tuple[str, dt.datetime, bool], ...]
    next: tuple[tuple[str, dt.datetime], ...]


@dataclass(frozen=True, slots=True)
class Swap:
    """Who gives which duty to whom, and what comes in return; `waits`: for a manager."""

    id: str
    asker: str
    colleague: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    back: tuple[dt.datetime, dt.datetime] | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty that was picked; days and hours are local, as the fields of a form hold them."""

    id: str
    responder: str
    name: str
    team: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    starts: dt.datetime
    ends: dt.datetime
    on_call: bool
    post: str
    by_hand: bool
    begun: bool
    over: bool


def shown(session: Session, compound: str, user: User, view: Frame, asked: Asked) -> dict[str, Any]:
    """The facts of the page, by the template's names."""
    monday = monday_of(asked.week, view)
    edits = allowed(user, Action.ROSTERS_EDIT)
    people = _people(session, compound)
    zones = dict(
        session.execute(select(Zone.id, Zone.name).where(Zone.compound == compound).order_by(Zone.name)).all()
    )
    names = {one.id: one.name for one, _ in people}
    # Whoever has no desk sees the own team, as everywhere.
    whole = user.role in shifts.SEE_ALL
    own = next((team.id for one, team in people if one.id == user.responder_id), None)
    teams = [
        team
        for team in session.scalars(
            select(Team).where(Team.compound == compound).order_by(Team.kind, Team.id)
        )
        if whole or team.id == own
    ]
    picked = asked.team if asked.team in {team.id for team in teams} else None
    place = Place(compound, user, view, monday, zones, picked, whole)
    expected = planning.planned(session, compound, view.now, view.now + planning.AHEAD)
    found = _swaps(session, compound, user, names) if edits else []
    return {
        "monday": monday,
        "sunday": monday + dt.timedelta(days=6),
        "earlier": monday - WEEK,
        "later": monday + WEEK,
        "week": week_of(session, place, people),
        "picked": picked,
        "duty": _duty(session, compound, asked.shift, names, zones, view) if edits and asked.shift else None,
        "watches": [_watch(session, compound, team, names, view.now) for team in teams],
        "gaps": [(row, zones.get(row.zone or "", "")) for row in gaps.open_gaps(session, compound)],
        "unknown_years": sorted(expected.unknown_years),
        "swaps": [one for one in found if one.waits],
        "asked_swaps": [one for one in found if not one.waits],
        "changes": _changes(session, compound, names, view.now) if edits else [],
        "teams": [(team.id, team.name) for team in teams],
        "people": [(one.id, one.name, team.name) for one, team in people if one.active],
        "zones": list(zones.items()),
        "edits": edits,
        "whole": whole,
        "today": view.now.astimezone(view.zone).date(),
        "span": span,
        "minute": minute,
    }


def monday_of(week: str, view: Frame) -> dt.date:
    """The Monday of the week of a day; of this week where it is no day."""
    try:
        day = dt.date.fromisoformat(week)
    except ValueError:
        day = view.now.astimezone(view.zone).date()
    return day - dt.timedelta(days=day.weekday())


def _people(session: Session, compound: str) -> list[tuple[Responder, Team]]:
    rows = session.execute(
        select(Responder, Team)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound)
        .order_by(Team.kind, Team.id, Responder.id)
    )
    return [(person, team) for person, team in rows]


def _duty(
    session: Session,
    compound: str,
    shift: str,
    names: Mapping[str, str],
    zones: Mapping[str, str],
    view: Frame,
) -> Duty | None:
    found = session.execute(
        select(Shift, Team.name)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(Shift.id == shift, Team.compound == compound)
    ).first()
    if found is None:
        return None
    row, team = found
    return Duty(
        row.id,
        row.responder,
        names.get(row.responder, ""),
        team,
        row.starts_at,
        row.ends_at,
        row.starts_at.astimezone(view.zone),
        row.ends_at.astimezone(view.zone),
        row.on_call,
        zones.get(row.post or "", ""),
        row.roster is None,
        row.starts_at <= view.now,
        row.ends_at <= view.now,
    )


def _watch(session: Session, compound: str, team: Team, names: Mapping[str, str], now: dt.datetime) -> Watch:
    present = on_duty(session, compound, now, teams=[team.id])
    following = next_on_duty(session, compound, team.id, now)
    return Watch(
        team.id,
        team.name,
        tuple((names.get(one.id, ""), one.until, one.on_call) for one in present),
        tuple((names.get(one.id, ""), one.starts_at) for one in following),
    )


def _swaps(session: Session, compound: str, user: User, names: Mapping[str, str]) -> list[Swap]:
    rows: list[DutySwap] = swaps.open_swaps(session, compound, user)
    wanted = [row.back for row in rows if row.back]
    backs = {
        shift.id: (shift.starts_at, shift.ends_at)
        for shift in session.scalars(select(Shift).where(Shift.id.in_(wanted)))
    }
    return [
        Swap(
            row.id,
            names.get(row.asker, ""),
            names.get(row.colleague or "", ""),
            row.starts_at,
            row.ends_at,
            backs.get(row.back or ""),
            row.state == SwapState.ACCEPTED,
        )
        for row in rows
    ]


def _changes(
    session: Session, compound: str, names: Mapping[str, str], now: dt.datetime
) -> list[tuple[DutyChange, str, str]]:
    rows = session.scalars(
        select(DutyChange)
        .where(DutyChange.compound == compound, DutyChange.ends_at > now, DutyChange.ended_at.is_(None))
        .order_by(DutyChange.starts_at, DutyChange.id)
        .limit(50)
    )
    return [(row, names.get(row.instead_of, ""), names.get(row.responder or "", "")) for row in rows]
