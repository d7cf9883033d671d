"""How each camera does, by what operators answered; of nobody in particular."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from recognition.feedback.score import WINDOW, Score, scores

router = APIRouter(prefix="/reports", tags=["reports"])
Reader = Annotated[User, may(Action.RECOGNITION_READ)]


class ShareView(BaseModel):
    """A share with its exact 95 % interval; `value` is null where there is nothing to share."""

    model_config = ConfigDict(from_attributes=True)

    count: int
    of: int
    value: float | None
    low: float
    high: float


class ScoreView(BaseModel):
    """One camera with one engine version; `engine` is null for a device's own match.

    `named` and `unnamed` count passages, `answered` those that people could say something of.
    Answers are no fair sample: people are asked where something looked wrong, so
    `false_of_judged` is too high; `false_of_named` counts only what was confirmed, so it is the
    least there was. `missed_of_judged`: registered people among judged passages without a name.
    """

    device: str
    engine: str | None
    engine_version: str | None
    named: int
    unnamed: int
    answered: int
    cannot_tell: int
    false_of_judged: ShareView
    false_of_named: ShareView
    missed_of_judged: ShareView

    @classmethod
    def of(cls, one: Score) -> "ScoreView":
        return cls(
            device=one.looked.device,
            engine=one.looked.engine or None,
            engine_version=one.looked.engine_version or None,
            named=one.tally.named,
            unnamed=one.tally.unnamed,
            answered=one.tally.judged,
            cannot_tell=one.tally.undecided,
            false_of_judged=ShareView.model_validate(one.false_of_judged),
            false_of_named=ShareView.model_validate(one.false_of_named),
            missed_of_judged=ShareView.model_validate(one.missed_of_judged),
        )


class ScoresView(BaseModel):
    since: dt.datetime
    until: dt.datetime
    items: list[ScoreView]


@router.get("/recognition")
def recognition(here: Here, _: Reader, days: Annotated[int, Query(ge=1, le=366)] = WINDOW.days) -> ScoresView:
    """Cameras that decided on faces within the last `days`, by camera and engine."""
    until = here.clock.now()
    window = dt.timedelta(days=days)
    with here.database.read() as session:
        found = scores(session, here.compound, until, window)
    return ScoresView(since=until - window, until=until, items=[ScoreView.of(one) for one in found])
