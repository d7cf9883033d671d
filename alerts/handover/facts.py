"""What the next shift has to know (domain §4.6): codes, counts, ids of things and times; of nobody.

A JSON value, as it is frozen. `version` says how it is laid out, so that an old one can still be read.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.handover import surroundings
from alerts.incidents.deadlines import RUNS
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident, Transition
from alerts.review.counting import Alarm, counted, totals
from alerts.review.models import Measure
from alerts.review.responses import Wait, summed, waits
from alerts.review.rules import MeasureState

VERSION: Final = 1
_OPEN: Final = [state for state in State if state.is_open]
_SHOWN: Final = 200
_NEXT: Final = dt.timedelta(hours=8)
"""How long the next shift is where the roster does not say."""


def gather(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """Everything of a shift from `since` until `until`, as it is at `until`."""
    outgoing, incoming, ahead = crew(session, compound, until)
    parts: Mapping[str, Callable[[], Any]] = {
        "open": lambda: _open(session, compound),
        "alerts": lambda: _alerts(session, compound, since, until),
        "drills": lambda: _number(session, compound, since, until, Incident.drill.is_(True)),
        "held": lambda: _number(session, compound, since, until, Incident.held.is_(True)),
        "responses": lambda: _responses(session, compound, since, until),
        "unreviewed": lambda: _unreviewed(session, compound),
        "measures_late": lambda: _measures_late(session, compound, until),
        "mutes": lambda: surroundings.mutes(session, compound, until),
        "silences": lambda: surroundings.silences(session, compound, until),
        "devices": lambda: surroundings.devices(session, compound),
        "doors": lambda: surroundings.doors(session, compound),
        "watchlist": lambda: surroundings.watchlist(session, compound, until, ahead),
        "patrols": lambda: surroundings.patrols(session, compound, since, until),
        "dead_letters": lambda: surroundings.dead_letters(session, compound, since, until),
        "roster_gaps": lambda: surroundings.roster_gaps(session, compound, until, ahead),
        "dead_channels": lambda: surroundings.dead_channels(session, compound),
    }
    return {
        "version": VERSION,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "next_until": ahead.isoformat(),
        "outgoing": outgoing,
        "incoming": incoming,
        **{name: part() for name, part in parts.items()},
    }


def crew(session: Session, compound: str, until: dt.datetime) -> tuple[list[str], list[str], dt.datetime]:
    """Operators whose shift ends at `until`, those on duty after it, and until when the first of them is.

    Whoever stays on is both.
    """
    rows = session.execute(
        select(Shift.responder, Shift.starts_at, Shift.ends_at)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(
            Team.compound == compound,
            Team.kind == TeamKind.OPERATOR,
            Shift.on_call.is_(False),
            Shift.starts_at <= until,
            Shift.ends_at >= until,
        )
        .order_by(Shift.responder)
    ).all()
    outgoing = sorted({row.responder for row in rows if row.starts_at < until})
    after = [row for row in rows if row.ends_at > until]
    ahead = min((row.ends_at for row in after), default=until + _NEXT)
    return outgoing, sorted({row.responder for row in after}), ahead


def _open(session: Session, compound: str) -> dict[str, Any]:
    """With state and next timer; whom people look after (关爱) is counted and not listed."""
    query = select(Incident).where(
        Incident.compound == compound,
        Incident.state.in_(_OPEN),
        # Done and not reviewed yet is another list.
        Incident.state.not_in([State.RESOLVED, State.REVIEWED]),
        Incident.held.is_(False),
        Incident.care.is_(False),
    )
    rows = session.scalars(query.order_by(Incident.severity, Incident.raised_at, Incident.id).limit(_SHOWN))
    number = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    care = session.scalar(
        select(func.count())
        .select_from(Incident)
        .where(Incident.compound == compound, Incident.state.in_(_OPEN), Incident.care.is_(True))
    )
    return {
        "number": number,
        "care": care or 0,
        "items": [
            {
                "id": row.id,
                "kind": row.kind,
                "severity": row.severity,
                "ring": row.ring,
                "zone": row.zone,
                "state": str(row.state),
                "raised_at": row.raised_at.isoformat(),
                "timer": _timer(row),
                "due_at": row.due_at.isoformat() if row.due_at else None,
                "drill": row.drill,
            }
            for row in rows
        ],
    }


def _timer(row: Incident) -> str | None:
    timer = RUNS.get(State(row.state))
    return str(timer) if timer is not None and row.due_at is not None else None


def _alerts(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    rows = session.execute(
        select(
            Incident.kind, Incident.ring, Incident.severity, Incident.state, Incident.false_alarm_reason
        ).where(*_raised(compound, since, until), Incident.drill.is_(False), Incident.care.is_(False))
    )
    counts = counted(
        Alarm(row.kind, row.ring, row.severity, State(row.state), row.false_alarm_reason) for row in rows
    )
    return {"totals": totals(counts), "counts": [asdict(one) for one in counts]}


def _raised(compound: str, since: dt.datetime, until: dt.datetime) -> tuple[Any, ...]:
    return (Incident.compound == compound, Incident.raised_at >= since, Incident.raised_at < until)


def _number(session: Session, compound: str, since: dt.datetime, until: dt.datetime, which: Any) -> int:
    query = select(func.count()).select_from(Incident).where(*_raised(compound, since, until), which)
    return session.scalar(query) or 0


def _responses(
    session: Session, compound: str, since: dt.datetime, until: dt.datetime
) -> list[dict[str, Any]]:
    return [asdict(one) for one in summed(answered(session, compound, since, until))]


def answered(session: Session, compound: str, since: dt.datetime, until: dt.datetime) -> list[Wait]:
    """What was waited for with incidents raised in a time, exercises and care aside."""
    steps: dict[str, list[tuple[State, dt.datetime]]] = {}
    severities: dict[str, int] = {}
    rows: Sequence[Any] = session.execute(
        select(Transition.incident, Transition.to_state, Transition.at, Incident.severity)
        .join(Incident, Incident.id == Transition.incident)
        .where(*_raised(compound, since, until), Incident.drill.is_(False), Incident.care.is_(False))
        .order_by(Transition.incident, Transition.version)
    ).all()
    for row in rows:
        steps.setdefault(row.incident, []).append((State(row.to_state), row.at))
        severities[row.incident] = row.severity
    return [wait for incident, path in steps.items() for wait in waits(severities[incident], path)]


def _unreviewed(session: Session, compound: str) -> int:
    query = (
        select(func.count())
        .select_from(Incident)
        .where(Incident.compound == compound, Incident.state == State.RESOLVED, Incident.drill.is_(False))
    )
    return session.scalar(query) or 0


def _measures_late(session: Session, compound: str, until: dt.datetime) -> int:
    query = (
        select(func.count())
        .select_from(Measure)
        .where(
            Measure.compound == compound,
            or_(Measure.state == MeasureState.OPEN, Measure.state == MeasureState.DOING),
            Measure.due_at < until,
        )
    )
    return session.scalar(query) or 0
