"""Where I am signed in, and ending it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from console.accounts import service
from console.accounts.models import User
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from console.security import NotSignedInError, identify
from storage.audit import AuditEntry, append

router = APIRouter(prefix="/me/sessions", tags=["me"])
Myself = Annotated[User, may(Action.OWN_ACCOUNT)]


class SessionView(BaseModel):
    """One device. `this`: the one that asks."""

    id: str
    device: str
    since: dt.datetime
    last_seen: dt.datetime
    expires_at: dt.datetime
    this: bool


class Sessions(BaseModel):
    items: list[SessionView]


@router.get("")
def list_sessions(here: Here, request: Request, user: Myself) -> Sessions:
    """My sessions, the one that was seen last first."""
    mine = _token_hash(request)
    with here.database.read() as session:
        rows = service.sessions_of(session, user.id, here.clock.now())
        return Sessions(
            items=[
                SessionView(
                    id=service.session_id(row.token_hash),
                    device=row.user_agent,
                    since=row.created_at,
                    last_seen=row.last_seen,
                    expires_at=row.expires_at,
                    this=row.token_hash == mine,
                )
                for row in rows
            ]
        )


@router.delete("/{session_id}", status_code=204)
def end_session(here: Here, user: Myself, session_id: Annotated[str, Path(max_length=64)]) -> Response:
    """Signs one device out."""
    with here.database.write() as session:
        if not service.end_session(session, user.id, session_id):
            raise not_found("session")
        entry = AuditEntry(user.id, user.role, "account.session_ended", "sign_in", f"user:{user.id}")
        append(session, here.clock.now(), entry)
    return Response(status_code=204)


@router.post("/end-others", status_code=204)
def end_others(here: Here, request: Request, user: Myself) -> Response:
    """Signs every device out but the one that asks."""
    with here.database.write() as session:
        ended = service.end_sessions(session, user, but=_token_hash(request))
        entry = AuditEntry(
            user.id, user.role, "account.sessions_ended", "sign_in", f"user:{user.id}", str(ended)
        )
        append(session, here.clock.now(), entry)
    return Response(status_code=204)


def _token_hash(request: Request) -> str:
    identity = identify(request)
    if identity is None:
        raise NotSignedInError
    return identity.token_hash
