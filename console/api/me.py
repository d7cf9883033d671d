"""Who I am to the console, and the token my forms need."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel

from console.accounts.models import Role, User
from console.context import rooms
from console.permissions import Action, may
from console.security import csrf_token

router = APIRouter(tags=["me"])
Myself = Annotated[User, may(Action.OWN_ACCOUNT)]


class Me(BaseModel):
    id: str
    name: str
    role: Role
    responder_id: str | None
    language: str | None
    compound: str
    csrf_token: str


@router.get("/me")
def me(request: Request, user: Myself) -> Me:
    """The signed-in user."""
    return Me(
        id=user.id,
        name=user.name,
        role=Role(user.role),
        responder_id=user.responder_id,
        language=user.language,
        compound=rooms(request).compound,
        csrf_token=csrf_token(request),
    )
