"""A round that is walked: begun, and broken off."""

import datetime as dt
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, TeamKind
from alerts.duty.onduty import on_duty
from alerts.incidents.actor import Actor
from alerts.notify.asking import Ask, answered, ask
from alerts.notify.models import Purpose
from alerts.patrols.checkpoints import note
from alerts.patrols.models import (
    PatrolRound,
    PatrolRoute,
    RoundState,
)
from alerts.patrols.routes import points_of, route
from alerts.patrols.standing import written
from registry import rows
from registry.errors import MissingError, RefusedError
from storage import new_id

FREE_WALK: Final = dt.timedelta(hours=2)
"""How long somebody may take who walks a route without being asked."""


def start(session: Session, compound: str, round_id: str, responder: str, at: dt.datetime) -> PatrolRound:
    """Begins a planned round; whoever begins it walks it.

    Raises `MissingError`, `RefusedError`: patrol_round_over, patrol_not_yet, patrol_other_team.
    """
    row = locked(session, compound, round_id)
    if RoundState(row.state).is_over:
        raise RefusedError("patrol_round_over")
    if at < row.due_from - dt.timedelta(minutes=row.plan["tolerance_min"]):
        raise RefusedError("patrol_not_yet", at=row.due_from.isoformat())
    _of_team(session, row.route, responder)
    if row.state == RoundState.PLANNED:
        row.state, row.started_at = RoundState.UNDER_WAY, at
    row.responder = responder
    session.flush()
    answered(session, at, responder=responder, purposes=[Purpose.PATROL])
    return row


def walk(session: Session, compound: str, route_id: str, responder: str, at: dt.datetime) -> PatrolRound:
    """Begins a round that nobody planned, of which nobody will miss anything.

    Raises `MissingError`, `RefusedError`: patrol_route_retired, patrol_other_team.
    """
    walked = route(session, compound, route_id)
    _of_team(session, walked.id, responder)
    under_way = session.scalars(
        select(PatrolRound).where(
            PatrolRound.route == walked.id,
            PatrolRound.state == RoundState.UNDER_WAY,
            PatrolRound.responder == responder,
        )
    ).first()
    if under_way is not None:
        # A second tap.
        return under_way
    row = PatrolRound(
        id=new_id(),
        compound=compound,
        route=walked.id,
        schedule=None,
        due_from=at,
        due_until=at + FREE_WALK,
        counts_until=at + FREE_WALK + dt.timedelta(minutes=walked.tolerance_min),
        responder=responder,
        state=RoundState.UNDER_WAY,
        plan=written(walked, points_of(session, walked.id)),
        started_at=at,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        # At the very moment at which another one is due or was begun: it is that one.
        found = session.scalars(
            select(PatrolRound).where(PatrolRound.route == walked.id, PatrolRound.due_from == at)
        ).one()
        return start(session, compound, found.id, responder, at)
    return row


def break_off(
    session: Session,
    compound: str,
    round_id: str,
    reason: str,
    by: Actor,
    at: dt.datetime,
    responder: str | None = None,
) -> PatrolRound:
    """Ends a round before its time, for a reason that the control room is told there is.

    With `responder` only by who walks it. Raises `MissingError`, `RefusedError`: reason_required,
    patrol_round_over.
    """
    row = locked(session, compound, round_id)
    if responder is not None and row.responder != responder:
        raise MissingError("patrol_round")
    if not reason.strip():
        raise RefusedError("reason_required")
    if RoundState(row.state).is_over:
        raise RefusedError("patrol_round_over")
    row.state, row.ended_at, row.reason = RoundState.ABORTED, at, reason.strip()
    session.flush()
    note(session, compound, "patrol.round_aborted", f"patrol_round:{row.id}", by, at)
    tell_control_room(session, row, "aborted", at, severity=3)
    return row


def tell_control_room(
    session: Session, row: PatrolRound, why: str, at: dt.datetime, *, severity: int = 4, count: int = 0
) -> None:
    """Asks that the operators on duty hear of a round."""
    zones = [one["zone"] for one in row.plan["points"]]
    ask(
        session,
        [
            Ask(
                row.compound,
                f"patrol:{row.id}:{why}:{operator.id}",
                Purpose.PATROL,
                severity=severity,
                responder=operator.id,
                arguments={
                    "why": why,
                    "route": row.plan["name"],
                    "path": "/console/patrols",
                    "zone": zones[0] if zones else "",
                    "due": row.due_from.isoformat(),
                    "until": row.due_until.isoformat(),
                    "count": count,
                },
            )
            for operator in on_duty(session, row.compound, at, kinds=(TeamKind.OPERATOR,))
        ],
        at,
    )


def locked(session: Session, compound: str, round_id: str) -> PatrolRound:
    """The round as it is now, held: of two phones that scan at once the second sees the first's visit."""
    rows.lock(session, PatrolRound, compound, [round_id], "patrol_round")
    return rows.find(session, PatrolRound, compound, round_id, "patrol_round")


def _of_team(session: Session, route_id: str, responder: str) -> None:
    team = session.scalar(select(PatrolRoute.team).where(PatrolRoute.id == route_id))
    if session.scalar(select(Responder.team).where(Responder.id == responder, Responder.active)) != team:
        raise RefusedError("patrol_other_team")
