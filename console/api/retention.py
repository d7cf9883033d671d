"""Retention and filing: what would go, proof of what went, and what the authority has to be told."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select

from console.accounts.models import User
from console.api.edits import noted
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.permissions import Action, may
from console.security import ForbiddenError
from privacy import filing, retention
from privacy.filing import FilingLevel
from privacy.models import DeletionProof, FilingTask

router = APIRouter(tags=["retention"])
Reader = Annotated[User, may(Action.RETENTION_READ)]
Filer = Annotated[User, may(Action.ASSESSMENT_MAKE)]


class _FromRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PlannedView(_FromRow):
    """`held` rows are over, and stay: a hold or an open incident keeps them."""

    retention_class: str
    compound: str | None
    cutoff: dt.datetime | None
    count: int
    held: int


class PlanView(BaseModel):
    """What the next run would let go, by the settings of this deployment."""

    at: dt.datetime
    classes: list[PlannedView]


class ProofView(_FromRow):
    """`digest` is SHA-256 over the sorted ids, each followed by a newline."""

    id: str
    compound: str | None
    run: str
    retention_class: str
    cutoff: dt.datetime
    count: int
    digest: str
    at: dt.datetime


class FilingView(_FromRow):
    id: str
    people: int
    level: FilingLevel
    raised_at: dt.datetime
    due_at: dt.datetime | None
    done_at: dt.datetime | None
    done_by: str | None


@router.get("/retention")
def plan(here: Here, user: Reader) -> PlanView:
    """A dry run. What belongs to the whole deployment is for those who may see all of it."""
    at = here.clock.now()
    planned = retention.plan(
        here.database, here.retention, at, compounds=[here.compound], deployment=user.compounds is None
    )
    return PlanView(at=at, classes=[PlannedView.model_validate(one) for one in planned])


@router.get("/retention/proofs")
def proofs(
    here: Here,
    user: Reader,
    paging: Asked,
    retention_class: Annotated[str | None, Query(max_length=32)] = None,
) -> Page[ProofView]:
    """Proofs of deletion, newest first."""
    mine = DeletionProof.compound == here.compound
    if user.compounds is None:
        mine = or_(mine, DeletionProof.compound.is_(None))
    query = select(DeletionProof).where(mine)
    if retention_class is not None:
        query = query.where(DeletionProof.retention_class == retention_class)
    with here.database.read() as session:
        order = (DeletionProof.at, DeletionProof.id)
        items, cursor = newest_first(session, query, order, paging, ProofView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/filing-tasks")
def filing_tasks(here: Here, _: Reader) -> Page[FilingView]:
    """What the number of people with stored faces asks of the operator (L-15)."""
    with here.database.read() as session:
        rows = session.scalars(select(FilingTask).order_by(FilingTask.raised_at.desc(), FilingTask.id))
        return Page(items=[FilingView.model_validate(row) for row in rows], next_cursor=None)


@router.post("/filing-tasks/{task_id}/completion")
def complete(here: Here, user: Filer, task_id: str) -> FilingView:
    """Notes that the filing was made; for whoever sees the whole deployment."""
    if user.compounds is not None:
        raise ForbiddenError
    at = here.clock.now()
    with here.database.write() as session:
        task = filing.finish(session, task_id, by=user.id, at=at)
        noted(session, at, user, "filing.completed", f"filing_task:{task.id}", task.level)
        return FilingView.model_validate(task)
