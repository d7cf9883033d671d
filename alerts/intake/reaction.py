"""What follows from an incident's change for who reported it, for mediators, and for who repairs."""

import datetime as dt
from collections.abc import Iterable

from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.intake import disputes, faults, feedback, orders
from alerts.intake.feedback import Stage
from alerts.intake.kinds import DISPUTES, VIOLENCE
from alerts.intake.models import IntakeReport
from alerts.intake.orders import Fault
from alerts.intake.taking import reports_of
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Purpose
from alerts.reactions import Changed
from alerts.review import ratings


def follow(session: Session, changed: Changed, now: dt.datetime) -> None:
    """Registered in `ringward.followups`."""
    incident, step = changed.incident, changed.step
    if incident.kind == VIOLENCE:
        disputes.pass_on(session, incident, now)
    elif incident.kind in DISPUTES and step is not None and State(step.to_state) is State.RAISED:
        disputes.open_for(session, incident, now)
    if step is None:
        return
    to = State(step.to_state)
    _repair(session, incident, to, now)
    before = None if step.from_state is None else State(step.from_state)
    stage = feedback.news(before, to)
    if stage is None:
        return
    reports = reports_of(session, incident.id)
    ask(session, _told(incident, reports, stage, step.version), now)
    if stage is Stage.DONE and not incident.drill:
        _invite(session, incident, reports, now)


def _repair(session: Session, incident: Incident, to: State, now: dt.datetime) -> None:
    code = faults.fault_of(incident.rule, incident.kind, to)
    if code is None or incident.drill:
        # Nothing is broken in an exercise.
        return
    building = incident.reason_args.get("building")
    orders.open_order(
        session,
        incident.compound,
        Fault(
            code,
            device=incident.device_id or None,
            zone=incident.zone,
            building=building if isinstance(building, str) else None,
            incident=incident.id,
        ),
        now,
    )


def _told(incident: Incident, reports: Iterable[IntakeReport], stage: Stage, version: int) -> list[Ask]:
    """One letter a responder who reported it; residents see it on their page."""
    whom = {report.responder: report.id for report in reports if report.responder is not None}
    return [
        Ask(
            compound=incident.compound,
            key=f"report:{report}:{version}",
            purpose=Purpose.REPORT,
            severity=4,
            responder=responder,
            drill=incident.drill,
            arguments={"stage": str(stage), "kind": incident.kind, "zone": incident.zone, "report": report},
        )
        for responder, report in whom.items()
    ]


def _invite(session: Session, incident: Incident, reports: Iterable[IntakeReport], now: dt.datetime) -> None:
    asked: set[tuple[str | None, str | None]] = set()
    for report in reports:
        who = (report.responder, None if report.responder else report.person)
        if who == (None, None) or who in asked:
            continue
        asked.add(who)
        ratings.invite(session, incident, now, responder=who[0], person=who[1])
