"""The response plan of an incident: what is to be done, in order, and what was done by whom."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts import knowing
from alerts.incidents.models import Incident
from alerts.plans import progress
from alerts.plans.models import PlanStep
from alerts.plans.plan import Do, Step, StepError, StepKind, Taken, applies, next_step
from console.accounts.models import User
from console.api.places import Here
from console.context import Rooms
from console.permissions import Action, allowed, may
from console.problems import not_found
from console.security import ForbiddenError, as_actor

router = APIRouter(tags=["incidents"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]


class PlanStepView(BaseModel):
    """`here` is false for a step whose branch is not chosen yet; `words` are a compound's own, by locale.

    Words of the plans that Ringward comes with are in the catalogues: `plan_step.{plan}.{id}`.
    """

    id: str
    kind: StepKind
    here: bool
    answers: list[str]
    tell: list[str]
    number: str | None
    scope: str | None
    optional: bool
    words: dict[str, str]
    state: Do | None
    answer: str | None
    actor: str | None
    at: dt.datetime | None
    note: str | None


class PlanView(BaseModel):
    """`silent`: nothing of it may be heard or seen on the spot. `next` is the step to be done now."""

    id: str
    silent: bool
    words: dict[str, str]
    next: str | None
    steps: list[PlanStepView]


class PlanStepAsked(BaseModel):
    """`answer` where the step asks; `note` says why a step is skipped."""

    state: Literal["done", "skipped"]
    answer: Annotated[str | None, Field(max_length=64)] = None
    note: Annotated[str | None, Field(max_length=500)] = None


@router.get("/incidents/{incident_id}/plan")
def plan(here: Here, _: Reader, incident_id: str) -> PlanView:
    """The plan and how far it has come."""
    with here.database.read() as session:
        return plan_view(session, here, found(session, here, incident_id))


@router.post("/incidents/{incident_id}/plan/{step_id}")
def take(here: Here, user: Decider, incident_id: str, step_id: str, asked: PlanStepAsked) -> PlanView:
    """Takes a step: done, answered, or skipped with a reason. A release asks the doors to open.

    Problems: `earlier_first`, `not_on_this_way`, `answer_required`, `unknown_answer`, `skip_reason_required`,
    `taken_already`, `question_not_skipped`, `no_such_step`, `incident_ended`.
    """
    with here.database.write() as session:
        incident = found(session, here, incident_id)
        take_step(session, here, user, incident, step_id, asked)
        return plan_view(session, here, incident)


def found(session: Session, here: Rooms, incident_id: str) -> Incident:
    """The incident, of this compound."""
    incident = session.get(Incident, incident_id)
    if incident is None or incident.compound != here.compound:
        raise not_found("incident")
    return incident


def take_step(
    session: Session, here: Rooms, user: User, incident: Incident, step_id: str, asked: PlanStepAsked
) -> None:
    """Takes a step of the incident's plan for somebody. Raises `StepError` and `ForbiddenError`."""
    its = progress.of(session, here.plans(), incident)
    step = its.step(step_id)
    opens = step is not None and step.kind is StepKind.RELEASE and Do(asked.state) is Do.DONE
    if opens and not allowed(user, Action.GATES_COMMAND):
        raise ForbiddenError(Action.GATES_COMMAND)
    progress.take(
        session,
        its,
        incident.id,
        step_id,
        Taken(Do(asked.state), asked.answer),
        as_actor(user),
        here.clock.now(),
        site=knowing.site(session, here.compound),
        note=(asked.note or "").strip() or None,
    )


def plan_view(session: Session, here: Rooms, incident: Incident) -> PlanView:
    """The plan of an incident with what was done of it."""
    its = progress.of(session, here.plans(), incident)
    rows = session.scalars(select(PlanStep).where(PlanStep.incident == incident.id, PlanStep.plan == its.id))
    done = {row.step: row for row in rows}
    taken = {step: Taken(Do(row.state), row.answer) for step, row in done.items()}
    following = next_step(its, taken)
    return PlanView(
        id=its.id,
        silent=its.silent,
        words=dict(its.words),
        next=following.id if following is not None else None,
        steps=[_step_view(step, taken, done.get(step.id)) for step in its.steps if _shown(step, taken)],
    )


def _shown(step: Step, taken: dict[str, Taken]) -> bool:
    """What is not on the way any more is left out; what may still come is shown, paler."""
    if step.when is None or applies(step, taken):
        return True
    asked = taken.get(step.when[0])
    return asked is None


def _step_view(step: Step, taken: dict[str, Taken], row: PlanStep | None) -> PlanStepView:
    return PlanStepView(
        id=step.id,
        kind=step.kind,
        here=applies(step, taken),
        answers=list(step.answers),
        tell=list(step.tell),
        number=step.number,
        scope=step.scope,
        optional=step.optional,
        words=dict(step.words),
        state=Do(row.state) if row is not None else None,
        answer=row.answer if row is not None else None,
        actor=row.actor if row is not None else None,
        at=row.at if row is not None else None,
        note=row.note if row is not None else None,
    )


__all__ = ["PlanStepAsked", "PlanView", "StepError", "found", "plan_view", "router", "take_step"]
