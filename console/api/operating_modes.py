"""How the compound is run: normal, heightened or in an emergency; asked by one, approved by another."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from alerts.rulebook import modes
from alerts.rules import Mode
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(tags=["rules"])
Reader = Annotated[User, may(Action.RULES_READ)]
Asker = Annotated[User, may(Action.MODES_ASK)]
Approver = Annotated[User, may(Action.MODES_APPROVE)]


class ModeView(BaseModel):
    """Not in force before `approved_at`; over at `ends_at`, or at `ended_at` where somebody ended it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    mode: Mode
    reason: str
    asked_by: str
    asked_at: dt.datetime
    approved_by: str | None
    approved_at: dt.datetime | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    ended_at: dt.datetime | None
    ended_by: str | None


class ModesView(BaseModel):
    """The mode that holds now, since when and until when, and what was asked for lately."""

    mode: Mode
    holds: ModeView | None
    asked: list[ModeView]


class ModeAsked(BaseModel):
    """`hours` from its approval on."""

    mode: Literal[Mode.HEIGHTENED, Mode.EMERGENCY]
    hours: Annotated[float, Field(ge=0.25, le=modes.LONGEST / dt.timedelta(hours=1))]
    reason: Annotated[str, Field(min_length=1, max_length=modes.REASON_LONGEST)]


@router.get("/operating-modes")
def operating_modes(here: Here, _: Reader) -> ModesView:
    """What holds, and the last fifty that were asked for, newest first."""
    at = here.clock.now()
    with here.database.read() as session:
        row = modes.now_in_force(session, here.compound, at)
        return ModesView(
            mode=Mode(row.mode) if row is not None else Mode.NORMAL,
            holds=ModeView.model_validate(row) if row is not None else None,
            asked=[ModeView.model_validate(one) for one in modes.listed(session, here.compound)],
        )


@router.post("/operating-modes", response_model=ModeView, status_code=201)
def ask_mode(here: Here, request: Request, user: Asker, asked: ModeAsked) -> Response:
    """Asks for a mode. It lapses where nobody approves it within four hours."""

    def work(session: Session, at: dt.datetime) -> Answer:
        lasting = dt.timedelta(hours=asked.hours)
        row = modes.ask(session, here.compound, asked.mode, lasting, asked.reason, as_actor(user), at)
        return 201, ModeView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/operating-modes/{mode_id}/approval")
def approve_mode(here: Here, user: Approver, mode_id: str) -> ModeView:
    """Puts it in force now; refused with `two_people` to whoever asked for it."""
    with here.database.write() as session:
        row = modes.approve(session, here.compound, mode_id, as_actor(user), here.clock.now())
        return ModeView.model_validate(row)


@router.post("/operating-modes/{mode_id}/end")
def end_mode(here: Here, user: Asker, mode_id: str) -> ModeView:
    """Ends it now; whoever may ask may end, since going back to normal waits for nobody."""
    with here.database.write() as session:
        row = modes.end(session, here.compound, mode_id, as_actor(user), here.clock.now())
        return ModeView.model_validate(row)
