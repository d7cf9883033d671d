"""The audit log to read: who looked at or changed what, of whom, and whether the chain holds."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from console.accounts.models import User
from console.api import audits
from console.context import rooms
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter()
Auditor = Annotated[User, may(Action.AUDIT_READ)]

_SHOWN = 50


@router.get("/audit")
def audit(
    request: Request,
    user: Auditor,
    subject: Annotated[str, Query(max_length=128)] = "",
    cursor: Annotated[int | None, Query(ge=1)] = None,
    check: bool = False,
) -> Response:
    """The newest entries, of one subject where one is asked for; the chain is walked on request."""
    here, view = rooms(request), frame(request)
    wanted = subject.strip()
    page = audits.audit(here, user, cursor, _SHOWN, wanted or None)
    with here.database.read() as session:
        actors = {entry.actor for entry in page.items}
        names = session.execute(select(User.id, User.name).where(User.id.in_(actors)))
        known = {row.id: row.name for row in names}
    return render(
        view,
        "audit.html",
        entries=page.items,
        older=page.next_cursor,
        newest=cursor is None,
        subject=wanted,
        known=known,
        chain=audits.verification(here, user) if check else None,
    )
