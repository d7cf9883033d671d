"""Subdistricts, communities and compounds: the deployment's own, for users who see all of it."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, FiniteFloat
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import MadeLink, Text, changed, noted
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import CompoundView, Here
from console.permissions import Action, may
from console.problems import not_found
from console.security import ForbiddenError
from registry.models import Community, Compound, CompoundKind, Subdistrict
from registry.places import districts
from registry.places.districts import CompoundFacts

router = APIRouter(tags=["places"])
Reader = Annotated[User, may(Action.PLACES_READ)]
Editor = Annotated[User, may(Action.PLACES_EDIT)]


class SubdistrictView(BaseModel):
    """`code`: the first 9 digits of the NBS statistical code."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    code: str | None


class CommunityView(SubdistrictView):
    """`code`: the 12 digits of the NBS statistical code."""

    subdistrict: str


class SubdistrictGiven(BaseModel):
    name: Text
    code: Text | None = None


class CommunityGiven(SubdistrictGiven):
    subdistrict: Text


class SubdistrictChanged(BaseModel):
    """What is not sent stays; null takes a code away."""

    name: Text = ""
    code: Text | None = None


class CommunityChanged(SubdistrictChanged):
    subdistrict: Text = ""


class CompoundChanged(BaseModel):
    """What is not sent stays. The position comes whole: longitude, latitude, bearing, or null for each."""

    name: Text = ""
    time_zone: Text = ""
    community: Text | None = None
    kind: CompoundKind | None = None
    opened_on: dt.date | None = None
    longitude: FiniteFloat | None = None
    latitude: FiniteFloat | None = None
    bearing: FiniteFloat | None = None


class CompoundGiven(CompoundChanged):
    """`id` stands in topics of the broker: a-z, 0-9, _ and -."""

    id: Text
    name: Text
    time_zone: Text = "Asia/Shanghai"


@router.get("/subdistricts")
def subdistricts(here: Here, _: Reader) -> Page[SubdistrictView]:
    """All subdistricts of the deployment."""
    with here.database.read() as session:
        rows = session.scalars(select(Subdistrict).order_by(Subdistrict.id))
        return Page(items=[SubdistrictView.model_validate(row) for row in rows], next_cursor=None)


@router.post("/subdistricts", response_model=MadeLink, status_code=201)
def add_subdistrict(here: Here, request: Request, user: Editor, given: SubdistrictGiven) -> Response:
    """Adds a subdistrict."""
    _whole(user)

    def work(session: Session, at: dt.datetime) -> Answer:
        row = districts.put_subdistrict(session, name=given.name, code=given.code)
        noted(session, at, user, "subdistrict.added", f"subdistrict:{row.id}")
        return 201, {"id": row.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/subdistricts/{subdistrict_id}")
def edit_subdistrict(
    here: Here, user: Editor, subdistrict_id: str, given: SubdistrictChanged
) -> SubdistrictView:
    """Renames a subdistrict or gives it a code."""
    _whole(user)
    with here.database.write() as session:
        row = session.get(Subdistrict, subdistrict_id)
        if row is None:
            raise not_found("subdistrict")
        now = {"name": row.name, "code": row.code} | changed(given)
        districts.put_subdistrict(session, id=row.id, **now)
        noted(session, here.clock.now(), user, "subdistrict.edited", f"subdistrict:{row.id}")
        return SubdistrictView.model_validate(row)


@router.get("/communities")
def communities(here: Here, _: Reader) -> Page[CommunityView]:
    """All communities of the deployment."""
    with here.database.read() as session:
        rows = session.scalars(select(Community).order_by(Community.id))
        return Page(items=[CommunityView.model_validate(row) for row in rows], next_cursor=None)


@router.post("/communities", response_model=MadeLink, status_code=201)
def add_community(here: Here, request: Request, user: Editor, given: CommunityGiven) -> Response:
    """Adds a community to a subdistrict."""
    _whole(user)

    def work(session: Session, at: dt.datetime) -> Answer:
        row = districts.put_community(
            session, subdistrict=given.subdistrict, name=given.name, code=given.code
        )
        noted(session, at, user, "community.added", f"community:{row.id}")
        return 201, {"id": row.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/communities/{community_id}")
def edit_community(here: Here, user: Editor, community_id: str, given: CommunityChanged) -> CommunityView:
    """Renames a community, gives it a code, puts it into another subdistrict."""
    _whole(user)
    with here.database.write() as session:
        row = session.get(Community, community_id)
        if row is None:
            raise not_found("community")
        now = {"name": row.name, "code": row.code, "subdistrict": row.subdistrict} | changed(given)
        districts.put_community(session, id=row.id, **now)
        noted(session, here.clock.now(), user, "community.edited", f"community:{row.id}")
        return CommunityView.model_validate(row)


@router.post("/compounds", response_model=MadeLink, status_code=201)
def add_compound(here: Here, request: Request, user: Editor, given: CompoundGiven) -> Response:
    """Adds a compound to the deployment."""
    _whole(user)

    def work(session: Session, at: dt.datetime) -> Answer:
        facts = CompoundFacts(**given.model_dump(exclude={"id"}))
        row = districts.add_compound(session, given.id, facts)
        noted(session, at, user, "compound.added", f"compound:{row.id}")
        return 201, {"id": row.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.patch("/compounds/{compound_id}")
def edit_compound(here: Here, user: Editor, compound_id: str, given: CompoundChanged) -> CompoundView:
    """Changes the compound that this console looks after; another's is not found."""
    with here.database.write() as session:
        row = session.get(Compound, compound_id) if compound_id == here.compound else None
        if row is None:
            raise not_found("compound")
        sent = changed(given)
        if sent.get("community", row.community) != row.community:
            _whole(user)
        before = {name: getattr(row, name) for name in CompoundFacts.__dataclass_fields__}
        districts.edit_compound(session, row, CompoundFacts(**before | sent))
        noted(session, here.clock.now(), user, "compound.edited", f"compound:{row.id}", " ".join(sent))
        return CompoundView.model_validate(row)


def _whole(user: User) -> None:
    """What lies above the compounds is nobody's who sees only some of them. Raises `ForbiddenError`."""
    if user.compounds is not None:
        raise ForbiddenError
