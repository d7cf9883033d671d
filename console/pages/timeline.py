"""The timeline of an incident: everything about it in time order, on one page that can be printed."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.purposes import Purpose
from console.context import rooms
from console.hits import note_incident
from console.pages.board import shapes
from console.pages.pathway import way_of
from console.pages.places import names
from console.pages.plan import IncidentSpot, Plan, build
from console.pages.queue import items
from console.pages.timeline_done import Done
from console.pages.timeline_entries import Moment, Shown, Sort, page_of
from console.pages.timeline_seen import Seen
from console.pages.view import Frame, frame, render
from console.permissions import Action, allowed, may
from console.problems import not_found

router = APIRouter(prefix="/console/incidents")
Reader = Annotated[User, may(Action.INCIDENTS_READ)]


@router.get("/{incident_id}/timeline")
def timeline(
    request: Request,
    user: Reader,
    incident_id: str,
    sort: Annotated[list[str] | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    *,
    pictures: bool = False,
) -> Response:
    """A page of it; `sort` filters, `pictures` prints them, too. Opening it is noted like the incident."""
    here, view = rooms(request), frame(request)
    wanted = [one for one in sort or () if one in list(Sort)]
    with here.database.read() as session:
        incident = session.get(Incident, incident_id)
        if incident is None or incident.compound != here.compound:
            raise not_found("incident")
        with here.database.write() as noting:
            note_incident(noting, view.now, user, incident, Purpose.INCIDENT_HANDLING)
        known = names(session, here.compound)
        seen = Seen(session, incident, known, view)
        done = Done(session, incident, view, allowed(user, Action.AUDIT_READ))
        shown = page_of([*seen.moments(), *done.moments()], wanted, page)
        seen.load(shown.moments)
        done.load(shown.moments)
        [item] = items(view.t, [incident], known.zones, known.devices, view.now)
        return render(
            view,
            "timeline.html",
            item=item,
            happened_at=incident.happened_at,
            entries=_entries(shown.moments, view),
            shown=shown,
            sorts=[code.value for code in Sort if shown.counts.get(code.value)],
            wanted=wanted,
            pictures=pictures,
            may_see_pictures=allowed(user, Action.MEDIA_VIEW),
            plan=_plan(session, incident, view),
        )


def _entries(moments: tuple[Moment, ...], view: Frame) -> list[Shown]:
    found: list[Shown] = []
    day = None
    for one in moments:
        local = one.at.astimezone(view.zone).date()
        found.append(Shown(one.at, one.sort.value, one.say(), opens_day=local != day))
        day = local
    return found


def _plan(session: Session, incident: Incident, view: Frame) -> Plan | None:
    """The way through the rings; None where there is nothing to draw it on."""
    zones, buildings = shapes(session, incident.compound)
    if not zones:
        return None
    spot = IncidentSpot(
        incident.id,
        incident.severity,
        incident.zone,
        incident.device_id,
        view.t.code("kind", incident.kind),
    )
    return build(zones, buildings, (), [spot], steps=way_of(session, incident, view.t))
