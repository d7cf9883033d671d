"""What is needed (需求清单) and what is done about it (措施清单)."""

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.review import measures
from alerts.review.measures import MeasureDraft, NeedDraft
from alerts.review.models import Measure, Need, NeedIncident
from alerts.review.rules import MeasureState
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, may
from console.security import as_actor

router = APIRouter(tags=["measures"])
Reader = Annotated[User, may(Action.REVIEWS_READ)]
Editor = Annotated[User, may(Action.MEASURES_EDIT)]

Words = Annotated[str, Field(min_length=1, max_length=2000)]
Id = Annotated[str, Field(min_length=1, max_length=64)]
_MOST = 500


class NeedView(BaseModel):
    """`ended_at`: since when it is met or set aside."""

    id: str
    what: str
    zone: str | None
    incidents: list[str]
    author: str
    at: dt.datetime
    ended_at: dt.datetime | None
    version: int


class MeasureView(BaseModel):
    """`late`: neither done nor refused, and its day is over."""

    id: str
    need: str
    what: str
    responder: str | None
    team: str | None
    due_at: dt.datetime
    blocking: bool
    state: MeasureState
    note: str | None
    author: str
    at: dt.datetime
    ended_at: dt.datetime | None
    late: bool
    version: int


class NeedAsked(BaseModel):
    what: Words
    zone: Id | None = None
    incidents: Annotated[list[Id], Field(max_length=50)] = []


class MeasureAsked(BaseModel):
    """By one responder or one team; of a need that is listed, else the need is what it brings."""

    what: Words
    need: Id | None = None
    responder: Id | None = None
    team: Id | None = None
    due_at: AwareDatetime
    blocking: bool = False
    incidents: Annotated[list[Id], Field(max_length=50)] = []


class MeasureMoved(BaseModel):
    """`note`: what shows that it was done, or why it is refused."""

    state: MeasureState
    note: Annotated[str | None, Field(max_length=2000)] = None
    version: Annotated[int | None, Field(ge=1)] = None


@router.get("/needs")
def needs(here: Here, _: Reader, *, ended: bool = False) -> list[NeedView]:
    """What is missing, newest first; with `ended` also what was met or set aside."""
    query = select(Need).where(Need.compound == here.compound)
    if not ended:
        query = query.where(Need.ended_at.is_(None))
    with here.database.read() as session:
        rows = session.scalars(query.order_by(Need.at.desc(), Need.id).limit(_MOST)).all()
        return need_views(session, rows)


@router.post("/needs", response_model=NeedView, status_code=201)
def add_need(here: Here, request: Request, user: Editor, asked: NeedAsked) -> Response:
    """Puts a need onto the list."""

    def work(session: Session, at: dt.datetime) -> Answer:
        draft = NeedDraft(asked.what, asked.zone)
        row = measures.need(session, here.compound, draft, as_actor(user), at, incidents=asked.incidents)
        return 201, need_views(session, [row])[0].model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.post("/needs/{need_id}/end")
def end_need(here: Here, user: Editor, need_id: str) -> NeedView:
    """It is met or set aside; 409 `need_measures_open` while something is still being done about it."""
    with here.database.write() as session:
        row = measures.end_need(session, here.compound, need_id, as_actor(user), here.clock.now())
        return need_views(session, [row])[0]


@router.get("/measures")
def list_measures(
    here: Here, _: Reader, state: Annotated[list[MeasureState] | None, Query()] = None
) -> list[MeasureView]:
    """Measures, what is due first; of some states where they are named."""
    query = select(Measure).where(Measure.compound == here.compound)
    if state:
        query = query.where(Measure.state.in_(state))
    with here.database.read() as session:
        rows = session.scalars(query.order_by(Measure.due_at, Measure.id).limit(_MOST))
        return [measure_view(row, here.clock.now()) for row in rows]


@router.post("/measures", response_model=MeasureView, status_code=201)
def add_measure(here: Here, request: Request, user: Editor, asked: MeasureAsked) -> Response:
    """Puts a measure onto the list; who answers for it is told."""

    def work(session: Session, at: dt.datetime) -> Answer:
        draft = MeasureDraft(
            asked.what, asked.due_at, asked.responder, asked.team, asked.blocking, asked.need
        )
        row = measures.add(session, here.compound, draft, as_actor(user), at, incidents=asked.incidents)
        return 201, measure_view(row, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.patch("/measures/{measure_id}")
def move_measure(here: Here, user: Editor, measure_id: str, asked: MeasureMoved) -> MeasureView:
    """Where it stands from now on."""
    at = here.clock.now()
    with here.database.write() as session:
        row = measures.move(
            session,
            here.compound,
            measure_id,
            asked.state,
            as_actor(user),
            at,
            note=asked.note,
            expected_version=asked.version,
        )
        return measure_view(row, at)


def need_views(session: Session, rows: Sequence[Need]) -> list[NeedView]:
    """Needs with the incidents that showed them."""
    shown: dict[str, list[str]] = {row.id: [] for row in rows}
    links = select(NeedIncident).where(NeedIncident.need.in_(shown)).order_by(NeedIncident.incident)
    for link in session.scalars(links):
        shown[link.need].append(link.incident)
    return [
        NeedView(
            id=row.id,
            what=row.what,
            zone=row.zone,
            incidents=shown[row.id],
            author=row.author,
            at=row.at,
            ended_at=row.ended_at,
            version=row.version,
        )
        for row in rows
    ]


def measure_view(row: Measure, now: dt.datetime) -> MeasureView:
    """A measure as it stands."""
    state = MeasureState(row.state)
    return MeasureView(
        id=row.id,
        need=row.need,
        what=row.what,
        responder=row.responder,
        team=row.team,
        due_at=row.due_at,
        blocking=row.blocking,
        state=state,
        note=row.note,
        author=row.author,
        at=row.at,
        ended_at=row.ended_at,
        late=state.is_open and row.due_at < now,
        version=row.version,
    )
