"""A drill begins, its incidents are raised when they are due, and it ends: by somebody, or by itself.

What is raised takes the way of a real incident from the first commit on. It bears a key that no rule
has, so it is never one with something real; nothing else tells it from real ones but its flag.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.dispatch.actions import release
from alerts.drills.models import Drill, DrillIncident
from alerts.drills.scenarios import LONGEST, SCENARIOS, Played, Scenario
from alerts.incidents import raising
from alerts.incidents.actor import SYSTEM, Actor
from alerts.incidents.lifecycle import STEPS, FalseAlarmReason, State
from alerts.incidents.models import Incident
from alerts.incidents.record import load, record
from alerts.notify.asking import withdraw
from alerts.rounds import Round
from alerts.rulebook import current
from alerts.rules import Observation, Signal
from registry.errors import MissingError, RefusedError
from registry.models import Zone
from storage import audit, content_id, new_id

REASON: Final = FalseAlarmReason.TEST_DRILL
"""Why every incident of a drill ends."""

OBSERVED: Final = "drill.played"
_WINDOW: Final = dt.timedelta(hours=6)
_AT_ONCE: Final = 50


def start(
    session: Session,
    compound: str,
    scenario: str,
    by: Actor,
    at: dt.datetime,
    *,
    zone: str | None = None,
    limit: dt.timedelta | None = None,
) -> Drill:
    """Begins a drill; what is due at once is raised at once. `zone`: where what lies in its ring is played.

    Raises `RefusedError`: `scenario_unknown`, `drill_running` (one at a time), `drill_limit`,
    `place_unknown`, `drill_place` (the compound has no zone of a ring that is needed).
    """
    wanted = SCENARIOS.get(scenario)
    if wanted is None:
        raise RefusedError("scenario_unknown")
    lasts = wanted.limit if limit is None else limit
    if not dt.timedelta(0) < lasts <= LONGEST:
        raise RefusedError("drill_limit")
    zones = _zones(session, compound, wanted, zone)
    drill = Drill(
        id=new_id(),
        compound=compound,
        running=compound,
        scenario=wanted.id,
        started_by=by.id,
        started_at=at,
        ends_at=at + lasts,
    )
    try:
        with session.begin_nested():
            session.add(drill)
    except IntegrityError:
        raise RefusedError("drill_running") from None
    for number, one in enumerate(wanted.played, 1):
        session.add(
            DrillIncident(
                drill=drill.id,
                number=number,
                compound=compound,
                kind=one.kind,
                zone=zones[one.ring],
                due_at=at + dt.timedelta(seconds=one.offset_s),
            )
        )
    session.flush()
    _note(session, drill, by, "drill.started", at)
    raise_due(session, at, drill=drill.id)
    return drill


def raise_due(session: Session, now: dt.datetime, *, drill: str | None = None) -> int:
    """Raises what is due of the running drills, or of one; returns how many."""
    query = (
        select(DrillIncident, Drill)
        .join(Drill, Drill.id == DrillIncident.drill)
        .where(DrillIncident.raised_at.is_(None), DrillIncident.due_at <= now, Drill.ended_at.is_(None))
        .order_by(DrillIncident.due_at, DrillIncident.number)
        .limit(_AT_ONCE)
        .with_for_update(of=DrillIncident)
    )
    if drill is not None:
        query = query.where(DrillIncident.drill == drill)
    rows = session.execute(query).all()
    for row, of in rows:
        _raise(session, of, row, now)
    return len(rows)


def end(session: Session, compound: str, drill_id: str, by: Actor, at: dt.datetime) -> Drill:
    """Ends a drill with all that is open of it. Twice changes nothing. Raises `MissingError`."""
    drill = session.scalars(
        select(Drill)
        .where(Drill.id == drill_id, Drill.compound == compound)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if drill is None:
        raise MissingError("drill")
    if drill.ended_at is not None:
        return drill
    drill.ended_at, drill.ended_by, drill.running = at, by.id, None
    session.flush()
    for incident in incidents_of(session, drill.id):
        _close(session, incident.id, by, at)
    _note(session, drill, by, "drill.ended", at)
    return drill


def incidents_of(session: Session, drill_id: str) -> Sequence[Incident]:
    """What a drill has raised, in the order in which it was."""
    ids = select(DrillIncident.incident).where(DrillIncident.drill == drill_id)
    return session.scalars(
        select(Incident).where(Incident.id.in_(ids)).order_by(Incident.raised_at, Incident.id)
    ).all()


def running(session: Session, compound: str) -> Drill | None:
    """The drill that runs in a compound now."""
    return session.scalars(select(Drill).where(Drill.running == compound)).one_or_none()


def keep(session: Session, now: dt.datetime) -> int:
    """One turn: raises what is due, and ends what has lasted long enough. Returns how many things it did."""
    done = raise_due(session, now)
    over = session.scalars(
        select(Drill).where(Drill.running.is_not(None), Drill.ends_at <= now).limit(_AT_ONCE)
    ).all()
    for drill in over:
        end(session, drill.compound, drill.id, SYSTEM, now)
    return done + len(over)


def _raise(session: Session, drill: Drill, row: DrillIncident, now: dt.datetime) -> None:
    played = SCENARIOS[drill.scenario].played[row.number - 1]
    force = current.current(session, drill.compound, now)
    [change] = raising.apply_all(
        session,
        drill.compound,
        [_signal(session, drill, row, played)],
        now,
        book=force.book,
        confirm_alone=force.confirmation.confirm_alone,
        drill=True,
    )
    row.raised_at, row.incident = now, change.incident.id
    session.flush()


def _signal(session: Session, drill: Drill, row: DrillIncident, played: Played) -> Signal:
    zone = session.get_one(Zone, row.zone)
    seen = Observation(
        id=content_id("drill", drill.id, str(row.number)),
        type=OBSERVED,
        at=row.due_at,
        received_at=row.due_at,
        device="",
        zone=zone.id,
        ring=str(zone.ring),
    )
    return Signal(
        rule=played.rule,
        kind=played.kind,
        severity=played.severity,
        dedupe_key=f"drill:{drill.id}:{played.thing}",
        dedupe_window=_WINDOW,
        anchor=seen,
        evidence=(),
        reason=played.reason,
        reason_args=dict(played.reason_args),
        stage=str(row.number),
    )


def _zones(session: Session, compound: str, scenario: Scenario, zone: str | None) -> dict[str, str]:
    """Where each ring of a scenario is played: the zone that was named for its ring, else the first."""
    rows = session.scalars(select(Zone).where(Zone.compound == compound).order_by(Zone.id)).all()
    named = next((row for row in rows if row.id == zone), None)
    if zone is not None and named is None:
        raise RefusedError("place_unknown")
    found: dict[str, str] = {}
    for row in rows:
        found.setdefault(str(row.ring), row.id)
    if named is not None:
        found[str(named.ring)] = named.id
    if not {one.ring for one in scenario.played} <= set(found):
        raise RefusedError("drill_place")
    return found


def _close(session: Session, incident_id: str, by: Actor, at: dt.datetime) -> None:
    incident = load(session, incident_id)
    state = State(incident.state)
    if not state.is_open:
        return
    incident.false_alarm_reason = REASON
    if State.FALSE_ALARM in STEPS[state]:
        record(session, incident, State.FALSE_ALARM, by, at, reason=REASON)
    else:
        # Somebody was on the way, or has done it: that stands in the history, and it is over.
        record(session, incident, State.CLOSED, by, at, reason=REASON)
    release(session, incident, at)
    withdraw(session, at, incident=incident.id)


def _note(session: Session, drill: Drill, by: Actor, action: str, at: dt.datetime) -> None:
    entry = audit.AuditEntry(
        by.id, by.role, action, "incident_handling", drill.id, drill.scenario, drill.compound
    )
    audit.append(session, at, entry)


ROUND: Final = Round("drills", dt.timedelta(seconds=1), keep)
