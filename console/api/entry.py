"""At the gate: may this one enter, who may at all, does somebody belong, whose car is it.

Guards get answers, not people: yes or no, a reason, a building.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms
from console.permissions import Action, allowed, may
from console.problems import ProblemError
from registry.days import local_date
from registry.entry import belonging, gatehouse
from registry.entry.belonging import Claim, PlateAnswer
from registry.entry.decision import Entry
from registry.models import CredentialKind, Vehicle, VisitorPass
from registry.passes import expected
from registry.passes.hosts import Host, HostKind, buildings_of
from registry.places.addresses import AddressError
from registry.places.locating import find_dwelling

router = APIRouter(tags=["entry"])
Checker = Annotated[User, may(Action.ENTRY_CHECK)]
# In the body: what is asked for here would stay in a proxy's log and a browser's history.
Said = Annotated[str | None, Body(min_length=1, max_length=256)]


class EntryView(BaseModel):
    """`reason` is a code of the catalogues; `until` null where no end is known."""

    allowed: bool
    reason: str
    until: dt.datetime | None


class EntitledCount(BaseModel):
    """How many people, and how many visitor passes, may enter a zone now."""

    people: int
    passes: int


class EntitledView(EntitledCount):
    """With references, for those who may look at people."""

    person_ids: list[str]
    pass_ids: list[str]


class BelongsView(BaseModel):
    """Yes or no, and nothing else."""

    belongs: bool


class NearPlateView(BaseModel):
    """A known plate that looks like the one asked for; to be compared by eye."""

    plate: str
    building: str | None


class PlateForGuard(BaseModel):
    """`answer` is registered, pass, always_allowed, near or unknown; `building` where the car goes."""

    answer: str
    building: str | None
    near: list[NearPlateView]


class PlateView(PlateForGuard):
    """With references, for those who may look at people."""

    vehicle: str | None
    owner: str | None
    household: str | None
    organisation: str | None
    passes: list[str]


@router.post("/entry")
def entry(
    here: Here,
    user: Checker,
    purpose: Purpose,
    zone: Annotated[str, Body(min_length=1, max_length=64)],
    credential_kind: Annotated[CredentialKind | None, Body()] = None,
    ref: Said = None,
    person: Said = None,
    plate: Said = None,
) -> EntryView:
    """May the holder of a credential, a registered person, or a car enter a zone now?"""
    asked = [ref is not None, person is not None, plate is not None]
    if sum(asked) != 1 or (ref is None) != (credential_kind is None):
        raise ProblemError(422, "entry_question", "Ask by kind and ref, or by person, or by plate")
    with here.database.write() as session:
        at = here.clock.now()
        found: Entry
        if ref is not None and credential_kind is not None:
            found = gatehouse.by_credential(session, here.compound, credential_kind, ref, zone, at)
        elif person is not None:
            found = gatehouse.by_person(session, here.compound, person, zone, at)
        else:
            found = gatehouse.by_plate(session, here.compound, plate or "", zone, at)
        look = Look("entry.checked", purpose, found.subject or f"zone:{zone}", f"{zone} {found.reason}")
        note_look(session, at, user, look)
        return EntryView(allowed=found.allowed, reason=found.reason, until=found.until)


@router.get("/zones/{zone_id}/entitled")
def entitled(here: Here, user: Checker, zone_id: str, purpose: Purpose) -> EntitledView | EntitledCount:
    """Who may enter a zone now: counts at the gate, references for those who may look at people."""
    at = here.clock.now()
    # Reading everybody takes a while, in which nobody else should have to wait to write.
    with here.database.read() as session:
        found = gatehouse.list_entitled(session, here.compound, zone_id, at)
    counts = EntitledCount(people=len(found.people), passes=len(found.passes))
    with here.database.write() as session:
        detail = f"people={counts.people} passes={counts.passes}"
        note_look(session, at, user, Look("entitled.listed", purpose, f"zone:{zone_id}", detail))
        if not allowed(user, Action.PEOPLE_FIND):
            return counts
        return EntitledView(**counts.model_dump(), person_ids=list(found.people), pass_ids=list(found.passes))


@router.post("/dwellings/{dwelling_id}/belongs")
def belongs(
    here: Here,
    user: Checker,
    dwelling_id: str,
    purpose: Purpose,
    name: Said = None,
    phone_tail: Said = None,
    card: Said = None,
) -> BelongsView:
    """Does somebody of this name, phone or card live in a dwelling?"""
    with here.database.write() as session:
        return _belongs(session, here, user, dwelling_id, Claim(name, phone_tail, card), purpose)


@router.post("/belongs")
def belongs_at(
    here: Here,
    user: Checker,
    purpose: Purpose,
    address: Annotated[str, Body(min_length=1, max_length=128)],
    name: Said = None,
    phone_tail: Said = None,
    card: Said = None,
) -> BelongsView:
    """The same for an address as people write it ("3号楼2单元1801")."""
    with here.database.write() as session:
        on = local_date(session, here.compound, here.clock.now())
        try:
            dwelling = find_dwelling(session, here.compound, address, on)
        except AddressError as error:
            raise ProblemError(422, error.code, "The address cannot be read") from error
        return _belongs(session, here, user, dwelling.id, Claim(name, phone_tail, card), purpose)


@router.post("/vehicles/by-plate")
def by_plate(
    here: Here,
    user: Checker,
    purpose: Purpose,
    plate: Annotated[str, Body(min_length=1, max_length=32, embed=True)],
) -> PlateView | PlateForGuard:
    """Whose car is it? A near match is a question for the guard, never an answer."""
    with here.database.write() as session:
        at = here.clock.now()
        found = belonging.whose_plate(session, here.compound, plate, at)
        shown = PlateForGuard(
            answer=_answer(found),
            building=_building(session, here, found, at),
            near=_near(session, here, found, at),
        )
        vehicle = found.vehicle
        subject = "plate" if vehicle is None else f"vehicle:{vehicle.id}"
        note_look(session, at, user, Look("plate.asked", purpose, subject, shown.answer))
        if not allowed(user, Action.PEOPLE_FIND):
            return shown
        return PlateView(
            **shown.model_dump(),
            vehicle=vehicle and vehicle.id,
            owner=vehicle and vehicle.owner,
            household=vehicle and vehicle.household,
            organisation=vehicle and vehicle.organisation,
            passes=list(found.passes),
        )


def _belongs(
    session: Session, here: Rooms, user: User, dwelling: str, claim: Claim, purpose: Purpose
) -> BelongsView:
    at = here.clock.now()
    answer = belonging.belongs(
        session, here.compound, dwelling, claim, local_date(session, here.compound, at)
    )
    by = " ".join(field for field in ("name", "phone_tail", "card") if getattr(claim, field) is not None)
    detail = f"{by} {'yes' if answer else 'no'}"
    note_look(session, at, user, Look("belonging.asked", purpose, f"dwelling:{dwelling}", detail))
    return BelongsView(belongs=answer)


def _answer(found: PlateAnswer) -> str:
    for answer, holds in (
        ("registered", found.vehicle is not None),
        ("pass", bool(found.passes)),
        ("always_allowed", found.always_allowed),
        ("near", bool(found.near)),
    ):
        if holds:
            return answer
    return "unknown"


def _building(session: Session, here: Rooms, found: PlateAnswer, at: dt.datetime) -> str | None:
    if found.vehicle is not None:
        return _buildings(session, here, [found.vehicle], at).get(found.vehicle.id)
    passes = [session.get_one(VisitorPass, pass_id) for pass_id in found.passes]
    return next(iter(expected.destinations(session, here.compound, passes, at).values()), None)


def _near(session: Session, here: Rooms, found: PlateAnswer, at: dt.datetime) -> list[NearPlateView]:
    vehicles = [session.get_one(Vehicle, near.vehicle) for near in found.near if near.vehicle is not None]
    where = _buildings(session, here, vehicles, at)
    return [
        NearPlateView(plate=near.plate, building=where.get(near.vehicle) if near.vehicle else None)
        for near in found.near
    ]


def _buildings(session: Session, here: Rooms, vehicles: Iterable[Vehicle], at: dt.datetime) -> dict[str, str]:
    """Vehicle id → the buildings of whoever answers for it ("3幢"), nothing about who that is."""
    hosts = {
        vehicle.id: [
            Host(kind, holder)
            for kind, holder in (
                (HostKind.HOUSEHOLD, vehicle.household),
                (HostKind.PERSON, vehicle.owner),
                (HostKind.ORGANISATION, vehicle.organisation),
            )
            if holder is not None
        ]
        for vehicle in vehicles
    }
    named = {host for several in hosts.values() for host in several}
    where = buildings_of(session, here.compound, named, local_date(session, here.compound, at))
    places = {
        vehicle: {building.name for host in several for building in where.get(host, ())}
        for vehicle, several in hosts.items()
    }
    return {vehicle: "、".join(sorted(names)) for vehicle, names in places.items() if names}
