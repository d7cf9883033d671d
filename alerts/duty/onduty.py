"""Who is on duty at a moment: one question, which routing, dispatch, ladders and reports ask."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
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
        select(Responder, Team, Shift)
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
            responder.id: OnDuty(
                id=responder.id,
                team=team.id,
                kind=TeamKind(team.kind),
                zones=frozenset(team.zones),
                post=shift.post or responder.post,
                since=shift.starts_at,
                until=shift.ends_at,
                on_call=shift.on_call,
                leads=responder.leads,
                skills=frozenset(responder.skills),
                capacity=responder.capacity,
            )
            for responder, team, shift in session.execute(query)
        }.values()
    )
