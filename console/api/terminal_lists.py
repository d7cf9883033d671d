"""Person lists of terminals: how far each is, what it is to carry, and having all of it sent again."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from devices.adapters.contract import UnsupportedError
from devices.directory import DeviceFacts, facts_of
from devices.lists import keeping, report
from devices.lists.models import Carries

router = APIRouter(tags=["terminal lists"])
Reader = Annotated[User, may(Action.DEVICES_READ)]
Keeper = Annotated[User, may(Action.TERMINAL_LISTS_EDIT)]


class RefusedView(BaseModel):
    """`holder` is person:… or pass:…; `code` the terminal's own, beside what it means."""

    model_config = ConfigDict(from_attributes=True)

    holder: str
    ref: str
    code: str
    text: str
    tries: int
    next_try_at: dt.datetime | None
    confirmed: bool


class ListView(BaseModel):
    """`pending` should be there and are not confirmed; `leaving` should be gone and are not confirmed.

    `lack` says why less is there than might be: no_terminal_url.
    """

    model_config = ConfigDict(from_attributes=True)

    device: str
    carries: Carries
    wanted: int
    wanted_faces: int
    counted_at: dt.datetime | None
    confirmed: int
    confirmed_faces: int
    pending: int
    refused: list[RefusedView]
    leaving: int
    lack: str | None
    paused_until: dt.datetime | None
    in_flight: str | None
    last_answer_at: dt.datetime | None
    last_code: str | None


class ListDecided(BaseModel):
    """What lies on the terminal from now on. `nothing` empties it."""

    carries: Literal[Carries.FACES, Carries.CARDS, Carries.NOTHING]


class ListResync(BaseModel):
    """How many entries are sent again."""

    entries: Annotated[int, Field(ge=0)]


@router.get("/devices/{device_id}/list")
def of_device(here: Here, user: Reader, device_id: str, purpose: Purpose) -> ListView:
    """How far a terminal's list is, and whom it would not take."""
    with here.database.write() as session:
        device = _device(session, here, device_id)
        found = report.of(session, device.device_id)
        if found is None:
            raise not_found("terminal_list")
        look = Look("terminal_list.read", purpose, f"device:{device_id}", f"refused={len(found.refused)}")
        note_look(session, here.clock.now(), user, look)
        return ListView.model_validate(found)


@router.put("/devices/{device_id}/list", status_code=204)
def decide(here: Here, user: Keeper, device_id: str, decided: ListDecided) -> None:
    """Decides what a terminal carries; 422 where its vendor keeps no lists."""
    with here.database.write() as session:
        device = _device(session, here, device_id)
        try:
            keeping.decide(
                session, device, decided.carries, by=user.name, role=str(user.role), at=here.clock.now()
            )
        except UnsupportedError as error:
            raise ProblemError(422, "command_unsupported", str(error), adapter=error.adapter) from None


@router.post("/devices/{device_id}/list/resync", status_code=202)
def resync(here: Here, user: Keeper, device_id: str) -> ListResync:
    """Sends everybody again: for a terminal that was reset or exchanged."""
    with here.database.write() as session:
        device = _device(session, here, device_id)
        if not keeping.keeps_lists(device):
            raise ProblemError(
                422, "command_unsupported", "This device keeps no list", adapter=device.adapter
            )
        entries = keeping.resync(session, device, by=user.name, role=str(user.role), at=here.clock.now())
        return ListResync(entries=entries)


def _device(session: Session, here: Rooms, device_id: str) -> DeviceFacts:
    device = facts_of(session, device_id)
    if device is None or device.compound != here.compound:
        raise not_found("device")
    return device
