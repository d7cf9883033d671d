"""What is kept how long, what the last nights let go, what is kept back; and how many faces are stored."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api import retention
from console.api.retention import PlannedView
from console.context import Rooms, rooms
from console.pages.answers import said
from console.pages.view import frame, render
from console.permissions import Action, may
from privacy import filing
from privacy.filing import FilingLevel
from privacy.holds import in_force
from privacy.models import DeletionProof, KeptPicture, LegalHold
from privacy.retention import CLASSES

router = APIRouter(prefix="/oversight/retention")
Reader = Annotated[User, may(Action.RETENTION_READ)]
Filer = Annotated[User, may(Action.ASSESSMENT_MAKE)]
_MONTH = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class: its days (None: by its own rule), what went, what would go."""

    name: str
    days: int | None
    last_at: dt.datetime | None
    gone: int
    plan: PlannedView | None
    kept: int


@router.get("")
def page(request: Request, user: Reader, count: bool = False) -> Response:
    """The classes; with `count` also what would go tonight, which takes a while on a large log."""
    return _page(request, user, count=count)


@router.post("/filing/{task_id}")
def filed(request: Request, user: Filer, task_id: str) -> Response:
    """The filing with the authority was made."""
    made = said(lambda: retention.complete(rooms(request), user, task_id))
    if made.answer is None:
        return _page(request, user, refused=made.refused, status=made.status)
    return RedirectResponse("/oversight/retention", 303)


def _page(
    request: Request, user: User, *, count: bool = False, refused: str | None = None, status: int = 200
) -> Response:
    here, view = rooms(request), frame(request)
    whole = user.compounds is None
    planned = {one.retention_class: one for one in retention.plan(here, user).classes} if count else {}
    tasks = retention.filing_tasks(here, user).items
    people = _people(request) if whole else None
    with here.database.read() as session:
        gone = _gone(session, here, view.now, whole=whole)
        kept = _kept(session, here)
        holds = session.scalar(
            select(func.count()).where(LegalHold.compound == here.compound, in_force(view.now))
        )
    lines = []
    for one in CLASSES:
        last_at, deleted = gone.get(one.name, (None, 0))
        days = getattr(here.retention, one.setting) if one.setting else None
        lines.append(
            ClassLine(one.name, days, last_at, deleted, planned.get(one.name), kept.get(one.name, 0))
        )
    return render(
        view,
        "retention.html",
        status=status,
        lines=lines,
        counted=count,
        last_run=max((line.last_at for line in lines if line.last_at), default=None),
        total=sum(line.gone for line in lines),
        kept_pictures=sum(kept.values()),
        holds=holds or 0,
        people=people,
        warning=filing.PEOPLE[FilingLevel.WARNING],
        limit=filing.PEOPLE[FilingLevel.FILING],
        tasks=tasks,
        may_file=whole,
        refused=refused,
    )


def _people(request: Request) -> int:
    """Over all compounds: the duty to file is the operator's, not a compound's."""
    whole: Rooms = request.app.state.rooms
    with whole.database.read() as session:
        return filing.people_with_faces(session)


def _gone(
    session: Session, here: Rooms, now: dt.datetime, *, whole: bool
) -> dict[str, tuple[dt.datetime, int]]:
    """Of each class when it last let something go, and how much in the last 30 days."""
    mine = DeletionProof.compound == here.compound
    if whole:
        mine = or_(mine, DeletionProof.compound.is_(None))
    rows = session.execute(
        select(DeletionProof.retention_class, func.max(DeletionProof.at), func.sum(DeletionProof.count))
        .where(mine, DeletionProof.at > now - _MONTH)
        .group_by(DeletionProof.retention_class)
    )
    found: dict[str, tuple[dt.datetime, int]] = {}
    for name, at, count in rows:
        # Parts of a class have proofs of their own.
        known = found.get(name.partition(".")[0])
        found[name.partition(".")[0]] = (max(at, known[0]), count + known[1]) if known else (at, count)
    return found


def _kept(session: Session, here: Rooms) -> dict[str, int]:
    rows = session.execute(
        select(KeptPicture.retention_class, func.count())
        .where(KeptPicture.compound == here.compound)
        .group_by(KeptPicture.retention_class)
    )
    return {row[0].partition(".")[0]: row[1] for row in rows}
