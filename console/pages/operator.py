"""The operator's live page and the parts of it that are fetched again."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, ReopenReason, State
from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.intake import heard
from console.api.plans import plan_view
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.hits import looked_lately, note_incident
from console.pages.board import board, open_care, open_held, open_incidents
from console.pages.detail import detail
from console.pages.feed import feed
from console.pages.going import sending as going
from console.pages.linked import linked
from console.pages.places import Names, names
from console.pages.queue import items
from console.pages.view import Frame, frame, is_fragment, render
from console.permissions import Action, allowed, may
from console.problems import not_found

router = APIRouter()
Reader = Annotated[User, may(Action.INCIDENTS_READ)]

CHOICES: Final[dict[str, Any]] = {
    "comparisons": list(Comparison),
    "false_alarm_reasons": list(FalseAlarmReason),
    "reopen_reasons": list(ReopenReason),
}


@router.get("/console")
def console(request: Request, user: Reader, incident: str | None = None) -> Response:
    """The whole page; `incident` is the one that stands open."""
    del user
    return whole_page(request, incident)


def whole_page(
    request: Request,
    incident_id: str | None,
    *,
    refused: str | None = None,
    answered: str = "",
    status: int = 200,
) -> Response:
    """The live page, with a refusal above the open incident where there was one."""
    # Read before the database, so that the stream starts no later than what is shown.
    position = request.app.state.feed.position
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        known = names(session, here.compound)
        incidents = open_incidents(session, here.compound)
        opened = _load(session, incident_id, here.compound) if incident_id else None
        if opened:
            _note_opened(here, view, opened)
        return render(
            view,
            "console.html",
            status=status,
            position=position,
            hears=request.app.state.feed.connected,
            queue=items(view.t, incidents, known.zones, known.devices, view.now),
            **_apart(session, here, view, known),
            board=board(session, here.compound, incidents, view.t, view.now, opened=opened),
            feed=feed(session, here.compound, known, view.t),
            detail=detail(session, opened, known, view.t, view.now, view.user) if opened else None,
            linked=linked(session, opened, known, view.t, view.now) if opened else None,
            going=going(session, opened, view.now) if opened else None,
            **_plan(session, here, view, opened),
            refused=refused,
            answered=answered,
            **CHOICES,
        )


@router.get("/console/fragments/queue")
def queue_part(request: Request, user: Reader) -> Response:
    del user
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        known = names(session, here.compound)
        incidents = open_incidents(session, here.compound)
        lines = items(view.t, incidents, known.zones, known.devices, view.now)
        apart = _apart(session, here, view, known)
    return render(view, "fragments/queue.html", queue=lines, hears=request.app.state.feed.connected, **apart)


def _apart(session: Session, here: Rooms, view: Frame, known: Names) -> dict[str, Any]:
    """What stands beside the queue: people's care for those who may see it, and what is held back."""
    held = items(view.t, open_held(session, here.compound), known.zones, known.devices, view.now)
    if view.user is None or not allowed(view.user, Action.CARE_READ):
        return {"care": [], "held": held}
    care = items(view.t, open_care(session, here.compound), known.zones, known.devices, view.now)
    return {"care": care, "held": held}


@router.get("/console/fragments/plan")
def plan_part(request: Request, user: Reader, incident: str | None = None) -> Response:
    """The plan; with the way of an incident, which is a look at it."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        opened = _load(session, incident, here.compound) if incident else None
        if opened is not None and not looked_lately(session, view.now, user, opened):
            _note_opened(here, view, opened)
        shown = board(
            session, here.compound, open_incidents(session, here.compound), view.t, view.now, opened=opened
        )
    return render(view, "fragments/board.html", board=shown)


@router.get("/console/fragments/feed")
def feed_part(request: Request, user: Reader) -> Response:
    del user
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        lines = feed(session, here.compound, names(session, here.compound), view.t)
    return render(view, "fragments/feed.html", feed=lines)


@router.get("/console/fragments/incident/{incident_id}")
def incident_part(request: Request, user: Reader, incident_id: str) -> Response:
    """The open incident. Asked for as a page (a link in a new tab) it comes with the page around it."""
    del user
    if not is_fragment(request):
        return whole_page(request, incident_id)
    return incident_fragment(request, incident_id)


def incident_fragment(
    request: Request, incident_id: str, *, refused: str | None = None, answered: str = ""
) -> Response:
    """The open incident alone, with the reason where an action was refused.

    `answered` is the comparison's answer that came with it: it stays chosen.
    """
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        opened = _load(session, incident_id, here.compound)
        _note_opened(here, view, opened)
        known = names(session, here.compound)
        shown = detail(session, opened, known, view.t, view.now, view.user)
        return render(
            view,
            "fragments/incident.html",
            detail=shown,
            linked=linked(session, opened, known, view.t, view.now),
            going=going(session, opened, view.now),
            **_plan(session, here, view, opened),
            refused=refused,
            answered=answered,
            **CHOICES,
        )


def _plan(session: Session, here: Rooms, view: Frame, opened: Incident | None) -> dict[str, Any]:
    """The response plan of the open incident, and whether this user may work it off."""
    if opened is None:
        return {}
    may_decide = view.user is not None and allowed(view.user, Action.INCIDENTS_DECIDE)
    return {
        "plan": plan_view(session, here, opened),
        "reports": heard(session, opened.id),
        "incident_id": opened.id,
        "may_decide": may_decide and State(opened.state).is_open,
    }


def _note_opened(here: Rooms, view: Frame, incident: Incident) -> None:
    """An incident that names a person or a plate is a look at somebody's data: it is audited."""
    if incident.subject is None or view.user is None:
        return
    with here.database.write() as session:
        note_incident(session, view.now, view.user, incident, Purpose.INCIDENT_HANDLING)


def _load(session: Session, incident_id: str, compound: str) -> Incident:
    incident = session.get(Incident, incident_id)
    if incident is None or incident.compound != compound:
        raise not_found("incident")
    return incident
