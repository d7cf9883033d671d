"""Teams and those who work in them: what they can do, how much, and when they want no notices."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import staffing
from alerts.duty.models import Responder, Skill, Team, TeamKind
from console.accounts.models import User
from console.api.edits import changed
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.api.rosters import Id
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(tags=["duty"])
Reader = Annotated[User, may(Action.ROSTERS_READ)]
Editor = Annotated[User, may(Action.ROSTERS_EDIT)]

Name = Annotated[str, Field(min_length=1, max_length=64)]
Zones = Annotated[list[Id], Field(max_length=200)]


class TeamView(BaseModel):
    """`zones` the team answers for; none: the whole compound."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    kind: TeamKind
    zones: list[str]


class TeamGiven(BaseModel):
    name: Name
    kind: TeamKind
    zones: Zones = []


class TeamChanged(BaseModel):
    """A team stays of its kind: what it may be sent to goes by it."""

    name: Name | None = None
    zones: Zones | None = None


class MemberView(BaseModel):
    """Minutes since local midnight; `hours_most` a week, None: what the contract says."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    team: str
    name: str
    post: str | None
    active: bool
    leads: bool
    skills: list[str]
    capacity: int
    hours_most: int | None
    quiet_from: int | None
    quiet_to: int | None
    language: str | None


class MemberChanged(BaseModel):
    """What is sent is changed."""

    name: Name | None = None
    team: Id | None = None
    post: Id | None = None
    active: bool | None = None
    leads: bool | None = None
    skills: Annotated[list[Skill] | None, Field(max_length=20)] = None
    capacity: Annotated[int | None, Field(ge=0, le=20)] = None
    hours_most: Annotated[int | None, Field(ge=0, le=168)] = None
    quiet_from: Annotated[int | None, Field(ge=0, lt=1440)] = None
    quiet_to: Annotated[int | None, Field(ge=0, lt=1440)] = None
    language: Annotated[str | None, Field(pattern=r"^(en|zh-CN)$")] = None


class MemberGiven(MemberChanged):
    name: Name
    team: Id


# What can be taken away again; of the rest a null is no value.
_MAY_BE_NULL = frozenset({"post", "hours_most", "quiet_from", "quiet_to", "language"})


@router.get("/teams")
def list_teams(here: Here, _: Reader) -> list[TeamView]:
    """All teams."""
    with here.database.read() as session:
        rows = session.scalars(select(Team).where(Team.compound == here.compound).order_by(Team.id))
        return [TeamView.model_validate(row) for row in rows]


@router.post("/teams", response_model=TeamView, status_code=201)
def create_team(here: Here, request: Request, user: Editor, given: TeamGiven) -> Response:
    """Makes a team."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = staffing.create_team(
            session, here.compound, given.name, given.kind, given.zones, as_actor(user), at
        )
        return 201, TeamView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/teams/{team_id}")
def change_team(here: Here, user: Editor, team_id: str, given: TeamChanged) -> TeamView:
    """Changes a team's name or the zones it answers for."""
    sent = {field: value for field, value in changed(given).items() if value is not None}
    with here.database.write() as session:
        row = staffing.change_team(session, here.compound, team_id, sent, as_actor(user), here.clock.now())
        return TeamView.model_validate(row)


@router.get("/teams/{team_id}/responders")
def members(here: Here, _: Editor, team_id: str) -> list[MemberView]:
    """Everybody of a team, also those who are not active any more."""
    with here.database.read() as session:
        rows = session.scalars(
            select(Responder)
            .join(Team, Team.id == Responder.team)
            .where(Team.compound == here.compound, Team.id == team_id)
            .order_by(Responder.id)
        )
        return [MemberView.model_validate(row) for row in rows]


@router.post("/responders", response_model=MemberView, status_code=201)
def create_responder(here: Here, request: Request, user: Editor, given: MemberGiven) -> Response:
    """Takes somebody into a team; a user becomes them by `responder_id`."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = staffing.create_responder(session, here.compound, given.team, _sent(given), as_actor(user), at)
        return 201, MemberView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/responders/{responder_id}")
def change_responder(here: Here, user: Editor, responder_id: str, given: MemberChanged) -> MemberView:
    """Changes skills, capacity, hours, quiet hours, post, team; or takes somebody off duty for good."""
    with here.database.write() as session:
        row = staffing.change_responder(
            session, here.compound, responder_id, _sent(given), as_actor(user), here.clock.now()
        )
        return MemberView.model_validate(row)


def _sent(given: BaseModel) -> dict[str, object]:
    return {
        field: value for field, value in changed(given).items() if value is not None or field in _MAY_BE_NULL
    }
