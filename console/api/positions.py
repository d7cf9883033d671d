"""Where I am, while I am on duty and agree to say so. Only for being asked when I am near."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from alerts.dispatch import positions
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found

router = APIRouter(tags=["responders"])
Tasked = Annotated[User, may(Action.TASKS)]


class PositionAsked(BaseModel):
    """WGS 84 degrees, and the metres within which they are right."""

    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-85, le=85)]
    accuracy: Annotated[float, Field(ge=0, le=100_000)]


class PositionTaken(BaseModel):
    """Whether it helps to find who is near; one too far off or too uncertain is not kept."""

    kept: bool


@router.post("/position/agreement", status_code=204)
def agree(here: Here, user: Tasked) -> None:
    """Agrees for this duty; 409 `off_duty`."""
    with here.database.write() as session:
        positions.agree(session, here.compound, own(user), here.clock.now())


@router.put("/position")
def say(here: Here, user: Tasked, asked: PositionAsked) -> PositionTaken:
    """Overwrites where I am; 409 `off_duty`, `position_not_agreed`, `compound_not_placed`."""
    with here.database.write() as session:
        kept = positions.say(
            session,
            here.compound,
            own(user),
            asked.longitude,
            asked.latitude,
            asked.accuracy,
            here.clock.now(),
        )
        return PositionTaken(kept=kept)


@router.delete("/position", status_code=204)
def forget(here: Here, user: Tasked) -> None:
    """Takes the agreement back: what was known is gone."""
    with here.database.write() as session:
        positions.forget(session, own(user))


def own(user: User) -> str:
    """The responder that a user is. Raises a 404 problem for who is none."""
    if user.responder_id is None:
        raise not_found("responder")
    return user.responder_id
