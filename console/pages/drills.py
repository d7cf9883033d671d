"""Drills on pages: begin one, see it running, and read how it went."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.drills import playing
from alerts.drills.models import Drill
from alerts.drills.scenarios import SCENARIOS
from alerts.duty.models import Responder, Team
from console.accounts.models import User
from console.api import drills
from console.api.drills import LONGEST_MIN, DrillStarted, DrillView
from console.context import rooms
from console.pages.answers import said
from console.pages.places import names
from console.pages.view import frame, render
from console.permissions import Action, may

router = APIRouter(prefix="/console/drills")
Leader = Annotated[User, may(Action.DRILLS)]
Code = Annotated[str, Form(max_length=64)]
_SHOWN = 50


@router.get("")
def page(request: Request, user: Leader) -> Response:
    """The form, and the drills there were."""
    del user
    return _page(request)


@router.post("")
def start(
    request: Request,
    user: Leader,
    scenario: Code,
    zone: Code = "",
    minutes: Annotated[int | None, Form(ge=1, le=LONGEST_MIN)] = None,
) -> Response:
    """Begins one."""
    here = rooms(request)
    given = DrillStarted(scenario=scenario[:32], zone=zone or None, minutes=minutes)

    def act() -> DrillView:
        with here.database.write() as session:
            return drills.started(session, here.compound, user, given, here.clock.now())

    made = said(act)
    if made.answer is None:
        return _page(request, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/drills/{made.answer.id}", 303)


@router.get("/{drill_id}")
def one(request: Request, user: Leader, drill_id: str) -> Response:
    """How it goes, or went."""
    here, view = rooms(request), frame(request)
    report = drills.one(here, user, drill_id)
    with here.database.read() as session:
        return render(
            view,
            "drill.html",
            report=report,
            places=names(session, here.compound),
            people=_people(session, here.compound),
        )


@router.post("/{drill_id}/end")
def end(request: Request, user: Leader, drill_id: str) -> Response:
    """Ends it."""
    drills.end(rooms(request), user, drill_id)
    return RedirectResponse(f"/console/drills/{drill_id}", 303)


def _page(request: Request, *, refused: str | None = None, status: int = 200) -> Response:
    here, view = rooms(request), frame(request)
    with here.database.read() as session:
        rows = session.scalars(
            select(Drill)
            .where(Drill.compound == here.compound)
            .order_by(Drill.started_at.desc(), Drill.id)
            .limit(_SHOWN)
        ).all()
        return render(
            view,
            "drills.html",
            status=status,
            drills=[drills.drill_view(row) for row in rows],
            running=playing.running(session, here.compound),
            scenarios=list(SCENARIOS.values()),
            zones=names(session, here.compound).zones,
            longest=LONGEST_MIN,
            refused=refused,
        )


def _people(session: Session, compound: str) -> dict[str, str]:
    rows = session.scalars(
        select(Responder).join(Team, Team.id == Responder.team).where(Team.compound == compound)
    )
    return {row.id: row.name for row in rows}
