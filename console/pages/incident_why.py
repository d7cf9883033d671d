"""Why an incident was raised, as a page: what it stands on, and what would have made it otherwise."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api import incident_why
from console.context import rooms
from console.pages.otherwise import Teller
from console.pages.places import Names, names
from console.pages.queue import items
from console.pages.view import frame, render
from console.permissions import Action, may
from devices.models import Device

router = APIRouter(prefix="/console/incidents")
Reader = Annotated[User, may(Action.INCIDENTS_READ)]


@router.get("/{incident_id}/why")
def why(request: Request, user: Reader, incident_id: str) -> Response:
    """Plays the day before the incident again, which takes seconds; the look is audited."""
    here, view = rooms(request), frame(request)
    # Before anything is read for the page: whoever may not see it is told that it is not there.
    answer = incident_why.why(here, user, incident_id)
    with here.database.read() as session:
        known = names(session, here.compound)
        incident = session.get_one(Incident, incident_id)
        [item] = items(view.t, [incident], known.zones, known.devices, view.now)
        teller = Teller(view.t, known, _lanes(session, here.compound, known), view.clock)
        happened_at, rule = incident.happened_at, incident.rule
    return render(
        view,
        "incident_why.html",
        item=item,
        happened_at=happened_at,
        rule=rule,
        signals=answer.signals,
        told=teller.told(answer.because),
    )


def _lanes(session: Session, compound: str, known: Names) -> dict[str, str]:
    """A lane has no name of its own: it is called after the zone that it leads into."""
    query = select(Device.lane, Device.zone).where(Device.compound == compound, Device.lane.is_not(None))
    return {str(row.lane): known.zone(row.zone) for row in session.execute(query.order_by(Device.id))}
