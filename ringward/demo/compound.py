"""Writes the demo compound into the database, in one transaction of about half a second.

Where the compound already exists nothing is written, except that a roster and a pass
that have run out are renewed: a demo started again next week has people on duty too.
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from devices.models import Device, Stage
from devices.secrets import hash_secret
from registry.faces import consents
from registry.models import (
    Building,
    Compound,
    ConsentPurpose,
    Dwelling,
    GivenBy,
    Household,
    LegalBasis,
    PassKind,
    Person,
    Ring,
    Unit,
    VisitorPass,
    WatchlistEntry,
    WatchlistSubject,
)
from ringward.demo import (
    cast,
    credentials,
    duty,
    equipment,
    patrol,
    plan,
    population,
    registration,
    rosters,
)
from ringward.demo.credentials import DemoCredentials
from ringward.demo.plan import COMPOUND, PREFIX
from storage import Base, Clock, Database, MediaStore

SEED: Final = 20170701

_CARE_WORDING: Final = (
    "本人同意:二十四小时内家中门磁等感应器没有任何动静时,由社区人员先电话联系、再上门查看;"
    "可随时撤回,外出前可申报暂停。"
)
# When nothing has been heard of her for a day, on the first day that is played.
_CARE_BEFORE: Final = dt.timedelta(hours=24) - dt.timedelta(seconds=170)


class TotalsError(Exception):
    """The compound in the database is not the one that was to be made."""

    def __init__(self, found: "Totals") -> None:
        super().__init__(f"the demo compound has wrong totals: {found}")
        self.found = found


@dataclass(frozen=True, slots=True)
class Totals:
    buildings: int
    dwellings: int
    households: int
    people: int
    dwellings_without_household: int


EXPECTED: Final = Totals(
    population.BUILDINGS,
    population.DWELLINGS,
    population.HOUSEHOLDS,
    population.PEOPLE,
    population.WITHOUT_HOUSEHOLD,
)


def build_demo(
    database: Database, media: MediaStore, clock: Clock, data_dir: Path, *, seed: int = SEED
) -> DemoCredentials:
    """Makes the compound unless it is there; returns the credentials of its devices.

    Their plain secrets are kept in `demo/secrets.json` of the data directory.

    The tables must exist. Raises `TotalsError` when what was written does not add up.
    """
    _ = media  # Faces come with `enrol_demo`; the compound itself has no pictures.
    path = data_dir / "demo" / "secrets.json"
    known = credentials.load(path)
    with database.write() as session:
        if session.get(Compound, COMPOUND) is None:
            issued = _build(session, clock.now(), random.Random(seed))
        else:
            _renew(session, clock.now(), random.Random(seed))
            added = _add_missing_devices(session)
            valid = not added and credentials.fits(session, COMPOUND, known)
            issued = known if valid else credentials.issue_again(session, COMPOUND)
    if issued != known:
        credentials.store(path, issued)
    return DemoCredentials(COMPOUND, issued)


def totals(session: Session, compound: str = COMPOUND) -> Totals:
    """What the database holds of a compound."""

    def count(query: Any) -> int:
        return int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)

    dwellings = (
        select(Dwelling.id)
        .join(Unit, Unit.id == Dwelling.unit)
        .join(Building, Building.id == Unit.building)
        .where(Building.compound == compound)
    )
    inhabited = select(Household.dwelling).where(
        Household.compound == compound, Household.dwelling.is_not(None)
    )
    return Totals(
        count(select(Building.id).where(Building.compound == compound)),
        count(dwellings),
        count(select(Household.id).where(Household.compound == compound)),
        count(select(Person.id).where(Person.compound == compound)),
        count(dwellings.where(Dwelling.id.not_in(inhabited))),
    )


def _build(session: Session, now: dt.datetime, rng: random.Random) -> dict[str, str]:
    registration.write(session, registration.registry_rows(rng, now))
    issued = _add_devices(session, equipment.devices(plan.buildings()))
    duty.add(session, now, rng)
    rosters.add(session, now)
    patrol.add(session, now)
    _add_exceptions(session, now)
    _look_after(session, now)
    found = totals(session)
    if found != EXPECTED:
        raise TotalsError(found)
    return issued


def _add(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    # On the connection, not the session: Core's executemany, without an object a row.
    session.connection().execute(insert(table), rows)


def _add_missing_devices(session: Session) -> bool:
    """What the story has learnt to speak of since the compound was made; secrets come with the rest."""
    known = set(session.scalars(select(Device.id).where(Device.compound == COMPOUND)))
    missing = [device for device in equipment.devices(plan.buildings()) if device.id not in known]
    if missing:
        _add_devices(session, missing)
    return bool(missing)


def _add_devices(session: Session, devices: Sequence[equipment.PlannedDevice]) -> dict[str, str]:
    issued = credentials.issue(device.id for device in devices)
    _add(
        session,
        Device,
        [
            {
                "id": device.id,
                "compound": COMPOUND,
                "zone": device.zone,
                "kind": device.kind,
                "name": device.name,
                "lane": device.lane,
                "direction": device.direction,
                "heartbeat_s": equipment.GUEST_HEARTBEAT_S
                if device.id in equipment.GUESTS
                else equipment.HEARTBEAT_S,
                "secret_hash": hash_secret(issued[device.id]),
                "stage": Stage.APPROVED,
                "x": device.at[0],
                "y": device.at[1],
                "enabled": True,
            }
            for device in devices
        ],
    )
    return issued


def _renew(session: Session, now: dt.datetime, rng: random.Random) -> None:
    """Moves duties and visitors' passes that have ended to today; leaves running ones alone."""
    duty.renew(session, now, rng)
    rosters.add(session, now)
    patrol.renew(session, now)
    session.execute(
        update(VisitorPass)
        .where(VisitorPass.id.in_(cast.PASSES), VisitorPass.ends_at <= now)
        .values(starts_at=now - dt.timedelta(hours=1), ends_at=now + dt.timedelta(hours=23))
    )


def _add_exceptions(session: Session, now: dt.datetime) -> None:
    """One plate to look out for, and visitors who are expected."""
    _add(
        session,
        WatchlistEntry,
        [
            {
                "id": f"{PREFIX}-watch-1",
                "compound": COMPOUND,
                "subject_kind": WatchlistSubject.PLATE,
                "subject": cast.PLATE_WATCHED,
                "legal_basis": LegalBasis.OWNERS_RESOLUTION,
                "document_no": "红花业决〔2026〕3号",
                "applicant": "property.manager",
                "approver": "owners.committee",
                "reason": "多次占用车库消防通道",
                # The resolution is about the garage, so the gate is not a place to look.
                "rings": [Ring.COMMON, Ring.BUILDING],
                "starts_at": now - dt.timedelta(days=1),
                "ends_at": now + dt.timedelta(days=29),
            }
        ],
    )
    _add(
        session,
        VisitorPass,
        [
            {
                "id": name,
                "compound": COMPOUND,
                "kind": kind,
                "host_household": cast.HOUSEHOLD_A,
                "plate": plate,
                "zones": [],
                "starts_at": now - dt.timedelta(hours=1),
                "ends_at": now + dt.timedelta(hours=23),
                "max_uses": None,
            }
            for name, kind, plate in (
                (cast.PASS_VISITOR, PassKind.VISITOR, cast.PLATE_VISITOR),
                (cast.PASS_COURIER, PassKind.COURIER, None),
                (cast.PASS_DELIVERY, PassKind.FOOD_DELIVERY, None),
            )
        ],
    )


def _look_after(session: Session, now: dt.datetime) -> None:
    """One elder has agreed to it, the day before: what rules wait a whole day for is then heard today."""
    consents.give(
        session,
        session.get_one(Person, cast.ELDER),
        ConsentPurpose.ELDER_CARE,
        wording=_CARE_WORDING,
        channel="counter",
        given_by=GivenBy.SELF,
        at=now - _CARE_BEFORE,
    )
