"""Leave to drive a vehicle: from its owner, or from somebody who has it from there.

Leave stands on leave: when a driver's own ends, so does that of everybody whom only this
driver let. A chain that comes back to itself would stand on nothing, and is refused.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.errors import MissingError, RefusedError
from registry.people.models import Person
from registry.people.residences import refuse_dates
from registry.rows import find, lock
from registry.vehicles.models import AuthorisedDriver, Vehicle
from storage import new_id


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave of one person by another; `granted_by` None is the owner or the owning household."""

    person: str
    granted_by: str | None
    since: dt.date
    until: dt.date | None


def standing(leaves: Iterable[Leave], owners: Collection[str], on: dt.date) -> frozenset[str]:
    """Who may drive on a day: the owners, and whoever a chain of leave reaches from them."""
    current = [x for x in leaves if x.since <= on and (x.until is None or on <= x.until)]
    reached = set(owners)
    while True:
        more = {x.person for x in current if x.granted_by is None or x.granted_by in reached} - reached
        if not more:
            return frozenset(reached)
        reached |= more


def circular(leaves: Iterable[Leave], person: str, granted_by: str) -> bool:
    """Whether `granted_by` has leave from `person`, by however many hands."""
    above = {leave.person: leave.granted_by for leave in leaves}
    seen: set[str] = set()
    giver: str | None = granted_by
    while giver is not None and giver not in seen:
        if giver == person:
            return True
        seen.add(giver)
        giver = above.get(giver)
    return False


def authorise(
    session: Session,
    vehicle: Vehicle,
    person: str,
    *,
    granted_by: str | None,
    since: dt.date,
    until: dt.date | None = None,
    today: dt.date,
) -> AuthorisedDriver:
    """Gives leave to drive, anew where it had ended.

    Raises `driver_circle`, `driver_is_owner`, `driver_authorised_already`,
    `grantor_not_entitled` (`RefusedError`) and what `refuse_dates` raises.
    """
    refuse_dates(since, until, today)
    row = find(session, Person, vehicle.compound, person, "person")
    if row.erased_at is not None:
        raise MissingError("person")
    _hold(session, vehicle)
    owners = owners_of(session, vehicle)
    if person in owners:
        raise RefusedError("driver_is_owner")
    rows = drivers_of(session, vehicle)
    leaves = [_leave(known) for known in rows]
    if granted_by is not None and granted_by not in owners:
        if circular(leaves, person, granted_by):
            raise RefusedError("driver_circle")
        if granted_by not in standing(leaves, owners, max(since, today)):
            raise RefusedError("grantor_not_entitled")
    driver = next((known for known in rows if known.person == person), None)
    if driver is None:
        driver = AuthorisedDriver(id=new_id(), compound=vehicle.compound, vehicle=vehicle.id, person=person)
        session.add(driver)
    elif driver.until is None or driver.until >= since:
        raise RefusedError("driver_authorised_already")
    driver.granted_by, driver.since, driver.until = granted_by, since, until
    session.flush()
    return driver


def end(
    session: Session, driver: AuthorisedDriver, last_day: dt.date, *, today: dt.date
) -> Sequence[AuthorisedDriver]:
    """Sets the last day of leave; returns whoever no longer has any because of it."""
    refuse_dates(driver.since, last_day, today)
    vehicle = find(session, Vehicle, driver.compound, driver.vehicle, "vehicle")
    _hold(session, vehicle)
    owners = owners_of(session, vehicle)
    rows = drivers_of(session, vehicle)
    after = last_day + dt.timedelta(days=1)
    before = standing([_leave(known) for known in rows], owners, after)
    driver.until = last_day
    session.flush()
    left = standing([_leave(known) for known in rows], owners, after)
    return [known for known in rows if known.person in before - left and known.id != driver.id]


def drivers_of(session: Session, vehicle: Vehicle) -> Sequence[AuthorisedDriver]:
    """Every leave that a vehicle has or had."""
    return session.scalars(
        select(AuthorisedDriver)
        .where(AuthorisedDriver.compound == vehicle.compound, AuthorisedDriver.vehicle == vehicle.id)
        .order_by(AuthorisedDriver.since, AuthorisedDriver.id)
        .execution_options(populate_existing=True)
    ).all()


def who_may_drive(session: Session, vehicle: Vehicle, on: dt.date) -> frozenset[str]:
    """Ids of the people who may drive a vehicle on a day."""
    leaves = [_leave(known) for known in drivers_of(session, vehicle)]
    return standing(leaves, owners_of(session, vehicle), on)


def owners_of(session: Session, vehicle: Vehicle) -> frozenset[str]:
    """The owner and the members of the owning household."""
    owners = {vehicle.owner} if vehicle.owner else set()
    if vehicle.household is not None:
        owners |= set(
            session.scalars(
                select(Person.id).where(
                    Person.compound == vehicle.compound, Person.household == vehicle.household
                )
            )
        )
    return frozenset(owners)


def _hold(session: Session, vehicle: Vehicle) -> None:
    session.flush()
    lock(session, Vehicle, vehicle.compound, (vehicle.id,), "vehicle")


def _leave(row: AuthorisedDriver) -> Leave:
    # A person may have given leave and own the car by now; the chain then ends with them.
    return Leave(row.person, row.granted_by, row.since, row.until)
