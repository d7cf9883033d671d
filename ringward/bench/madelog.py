"""A made compound in a database: its registry, its devices, and the log of its made days."""

import datetime as dt
import random
from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Table, insert

from bus.messages import EventStored, Sighting
from devices.models import Device, DeviceStatus, Stage
from recognition.models import DecisionRow
from registry.models import (
    Building,
    Community,
    Credential,
    Dwelling,
    Household,
    Person,
    Residence,
    Subdistrict,
    Unit,
    Vehicle,
)
from ringward.bench.madedays import Cast
from ringward.demo import equipment, neighbourhood, plan, registration
from storage import Database
from storage.bulk import BulkInsert
from storage.columns import EncodedJson
from storage.events import store

_DECISIONS: Final = (
    *("sighting_id", "event_id", "compound", "subject_kind", "outcome", "person_id", "household_id"),
    *("vehicle_id", "plate", "score", "candidates", "reasons", "evidence", "milliseconds", "at"),
    *("decided_at", "device", "amendments"),
)
_insert_decisions = BulkInsert(cast("Table", DecisionRow.__table__), _DECISIONS)
_BODY: Final = msgspec.json.Encoder()


def found(database: Database, compound: str, prefix: str, now: dt.datetime, *, first: bool = True) -> Cast:
    """Writes one compound of the demo's size with its devices; returns whom its days may name."""
    rows = registration.under(registration.registry_rows(random.Random(7), now), compound, prefix)  # noqa: S311
    tables = dict(rows)
    if not first:
        for row in tables[Community]:
            row["subdistrict"] = neighbourhood.SUBDISTRICT
    with database.write() as session:
        registration.write(session, rows, but=[] if first else [Subdistrict])
        devices = [one for one in equipment.devices(plan.buildings()) if one.id not in equipment.GUESTS]
        connection = session.connection()
        connection.execute(
            insert(Device),
            [
                {
                    "id": _moved(one.id, prefix),
                    "compound": compound,
                    "zone": _moved(one.zone, prefix),
                    "kind": one.kind,
                    "name": one.name,
                    "lane": None if one.lane is None else _moved(one.lane, prefix),
                    "direction": one.direction,
                    "secret_hash": "",
                    "stage": Stage.APPROVED,
                    "x": one.at[0],
                    "y": one.at[1],
                    "enabled": True,
                }
                for one in devices
            ],
        )
        connection.execute(
            insert(DeviceStatus),
            [
                {"device_id": _moved(one.id, prefix), "online": True, "since": now, "last_seen": now}
                for one in devices
            ],
        )
    return cast_of(rows)


def cast_of(rows: registration.Rows) -> Cast:
    """The people with a card and where they live, and the cars, of a compound's rows."""
    tables: dict[Any, list[dict[str, Any]]] = dict(rows)
    zones = _zones(tables)
    people = [
        (row["person"], row["ref"], zones[row["person"]])
        for row in tables[Credential]
        if row.get("ref") is not None and row["person"] in zones
    ]
    return Cast(people, [(row["id"], row["plate"]) for row in tables[Vehicle]])


def log(database: Database, messages: Iterable[EventStored | Sighting]) -> None:
    """Writes messages as the log has them."""
    events, decisions = [], []
    for message in messages:
        if isinstance(message, EventStored):
            events.append(_event(message))
        else:
            decisions.append(_decision(message))
    with database.write() as session:
        for start in range(0, len(events), 2000):
            store(session, events[start : start + 2000])
        for start in range(0, len(decisions), 2000):
            _insert_decisions.execute(session, decisions[start : start + 2000])


def _zones(tables: dict[Any, list[dict[str, Any]]]) -> dict[str, str]:
    of_building = {row["id"]: row["zone"] for row in tables[Building]}
    of_unit = {row["id"]: of_building[row["building"]] for row in tables[Unit]}
    of_dwelling = {row["id"]: of_unit[row["unit"]] for row in tables[Dwelling]}
    of_household = {row["id"]: of_dwelling[row["dwelling"]] for row in tables[Household] if row["dwelling"]}
    found = {
        row["id"]: of_household[row["household"]]
        for row in tables[Person]
        if row.get("household") in of_household
    }
    return found | {row["person"]: of_dwelling[row["dwelling"]] for row in tables[Residence]}


def _event(message: EventStored) -> tuple[Any, ...]:
    body = {
        "credential": message.credential,
        "plate": message.plate,
        "match": message.match,
        "attributes": message.attributes,
    }
    return (
        message.id,
        message.compound,
        message.device_id,
        message.id,
        message.type,
        message.ring,
        message.zone,
        message.lane,
        message.direction,
        message.device_time,
        message.at,
        message.received_at,
        message.late,
        [],
        EncodedJson(_BODY.encode({name: value for name, value in body.items() if value}).decode()),
        "",
        0,
        None,
    )


def _decision(message: Sighting) -> tuple[Any, ...]:
    return (
        message.id,
        message.event_id,
        message.compound,
        message.subject_kind,
        message.outcome,
        message.person_id,
        message.household_id,
        message.vehicle_id,
        message.plate,
        message.score,
        [],
        [],
        {},
        12,
        message.at,
        message.received_at,
        message.device_id,
        0,
    )


def _moved(name: str, prefix: str) -> str:
    return prefix + name[len(plan.PREFIX) :]
