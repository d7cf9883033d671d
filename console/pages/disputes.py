"""Disputes for mediators: what is free to be taken, and what is theirs to settle; counts for the others."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from alerts.intake.disputes import STEPS, TEXT_MAX
from alerts.intake.models import DisputeState
from console.accounts.models import User
from console.api import disputes
from console.api.disputes import DisputeStep
from console.context import rooms
from console.pages.answers import said
from console.pages.places import names
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError

router = APIRouter(prefix="/console/disputes")
Reader = Annotated[User, may(Action.DISPUTES)]
Long = Annotated[str, Form(max_length=TEXT_MAX)]
Short = Annotated[str, Form(max_length=32)]


@router.get("")
def page(request: Request, user: Reader) -> Response:
    """The list."""
    return _page(request, user)


@router.post("/{dispute_id}/{to}")
def step(
    request: Request,
    user: Reader,
    dispute_id: str,
    to: DisputeState,
    version: Annotated[int, Form()],
    meeting_at: Short = "",
    parties: Long = "",
    agreement: Long = "",
    follow_up_on: Short = "",
) -> Response:
    """A mediator's step."""
    view, here = frame(request), rooms(request)

    def act() -> disputes.DisputeView:
        try:
            meeting = dt.datetime.fromisoformat(meeting_at).replace(tzinfo=view.zone) if meeting_at else None
            follow_up = dt.date.fromisoformat(follow_up_on) if follow_up_on else None
        except ValueError:
            raise ProblemError(422, "time_unreadable", "The time cannot be read") from None
        asked = DisputeStep(
            to=to,
            version=version,
            meeting_at=meeting,
            parties=parties.strip() or None,
            agreement=agreement.strip() or None,
            follow_up_on=follow_up,
        )
        return disputes.take_step(here, user, dispute_id, asked)

    made = said(act)
    if made.answer is None:
        return _page(request, user, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/disputes#dispute-{dispute_id}", 303)


def _page(request: Request, user: User, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    found = disputes.list_disputes(here, user)
    with here.database.read() as session:
        places = names(session, here.compound)
    return render(
        view,
        "disputes.html",
        status=status,
        found=found,
        free=[one for one in found.items if not one.mine],
        mine=[one for one in found.items if one.mine],
        steps={state: [to for to in DisputeState if to in STEPS[state]] for state in DisputeState},
        places=places,
        text_max=TEXT_MAX,
        refused=refused,
    )
