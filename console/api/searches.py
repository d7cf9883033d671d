"""Searching the past: a purpose first, an entry in the audit log before the answer (L-08).

What is searched for travels in the body. Orders of the police go through disclosures.
"""

import datetime as dt
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from console.accounts.models import User
from console.api.places import Here
from console.lookback import searching
from console.lookback.searching import Answer
from console.permissions import Action, may
from console.problems import ProblemError
from privacy.search import Hit, Sort, Sought, Stretch
from registry.models import Ring

router = APIRouter(tags=["searches"])
Searcher = Annotated[User, may(Action.SEARCH)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SearchAsked(BaseModel):
    """One question, or the `cursor` of one that goes on. At most one of plate, person and pass.

    `from` is included, `to` is not. `plate` is a whole plate or at least three characters of one. `sure`
    says that a span beyond seven days is meant.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    purpose: Annotated[str, Field(max_length=64)] = ""
    cursor: Annotated[str | None, Field(max_length=4000)] = None
    plate: Annotated[str, StringConstraints(min_length=1, max_length=16)] | None = None
    person: Id | None = None
    visitor_pass: Annotated[Id | None, Field(alias="pass")] = None
    device: Id | None = None
    zone: Id | None = None
    ring: Ring | None = None
    sort: Sort | None = None
    since: Annotated[AwareDatetime | None, Field(alias="from")] = None
    until: Annotated[AwareDatetime | None, Field(alias="to")] = None
    sure: bool = False


class HitView(BaseModel):
    """`what` is an event's type, an outcome (`face.identified`) or an incident's kind.

    `near`: the plate that was read only looks like the one that was asked for.
    """

    model_config = ConfigDict(from_attributes=True)

    kind: str
    id: str
    at: dt.datetime
    what: str
    ring: str
    zone: str
    device: str
    direction: str | None
    plate: str | None
    near: bool
    picture: str | None
    severity: int | None
    state: str | None
    late: bool

    @classmethod
    def of(cls, hit: Hit, pictures_since: dt.datetime) -> Self:
        view = cls.model_validate(hit)
        return view if hit.at >= pictures_since else view.model_copy(update={"picture": None})


class BlindDevice(BaseModel):
    """A device that could not have seen, and why."""

    model_config = ConfigDict(from_attributes=True)

    device: str
    start: dt.datetime
    end: dt.datetime
    why: str


class StretchView(BaseModel):
    """A step of the way, or a time in which nothing was seen: that is not "was not there"."""

    model_config = ConfigDict(from_attributes=True)

    start: dt.datetime
    end: dt.datetime
    where: str
    seen: bool
    zone: str
    direction: str | None
    passed: bool
    blind: tuple[BlindDevice, ...]

    @classmethod
    def of(cls, stretch: Stretch) -> Self:
        return cls.model_validate(stretch)


class SearchAnswered(BaseModel):
    """Newest first. What lies before `gone_before` is deleted by rule, as are older pictures."""

    items: list[HitView]
    next_cursor: str | None
    gone_before: dt.datetime | None
    pictures_since: dt.datetime
    way: list[StretchView] | None
    without_cards: bool
    readings_cut: bool

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls(
            items=[HitView.of(hit, answer.pictures_since) for hit in answer.found.hits],
            next_cursor=answer.cursor,
            gone_before=answer.gone_before,
            pictures_since=answer.pictures_since,
            way=None if answer.way is None else [StretchView.of(one) for one in answer.way.stretches],
            without_cards=answer.found.without_cards,
            readings_cut=answer.readings is not None and answer.readings.cut,
        )


@router.post("/searches")
def search(here: Here, user: Searcher, asked: SearchAsked) -> SearchAnswered:
    """Sightings, events, passages and incidents in one list.

    Refused with `purpose_missing`, `purpose_unfit`, `nothing_asked`, `two_subjects`, `plate_too_short`,
    `empty_span`, `span_too_long`; `search_wide` asks for `sure`; `too_many_searches` beyond an hour's.
    """
    if asked.cursor is not None:
        return SearchAnswered.of(searching.go_on(here, user, asked.cursor))
    if asked.since is None or asked.until is None:
        raise ProblemError(422, "empty_span", "Say from when to when")
    sought = Sought(
        start=asked.since.astimezone(dt.UTC),
        end=asked.until.astimezone(dt.UTC),
        plate=asked.plate,
        person=asked.person,
        visitor_pass=asked.visitor_pass,
        device=asked.device,
        zone=asked.zone,
        ring=None if asked.ring is None else str(asked.ring),
        sort=asked.sort,
    )
    return SearchAnswered.of(searching.search(here, user, asked.purpose, sought, sure=asked.sure))
