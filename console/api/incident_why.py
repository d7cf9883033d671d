"""Why an incident was raised: what it stands on, and what would have made it otherwise."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel

from alerts.incidents.models import Incident
from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Purpose
from console.hits import note_incident
from console.permissions import Action, allowed, may
from console.problems import ProblemError, not_found

router = APIRouter(tags=["incidents"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]


class WhyView(BaseModel):
    """`because` has an entry for each signal that tells.

    `explained` is false where what is stored no longer leads the rule to say it; then there are no
    counterfactuals. An `outcome` is `silent` or a severity, and was found by running the rule.
    """

    incident: str
    compound: str
    signals: int
    because: list[dict[str, Any]]


@router.get("/incidents/{incident_id}/why")
def why(here: Here, user: Reader, incident_id: str, purpose: Purpose = Purpose.INCIDENT_HANDLING) -> WhyView:
    """Plays the day before the incident again; takes seconds. Nobody is named in the answer."""
    with here.database.write() as session:
        row = session.get(Incident, incident_id)
        if row is None or row.compound != here.compound:
            raise not_found("incident")
        if row.care and not allowed(user, Action.CARE_READ):
            raise not_found("incident")
        note_incident(session, here.clock.now(), user, row, purpose)
    if here.explain is None:
        raise ProblemError(503, "explaining_unavailable", "This process cannot read the past")
    return WhyView.model_validate(here.explain(here.compound, incident_id))
