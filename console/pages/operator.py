"""The operator's live page and the parts of it that are fetched again."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from alerts.incidents.aside import AsideReason, choices
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, ReopenReason, State
from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.intake import heard
from console.api.plans import plan_view
from console.api.purposes import Purpose
from console.context import Rooms, rooms
from console.desk.parts import Parts
from console.hits import looked_lately, note_incident
from console.live import LiveFeed
from console.pages.board import board, open_care, open_held, open_incidents
from console.pages.detail import detail
from console.pages.feed import feed
from console.pages.going import sending as going
from console.pages.linked import linked
from console.pages.places import Names, names
from console.pages.queue import QueueItem, items, last_hands, near, put_aside
from console.pages.shortcuts import shortcuts
from console.pages.view import Frame, frame, is_fragment, render, text
from console.pages.way import way
from console.permissions import Action, allowed, may
from console.problems import not_found

router = APIRouter()
Reader = Annotated[User, may(Action.INCIDENTS_READ)]

CHOICES: Final[dict[str, Any]] = {
    "comparisons": list(Comparison),
    "aside_reasons": list(AsideReason),
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
            **_queue(session, here, view, known, incidents),
            board=board(session, here.compound, incidents, view.t, view.now, opened=opened),
            feed=feed(session, here.compound, known, view.t),
            **_about(session, here, view, known, opened),
            keys=shortcuts(view.user),
            refused=refused,
            answered=answered,
            **CHOICES,
        )


@router.get("/console/fragments/queue")
def queue_part(request: Request, user: Reader) -> Response:
    """The queue; 304 where it says nothing else than `If-None-Match` had."""
    here, view = rooms(request), frame(request)
    feed_here: LiveFeed = request.app.state.feed

    def make() -> str:
        with here.database.read() as session:
            known = names(session, here.compound)
            lines = _queue(session, here, view, known, open_incidents(session, here.compound))
        return text(view, "fragments/queue.html", hears=feed_here.connected, **lines)

    key = (
        "queue",
        here.compound,
        view.lang,
        allowed(user, Action.CARE_READ),
        allowed(user, Action.INCIDENTS_DECIDE),
    )
    part = _parts(request).get(key, _mark(feed_here, here, view), make)
    headers = {"ETag": part.tag, "Vary": "Accept-Language, Cookie"}
    if request.headers.get("If-None-Match") == part.tag:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(part.html, headers=headers)


def _parts(request: Request) -> Parts:
    state = request.app.state
    if not hasattr(state, "parts"):
        state.parts = Parts()
    return cast("Parts", state.parts)


def _mark(live: LiveFeed, here: Rooms, view: Frame) -> tuple[int, int] | None:
    """The newest change and the second; None where this process does not hear of every change."""
    if live.position is None or not live.connected or live.compound != here.compound:
        return None
    return live.position, int(view.now.timestamp())


def _queue(
    session: Session, here: Rooms, view: Frame, known: Names, incidents: Sequence[Incident]
) -> dict[str, Any]:
    """The queue, and beside it what is put aside, care for those who may see it, what is held back."""
    care = view.user is not None and allowed(view.user, Action.CARE_READ)
    apart = open_care(session, here.compound) if care else []
    held = open_held(session, here.compound)
    aside = put_aside(session, here.compound, [*incidents, *apart], view.now)
    hands = last_hands(session, [*incidents, *apart, *held])

    def lines(some: Iterable[Incident]) -> list[QueueItem]:
        return items(view.t, some, known.zones, known.devices, view.now, hands, aside)

    return {
        "queue": [line for line in lines(incidents) if line.aside is None],
        "aside": [line for line in lines([*incidents, *apart]) if line.aside is not None],
        "care": [line for line in lines(apart) if line.aside is None],
        "held": lines(held),
    }


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
        return render(
            view,
            "fragments/incident.html",
            **_about(session, here, view, known, opened),
            refused=refused,
            answered=answered,
            **CHOICES,
        )


def _about(
    session: Session, here: Rooms, view: Frame, known: Names, opened: Incident | None
) -> dict[str, Any]:
    """Everything about the open incident, its response plan, and whether this user may work it off."""
    if opened is None:
        return {"detail": None, "linked": None, "going": None}
    may_decide = view.user is not None and allowed(view.user, Action.INCIDENTS_DECIDE)
    shown = detail(session, opened, known, view.t, view.now, view.user, view.clock)
    beside = [one for one in open_incidents(session, here.compound) if one.drill == opened.drill]
    return {
        "detail": shown,
        "linked": linked(session, opened, known, view.t, view.now),
        "going": going(session, opened, view.now),
        "way": way(session, opened, known, view.t),
        "near": near(items(view.t, beside, known.zones, known.devices, view.now), opened),
        "aside_minutes": choices(opened.severity) if State(opened.state).grows and not opened.held else (),
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
