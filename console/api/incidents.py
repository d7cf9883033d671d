"""Incidents: the queue, one with everything it stands on, and the steps people take."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import actions as dispatching
from alerts.dispatch.knowing import needs_to_know
from alerts.dispatch.models import Dispatch, DispatchState
from alerts.dispatch.suggest import suggest
from alerts.incidents import actions, answers, merging
from alerts.incidents.deadlines import RUNS, Timer
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, ReopenReason, State, Step
from alerts.incidents.models import Evidence, Incident, Transition
from alerts.incidents.standing import rules_of
from alerts.rulebook.current import current
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.incident_views import AnswerView, EvidenceView, MergeView, TransitionView
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.sighting_answers import answer_by_comparison
from console.api.views import DispatchView, IncidentForVolunteer, IncidentView, TaskEnded
from console.hits import note_incident
from console.permissions import Action, allowed, may
from console.problems import not_found
from console.security import as_actor
from registry.models import Ring

router = APIRouter(tags=["incidents"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
Tasked = Annotated[User, may(Action.TASKS)]
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]
Carer = Annotated[User, may(Action.CARE_READ)]


class SuggestionView(BaseModel):
    """Who could go; `reasons` are codes of the catalogues."""

    model_config = ConfigDict(from_attributes=True)

    responder_id: str
    name: str
    team_name: str
    team_kind: str
    reasons: tuple[str, ...]
    busy: bool


class IncidentInFull(IncidentView):
    """With what it stands on, what was done, and who could go."""

    subject_kind: str | None
    subject: str | None
    # The version of the rules that raised it, and how the compound was run then.
    rules_version: str | None
    mode: str
    # Devices that could not have seen, from when to when and why.
    blind: list[dict[str, Any]]
    # What is waited for until `due_at`.
    timer: Timer | None
    two_persons: bool
    answers: list[AnswerView]
    merges: list[MergeView]
    evidence: list[EvidenceView]
    transitions: list[TransitionView]
    dispatches: list[DispatchView]
    suggestions: list[SuggestionView]


class StepAsked(BaseModel):
    """A step; `expected_version` guards against deciding on what is no longer so.

    `reason` is needed for a false alarm and for reopening, `note` where the reason is `other`.
    """

    to: State
    reason: FalseAlarmReason | ReopenReason | None = None
    comparison: Comparison | None = None
    note: Annotated[str | None, Field(max_length=2000)] = None
    expected_version: Annotated[int | None, Field(ge=1)] = None


class SendAsked(BaseModel):
    """Whom to ask."""

    responder_ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=50)]
    expected_version: Annotated[int | None, Field(ge=1)] = None


@router.get("/incidents")
def incidents(
    here: Here,
    _: Reader,
    paging: Asked,
    *,
    state: Annotated[list[State] | None, Query()] = None,
    severity: Annotated[int | None, Query(ge=1, le=4)] = None,
    ring: Ring | None = None,
) -> Page[IncidentView]:
    """Incidents, newest first; `state` may be given several times.

    What the alert budget held back and what belongs to people's care have lists of their own.
    """
    query = select(Incident).where(
        Incident.compound == here.compound, Incident.held.is_(False), Incident.care.is_(False)
    )
    if state:
        query = query.where(Incident.state.in_(state))
    if severity is not None:
        query = query.where(Incident.severity == severity)
    if ring is not None:
        query = query.where(Incident.ring == ring)
    with here.database.read() as session:
        order = (Incident.raised_at, Incident.id)
        items, cursor = newest_first(session, query, order, paging, IncidentView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/incidents/held")
def held(here: Here, _: Reader, paging: Asked) -> Page[IncidentView]:
    """What the alert budget holds back now, newest first: incidents all the same, which may be decided."""
    query = select(Incident).where(Incident.compound == here.compound, Incident.held.is_(True))
    with here.database.read() as session:
        order = (Incident.raised_at, Incident.id)
        items, cursor = newest_first(session, query, order, paging, IncidentView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/incidents/care")
def care(here: Here, user: Carer, paging: Asked) -> Page[IncidentView]:
    """People who agreed that somebody looks after them and were not heard of, newest first.

    The look is audited: that somebody is looked after is their own affair.
    """
    query = select(Incident).where(Incident.compound == here.compound, Incident.care.is_(True))
    with here.database.write() as session:
        order = (Incident.raised_at, Incident.id)
        items, cursor = newest_first(session, query, order, paging, IncidentView.model_validate)
        look = Look("care.listed", Purpose.INCIDENT_HANDLING, "care:list", f"{len(items)} incidents")
        note_look(session, here.clock.now(), user, look)
        return Page(items=items, next_cursor=cursor)


@router.get("/incidents/{incident_id}")
def incident(
    here: Here, user: Tasked, incident_id: str, purpose: Purpose = Purpose.INCIDENT_HANDLING
) -> IncidentInFull | IncidentForVolunteer | TaskEnded:
    """One incident. Who can be sent there (volunteer, guard) sees only their own, and of it the task;
    once it is over, that it is.
    """
    if not allowed(user, Action.INCIDENTS_READ):
        with here.database.read() as session:
            row = _find(session, here.compound, incident_id)
            query = select(Dispatch).where(
                Dispatch.incident == row.id, Dispatch.responder == user.responder_id
            )
            asked = None if user.responder_id is None else session.scalars(query).one_or_none()
            if asked is None:
                raise not_found("incident")
            if not needs_to_know(DispatchState(asked.state), State(row.state)):
                return TaskEnded.of(asked)
            return IncidentForVolunteer.model_validate(row)
    with here.database.write() as session:
        row = _find(session, here.compound, incident_id)
        note_incident(session, here.clock.now(), user, row, purpose)
        return _in_full(session, row, here.clock.now())


@router.post("/incidents/{incident_id}/steps", response_model=IncidentView, status_code=201)
def take_step(here: Here, request: Request, user: Decider, incident_id: str, asked: StepAsked) -> Response:
    """Takes a step of the life cycle; `alerts` writes it to the audit log."""

    def work(session: Session, at: dt.datetime) -> Answer:
        found = _find(session, here.compound, incident_id)
        step = Step(asked.to, asked.reason, asked.comparison)
        # Before the step, which may close the incident: an answer is one to what is open.
        answer_by_comparison(session, incident_id, asked.comparison, user, at)
        row = actions.take_step(
            session,
            incident_id,
            step,
            as_actor(user),
            at,
            expected_version=asked.expected_version,
            note=asked.note,
            two_persons=wants_two(session, found, at),
        )
        return 201, IncidentView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/incidents/{incident_id}/dispatches", response_model=Page[DispatchView], status_code=201)
def send(here: Here, request: Request, user: Decider, incident_id: str, asked: SendAsked) -> Response:
    """Asks responders to go; the answer lists those who had not been asked yet.

    Where that would be one volunteer by themselves the next best is asked with them; 409 for who may not
    be sent: `volunteer_violence`, `volunteer_alone`, `off_duty`, `busy_graver`, `other_task`.
    """

    def work(session: Session, at: dt.datetime) -> Answer:
        _find(session, here.compound, incident_id)
        sent = dispatching.choose(
            session,
            incident_id,
            asked.responder_ids,
            as_actor(user),
            at,
            expected_version=asked.expected_version,
        )
        items: list[Any] = [DispatchView.model_validate(row).model_dump(mode="json") for row in sent]
        return 201, {"items": items, "next_cursor": None}

    return once(here, request, user, asked.model_dump(mode="json"), work)


def wants_two(session: Session, row: Incident, at: dt.datetime) -> bool:
    """Whether the compound's rules want two people to confirm an incident (两人确认).

    One of the rules that it stands on is enough: what joined it later, or was merged into it, is
    confirmed along with it.
    """
    two_persons = current(session, row.compound, at).confirmation.two_persons
    return bool(two_persons) and not two_persons.isdisjoint(rules_of(session, row))


def _find(session: Session, compound: str, incident_id: str) -> Incident:
    row = session.get(Incident, incident_id)
    if row is None or row.compound != compound:
        raise not_found("incident")
    return row


def _in_full(session: Session, row: Incident, at: dt.datetime) -> IncidentInFull:
    evidence = session.scalars(
        select(Evidence).where(Evidence.incident == row.id).order_by(Evidence.at, Evidence.signal_id)
    )
    steps = session.scalars(
        select(Transition).where(Transition.incident == row.id).order_by(Transition.version)
    )
    sent = session.scalars(
        select(Dispatch).where(Dispatch.incident == row.id).order_by(Dispatch.offered_at, Dispatch.id)
    )
    # Nobody is to be sent to what is over.
    could_go = suggest(session, row, at) if State(row.state).is_open else []
    return IncidentInFull(
        **IncidentView.model_validate(row).model_dump(),
        subject_kind=row.subject_kind,
        subject=row.subject,
        rules_version=row.rules_version,
        mode=row.mode,
        blind=row.blind,
        timer=None if row.due_at is None else RUNS.get(State(row.state)),
        two_persons=wants_two(session, row, at),
        answers=[AnswerView.model_validate(a) for a in answers.to(session, row.id)],
        merges=[MergeView.model_validate(m) for m in merging.of(session, row.id)],
        evidence=[EvidenceView.model_validate(e) for e in evidence],
        transitions=[TransitionView.model_validate(t) for t in steps],
        dispatches=[DispatchView.model_validate(d) for d in sent],
        suggestions=[SuggestionView.model_validate(s) for s in could_go],
    )
