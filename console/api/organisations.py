"""Organisations of the compound, their premises and their staff."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.edits import Ended, Made, MadeLink, Text, Version, noted
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import person_in_reach
from console.permissions import Action, may
from console.problems import ProblemError
from registry.days import local_date
from registry.models import Organisation, OrganisationKind, Premises, StaffLink
from registry.organisations import workplaces
from registry.organisations.workplaces import OrganisationDetails
from registry.rows import find

router = APIRouter(tags=["organisations"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]

LIMIT_MAX = 200


class OrganisationView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    version: int
    name: str
    kind: OrganisationKind
    registration_no: str | None
    external_id: str | None


class PremisesView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    dwelling: str
    since: dt.date
    until: dt.date | None


class OrganisationWithPremises(OrganisationView):
    """With where it is and was."""

    premises: list[PremisesView]


class StaffView(BaseModel):
    """Who works there, by reference."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    person: str
    since: dt.date
    until: dt.date | None


class OrganisationGiven(BaseModel):
    """`registration_no` is the unified social credit code (统一社会信用代码)."""

    name: Text
    kind: OrganisationKind
    registration_no: Annotated[str | None, Field(max_length=32)] = None
    external_id: Text | None = None

    def details(self) -> OrganisationDetails:
        return OrganisationDetails(self.name, self.kind, self.registration_no)


class OrganisationChanged(BaseModel):
    """The organisation as it is from now on."""

    version: Version
    name: Text
    kind: OrganisationKind
    registration_no: Annotated[str | None, Field(max_length=32)] = None

    def details(self) -> OrganisationDetails:
        return OrganisationDetails(self.name, self.kind, self.registration_no)


class PremisesGiven(BaseModel):
    dwelling: Text
    since: dt.date
    until: dt.date | None = None


class StaffGiven(BaseModel):
    person: Text
    since: dt.date
    until: dt.date | None = None


@router.get("/organisations")
def organisations(
    here: Here,
    _: Finder,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> Page[OrganisationView]:
    """All organisations in the order of their ids; the cursor is the last one's id."""
    query = select(Organisation).where(Organisation.compound == here.compound)
    if cursor is not None:
        query = query.where(Organisation.id > cursor)
    with here.database.read() as session:
        rows = session.scalars(query.order_by(Organisation.id).limit(limit + 1)).all()
        items = [OrganisationView.model_validate(row) for row in rows[:limit]]
        return Page(items=items, next_cursor=items[-1].id if len(rows) > limit else None)


@router.post("/organisations", response_model=Made, status_code=201)
def found(here: Here, request: Request, user: Editor, given: OrganisationGiven) -> Response:
    """Adds an organisation."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = workplaces.found(session, here.compound, given.details(), external_id=given.external_id)
        noted(session, at, user, "organisation.added", f"organisation:{row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/organisations/{organisation_id}")
def organisation(here: Here, _: Finder, organisation_id: str) -> OrganisationWithPremises:
    """One organisation with its premises; its staff are asked for with a purpose."""
    with here.database.read() as session:
        row = _find(session, here.compound, organisation_id)
        premises = [PremisesView.model_validate(one) for one in workplaces.premises_of(session, row)]
        view = OrganisationView.model_validate(row)
        return OrganisationWithPremises(**view.model_dump(), premises=premises)


@router.patch("/organisations/{organisation_id}")
def edit(here: Here, user: Editor, organisation_id: str, given: OrganisationChanged) -> Made:
    """Says anew what an organisation is."""
    with here.database.write() as session:
        row = _find(session, here.compound, organisation_id)
        workplaces.edit(session, row, given.version, given.details())
        noted(session, here.clock.now(), user, "organisation.edited", f"organisation:{row.id}")
        return Made.of_row(row)


@router.post("/organisations/{organisation_id}/premises", response_model=MadeLink, status_code=201)
def move_in(
    here: Here, request: Request, user: Editor, organisation_id: str, given: PremisesGiven
) -> Response:
    """Gives an organisation premises."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = _find(session, here.compound, organisation_id)
        today = local_date(session, here.compound, at)
        made = workplaces.move_in(session, row, given.dwelling, given.since, given.until, today=today)
        noted(session, at, user, "premises.added", f"organisation:{row.id}", made.id)
        return 201, {"id": made.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/premises/{premises_id}/end")
def move_out(here: Here, user: Editor, premises_id: str, given: Ended) -> PremisesView:
    """Sets the last day of premises."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, Premises, here.compound, premises_id, "premises")
        workplaces.move_out(session, row, given.last_day, today=local_date(session, here.compound, at))
        noted(session, at, user, "premises.ended", f"organisation:{row.organisation}", row.id)
        return PremisesView.model_validate(row)


@router.get("/organisations/{organisation_id}/staff")
def staff(
    here: Here,
    user: Finder,
    organisation_id: str,
    purpose: Purpose,
    on: dt.date | None = None,
) -> Page[StaffView]:
    """Who works or worked for an organisation, with `on` who does on that day; noted for each."""
    with here.database.write() as session:
        row = _find(session, here.compound, organisation_id)
        at = here.clock.now()
        shown = []
        for link in workplaces.staff_of(session, row, on):
            try:
                person_in_reach(session, user, here.compound, link.person)
            except ProblemError:
                continue
            note_look(session, at, user, Look("staff.viewed", purpose, f"person:{link.person}", row.id))
            shown.append(StaffView.model_validate(link))
        detail = f"count={len(shown)}"
        note_look(session, at, user, Look("staff.viewed", purpose, f"organisation:{row.id}", detail))
        return Page(items=shown, next_cursor=None)


@router.post("/organisations/{organisation_id}/staff", response_model=MadeLink, status_code=201)
def employ(here: Here, request: Request, user: Editor, organisation_id: str, given: StaffGiven) -> Response:
    """Notes that a registered person works there, and may enter because of it."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = _find(session, here.compound, organisation_id)
        today = local_date(session, here.compound, at)
        made = workplaces.employ(session, row, given.person, given.since, given.until, today=today)
        noted(session, at, user, "staff.added", f"person:{given.person}", row.id)
        return 201, {"id": made.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/staff/{link_id}/end")
def dismiss(here: Here, user: Editor, link_id: str, given: Ended) -> StaffView:
    """Sets the last day of somebody's work."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, StaffLink, here.compound, link_id, "staff")
        workplaces.dismiss(session, row, given.last_day, today=local_date(session, here.compound, at))
        noted(session, at, user, "staff.ended", f"person:{row.person}", row.organisation)
        return StaffView.model_validate(row)


def _find(session: Session, compound: str, organisation_id: str) -> Organisation:
    return find(session, Organisation, compound, organisation_id, "organisation")
