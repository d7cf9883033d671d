"""Who I am to the console, and the token my forms need."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from console.accounts.models import Role
from console.context import rooms
from console.security import AnyUser, csrf_token

router = APIRouter(tags=["me"])


class Me(BaseModel):
    id: str
    name: str
    role: Role
    responder_id: str | None
    language: str | None
    compound: str
    csrf_token: str


@router.get("/me")
def me(request: Request, user: AnyUser) -> Me:
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
