"""The volunteer's page: what, where, how to stay safe, and a few big buttons.

It carries no plate and nobody's name but a colleague's who goes along; one picture, where an operator said
that it is needed, for a while and marked (L-20). What is over is one line, and then nothing.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch import positions
from alerts.dispatch.actions import DispatchRefusedError, mark_seen
from alerts.dispatch.models import (
    Decline,
    Dispatch,
    DispatchState,
    ResponderPosition,
    Result,
)
from alerts.duty import checkins
from alerts.duty.models import Responder, Shift, Team
from console.accounts.models import User
from console.api.device_registry import PHOTO_MAX
from console.api.dispatch_photos import Sent, keep
from console.api.dispatches import NoteAsked, Reply, answer, task_picture
from console.api.positions import PositionAsked, own
from console.context import rooms
from console.pages.phone_tasks import ended_of, tasks_of
from console.pages.pressing import phone_page
from console.pages.view import Frame, frame, is_fragment
from console.permissions import Action, may
from console.problems import ProblemError
from registry.errors import RefusedError

router = APIRouter()
Tasked = Annotated[User, may(Action.TASKS)]

# What a person may say who declines; the last is said by the system alone.
_DECLINES: Final = tuple(str(one) for one in Decline if one is not Decline.OFF_DUTY)
# The numbers that a text tells to call.
_NUMBERS: Final = re.compile(r"(?<!\d)1(?:10|19|20)(?!\d)")
_RESULTS: Final = tuple(str(one) for one in Result)


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether the responder is on duty, and until or from when."""

    on: bool
    team: str
    until: dt.datetime | None
    next_start: dt.datetime | None
    # They checked in themselves: then they check out themselves.
    checked_in: bool = False


@router.get("/phone")
def phone(request: Request, user: Tasked) -> Response:
    """The page as it stands; opening it tells the operator that the alert was seen."""
    _note_seen(request, user)
    return _page(request, user)


@router.get("/phone/fragments/tasks")
def tasks_part(request: Request, user: Tasked) -> Response:
    _note_seen(request, user)
    return _page(request, user, part=True)


@router.post("/phone/dispatches/{dispatch_id}/{reply}")
def reply(
    request: Request,
    user: Tasked,
    dispatch_id: str,
    reply: Reply,
    note: Annotated[str, Form(max_length=2000)] = "",
    reason: Annotated[str, Form(max_length=32)] = "",
    code: Annotated[str, Form(max_length=128)] = "",
    to: Annotated[str, Form(max_length=64)] = "",
    result: Annotated[str, Form(max_length=32)] = "",
    photo: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """One tap. A refusal is shown above the cards, which then stand as they really are.

    A photo comes with the end of a task; one that is refused takes nothing of the end back.
    """
    here = rooms(request)
    refused: str | None = None
    try:
        with here.database.write() as session:
            own = session.get(Dispatch, dispatch_id)
            if user.responder_id is None or own is None or own.responder != user.responder_id:
                refused = "not_found"
            else:
                asked = NoteAsked(
                    note=note.strip() or None,
                    reason=Decline(reason) if reason in _DECLINES else None,
                    code=code.strip() or None,
                    to=to or None,
                    result=Result(result) if result in _RESULTS else None,
                )
                at = here.clock.now()
                refused = answer(session, user, here.compound, dispatch_id, reply, asked, at=at).refused
        if refused is None and reply is Reply.RESOLVE and photo is not None and photo.size:
            keep(here, request, user, dispatch_id, Sent(photo.file.read(PHOTO_MAX + 1)))
    except ProblemError as error:
        refused = error.problem.code
    except (DispatchRefusedError, RefusedError) as error:
        refused = error.code
    if is_fragment(request):
        return _page(request, user, part=True, refused=refused)
    if refused:
        return _page(request, user, refused=refused)
    return RedirectResponse("/phone", 303)


@router.get("/phone/dispatches/{dispatch_id}/picture")
def picture(request: Request, user: Tasked, dispatch_id: str) -> Response:
    """The picture of a task, marked; 410 once it ran out or the task is over."""
    return task_picture(rooms(request), user, dispatch_id)


@router.post("/phone/position/{what}")
def position(
    request: Request,
    user: Tasked,
    what: Literal["agree", "say", "forget"],
    longitude: Annotated[float, Form(ge=-180, le=180)] = 0.0,
    latitude: Annotated[float, Form(ge=-85, le=85)] = 0.0,
    accuracy: Annotated[float, Form(ge=0, le=100_000)] = 100_000.0,
) -> Response:
    """Agrees to say where one is until duty ends, says it, or takes it back."""
    here = rooms(request)
    refused: str | None = None
    try:
        with here.database.write() as session:
            at = here.clock.now()
            if what == "agree":
                positions.agree(session, here.compound, own(user), at)
            elif what == "forget":
                positions.forget(session, own(user))
            else:
                asked = PositionAsked(longitude=longitude, latitude=latitude, accuracy=accuracy)
                positions.say(
                    session, here.compound, own(user), asked.longitude, asked.latitude, asked.accuracy, at
                )
    except RefusedError as error:
        refused = error.code
    if what == "say":
        # The page does not need to be drawn anew for it.
        return Response(status_code=204 if refused is None else 409)
    if is_fragment(request):
        return _page(request, user, part=True, refused=refused)
    return _page(request, user, refused=refused) if refused else RedirectResponse("/phone", 303)


def _note_seen(request: Request, user: User) -> None:
    here = rooms(request)
    if user.responder_id is None:
        return
    with here.database.read() as session:
        unseen = session.scalar(
            select(Dispatch.id).where(
                Dispatch.responder == user.responder_id,
                Dispatch.seen_at.is_(None),
                Dispatch.state == DispatchState.OFFERED,
            )
        )
    if unseen:
        with here.database.write() as session:
            mark_seen(session, user.responder_id, here.clock.now())


def _page(request: Request, user: User, *, part: bool = False, refused: str | None = None) -> Response:
    position = request.app.state.feed.position
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        responder = session.get(Responder, user.responder_id) if user.responder_id else None
        tasks = tasks_of(session, responder.id, here.compound, view.now) if responder else []
        return phone_page(
            view,
            "fragments/tasks.html" if part else "phone.html",
            position=position,
            hears=request.app.state.feed.connected,
            duty=_duty(session, responder, view) if responder else None,
            tasks=tasks,
            ended=ended_of(session, responder.id, view.now) if responder else [],
            located=responder is not None and session.get(ResponderPosition, responder.id) is not None,
            declines=_DECLINES,
            results=_RESULTS,
            refused=refused,
            numbers=_NUMBERS.findall,
        )


def _duty(session: Session, responder: Responder, view: Frame) -> Duty:
    team = session.get(Team, responder.team)
    shift = session.scalars(
        select(Shift)
        .where(Shift.responder == responder.id, Shift.ends_at > view.now)
        .order_by(Shift.starts_at)
        .limit(1)
    ).first()
    on = shift is not None and shift.starts_at <= view.now
    return Duty(
        on=on,
        team=team.name if team else "",
        until=shift.ends_at if shift and on else None,
        next_start=shift.starts_at if shift and not on else None,
        checked_in=checkins.current(session, responder.id, view.now) is not None,
    )
