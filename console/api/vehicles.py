"""Vehicles, who may drive them, and whose a plate is."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.api.edits import Ended, Made, MadeLink, Text, Version, noted
from console.api.idempotency import Answer, once
from console.api.paging import Page
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.api.reach import person_in_reach
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from registry.days import local_date
from registry.models import AuthorisedDriver, Vehicle, VehicleKind
from registry.people import leavers
from registry.rows import find
from registry.vehicles import drivers, motoring
from registry.vehicles.motoring import VehicleDetails

router = APIRouter(tags=["vehicles"])
Finder = Annotated[User, may(Action.PEOPLE_FIND)]
Editor = Annotated[User, may(Action.PEOPLE_EDIT)]


class DriverView(BaseModel):
    """Leave to drive; `granted_by` null is the owner."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    person: str
    granted_by: str | None
    since: dt.date
    until: dt.date | None


class VehicleView(BaseModel):
    """A vehicle; `may_drive` are the people whose leave holds today, the owners among them."""

    id: str
    version: int
    plate: str
    kind: VehicleKind
    owner: str | None
    household: str | None
    organisation: str | None
    external_id: str | None
    drivers: list[DriverView]
    may_drive: list[str]


class VehicleFields(BaseModel):
    """A plate in any spelling, and who answers for the vehicle."""

    plate: Text
    kind: VehicleKind = VehicleKind.RESIDENT
    owner: Text | None = None
    household: Text | None = None
    organisation: Text | None = None

    def details(self) -> VehicleDetails:
        return VehicleDetails(self.plate, self.kind, self.owner, self.household, self.organisation)


class VehicleGiven(VehicleFields):
    external_id: Text | None = None


class VehicleChanged(VehicleFields):
    """The vehicle as it is from now on."""

    version: Version


class DriverGiven(BaseModel):
    """Leave for a person; without `granted_by` from the owner."""

    person: Text
    granted_by: Text | None = None
    since: dt.date
    until: dt.date | None = None


class VehicleReview(BaseModel):
    """A vehicle whose right came from a residence that is over, with its last day."""

    vehicle: str
    person: str
    ended_on: dt.date


class LeaveEnded(BaseModel):
    """Who may no longer drive because their leave stood on the one that was ended."""

    also_ended: list[str]


@router.post("/vehicles", response_model=Made, status_code=201)
def register(here: Here, request: Request, user: Editor, given: VehicleGiven) -> Response:
    """Registers a vehicle. `plate_malformed` for what is no plate, `plate_taken` for a known one."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = motoring.register(session, here.compound, given.details(), external_id=given.external_id)
        noted(session, at, user, "vehicle.registered", f"vehicle:{row.id}")
        return 201, Made.of(row)

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.get("/vehicles/to-review")
def to_review(here: Here, user: Editor, purpose: Purpose) -> Page[VehicleReview]:
    """Residents' vehicles whose people have moved out: they enter until the property office acts."""
    with here.database.write() as session:
        at = here.clock.now()
        found = leavers.vehicles_to_review(session, here.compound, local_date(session, here.compound, at))
        for one in found:
            note_look(session, at, user, Look("vehicle.viewed", purpose, f"person:{one.person}", one.id))
        items = [VehicleReview(vehicle=one.id, person=one.person, ended_on=one.ended_on) for one in found]
        return Page(items=items, next_cursor=None)


@router.get("/vehicles/{vehicle_id}")
def vehicle(here: Here, user: Finder, vehicle_id: str, purpose: Purpose) -> VehicleView:
    """One vehicle with everybody's leave to drive it."""
    with here.database.write() as session:
        at = here.clock.now()
        row = _find(session, here.compound, vehicle_id)
        _refuse_out_of_reach(session, user, row)
        note_look(session, at, user, Look("vehicle.viewed", purpose, f"vehicle:{row.id}"))
        if row.owner is not None:
            note_look(session, at, user, Look("vehicle.viewed", purpose, f"person:{row.owner}", row.id))
        today = local_date(session, here.compound, at)
        leave = drivers.drivers_of(session, row)
        return VehicleView(
            id=row.id,
            version=row.version,
            plate=row.plate,
            kind=VehicleKind(row.kind),
            owner=row.owner,
            household=row.household,
            organisation=row.organisation,
            external_id=row.external_id,
            drivers=[DriverView.model_validate(one) for one in leave],
            may_drive=sorted(drivers.who_may_drive(session, row, today)),
        )


@router.patch("/vehicles/{vehicle_id}")
def edit(here: Here, user: Editor, vehicle_id: str, given: VehicleChanged) -> Made:
    """Says anew what a vehicle is."""
    with here.database.write() as session:
        row = _find(session, here.compound, vehicle_id)
        motoring.edit(session, row, given.version, given.details())
        noted(session, here.clock.now(), user, "vehicle.edited", f"vehicle:{row.id}")
        return Made.of_row(row)


@router.delete("/vehicles/{vehicle_id}", status_code=204)
def remove(here: Here, user: Editor, vehicle_id: str, version: Annotated[int, Query(ge=1)]) -> None:
    """Takes a vehicle out of the registry, and all leave to drive it."""
    with here.database.write() as session:
        row = _find(session, here.compound, vehicle_id)
        motoring.remove(session, row, version)
        noted(session, here.clock.now(), user, "vehicle.removed", f"vehicle:{vehicle_id}")


@router.post("/vehicles/{vehicle_id}/drivers", response_model=MadeLink, status_code=201)
def authorise(here: Here, request: Request, user: Editor, vehicle_id: str, given: DriverGiven) -> Response:
    """Gives leave to drive. `driver_circle` where it would come back to who gives it."""

    def work(session: Session, at: dt.datetime) -> Answer:
        row = _find(session, here.compound, vehicle_id)
        made = drivers.authorise(
            session,
            row,
            given.person,
            granted_by=given.granted_by,
            since=given.since,
            until=given.until,
            today=local_date(session, here.compound, at),
        )
        noted(session, at, user, "driver.authorised", f"person:{given.person}", row.id)
        return 201, {"id": made.id}

    return once(here, request, user, given.model_dump(mode="json"), work)


@router.post("/drivers/{driver_id}/end")
def end_leave(here: Here, user: Editor, driver_id: str, given: Ended) -> LeaveEnded:
    """Sets the last day of leave; what stood on it ends too."""
    with here.database.write() as session:
        at = here.clock.now()
        row = find(session, AuthorisedDriver, here.compound, driver_id, "driver")
        lost = drivers.end(session, row, given.last_day, today=local_date(session, here.compound, at))
        for one in (row, *lost):
            noted(session, at, user, "driver.ended", f"person:{one.person}", row.vehicle)
        return LeaveEnded(also_ended=[one.person for one in lost])


def _find(session: Session, compound: str, vehicle_id: str) -> Vehicle:
    return find(session, Vehicle, compound, vehicle_id, "vehicle")


def _refuse_out_of_reach(session: Session, user: User, row: Vehicle) -> None:
    """A grid worker sees vehicles of people of the own grid."""
    if user.role != Role.GRID_WORKER:
        return
    for person in drivers.owners_of(session, row):
        try:
            person_in_reach(session, user, row.compound, person)
        except ProblemError:
            continue
        return
    raise not_found("vehicle")
