"""Other names of buildings, units and dwellings: former ones, the hukou's, what people say."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Ended, MadeLink, Text, noted
from console.api.idempotency import Answer, once
from console.api.paging import Asked, Page, by_id
from console.api.places import Here
from console.permissions import Action, may
from registry.models import AliasKind, PlaceAlias, PlaceKind
from registry.places import aliases

router = APIRouter(tags=["places"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PLACES_EDIT)]


class AliasView(BaseModel):
    """`since` and `until` are both in use; null: from ever, for ever."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    place_kind: PlaceKind
    place: str
    kind: AliasKind
    text: str
    since: dt.date | None
    until: dt.date | None


class AliasGiven(BaseModel):
    """Another name; of a building it stands for all its dwellings."""

    place_kind: PlaceKind
    place: Text
    kind: AliasKind
    text: Text
    since: dt.date | None = None
    until: dt.date | None = None


@router.get("/aliases")
def all_aliases(
    here: Here, _: Finder, paging: Asked, place: Annotated[str | None, Query(max_length=64)] = None
) -> Page[AliasView]:
    """Other names, of one place if it is named."""
    with here.database.read() as session:
        query = select(PlaceAlias).where(PlaceAlias.compound == here.compound)
        if place is not None:
            query = query.where(PlaceAlias.place == place)
        items, cursor = by_id(session, query, PlaceAlias.id, paging, AliasView.model_validate)
        return Page(items=items, next_cursor=cursor)


@router.post("/aliases", response_model=MadeLink, status_code=201)
def add(here: Here, request: Request, user: Editor, given: AliasGiven) -> Response:
    """Gives a place another name. `alias_taken` where it is another's on some of the days."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = aliases.add(session, here.compound, **given.model_dump())
        noted(session, at, user, "alias.added", f"{row.place_kind}:{row.place}", row.id)
        return 201, {"id": row.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/aliases/{alias_id}/end")
def end(here: Here, user: Editor, alias_id: str, given: Ended) -> AliasView:
    """Says until when a name was in use."""
    with here.database.write() as session:
        row = aliases.end(session, here.compound, alias_id, given.last_day)
        noted(session, here.clock.now(), user, "alias.ended", f"{row.place_kind}:{row.place}", row.id)
        return AliasView.model_validate(row)


@router.delete("/aliases/{alias_id}", status_code=204)
def remove(here: Here, user: Editor, alias_id: str) -> None:
    """Removes a name that was a mistake."""
    with here.database.write() as session:
        row = aliases.remove(session, here.compound, alias_id)
        noted(session, here.clock.now(), user, "alias.removed", f"{row.place_kind}:{row.place}", row.id)
