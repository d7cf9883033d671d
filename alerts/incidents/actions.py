"""Steps of an incident that people take."""

import datetime as dt

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alerts.dispatch.actions import release
from alerts.dispatch.models import Dispatch
from alerts.incidents import answers, keys
from alerts.incidents.actor import Actor
from alerts.incidents.confirming import missing, missing_for_error
from alerts.incidents.lifecycle import (
    UNDECIDED,
    Comparison,
    FalseAlarmReason,
    State,
    Step,
    StepRefusedError,
    check,
)
from alerts.incidents.models import Incident, IncidentKey
from alerts.incidents.record import IncidentNotFoundError, StaleVersionError, load, record
from alerts.review import guards
from storage import audit

__all__ = ["IncidentNotFoundError", "StaleVersionError", "ask_link_first", "take_step"]


def take_step(
    session: Session,
    incident_id: str,
    step: Step,
    actor: Actor,
    at: dt.datetime,
    *,
    expected_version: int | None = None,
    note: str | None = None,
    two_persons: bool = False,
) -> Incident:
    """Moves an incident one step. `two_persons`: the rules want two people to confirm it.

    Raises `IncidentNotFoundError`, `StaleVersionError` when `expected_version` is not the
    present one, and `StepRefusedError` when the life cycle does not allow it, when it rests on a
    link that nobody has answered for (`link_unanswered`), when nobody has reviewed it (`review_required`)
    or something is to be done before it is closed (`measure_open`).
    """
    incident = load(session, incident_id)
    if expected_version is not None and incident.version != expected_version:
        raise StaleVersionError(incident.id, incident.version)
    state = State(incident.state)
    check(state, step, needs_comparison=incident.needs_comparison)
    ask_link_first(incident, step)
    _ask_review_first(session, incident, step)
    if step.reason is FalseAlarmReason.OTHER and not (note and note.strip()):
        # A reason that says nothing teaches nobody anything.
        raise StepRefusedError(state, step.to, "note_required")
    if state in UNDECIDED and step.to in {State.CONFIRMED, State.FALSE_ALARM}:
        _decide(session, incident, step, actor, at, two_persons=two_persons)
    if step.to is State.FALSE_ALARM and step.reason is not None:
        incident.false_alarm_reason = step.reason
    if step.to is State.RESOLVED and note:
        incident.resolution = note
    record(session, incident, step.to, actor, at, reason=step.reason, note=note)
    if step.to is State.REOPENED:
        _take_up_again(session, incident)
    elif step.to in {State.RESOLVED, State.FALSE_ALARM, State.CLOSED, State.AUTO_CLEARED}:
        release(session, incident, at)
    if actor.role != "system":
        audit.append(
            session,
            at,
            audit.AuditEntry(
                actor.id,
                actor.role,
                f"incident.{step.to}",
                "incident_handling",
                incident.id,
                step.reason or step.comparison or "",
            ),
        )
    return incident


def ask_link_first(incident: Incident, step: Step) -> None:
    """A guess is not confirmed in passing: whether it is one thing is answered by itself first (`linking`).

    Raises `StepRefusedError` (`link_unanswered`). Whoever writes down an answer before the step asks here
    before that, too.
    """
    state = State(incident.state)
    if step.to is State.CONFIRMED and incident.probable and state in UNDECIDED:
        raise StepRefusedError(state, step.to, "link_unanswered")


def _ask_review_first(session: Session, incident: Incident, step: Step) -> None:
    """Nothing counts as reviewed but what somebody wrote a review of (一事一评)."""
    if step.to is State.REVIEWED and not guards.reviewed(session, incident):
        raise StepRefusedError(State(incident.state), step.to, "review_required")
    if step.to is State.CLOSED and guards.measure_open(session, incident.id):
        raise StepRefusedError(State(incident.state), step.to, "measure_open")


def _decide(
    session: Session, incident: Incident, step: Step, actor: Actor, at: dt.datetime, *, two_persons: bool
) -> None:
    """The moment in which somebody says whether it is real: the comparison counts here and nowhere else."""
    answer = step.comparison
    if answer is None and two_persons and step.to is State.CONFIRMED and not incident.needs_comparison:
        # There is nothing to compare: who confirms says yes.
        answer = Comparison.MATCH
    if answer is not None:
        answers.put(session, incident, answer, actor, at)
    given = answers.given(session, incident.id)
    code = None
    if step.to is State.CONFIRMED and two_persons:
        code = missing(given, needs_comparison=incident.needs_comparison, two_persons=True)
    elif step.to is State.FALSE_ALARM and incident.needs_comparison:
        code = missing_for_error(given, two_persons=two_persons)
    if code is not None:
        raise StepRefusedError(State(incident.state), step.to, code)
    if step.comparison is not None:
        incident.comparison = step.comparison


def _take_up_again(session: Session, incident: Incident) -> None:
    """Nobody leads any more; what is said from now on belongs to it, unless that has an incident by now."""
    session.execute(update(Dispatch).where(Dispatch.incident == incident.id).values(lead_of=None))
    if incident.key is None or session.get(IncidentKey, (incident.compound, incident.key)) is not None:
        return
    try:
        with session.begin_nested():
            keys.hold(session, incident, incident.key, incident.last_signal_at)
    except IntegrityError:
        # A desk was faster: its incident keeps the key.
        return
