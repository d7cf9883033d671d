"""Situation notes (情): what is the matter with a place for a time, never with a person.

A phone number, an id number or a plate in a note means that it is about somebody: refused.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from registry.errors import RefusedError
from registry.places.levels import require_place
from registry.places.models import NoteKind, PlaceKind, SituationNote
from registry.plates import PROVINCES
from registry.rows import at_version
from storage import new_id

TEXT_MAX: Final = 500
_SOMEBODY: Final = re.compile(
    rf"(?<!\d)1\d{{10}}(?!\d)|(?<!\d)\d{{17}}[\dXx]|[{PROVINCES}][A-Z][·.\- ]?[A-Z0-9]{{5,6}}(?![A-Z0-9])"
)


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """What a note says; `ends_at` None: until further notice."""

    kind: NoteKind
    text: str
    starts_at: dt.datetime
    ends_at: dt.datetime | None = None


def add_note(
    session: Session, compound: str, place_kind: PlaceKind, place: str, facts: NoteFacts, *, author: str
) -> SituationNote:
    """Notes something about a place; `author` is a user's id.

    Raises `MissingError` where there is no such place, and `RefusedError`: `note_empty`,
    `note_long`, `note_about_person`, `ends_before_it_begins`.
    """
    require_place(session, compound, place_kind, place)
    _check(facts)
    note = SituationNote(
        id=new_id(),
        compound=compound,
        place_kind=place_kind,
        place=place,
        kind=facts.kind,
        text=facts.text.strip(),
        author=author,
        starts_at=facts.starts_at,
        ends_at=facts.ends_at,
        version=1,
    )
    session.add(note)
    session.flush()
    return note


def edit_note(session: Session, note: SituationNote, version: int, facts: NoteFacts) -> SituationNote:
    """Says anew what a note says. Raises what `add_note` raises, and `StaleEditError`."""
    at_version(note, version)
    _check(facts)
    note.kind, note.text = facts.kind, facts.text.strip()
    note.starts_at, note.ends_at = facts.starts_at, facts.ends_at
    session.flush()
    return note


def facts_of(note: SituationNote) -> NoteFacts:
    """What a note says now, to change a part of."""
    return NoteFacts(note.kind, note.text, note.starts_at, note.ends_at)


def notes_at(
    session: Session,
    compound: str,
    at: dt.datetime,
    *,
    place: str | None = None,
    coming: dt.timedelta = dt.timedelta(0),
) -> Sequence[SituationNote]:
    """Notes that hold at a moment or begin within `coming` of it, the oldest first."""
    query = select(SituationNote).where(
        SituationNote.compound == compound,
        SituationNote.starts_at <= at + coming,
        or_(SituationNote.ends_at.is_(None), SituationNote.ends_at > at),
    )
    if place is not None:
        query = query.where(SituationNote.place == place)
    return session.scalars(query.order_by(SituationNote.starts_at, SituationNote.id)).all()


def _check(facts: NoteFacts) -> None:
    text = facts.text.strip()
    if not text:
        raise RefusedError("note_empty")
    if len(text) > TEXT_MAX:
        raise RefusedError("note_long", maximum=TEXT_MAX)
    if _SOMEBODY.search(unicodedata.normalize("NFKC", text).upper()):
        raise RefusedError("note_about_person")
    if facts.ends_at is not None and facts.ends_at <= facts.starts_at:
        raise RefusedError("ends_before_it_begins")
