"""Pairs that are not taken for each other: what operators' answers made, and lifting them again."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select

from console.accounts.models import User
from console.api.paging import Asked, Page, newest_first
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.sighting_answers import note_exclusion
from console.permissions import Action, may
from recognition.feedback import exclusions
from recognition.models import FaceExclusion

router = APIRouter(tags=["sightings"])
Operator = Annotated[User, may(Action.FACE_EXCLUSIONS)]


class ExclusionView(BaseModel):
    """`person` was named; `other` is who it was, null for somebody who is not registered."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    person: str
    other: str | None
    sighting_id: str | None
    made_by: str
    made_at: dt.datetime
    lifted_by: str | None
    lifted_at: dt.datetime | None


@router.get("/face-exclusions")
def face_exclusions(
    here: Here,
    user: Operator,
    paging: Asked,
    *,
    person: Annotated[str | None, Query(max_length=64)] = None,
    lifted: bool | None = False,
    purpose: Purpose = Purpose.REVIEW,
) -> Page[ExclusionView]:
    """Exclusions, newest first: those that hold, or with `lifted=true` the others.

    `person` asks for one person's, on either side. The look is audited.
    """
    at = here.clock.now()
    query = select(FaceExclusion).where(FaceExclusion.compound == here.compound)
    if lifted is not None:
        query = query.where(FaceExclusion.lifted_at.is_not(None) == lifted)
    if person is not None:
        query = query.where(or_(FaceExclusion.person == person, FaceExclusion.other == person))
    with here.database.write() as session:
        order = (FaceExclusion.made_at, FaceExclusion.id)
        items, cursor = newest_first(session, query, order, paging, ExclusionView.model_validate)
        subject = "face_exclusions:list" if person is None else f"person:{person}"
        note_look(
            session, at, user, Look("face_exclusion.listed", purpose, subject, f"{len(items)} exclusions")
        )
        return Page(items=items, next_cursor=cursor)


@router.post("/face-exclusions/{exclusion_id}/lifting")
def lift(here: Here, user: Operator, exclusion_id: str) -> ExclusionView:
    """The two may be told apart by their faces again; refused with `exclusion_lifted` the second time."""
    at = here.clock.now()
    with here.database.write() as session:
        row = exclusions.lift(session, here.compound, exclusion_id, by=user.id, at=at)
        note_exclusion(session, at, user, "face_exclusion.lifted", row)
        return ExclusionView.model_validate(row)
