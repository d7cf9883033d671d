"""Drills: begun, ended, and how they went."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.dispatch.models import DispatchState
from alerts.drills import playing
from alerts.drills.models import Drill
from alerts.drills.results import Answered, Compared, PlayedResult, results
from alerts.drills.scenarios import LONGEST
from alerts.incidents.deadlines import Timer
from alerts.incidents.lifecycle import State
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.permissions import Action, may
from console.problems import not_found
from console.security import as_actor

router = APIRouter(tags=["drills"])
Leader = Annotated[User, may(Action.DRILLS)]
LONGEST_MIN = int(LONGEST.total_seconds() // 60)


class DrillView(BaseModel):
    """`started_by` and `ended_by` are users' ids, or system."""

    id: str
    scenario: str
    started_at: dt.datetime
    started_by: str
    ends_at: dt.datetime
    ended_at: dt.datetime | None
    ended_by: str | None


class DrillStarted(BaseModel):
    """`zone`: where what lies in its ring is played; `minutes` after which it ends by itself."""

    scenario: Annotated[str, Field(max_length=32)]
    zone: Annotated[str, Field(max_length=64)] | None = None
    minutes: Annotated[int, Field(ge=1, le=LONGEST_MIN)] | None = None


class TimeView(BaseModel):
    """Seconds. `took_s` None: never done; `limit_s` None: there is none; `real_s`: the week's median."""

    step: Timer
    took_s: float | None
    limit_s: float | None
    within: bool | None
    real_s: float | None
    real_of: int


class AnsweredView(BaseModel):
    """A responder who was asked; `after_s` None: they never answered."""

    responder: str
    state: DispatchState
    after_s: float | None


class PlayedView(BaseModel):
    """One incident of a drill, its times and who was asked."""

    incident: str
    kind: str
    zone: str
    severity: int
    state: State
    times: list[TimeView]
    asked: list[AnsweredView]


class DrillReport(DrillView):
    """How it went; `letters` are notifications by state."""

    incidents: list[PlayedView]
    letters: dict[str, int]
    missed: list[str]
    to_come: int


@router.get("/drills")
def list_drills(here: Here, _: Leader, paging: Asked) -> Page[DrillView]:
    """Drills, newest first."""
    with here.database.read() as session:
        query = select(Drill).where(Drill.compound == here.compound)
        items, cursor = newest_first(session, query, (Drill.started_at, Drill.id), paging, drill_view)
        return Page(items=items, next_cursor=cursor)


@router.post("/drills", response_model=DrillView, status_code=201)
def start(here: Here, request: Request, user: Leader, given: DrillStarted) -> Response:
    """Begins one. Everything of it says that it is a drill, and nothing of it leaves the house."""

    def work(session: Session, at: dt.datetime) -> Answer:
        return 201, started(session, here.compound, user, given, at).model_dump(mode="json")

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/drills/{drill_id}")
def one(here: Here, _: Leader, drill_id: str) -> DrillReport:
    """How a drill goes, or went."""
    with here.database.read() as session:
        return report(session, found(session, here.compound, drill_id))


@router.post("/drills/{drill_id}/end")
def end(here: Here, user: Leader, drill_id: str) -> DrillReport:
    """Ends it with all that is open of it."""
    with here.database.write() as session:
        drill = playing.end(session, here.compound, drill_id, as_actor(user), here.clock.now())
        session.flush()
        return report(session, drill)


def started(session: Session, compound: str, user: User, given: DrillStarted, at: dt.datetime) -> DrillView:
    """Begins a drill, for the API and the page."""
    limit = None if given.minutes is None else dt.timedelta(minutes=given.minutes)
    drill = playing.start(session, compound, given.scenario, as_actor(user), at, zone=given.zone, limit=limit)
    return drill_view(drill)


def found(session: Session, compound: str, drill_id: str) -> Drill:
    """The drill, of this compound. Raises a 404 problem."""
    drill = session.get(Drill, drill_id)
    if drill is None or drill.compound != compound:
        raise not_found("drill")
    return drill


def drill_view(drill: Drill) -> DrillView:
    return DrillView(**_fields(drill))


def report(session: Session, drill: Drill) -> DrillReport:
    """How it went, for the API and the page."""
    made = results(session, drill)
    return DrillReport(
        **_fields(drill),
        incidents=[_played(row) for row in made.incidents],
        letters=dict(made.letters),
        missed=list(made.missed),
        to_come=made.to_come,
    )


def _fields(drill: Drill) -> dict[str, Any]:
    return {name: getattr(drill, name) for name in DrillView.model_fields}


def _played(row: PlayedResult) -> PlayedView:
    return PlayedView(
        incident=row.incident,
        kind=row.kind,
        zone=row.zone,
        severity=row.severity,
        state=row.state,
        times=[_time(one) for one in row.steps],
        asked=[_asked(one) for one in row.asked],
    )


def _time(one: Compared) -> TimeView:
    return TimeView(
        step=one.measured.timer,
        took_s=_seconds(one.measured.took),
        limit_s=_seconds(one.measured.limit),
        within=one.measured.within,
        real_s=_seconds(one.real),
        real_of=one.of,
    )


def _asked(one: Answered) -> AnsweredView:
    return AnsweredView(responder=one.responder, state=one.state, after_s=_seconds(one.after))


def _seconds(span: dt.timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
