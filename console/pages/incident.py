"""What the operator does about an incident: each button is a form, with or without script."""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from alerts.dispatch.actions import DispatchRefusedError, choose
from alerts.incidents import answers
from alerts.incidents.actions import IncidentNotFoundError, StaleVersionError, ask_link_first, take_step
from alerts.incidents.confirming import missing, missing_for_error
from alerts.incidents.lifecycle import (
    UNDECIDED,
    Comparison,
    FalseAlarmReason,
    ReopenReason,
    State,
    Step,
    StepRefusedError,
)
from alerts.incidents.merging import MergeRefusedError
from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api import sighting_answers
from console.api.incidents import wants_two
from console.api.sighting_answers import AnswerAsked
from console.context import rooms
from console.pages.operator import incident_fragment, whole_page
from console.pages.view import is_fragment
from console.permissions import Action, may
from console.security import as_actor
from recognition.models import Verdict
from registry.errors import MissingError, RefusedError

router = APIRouter(prefix="/console/incidents")
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]
Answerer = Annotated[User, may(Action.SIGHTINGS_ANSWER)]

_NOTE_LENGTH: Final = 2000
_CHANGED: Final = {"HX-Trigger": "ringward:acted"}

Version = Annotated[int, Form(ge=0)]
Note = Annotated[str, Form(max_length=_NOTE_LENGTH)]


@router.post("/{incident_id}/acknowledge")
def acknowledge(request: Request, user: Decider, incident_id: str, version: Version) -> Response:
    return _step(request, user, incident_id, version, Step(State.ACKNOWLEDGED))


@router.post("/{incident_id}/confirm")
def confirm(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Version,
    comparison: Annotated[str, Form()] = "",
) -> Response:
    """`comparison` is the operator's answer on the two pictures, where the incident needs one."""
    answer = _answer(comparison)
    return _step(request, user, incident_id, version, Step(State.CONFIRMED, comparison=answer))


@router.post("/{incident_id}/false-alarm")
def false_alarm(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Version,
    reason: Annotated[str, Form()] = "",
    comparison: Annotated[str, Form()] = "",
    note: Note = "",
) -> Response:
    """`comparison` is kept where the pictures were why: it says how often the machine erred."""
    code = FalseAlarmReason(reason) if reason in list(FalseAlarmReason) else None
    step = Step(State.FALSE_ALARM, reason=code, comparison=_answer(comparison))
    return _step(request, user, incident_id, version, step, note)


@router.post("/{incident_id}/dispatch")
def dispatch(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Version,
    responder: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """Asks the chosen responders to go."""
    here = rooms(request)

    def act(session: Session) -> str | None:
        choose(
            session,
            incident_id,
            responder or [],
            as_actor(user),
            here.clock.now(),
            expected_version=version,
        )
        return None

    return act_on(request, incident_id, act)


@router.post("/{incident_id}/resolve")
def resolve(request: Request, user: Decider, incident_id: str, version: Version, note: Note = "") -> Response:
    return _step(request, user, incident_id, version, Step(State.RESOLVED), note)


@router.post("/{incident_id}/close")
def close(request: Request, user: Decider, incident_id: str, version: Version) -> Response:
    return _step(request, user, incident_id, version, Step(State.CLOSED))


@router.post("/{incident_id}/reopen")
def reopen(
    request: Request,
    user: Decider,
    incident_id: str,
    version: Version,
    reason: Annotated[str, Form()] = "",
    note: Note = "",
) -> Response:
    """It was not over after all."""
    code = ReopenReason(reason) if reason in list(ReopenReason) else None
    return _step(request, user, incident_id, version, Step(State.REOPENED, reason=code), note)


@router.post("/{incident_id}/answer")
def answer(
    request: Request,
    user: Answerer,
    incident_id: str,
    sighting: Annotated[str, Form(max_length=32)],
    verdict: Annotated[str, Form()] = "",
    was: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Whether recognition was right; `was` counts only where it was not."""
    here = rooms(request)

    def act(session: Session) -> str | None:
        if verdict not in list(Verdict):
            raise RefusedError("answer_missing")
        meant = was if verdict == Verdict.NO_MATCH else ""
        asked = AnswerAsked(verdict=Verdict(verdict), was=meant or None)
        sighting_answers.answer(session, here.compound, user, sighting, asked, here.clock.now())
        return None

    return act_on(request, incident_id, act)


def _answer(comparison: str) -> Comparison | None:
    return Comparison(comparison) if comparison in list(Comparison) else None


def _first_of_two(
    session: Session, incident: Incident, step: Step, user: User, at: dt.datetime
) -> str | None:
    """Keeps what somebody answered where two have to; says what is missing before it is acted on."""
    needs = incident.needs_comparison
    if State(incident.state) not in UNDECIDED or (needs and step.comparison is None):
        return None
    if step.to is State.CONFIRMED:
        answers.give(session, incident.id, step.comparison or Comparison.MATCH, as_actor(user), at)
        lacks = missing(answers.given(session, incident.id), needs_comparison=needs, two_persons=True)
    elif step.to is State.FALSE_ALARM and step.comparison is not None:
        answers.give(session, incident.id, step.comparison, as_actor(user), at)
        lacks = missing_for_error(answers.given(session, incident.id), two_persons=True)
    else:
        return None
    return lacks if lacks in {"second_person_required", "answers_differ"} else None


def _step(
    request: Request, user: Decider, incident_id: str, version: int, step: Step, note: str = ""
) -> Response:
    here = rooms(request)

    def act(session: Session) -> str | None:
        at = here.clock.now()
        incident = session.get_one(Incident, incident_id)
        two = wants_two(session, incident, at)
        # Before the step, which may close the incident: an answer is one to what is open.
        sighting_answers.answer_by_comparison(session, incident_id, step.comparison, user, at)
        if two and incident.version == version:
            ask_link_first(incident, step)
            lacks = _first_of_two(session, incident, step, user, at)
            if lacks is not None:
                return lacks
        take_step(
            session,
            incident_id,
            step,
            as_actor(user),
            at,
            expected_version=version,
            note=note.strip() or None,
            two_persons=two,
        )
        return None

    return act_on(request, incident_id, act, answered=step.comparison)


def act_on(
    request: Request,
    incident_id: str,
    act: Callable[[Session], str | None],
    *,
    answered: Comparison | None = None,
) -> Response:
    """Runs an action and shows the incident as it is now, with the reason where it was refused.

    What the action itself answers is such a reason, too, of something that was written all the same.
    """
    here = rooms(request)
    refused: str | None = None
    try:
        with here.database.write() as session:
            incident = session.get(Incident, incident_id)
            if incident is None or incident.compound != here.compound:
                raise IncidentNotFoundError(incident_id)
            refused = act(session)
    except StaleVersionError:
        refused = "stale"
    except (StepRefusedError, DispatchRefusedError, MergeRefusedError, RefusedError) as error:
        refused = error.code
    except MissingError as error:
        refused = f"{error.kind}_not_found"
    if is_fragment(request):
        response = incident_fragment(
            request, incident_id, refused=refused, answered=str(answered) if refused and answered else ""
        )
        response.headers.update(_CHANGED)
        return response
    if refused:
        return whole_page(request, incident_id, refused=refused, answered=str(answered or ""), status=409)
    return RedirectResponse(f"/console?incident={incident_id}", 303)
