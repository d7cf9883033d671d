"""Forgetting whom an incident was about, once it has ended: its subject, its reasons, what each signal said.

That something happened there, how grave it was and what was done stays; it is no data on a person then.
"""

from typing import Any

from sqlalchemy import ColumnElement, Text, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from alerts.dispatch.models import Dispatch
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, IncidentMerge, Transition
from alerts.intake.models import Dispute, IntakeReport
from alerts.plans.models import PlanStep
from privacy.erasure.marks import Marks, scrub, struck
from privacy.erasure.passages import mention

_ENDED = [state for state in State if not state.is_open]


def sweep_incidents(session: Session, marks: Marks) -> int:
    """Takes the person out of ended incidents; returns out of how many.

    What was merged into one that is still open is part of that one, and waits with it.
    """
    subjects = [marks.person, *marks.vehicles, *marks.plates]
    open_ones = select(Incident.id).where(Incident.compound == marks.compound, Incident.state.not_in(_ENDED))
    ended = session.scalars(
        select(Incident).where(
            Incident.compound == marks.compound,
            Incident.state.in_(_ENDED),
            or_(Incident.merged_into.is_(None), Incident.merged_into.not_in(open_ones)),
            or_(
                Incident.subject.in_(subjects),
                *mention(Incident.reason_args, subjects),
                Incident.id.in_(select(Evidence.incident).where(or_(*_told(Evidence.trace, subjects)))),
                Incident.id.in_(
                    select(IncidentMerge.source).where(or_(*_told(IncidentMerge.before, subjects)))
                ),
                Incident.id.in_(
                    select(IncidentMerge.target).where(or_(*_told(IncidentMerge.before, subjects)))
                ),
            ),
        )
    ).all()
    for incident in ended:
        _empty(session, incident, marks, subjects)
    session.flush()
    return len(ended)


def _empty(session: Session, incident: Incident, marks: Marks, subjects: list[str]) -> None:
    if incident.subject in subjects:
        incident.subject = incident.subject_kind = None
    incident.reason_args = scrub(incident.reason_args, marks)
    incident.blind = scrub(incident.blind, marks)
    incident.key = _without(incident.key, marks)
    incident.resolution = struck(incident.resolution, marks)
    for row in session.scalars(select(Evidence).where(Evidence.incident == incident.id)):
        row.trace = _without(row.trace, marks)
        row.key = _without(row.key, marks)
    for merge in session.scalars(
        select(IncidentMerge).where(
            or_(IncidentMerge.source == incident.id, IncidentMerge.target == incident.id)
        )
    ):
        merge.before = _without(merge.before, marks)
        merge.note = struck(merge.note, marks)
    for report in session.scalars(select(IntakeReport).where(IntakeReport.incident == incident.id)):
        report.words = struck(report.words, marks)
    for dispute in session.scalars(select(Dispute).where(Dispute.incident == incident.id)):
        dispute.parties = struck(dispute.parties, marks)
        dispute.agreement = struck(dispute.agreement, marks)
    steps = session.scalars(select(Transition).where(Transition.incident == incident.id))
    replies = session.scalars(select(Dispatch).where(Dispatch.incident == incident.id)).all()
    for reply in replies:
        # What came of it may show whom it was about; nothing names the photo now, so it is swept.
        reply.media_id = None
    planned = session.scalars(select(PlanStep).where(PlanStep.incident == incident.id))
    for noted in (*steps, *replies, *planned):
        noted.note = struck(noted.note, marks)


def _told(column: InstrumentedAttribute[Any], terms: list[str]) -> list[ColumnElement[bool]]:
    """Whether stored JSON holds one of these as a whole value or as the thing that a key is of."""
    text = type_coerce(column, Text)
    return [
        *mention(column, terms),
        *(text.contains(f':{term}"', autoescape=True) for term in dict.fromkeys(terms)),
        *(text.contains(f":{term}:", autoescape=True) for term in dict.fromkeys(terms)),
    ]


def _without(value: Any, marks: Marks) -> Any:
    """A JSON value without what says who it was, also as a part of a dedupe key: `R-E04:<plate>`."""
    if isinstance(value, str):
        return None if marks.of_text(value) or any(map(marks.of_text, value.split(":"))) else value
    if isinstance(value, dict):
        return {name: _without(inner, marks) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, marks) for inner in value]
    return value
