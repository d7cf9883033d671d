"""Reading a compound's gallery (底库): who is in it first, and the vectors that are wanted."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.faces.models import FIELD, FaceTemplate
from registry.people.ages import under_14_on
from registry.people.models import Person
from storage.vault import current_vault, open_bytes

_CHUNK: Final = 500
_ALL_FROM: Final = 5_000


@dataclass(frozen=True, slots=True)
class Face:
    """One template, with what a decision needs to know of its person; without the vector."""

    template_id: str
    person_id: str
    household_id: str | None
    under_14: bool


def faces(
    session: Session,
    compound: str,
    engine: str,
    engine_version: str,
    today: dt.date,
    *,
    among: Collection[str] | None = None,
) -> list[Face]:
    """The templates of a compound made by one engine version, or those of them with these ids.

    `today` is the compound's day, by which children are told.
    """
    query = (
        select(FaceTemplate.id, FaceTemplate.person, Person.household, Person.under_14, Person.turns_14_on)
        .join(Person, Person.id == FaceTemplate.person)
        .where(
            Person.compound == compound,
            FaceTemplate.engine == engine,
            FaceTemplate.engine_version == engine_version,
        )
        .order_by(FaceTemplate.id)
    )
    queries = [query] if among is None else [query.where(FaceTemplate.id.in_(ids)) for ids in _chunks(among)]
    return [
        Face(template, person, household, under_14_on(today, flag=flag, turns_14_on=turns_14_on))
        for one in queries
        for template, person, household, flag, turns_14_on in session.execute(one)
    ]


def vectors(
    session: Session, compound: str, engine: str, engine_version: str, templates: Collection[str]
) -> dict[str, bytes]:
    """Vectors of templates, float32 little-endian, opened; those whose key is gone are left out."""
    wanted = frozenset(templates)
    query = select(FaceTemplate.id, FaceTemplate.consent, FaceTemplate.sealed_embedding).where(
        FaceTemplate.compound == compound,
        FaceTemplate.engine == engine,
        FaceTemplate.engine_version == engine_version,
    )
    if len(wanted) < _ALL_FROM:
        queries = [query.where(FaceTemplate.id.in_(ids)) for ids in _chunks(wanted)]
    else:
        queries = [query]
    opened = {}
    for one in queries:
        for part in session.execute(one).partitions(_CHUNK):
            current_vault().load(consent for template, consent, _ in part if template in wanted)
            for template, consent, sealed in part:
                if template in wanted and (vector := open_bytes(consent, FIELD, sealed)) is not None:
                    opened[template] = vector
    return opened


def existing(session: Session, templates: Collection[str]) -> frozenset[str]:
    """Which of these templates are there, of whichever engine."""
    return frozenset(
        template
        for ids in _chunks(templates)
        for template in session.scalars(select(FaceTemplate.id).where(FaceTemplate.id.in_(ids)))
    )


def _chunks(ids: Collection[str]) -> Iterator[list[str]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
