"""What is asked of a device from its page: commands with a reason, and a time of quiet for maintenance."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import commands, mutes
from console.api.commands import CommandAsked
from console.api.mutes import MuteAsked
from console.context import rooms
from console.pages.answers import said
from console.pages.devices import show
from console.permissions import Action, may
from console.problems import ProblemError

router = APIRouter(prefix="/console/devices")
Commander = Annotated[User, may(Action.GATES_COMMAND)]
Muter = Annotated[User, may(Action.RULES_MUTE)]
Reason = Annotated[str, Form(max_length=200)]


@router.post("/{device_id}/commands")
def command(
    request: Request,
    user: Commander,
    device_id: str,
    kind: Annotated[str, Form(max_length=16)] = "",
    reason: Reason = "",
    seconds: Annotated[str, Form(max_length=8)] = "",
    text: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Asks it to do something now; what came of it stands on its page."""

    def act() -> Response:
        arguments: dict[str, Any] = {}
        if kind == "hold":
            if not seconds.isdecimal():
                raise ProblemError(422, "invalid_command", "Say for how many seconds")
            arguments["seconds"] = int(seconds)
        if kind == "speak":
            arguments["text"] = text
        try:
            asked = CommandAsked.model_validate(
                {"device": device_id, "kind": kind, "arguments": arguments, "reason": reason.strip()}
            )
        except ValueError:
            raise ProblemError(422, "reason_required", "Say why") from None
        return commands.ask(rooms(request), request, user, asked)

    made = said(act)
    if made.answer is None:
        return show(request, user, device_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/devices/{device_id}#commands", 303)


@router.post("/{device_id}/quiet")
def quiet(
    request: Request,
    user: Muter,
    device_id: str,
    rule: Annotated[str, Form(max_length=16)] = "",
    hours: Annotated[int, Form(ge=1, le=24 * 31)] = 2,
    reason: Reason = "",
) -> Response:
    """Silences one rule for this device while somebody works on it."""
    here = rooms(request)

    def act() -> Response:
        ends = here.clock.now() + dt.timedelta(hours=hours)
        try:
            asked = MuteAsked.model_validate(
                {"rule": rule, "place": device_id, "ends_at": ends, "reason": reason.strip()}
            )
        except ValueError:
            raise ProblemError(422, "reason_required", "Say which rule and why") from None
        return mutes.make_mute(here, request, user, asked)

    made = said(act)
    if made.answer is None:
        return show(request, user, device_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/devices/{device_id}#quiet", 303)
