"""Who is on duty."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel
from sqlalchemy import select

from alerts.duty.models import Responder, Shift, Team
from console.accounts.models import User
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may

router = APIRouter(tags=["responders"])
Reader = Annotated[User, may(Action.INCIDENTS_READ)]


class ResponderView(BaseModel):
    """A responder on duty until `until`."""

    id: str
    name: str
    team: str
    team_name: str
    team_kind: str
    post: str | None
    until: dt.datetime


@router.get("/responders")
def responders(
    here: Here, _: Reader, at: Annotated[AwareDatetime | None, Query()] = None
) -> Page[ResponderView]:
    """Those on duty now, or at a given moment."""
    moment = at or here.clock.now()
    query = (
        select(Responder, Team, Shift.ends_at)
        .join(Team, Team.id == Responder.team)
        .join(Shift, Shift.responder == Responder.id)
        .where(
            Team.compound == here.compound,
            Responder.active,
            Shift.starts_at <= moment,
            Shift.ends_at > moment,
        )
        .order_by(Team.id, Responder.id, Shift.ends_at)
    )
    with here.database.read() as session:
        # A later row of the same responder is the longer of two overlapping shifts.
        found = {
            row.id: ResponderView(
                id=row.id,
                name=row.name,
                team=team.id,
                team_name=team.name,
                team_kind=team.kind,
                post=row.post,
                until=until,
            )
            for row, team, until in session.execute(query)
        }
        return Page(items=list(found.values()), next_cursor=None)
