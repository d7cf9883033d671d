"""Who is on duty at a moment: one question, which routing, dispatch, ladders and reports ask."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift, Team, TeamKind


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A responder on duty. `until` is the end of the duty that holds; `post` a zone, None where they roam."""

    id: str
    team: str
    kind: TeamKind
    # Zones the team answers for; none: the whole compound.
    zones: frozenset[str]
    post: str | None
    since: dt.datetime
    until: dt.datetime
    on_call: bool
    leads: bool
    skills: frozenset[str]
    capacity: int


def on_duty(
    session: Session,
    compound: str,
    at: dt.datetime,
    *,
    kinds: Collection[TeamKind] = (),
    teams: Collection[str] = (),
) -> list[OnDuty]:
    """Everybody on duty at `at`, by id, each once; of some kinds or teams where they are given."""
    query = (
        # Columns, not objects: it is asked for every incident, and nobody's sealed name is opened for it.
        select(
            Responder.id,
            Responder.post,
            Responder.leads,
            Responder.skills,
            Responder.capacity,
            Team.id.label("team"),
            Team.kind,
            Team.zones,
            Shift.post.label("stands"),
            Shift.starts_at,
            Shift.ends_at,
            Shift.on_call,
        )
        .join(Team, Team.id == Responder.team)
        .join(Shift, Shift.responder == Responder.id)
        .where(Team.compound == compound, Responder.active, Shift.starts_at <= at, Shift.ends_at > at)
        .order_by(Responder.id, Shift.ends_at)
    )
    if kinds:
        query = query.where(Team.kind.in_(kinds))
    if teams:
        query = query.where(Team.id.in_(teams))
    # A later row of the same responder is the longer of two overlapping duties.
    return list(
        {
            row.id: OnDuty(
                id=row.id,
                team=row.team,
                kind=TeamKind(row.kind),
                zones=frozenset(row.zones),
                post=row.stands or row.post,
                since=row.starts_at,
                until=row.ends_at,
                on_call=row.on_call,
                leads=row.leads,
                skills=frozenset(row.skills),
                capacity=row.capacity,
            )
            for row in session.execute(query)
        }.values()
    )


def is_on_duty(session: Session, responder: str, at: dt.datetime) -> bool:
    """Whether somebody is on duty at `at`, on the spot or on call; a volunteer until they check out."""
    return (
        session.scalar(
            select(Shift.id)
            .join(Responder, Responder.id == Shift.responder)
            .where(Shift.responder == responder, Responder.active, Shift.starts_at <= at, Shift.ends_at > at)
            .limit(1)
        )
        is not None
    )


def is_checked_in(session: Session, responder: str, at: dt.datetime) -> bool:
    """Whether somebody has checked in and not out; where they are is kept only between the two."""
    return (
        session.scalar(
            select(Shift.id)
            .where(
                Shift.responder == responder,
                Shift.checked_in_at <= at,
                Shift.checked_out_at.is_(None),
                Shift.ends_at > at,
            )
            .limit(1)
        )
        is not None
    )


@dataclass(frozen=True, slots=True)
class NextDuty:
    """A duty that begins; of a team all that begin at the same moment are next."""

    id: str
    team: str
    kind: TeamKind
    post: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool


def next_on_duty(session: Session, compound: str, team: str, at: dt.datetime) -> list[NextDuty]:
    """Who of a team comes on duty next after `at`, by id; nobody where no shift is written."""
    query = (
        select(Shift, Responder, Team)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Team.id == team, Responder.active, Shift.starts_at > at)
    )
    first = session.scalar(
        select(func.min(Shift.starts_at))
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(Team.compound == compound, Team.id == team, Responder.active, Shift.starts_at > at)
    )
    if first is None:
        return []
    return [
        NextDuty(
            responder.id,
            team_row.id,
            TeamKind(team_row.kind),
            shift.post or responder.post,
            shift.starts_at,
            shift.ends_at,
            shift.on_call,
        )
        for shift, responder, team_row in session.execute(
            query.where(Shift.starts_at == first).order_by(Responder.id)
        )
    ]
