"""Commands to gates: asked for with a reason, sent once, and uncertain where nobody knows what came of it."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.idempotency import HEADER, Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from devices.adapters.contract import UnsupportedError
from devices.commands import desk
from devices.commands.desk import Asking, DeviceAwayError
from devices.commands.kinds import InvalidCommandError, UnlawfulCommandError
from devices.commands.models import CommandState, DeviceCommand
from devices.directory import facts_of
from storage import new_id

router = APIRouter(tags=["commands"])
Commander = Annotated[User, may(Action.GATES_COMMAND)]


class CommandView(BaseModel):
    """`uncertain`: it was sent, and no answer came; look at the gate before asking again."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    device: str
    kind: str
    arguments: dict[str, Any]
    state: CommandState
    asked_by: str
    reason: str
    asked_at: dt.datetime
    expires_at: dt.datetime
    sent_at: dt.datetime | None
    settled_at: dt.datetime | None
    code: str | None
    text: str | None


class CommandAsked(BaseModel):
    """`arguments`: open {door, seconds}, hold {door, seconds}, close and release {door}, speak {text},
    resend {from, until}.
    """

    device: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Literal["open", "close", "hold", "release", "speak", "snapshot", "sync_time", "resend"]
    arguments: dict[str, Any] = {}
    reason: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("/commands")
def commands(
    here: Here,
    _: Commander,
    paging: Asked,
    device: Annotated[str | None, Query(max_length=64)] = None,
    state: CommandState | None = None,
) -> Page[CommandView]:
    """What was asked of devices, newest first."""
    query = select(DeviceCommand).where(DeviceCommand.compound == here.compound)
    if device is not None:
        query = query.where(DeviceCommand.device == device)
    if state is not None:
        query = query.where(DeviceCommand.state == state)
    with here.database.read() as session:
        order = (DeviceCommand.asked_at, DeviceCommand.id)
        items, cursor = newest_first(session, query, order, paging, CommandView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/commands/{command_id}")
def command(here: Here, _: Commander, command_id: str) -> CommandView:
    """One command, to see what came of it."""
    with here.database.read() as session:
        row = session.get(DeviceCommand, command_id)
        if row is None or row.compound != here.compound:
            raise not_found("command")
        return CommandView.model_validate(row)


@router.post("/commands", response_model=CommandView, status_code=202)
def ask(here: Here, request: Request, user: Commander, asked: CommandAsked) -> Response:
    """Asks a device to do something now; 409 where it is away, 422 where it cannot or nobody may.

    A command is not kept for later: it is sent within its few seconds or it has failed.
    """

    def work(session: Session, at: dt.datetime) -> Answer:
        row = take(session, here.compound, user, asked, _key(request, user), at)
        return 202, CommandView.model_validate(row).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


def take(
    session: Session, compound: str, user: User, asked: CommandAsked, key: str, at: dt.datetime
) -> DeviceCommand:
    """Takes a command down, or gives the one of the same key. Raises problems."""
    device = facts_of(session, asked.device)
    if device is None or device.compound != compound:
        raise not_found("device")
    asking = Asking(user.name, str(user.role), asked.reason, key)
    try:
        return desk.ask(session, device, asked.kind, asked.arguments, asking, at)
    except UnlawfulCommandError as error:
        raise ProblemError(
            422, "egress_never_locked", "Nobody may lock a way out", clause=error.clause
        ) from None
    except InvalidCommandError as error:
        raise ProblemError(422, "invalid_command", str(error), field=error.field) from None
    except UnsupportedError as error:
        raise ProblemError(422, "command_unsupported", str(error), adapter=error.adapter) from None
    except DeviceAwayError as error:
        raise ProblemError(409, "device_away", str(error), why=error.why) from None


def _key(request: Request, user: User) -> str:
    """The client's key as this user's own, or a new one: without a key every request is a command."""
    given = request.headers.get(HEADER)
    return new_id() if given is None else desk.key_of(user.id, given)
