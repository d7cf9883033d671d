"""One small compound with something of everything, for the console's tests."""

import datetime as dt
from types import SimpleNamespace

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, Transition
from bus.deadletters import DeadLetter
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from recognition.models import DecisionRow
from registry.models import Building, Compound, Household, Person, Ring, Zone
from storage import Database, MediaStore, new_id
from storage.events import EventRow

COMPOUND = "honghua"
START = dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC)
JPEG = b"\xff\xd8\xff\xe0 a picture"
PLATE = "云M12345"


def incident(
    state: State = State.RAISED,
    *,
    compound: str = COMPOUND,
    severity: int = 3,
    ring: Ring = Ring.ENTRANCE,
    minutes: int = 0,
    **changes: object,
) -> Incident:
    at = START - dt.timedelta(minutes=30 - minutes)
    fields = {
        "id": new_id(),
        "compound": compound,
        "rule": "R-E04",
        "kind": "vehicle.unregistered",
        "ring": ring,
        "zone": "gate",
        "device_id": "cam-1",
        "lane": "lane-1",
        "severity": severity,
        "state": state,
        "version": 1,
        "happened_at": at,
        "raised_at": at,
        "last_signal_at": at,
        "signal_count": 1,
        "active_key": None,
        "needs_comparison": False,
        "subject_kind": "plate",
        "subject": PLATE,
        "reason": "unregistered_plate",
        "reason_args": {"lane": "lane-1", "plate": PLATE},
    }
    return Incident(**fields | changes)


def event(minutes: int = 0, *, compound: str = COMPOUND, kind: str = "plate.recognised") -> EventRow:
    at = START - dt.timedelta(minutes=30 - minutes)
    return EventRow(
        id=new_id(),
        compound=compound,
        device_id="cam-1",
        record_id=f"r-{minutes}",
        type=kind,
        ring="entrance",
        zone="gate",
        lane="lane-1",
        direction="in",
        device_time=at,
        corrected_time=at,
        received_at=at,
        late=False,
        marks=["clock_skew"],
        body={"plate": {"text": PLATE}},
        content_hash="0" * 32,
    )


def dispatch(incident_id: str, responder: str, state: DispatchState = DispatchState.OFFERED) -> Dispatch:
    return Dispatch(
        id=new_id(),
        incident=incident_id,
        compound=COMPOUND,
        responder=responder,
        state=state,
        lead_of=None,
        offered_at=START,
    )


def build(database: Database, media: MediaStore) -> SimpleNamespace:
    """Fills the database; returns the ids by what they are."""
    raised = incident()
    confirmed = incident(State.CONFIRMED, severity=2, minutes=5)
    sent = incident(State.DISPATCHED, severity=1, ring=Ring.BUILDING, minutes=10, version=3)
    elsewhere = incident(compound="sifang")
    seen = event()
    foreign = event(compound="sifang")
    decision = DecisionRow(
        sighting_id=new_id(),
        event_id=seen.id,
        compound=COMPOUND,
        subject_kind="plate",
        outcome="unknown",
        plate=PLATE,
        candidates=[{"vehicle_id": "v1", "distance": 0.4}],
        reasons=["not_registered"],
        evidence={"device": PLATE},
        milliseconds=12,
        at=START,
        decided_at=START,
    )
    own, other = dispatch(sent.id, "li"), dispatch(sent.id, "wang")
    letter = DeadLetter(
        id=new_id(),
        source="mqtt",
        reason="bad_json",
        detail="line 1",
        topic="rw/v1/honghua/cam-1/up/event",
        compound=COMPOUND,
        device_id="cam-1",
        received_at=START,
        size=3,
        raw=b"{,}",
        context={},
    )
    with database.write() as session:
        for compound, name in ((COMPOUND, "红花"), ("sifang", "四方")):
            session.add(Compound(id=compound, name=name, time_zone="Asia/Shanghai"))
        session.flush()
        for zone, compound in (("gate", COMPOUND), ("yard", COMPOUND), ("far", "sifang")):
            session.add(
                Zone(id=zone, compound=compound, name=zone, ring="entrance", kind="gate", outline=[[0, 0]])
            )
        session.flush()
        session.add(
            Building(id="b1", compound=COMPOUND, zone="yard", name="1", x=0, y=0, width=10, height=10)
        )
        for device, compound, zone in (("cam-1", COMPOUND, "gate"), ("cam-9", "sifang", "far")):
            session.add(
                Device(
                    id=device,
                    compound=compound,
                    zone=zone,
                    kind=DeviceKind.PLATE_CAMERA,
                    name="camera",
                    secret_hash="$2b$never-shown",
                    stage=Stage.APPROVED,
                )
            )
        session.add(Team(id="guards", compound=COMPOUND, name="保安", kind=TeamKind.GUARD))
        session.add(Household(id="h1", compound=COMPOUND))
        session.flush()
        session.add(DeviceStatus(device_id="cam-1", online=True, since=START, last_seen=START))
        for responder in ("li", "wang"):
            session.add(Responder(id=responder, team="guards", name=f"{responder} 某", post="gate"))
        session.add(Person(id="adult", compound=COMPOUND, household="h1", name="张三", phone="13900000000"))
        session.add(Person(id="child", compound=COMPOUND, household="h1", name="张小", under_14=True))
        session.add(Person(id="stranger", compound="sifang", name="李四"))
        session.flush()
        session.add(
            Shift(
                id="s1",
                responder="li",
                starts_at=START - dt.timedelta(hours=1),
                ends_at=START + dt.timedelta(hours=7),
            )
        )
        session.add_all([raised, confirmed, sent, elsewhere, seen, foreign, letter, decision])
        session.flush()
        session.add_all([own, other])
        session.add(
            Evidence(
                signal_id=new_id(),
                incident=raised.id,
                rule="R-E04",
                severity=3,
                at=START,
                event_ids=[seen.id],
                sighting_ids=[],
            )
        )
        session.add(
            Transition(
                id=new_id(),
                incident=raised.id,
                version=1,
                from_state=None,
                to_state=State.RAISED,
                actor="system",
                role="system",
                at=START,
            )
        )
    return SimpleNamespace(
        raised=raised.id,
        confirmed=confirmed.id,
        sent=sent.id,
        elsewhere=elsewhere.id,
        event=seen.id,
        foreign_event=foreign.id,
        sighting=decision.sighting_id,
        own=own.id,
        other=other.id,
        letter=letter.id,
        responder="li",
        picture=media.put(JPEG).media_id,
        page=media.put(b"<html><script>alert(1)</script>").media_id,
    )
