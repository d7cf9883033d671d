"""The audit log, for administrators and auditors: who looked at what, and whether the chain still holds."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may
from storage.audit import verify
from storage.auditsearch import AuditFilter, entries

router = APIRouter(tags=["audit"])
Auditor = Annotated[User, may(Action.AUDIT_READ)]
Code = Annotated[str | None, Query(max_length=64)]


class AuditView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    seq: int
    at: dt.datetime
    actor: str
    role: str
    action: str
    purpose: str
    subject: str
    detail: str
    row_hash: str


class ChainView(BaseModel):
    """`broken_at` is the first row that does not fit, None while the chain holds."""

    holds: bool
    broken_at: int | None


@router.get("/audit")
def audit(
    here: Here,
    user: Auditor,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    subject: Annotated[str | None, Query(max_length=128)] = None,
    actor: Code = None,
    action: Code = None,
    purpose: Code = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[AuditView]:
    """Entries, newest first; the cursor is the sequence number of the last one shown.

    `actor` is an id or a sign-in name. `from` is included, `to` is not.
    """
    with here.database.read() as session:
        wanted = AuditFilter(
            actors=None if actor is None else actors_of(session, actor),
            action=action,
            purpose=purpose,
            subject=subject,
            since=since,
            until=until,
            # The log is the deployment's; somebody of one compound sees what was done in that one.
            compound=None if user.compounds is None else here.compound,
        )
        rows = entries(session, wanted, before=cursor, limit=limit + 1)
        items = [AuditView.model_validate(row) for row in rows[:limit]]
        return Page(items=items, next_cursor=str(items[-1].seq) if len(rows) > limit else None)


@router.get("/audit/verification")
def verification(here: Here, _: Auditor) -> ChainView:
    """Walks the whole chain."""
    with here.database.read() as session:
        broken = verify(session)
        return ChainView(holds=broken is None, broken_at=broken)


def actors_of(session: Session, said: str) -> tuple[str, ...]:
    """How the log may name somebody: by id, and by the sign-in name, which devices' orders bear."""
    ids = session.scalars(select(User.id).where(User.name == said)).all()
    names = session.scalars(select(User.name).where(User.id == said)).all()
    return tuple(dict.fromkeys((said, *ids, *names)))
