"""What was done of an incident's plan: every step once, with who did it."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.incidents.record import load
from alerts.incidents.standing import rules_of
from alerts.plans.models import PlanStep
from alerts.plans.plan import Do, Plan, Step, StepError, StepKind, Taken, check, plan_for
from alerts.plans.release import doors
from alerts.rules.site import Site
from devices.adapters.contract import UnsupportedError
from devices.commands import desk
from devices.commands.desk import Asking, DeviceAwayError
from devices.commands.kinds import UnlawfulCommandError
from devices.directory import facts_of
from storage import audit, content_id

HOLD_S = 1800
"""How long released doors are held open, in seconds: until a fire brigade is there and inside."""


def of(session: Session, plans: Sequence[Plan], incident: Incident) -> Plan:
    """The plan of an incident."""
    return plan_for(plans, rules_of(session, incident))


def taken(session: Session, incident_id: str, plan: Plan) -> dict[str, Taken]:
    """What was done of a plan. Steps of another plan, which the incident had before, do not count."""
    rows = session.scalars(select(PlanStep).where(PlanStep.incident == incident_id, PlanStep.plan == plan.id))
    return {row.step: Taken(Do(row.state), row.answer) for row in rows}


def take(
    session: Session,
    plan: Plan,
    incident_id: str,
    step_id: str,
    wanted: Taken,
    actor: Actor,
    at: dt.datetime,
    *,
    site: Site,
    note: str | None = None,
) -> PlanStep:
    """Writes down that a step was taken; a release asks the doors to open, and says which could not be asked.

    The incident's row is the lock, so that of two people who press together one has done it. Raises
    `StepError` and `IncidentNotFoundError`.
    """
    incident = load(session, incident_id)
    if not State(incident.state).is_open:
        # Nobody answers for doors any more that the plan of something over would open.
        raise StepError(step_id, "incident_ended")
    step = check(plan, taken(session, incident_id, plan), step_id, wanted, note=note)
    state = wanted.state
    if step.kind is StepKind.RELEASE and state is Do.DONE:
        state, note = _release(session, step, incident, actor, at, site)
    row = session.get(PlanStep, (incident_id, plan.id, step_id))
    if row is None:
        row = PlanStep(incident=incident_id, plan=plan.id, step=step_id, compound=incident.compound)
        session.add(row)
    row.state, row.answer = state, wanted.answer
    row.actor, row.role, row.at, row.note = actor.id, actor.role, at, note
    try:
        session.flush()
    except IntegrityError as error:
        raise StepError(step_id, "taken_already") from error
    audit.append(
        session,
        at,
        audit.AuditEntry(
            actor.id, actor.role, f"plan.{state}", "incident_handling", incident.id, f"{plan.id}.{step_id}"
        ),
    )
    return row


def _release(
    session: Session, step: Step, incident: Incident, actor: Actor, at: dt.datetime, site: Site
) -> tuple[Do, str]:
    if incident.drill:
        # An exercise opens nothing: who practises would let anybody in.
        return Do.DONE, "drill: no door was asked to open"
    asked: list[str] = []
    away: list[str] = []
    for door in doors(site, incident.zone, step.scope or "building"):
        device = facts_of(session, door.id)
        if device is None:
            continue
        # A key of this try: who presses again means it. Two who press together have the lock between them.
        key = content_id(incident.id, door.id, at.isoformat())
        asking = Asking(actor.id, actor.role, f"plan:{step.id} {incident.id}", key)
        try:
            desk.ask(session, device, "hold", {"seconds": HOLD_S}, asking, at)
        except (DeviceAwayError, UnsupportedError, UnlawfulCommandError):
            away.append(door.id)
        else:
            asked.append(door.id)
    # Doors that cannot be asked are opened by hand: somebody has to read which.
    words = [f"{len(asked)} of {len(asked) + len(away)} asked to open"]
    if away:
        words.append("by hand: " + ", ".join(away))
    return (Do.DONE if asked and not away else Do.FAILED), "; ".join(words)
