"""The audit log, for administrators: who looked at what, and whether the chain still holds."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from console.accounts.models import User
from console.api.paging import Page
from console.api.places import Here
from console.permissions import Action, may
from storage.audit import AuditRow, verify

router = APIRouter(tags=["audit"])
Auditor = Annotated[User, may(Action.AUDIT_READ)]


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
) -> Page[AuditView]:
    """Entries, newest first; the cursor is the sequence number of the last one shown."""
    query = select(AuditRow)
    if cursor is not None:
        query = query.where(AuditRow.seq < cursor)
    if user.compounds is not None:
        # The log is the deployment's; somebody of one compound sees what was done in that one.
        query = query.where(AuditRow.compound == here.compound)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    with here.database.read() as session:
        rows = session.scalars(query.order_by(AuditRow.seq.desc()).limit(limit + 1)).all()
        items = [AuditView.model_validate(row) for row in rows[:limit]]
        return Page(items=items, next_cursor=str(items[-1].seq) if len(rows) > limit else None)


@router.get("/audit/verification")
def verification(here: Here, _: Auditor) -> ChainView:
    """Walks the whole chain."""
    with here.database.read() as session:
        broken = verify(session)
        return ChainView(holds=broken is None, broken_at=broken)
