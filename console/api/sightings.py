"""Sightings: what recognition decided on an event, and everything the decision stands on.

The list tells outcomes; whom or which plate it was about is a look of its own, audited.
"""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select

from console.accounts.models import User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may
from console.problems import not_found
from recognition.models import DecisionRow

router = APIRouter(tags=["sightings"])
Reader = Annotated[User, may(Action.EVENTS_READ)]


class SightingView(BaseModel):
    """An outcome without its subject. `score` is a distance for faces, a confidence for plates."""

    model_config = ConfigDict(from_attributes=True)

    sighting_id: str
    event_id: str
    subject_kind: str
    outcome: str
    score: float | None
    threshold: float | None
    margin: float | None
    gallery_size: int | None
    engine: str | None
    engine_version: str | None
    quality: dict[str, Any] | None
    reasons: list[str]
    milliseconds: int
    at: dt.datetime
    decided_at: dt.datetime


class SightingInFull(SightingView):
    """With whom it was, who else it might have been, and what the device itself said."""

    person_id: str | None
    household_id: str | None
    vehicle_id: str | None
    plate: str | None
    candidates: list[dict[str, Any]]
    evidence: dict[str, Any]


@router.get("/sightings")
def sightings(
    here: Here,
    _: Reader,
    paging: Asked,
    *,
    subject_kind: Annotated[str | None, Query(max_length=16)] = None,
    outcome: Annotated[str | None, Query(max_length=24)] = None,
    event: Annotated[str | None, Query(max_length=32)] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> Page[SightingView]:
    """Sightings, newest first by the time of their event; `from` is included, `to` is not."""
    query = select(DecisionRow).where(DecisionRow.compound == here.compound)
    if subject_kind is not None:
        query = query.where(DecisionRow.subject_kind == subject_kind)
    if outcome is not None:
        query = query.where(DecisionRow.outcome == outcome)
    if event is not None:
        query = query.where(DecisionRow.event_id == event)
    if since is not None:
        query = query.where(DecisionRow.at >= since)
    if until is not None:
        query = query.where(DecisionRow.at < until)
    with here.database.read() as session:
        order = (DecisionRow.at, DecisionRow.sighting_id)
        items, cursor = newest_first(session, query, order, paging, SightingView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.get("/sightings/{sighting_id}")
def sighting(
    here: Here, user: Reader, sighting_id: str, purpose: Purpose = Purpose.INCIDENT_HANDLING
) -> SightingInFull:
    """One decision with its subject and candidates; the look is audited."""
    with here.database.write() as session:
        row = session.get(DecisionRow, sighting_id)
        if row is None or row.compound != here.compound:
            raise not_found("sighting")
        look = Look("sighting.viewed", purpose, f"sighting:{row.sighting_id}", row.subject_kind)
        note_look(session, here.clock.now(), user, look)
        return SightingInFull.model_validate(row)
