"""Silences: what matches is told to nobody for a while; never fire, calls for help or duress."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from alerts.incidents.models import Incident
from alerts.routing import silences
from alerts.routing.gathering import facts_of
from alerts.routing.models import Silence
from alerts.routing.quiet import like
from alerts.routing.silences import COMMENT_LONGEST, MATCHERS_MOST
from console.accounts.models import User
from console.api.idempotency import Answer, once
from console.api.places import Here
from console.permissions import Action, allowed, may
from console.security import as_actor
from registry import rows
from registry.errors import MissingError

router = APIRouter(tags=["routes"])
Reader = Annotated[User, may(Action.ROUTES_READ)]
Editor = Annotated[User, may(Action.SILENCES_EDIT)]
MatcherText = Annotated[str, Field(min_length=1, max_length=200)]


class SilenceView(BaseModel):
    """`gravest` is the gravest severity that it covers. `holds`: now."""

    id: str
    matchers: list[str]
    gravest: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    author: str
    comment: str
    lifted_at: dt.datetime | None
    lifted_by: str | None
    holds: bool


class SilencePreviewAsked(BaseModel):
    """Matchers as in the routing file: `ring = building`, `kind =~ door.*`."""

    matchers: Annotated[list[MatcherText], Field(min_length=1, max_length=MATCHERS_MOST)]
    gravest: Annotated[int, Field(ge=1, le=4)] = 3


class SilenceAsked(SilencePreviewAsked):
    """`starts_at` is now where it is not said; at most 31 days."""

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime
    comment: Annotated[str, Field(min_length=1, max_length=COMMENT_LONGEST)]


class LikeView(BaseModel):
    """Matchers to begin a silence with; none where `never` anything may keep it quiet."""

    matchers: list[str]
    gravest: int
    never: bool


class SilencedView(BaseModel):
    """An open incident that a silence would keep quiet."""

    id: str
    kind: str
    ring: str
    zone: str
    severity: int
    state: str
    raised_at: dt.datetime


@router.get("/silences")
def list_silences(here: Here, _: Reader, *, ended: bool = False) -> list[SilenceView]:
    """Silences that hold or will, the next to end first; with `ended` also what is over."""
    at = here.clock.now()
    with here.database.read() as session:
        return [_view(row, at) for row in silences.listed(session, here.compound, at, ended=ended)]


@router.post("/silences/preview")
def preview_silence(here: Here, _: Editor, asked: SilencePreviewAsked) -> list[SilencedView]:
    """The open incidents that it would keep quiet now."""
    with here.database.read() as session:
        return [
            SilencedView(
                id=row.id,
                kind=row.kind,
                ring=row.ring,
                zone=row.zone,
                severity=row.severity,
                state=str(row.state),
                raised_at=row.raised_at,
            )
            for row in silences.preview(session, here.compound, asked.matchers, asked.gravest)
        ]


@router.get("/silences/like/{incident_id}")
def silence_like(here: Here, user: Editor, incident_id: str) -> LikeView:
    """What would keep quiet what is like an incident: `never` for fire, calls for help and duress.

    What belongs to people's care is there for those who see care.
    """
    with here.database.read() as session:
        row = rows.find(session, Incident, here.compound, incident_id, "incident")
        if row.care and not allowed(user, Action.CARE_READ):
            raise MissingError("incident")
        found = like(facts_of(session, row))
    return LikeView(matchers=list(found.matchers), gravest=found.gravest, never=found.never)


@router.post("/silences", response_model=SilenceView, status_code=201)
def make_silence(here: Here, request: Request, user: Editor, asked: SilenceAsked) -> Response:
    """Keeps what matches quiet; it ends by itself."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = silences.make(
            session,
            here.compound,
            asked.matchers,
            asked.gravest,
            asked.ends_at,
            asked.comment,
            as_actor(user),
            at,
            starts_at=asked.starts_at,
        )
        return 201, _view(row, at).model_dump(mode="json")

    return once(here, request, user, asked.model_dump(mode="json"), work)


@router.delete("/silences/{silence_id}")
def lift_silence(here: Here, user: Editor, silence_id: str) -> SilenceView:
    """Ends a silence now; what it kept quiet and is still open is told."""
    at = here.clock.now()
    with here.database.write() as session:
        return _view(silences.lift(session, here.compound, silence_id, as_actor(user), at), at)


def _view(row: Silence, at: dt.datetime) -> SilenceView:
    return SilenceView(
        id=row.id,
        matchers=list(row.matchers),
        gravest=row.gravest,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        author=row.author,
        comment=row.comment,
        lifted_at=row.lifted_at,
        lifted_by=row.lifted_by,
        holds=row.lifted_at is None and row.starts_at <= at < row.ends_at,
    )
