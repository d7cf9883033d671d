"""What a phone opens without a network, and the page of whoever holds it."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from alerts.duty.models import Responder, Team
from console.accounts.models import User
from console.context import rooms
from console.pages.pressing import phone_page
from console.pages.view import frame
from console.permissions import Action, may

router = APIRouter(prefix="/phone")
Myself = Annotated[User, may(Action.OWN_ACCOUNT)]


@router.get("/offline")
def offline(request: Request) -> Response:
    """The empty shell, for everybody: the service worker keeps it, so nothing of anybody is in it."""
    return phone_page(frame(request), "phone_offline.html", bare=True)


@router.get("/me")
def me(request: Request, user: Myself) -> Response:
    """Who one is here, how one is reached, and what this phone keeps."""
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        team = session.scalar(
            select(Team.name)
            .join(Responder, Responder.team == Team.id)
            .where(Responder.id == user.responder_id)
        )
    return phone_page(view, "phone_me.html", user=user, team=team)
