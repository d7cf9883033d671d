"""A compound with a person, an incident and passages of long ago, for what retention has to decide."""

import datetime as dt

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from recognition.models import DecisionRow
from registry.models import Person
from storage import Database, new_id
from storage.events import EventAmendment, EventRow
from tests.support.compound import COMPOUND, settle_in

NOW = dt.datetime(2026, 11, 24, 19, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def person(person_id: str = "p1", *, compound: str = COMPOUND) -> Person:
    return Person(id=person_id, compound=compound, name="王小明", phone="10012345678")


def incident(
    at: dt.datetime = NOW, state: State = State.CLOSED, *, compound: str = COMPOUND, **changes: object
) -> Incident:
    fields = {
        "id": new_id(),
        "compound": compound,
        "rule": "R-E04",
        "kind": "vehicle.unregistered",
        "ring": "entrance",
        "zone": "gate",
        "device_id": "cam-2",
        "severity": 3,
        "state": state,
        "version": 1,
        "happened_at": at,
        "raised_at": at,
        "last_signal_at": at,
        "reason": "unregistered_plate",
        "reason_args": {},
    }
    return Incident(**fields | changes)


def evidence(of: Incident, events: list[EventRow], decisions: list[DecisionRow] | None = None) -> Evidence:
    return Evidence(
        signal_id=new_id(),
        incident=of.id,
        rule=of.rule,
        severity=of.severity,
        at=of.happened_at,
        event_ids=[event.id for event in events],
        sighting_ids=[decision.sighting_id for decision in decisions or []],
    )


def event(
    at: dt.datetime,
    *,
    kind: str = "access.granted",
    compound: str = COMPOUND,
    device: str = "cam-1",
    pictures: list[str] | None = None,
    revision: int | None = None,
    **body: object,
) -> EventRow:
    event_id = new_id()
    return EventRow(
        id=event_id,
        compound=compound,
        device_id=device,
        record_id=event_id,
        type=kind,
        ring="entrance",
        zone="gate",
        device_time=at,
        corrected_time=at,
        received_at=at,
        late=False,
        marks=[],
        body={"pictures": [{"role": "face", "media_id": one, "size": 3} for one in pictures or []], **body},
        content_hash="0" * 32,
        revision=revision,
    )


def amendment(
    of: EventRow,
    revision: int = 2,
    *,
    kind: str | None = None,
    pictures: list[str] | None = None,
    **body: object,
) -> EventAmendment:
    """What became known of an event, which must have a revision of its own."""
    shown = [{"role": "face", "media_id": one, "size": 3} for one in pictures or []]
    return EventAmendment(
        event_id=of.id,
        revision=revision,
        compound=of.compound,
        type=kind or of.type,
        received_at=of.received_at + dt.timedelta(seconds=revision),
        marks=[],
        body={"pictures": shown, **body},
        content_hash=f"{revision:032}",
    )


def decision(of: EventRow, *, person_id: str | None = None, **changes: object) -> DecisionRow:
    fields = {
        "sighting_id": new_id(),
        "event_id": of.id,
        "compound": of.compound,
        "subject_kind": "face",
        "outcome": "identified" if person_id else "unknown",
        "person_id": person_id,
        "candidates": [],
        "reasons": [],
        "evidence": {},
        "milliseconds": 1,
        "at": of.corrected_time,
        "decided_at": of.corrected_time,
    }
    return DecisionRow(**fields | changes)


def add(database: Database, *rows: object) -> None:
    """Stores rows in the order given."""
    with database.write() as session:
        for row in rows:
            session.add(row)
            session.flush()


__all__ = [
    "COMPOUND",
    "DAY",
    "NOW",
    "add",
    "amendment",
    "decision",
    "event",
    "evidence",
    "incident",
    "person",
    "settle_in",
]
