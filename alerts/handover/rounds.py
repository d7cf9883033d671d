"""What comes back with time: a hand-over at the end of each operator's shift, and who has not signed one."""

import datetime as dt
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.handover import rules
from alerts.handover.facts import crew
from alerts.handover.models import Handover, HandoverSignature
from alerts.handover.rules import Side
from alerts.handover.writing import make
from alerts.incidents.actor import SYSTEM
from alerts.notify.models import Purpose
from alerts.review.telling import supervisors, tell
from alerts.rounds import Round

LATE_BY: Final = dt.timedelta(hours=1)
"""A shift that ended longer ago than this is not handed over by itself any more: it is no longer so."""

_AT_ONCE: Final = 50


def keep(session: Session, now: dt.datetime) -> int:
    """Generates what is due, and says what is not signed; returns how many there were of both."""
    return _generate(session, now) + _ask_again(session, now)


def _generate(session: Session, now: dt.datetime) -> int:
    ended = session.execute(
        select(Team.compound, Shift.ends_at, func.min(Shift.starts_at))
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(
            Team.kind == TeamKind.OPERATOR,
            Shift.on_call.is_(False),
            Shift.ends_at <= now,
            Shift.ends_at > now - LATE_BY,
            ~select(Handover.id)
            .where(Handover.compound == Team.compound, Handover.until == Shift.ends_at)
            .exists(),
        )
        .group_by(Team.compound, Shift.ends_at)
        .order_by(Shift.ends_at, Team.compound)
        .limit(_AT_ONCE)
    ).all()
    made = 0
    for compound, ends_at, starts_at in ended:
        outgoing, incoming, _ = crew(session, compound, ends_at)
        if not set(outgoing) - set(incoming):
            # Nobody leaves: the same people go on.
            continue
        row = make(session, compound, SYSTEM, now, since=starts_at, until=ends_at)
        if row is None:
            continue
        made += 1
        to = sorted({*outgoing, *incoming})
        arguments = {"why": "handover_to_sign", "until": ends_at.isoformat()}
        tell(session, to, Purpose.HANDOVER, f"handover:{row.id}", compound, now, arguments)
    return made


def _ask_again(session: Session, now: dt.datetime) -> int:
    """Tells the operators' leader once of each that both should have signed by now."""
    signatures = (
        select(func.count())
        .select_from(HandoverSignature)
        .where(HandoverSignature.handover == Handover.id)
        .scalar_subquery()
    )
    late = session.execute(
        select(Handover, signatures)
        .where(
            Handover.missed_at.is_(None),
            Handover.until <= now - rules.SIGN_WITHIN,
            # What is long past is for whoever looks through the list.
            Handover.until > now - dt.timedelta(days=7),
            signatures < len(Side),
        )
        .order_by(Handover.until, Handover.id)
        .limit(_AT_ONCE)
    ).all()
    for row, signed in late:
        if not rules.is_late(row.until, now, signatures=signed):
            continue
        row.missed_at = now
        arguments = {"why": "handover_unsigned", "until": row.until.isoformat()}
        to = supervisors(session, row.compound)
        tell(session, to, Purpose.HANDOVER, f"unsigned:{row.id}", row.compound, now, arguments)
    return len(late)


ROUND: Final = Round("handovers", dt.timedelta(seconds=15), keep)
