"""The steps of an open incident's response plan: each button is a form, with or without script."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.plans.plan import StepError
from console.accounts.models import User
from console.api import plans
from console.context import rooms
from console.pages.operator import incident_fragment, whole_page
from console.pages.view import is_fragment
from console.permissions import Action, may

router = APIRouter(prefix="/console/incidents")
Decider = Annotated[User, may(Action.INCIDENTS_DECIDE)]


@router.post("/{incident_id}/plan/{step_id}")
def take(
    request: Request,
    user: Decider,
    incident_id: str,
    step_id: str,
    *,
    state: Annotated[Literal["done", "skipped"], Form()] = "done",
    answer: Annotated[str, Form(max_length=64)] = "",
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Takes a step and shows the incident as it is now, with the reason where it was refused."""
    here = rooms(request)
    refused: str | None = None
    asked = plans.PlanStepAsked(state=state, answer=answer or None, note=note or None)
    try:
        with here.database.write() as session:
            plans.take_step(session, here, user, plans.found(session, here, incident_id), step_id, asked)
    except StepError as error:
        refused = error.code
    if is_fragment(request):
        response = incident_fragment(request, incident_id, refused=refused)
        response.headers["HX-Trigger"] = "ringward:acted"
        return response
    if refused:
        return whole_page(request, incident_id, refused=refused, status=409)
    return RedirectResponse(f"/console?incident={incident_id}", 303)
