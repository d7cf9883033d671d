"""Somebody came by a checkpoint: what a phone or a reader tells, written down once."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.duty.models import Responder
from alerts.patrols import codes
from alerts.patrols.models import (
    Checkpoint,
    How,
    PatrolRound,
    PatrolRoute,
    PatrolVisit,
    PointKind,
    RoundState,
)
from alerts.patrols.standing import standing
from alerts.patrols.walking import locked
from registry.errors import MissingError, RefusedError
from storage import new_id

TOLD_LATE: Final = dt.timedelta(minutes=2)
"""A visit that was told of later than this after it happened bears a mark."""

OLDEST: Final = dt.timedelta(hours=24)
"""Older visits are not taken: what a phone says after so long is no proof of anything."""


@dataclass(frozen=True, slots=True)
class Told:
    """A visit as a phone or a reader tells of it; `at` is when it was, by our clock.

    `client` is what makes it one: the same again is the same visit.
    """

    client: str
    at: dt.datetime
    received_at: dt.datetime
    how: How
    by: str | None = None
    device_time: dt.datetime | None = None
    reason: str | None = None
    old_code: bool = False
    event: str | None = None


def corrected(
    device_time: dt.datetime | None, sent_at: dt.datetime | None, received_at: dt.datetime
) -> dt.datetime:
    """When a visit was, by our clock: as long before it came as the phone says that it was before sending.

    A phone whose clock is wrong is right about how long it waited. Never later than it came.
    Raises `RefusedError("patrol_too_old")`.
    """
    if device_time is None:
        return received_at
    waited = (sent_at or received_at) - device_time
    at = min(received_at, received_at - waited)
    if at < received_at - OLDEST:
        raise RefusedError("patrol_too_old")
    return at


def by_code(session: Session, compound: str, code: str) -> tuple[Checkpoint, bool]:
    """The checkpoint of a code, and whether the code has been replaced. Raises `MissingError`."""
    if len(code) <= codes.LONGEST:
        hashed = codes.digest(code)
        row = session.scalars(
            select(Checkpoint).where(
                Checkpoint.compound == compound,
                or_(Checkpoint.code_digest == hashed, Checkpoint.former_digest == hashed),
                Checkpoint.retired_at.is_(None),
            )
        ).first()
        if row is not None:
            return row, row.code_digest != hashed
    raise MissingError("patrol_point")


def visit(
    session: Session, compound: str, checkpoint: Checkpoint, told: Told, round_id: str | None = None
) -> tuple[PatrolVisit, bool]:
    """Writes down that somebody came by; returns the visit, and whether it was new.

    It counts for the round that is named, or else for the one that it fits. Raises `MissingError`,
    `RefusedError("reason_required")` for one by hand without a reason.
    """
    if told.how is How.HAND and not (told.reason or "").strip():
        raise RefusedError("reason_required")
    known = _known(session, compound, told.client)
    if known is not None:
        return known, False
    walked = _round_of(session, compound, checkpoint.id, told, round_id)
    row = PatrolVisit(
        id=new_id(),
        compound=compound,
        client=told.client,
        round=None if walked is None else walked.id,
        checkpoint=checkpoint.id,
        responder=told.by,
        how=told.how,
        at=told.at,
        device_time=told.device_time,
        received_at=told.received_at,
        told_late=told.received_at - told.at > TOLD_LATE,
        old_code=told.old_code,
        reason=(told.reason or "").strip() or None,
        event=told.event,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        # The phone has sent it twice, and the other one came first.
        twin = _known(session, compound, told.client)
        if twin is None:
            raise
        return twin, False
    if walked is not None and not told.old_code:
        _go_on(session, walked, row)
    return row, True


def how_of(checkpoint: Checkpoint) -> How:
    """By what a code of this checkpoint was read."""
    return How.NFC if checkpoint.kind == PointKind.NFC else How.QR


def _go_on(session: Session, walked: PatrolRound, row: PatrolVisit) -> None:
    if walked.state == RoundState.PLANNED:
        walked.state = RoundState.UNDER_WAY
    walked.started_at = min(walked.started_at or row.at, row.at)
    walked.responder = walked.responder or row.responder
    (stands,) = standing(session, [walked], row.received_at)
    if stands.judged.is_done and walked.state != RoundState.ABORTED:
        # Also where it was missed, and the phone of who walked it has only now found a network.
        walked.state, walked.ended_at = RoundState.DONE, max(stands.judged.visited.values())
    session.flush()


def _round_of(
    session: Session, compound: str, checkpoint: str, told: Told, round_id: str | None
) -> PatrolRound | None:
    if round_id is not None:
        return locked(session, compound, round_id)
    found = session.scalars(
        select(PatrolRound)
        .where(
            PatrolRound.compound == compound,
            PatrolRound.due_until >= told.at - dt.timedelta(hours=1),
            PatrolRound.counts_until >= told.at,
            PatrolRound.due_from <= told.at + dt.timedelta(hours=1),
        )
        .order_by(PatrolRound.due_from, PatrolRound.id)
    ).all()
    team = session.scalar(select(Responder.team).where(Responder.id == told.by)) if told.by else None
    routes = select(PatrolRoute.id, PatrolRoute.team).where(PatrolRoute.id.in_({row.route for row in found}))
    teams = {row.id: row.team for row in session.execute(routes)} if found else {}

    def fits(row: PatrolRound) -> bool:
        early = dt.timedelta(minutes=row.plan["tolerance_min"])
        return row.due_from - early <= told.at and any(one["id"] == checkpoint for one in row.plan["points"])

    def nearness(row: PatrolRound) -> tuple[bool, bool, bool, dt.datetime, str]:
        return (
            row.responder != told.by or told.by is None,
            teams.get(row.route) != team,
            row.state != RoundState.UNDER_WAY,
            row.due_from,
            row.id,
        )

    fitting = [row for row in found if fits(row)]
    if not fitting:
        # A point of another route is told of by the round that its walker is on.
        fitting = [
            row
            for row in found
            if told.by is not None and row.responder == told.by and row.state == RoundState.UNDER_WAY
        ]
    if not fitting:
        return None
    return locked(session, compound, min(fitting, key=nearness).id)


def _known(session: Session, compound: str, client: str) -> PatrolVisit | None:
    return session.scalars(
        select(PatrolVisit).where(PatrolVisit.compound == compound, PatrolVisit.client == client)
    ).first()
