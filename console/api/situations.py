"""Situation notes: what is the matter with a place. Notes on dwellings are for who sees dwellings."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.api.edits import Made, Text, Version, changed, noted
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.api.reach import sees_dwelling
from console.permissions import Action, allowed, may
from console.security import ForbiddenError
from registry.models import NoteKind, PlaceKind, SituationNote
from registry.places import situations
from registry.places.situations import TEXT_MAX, NoteFacts
from registry.rows import find

router = APIRouter(tags=["places"])
Reader = Annotated[User, may(Action.PLACES_READ)]
Editor = Annotated[User, may(Action.NOTES_EDIT)]

Said = Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]


class NoteView(BaseModel):
    """`ends_at` null: until further notice. `author` is a user's id."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    place_kind: PlaceKind
    place: str
    kind: NoteKind
    text: str
    author: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None


class NoteGiven(BaseModel):
    """About a place, never about a person: phone, id and plate numbers are refused."""

    place_kind: PlaceKind
    place: Text
    kind: NoteKind
    text: Said
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None


class NoteChanged(BaseModel):
    """What is not sent stays."""

    version: Version
    kind: NoteKind = NoteKind.OTHER
    text: Said = ""
    starts_at: AwareDatetime = dt.datetime.min.replace(tzinfo=dt.UTC)
    ends_at: AwareDatetime | None = None


@router.get("/notes")
def notes(
    here: Here,
    user: Reader,
    place: Annotated[str | None, Query(max_length=64)] = None,
    coming_days: Annotated[int, Query(ge=0, le=366)] = 0,
) -> Page[NoteView]:
    """Notes that hold now or begin within some days, of one place if it is named."""
    with here.database.read() as session:
        rows = situations.notes_at(
            session,
            here.compound,
            here.clock.now(),
            place=place,
            coming=dt.timedelta(days=coming_days),
        )
        shown = [NoteView.model_validate(row) for row in rows if _sees(session, user, here.compound, row)]
        return Page(items=shown, next_cursor=None)


@router.post("/notes", response_model=Made, status_code=201)
def add(here: Here, request: Request, user: Editor, given: NoteGiven) -> Response:
    """Notes something about a place; a grid worker about dwellings of the own grid only."""

    def work(session: Session, at: dt.datetime) -> Answer:
        facts = NoteFacts(given.kind, given.text, given.starts_at, given.ends_at)
        row = situations.add_note(
            session, here.compound, given.place_kind, given.place, facts, author=user.id
        )
        _require_reach(session, user, row)
        noted(session, at, user, "note.added", f"{row.place_kind}:{row.place}", row.id)
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/notes/{note_id}")
def edit(here: Here, user: Editor, note_id: str, given: NoteChanged) -> NoteView:
    """Changes a note, or ends it."""
    with here.database.write() as session:
        row = find(session, SituationNote, here.compound, note_id, "note")
        _require_reach(session, user, row)
        before = {name: getattr(row, name) for name in NoteFacts.__dataclass_fields__}
        situations.edit_note(session, row, given.version, NoteFacts(**before | changed(given)))
        noted(session, here.clock.now(), user, "note.edited", f"{row.place_kind}:{row.place}", row.id)
        return NoteView.model_validate(row)


def _sees(session: Session, user: User, compound: str, note: SituationNote) -> bool:
    if note.place_kind != PlaceKind.DWELLING:
        return True
    return allowed(user, Action.PEOPLE_FIND) and sees_dwelling(session, user, compound, note.place)


def _require_reach(session: Session, user: User, note: SituationNote) -> None:
    if user.role == Role.GRID_WORKER and not _sees(session, user, note.compound, note):
        raise ForbiddenError
