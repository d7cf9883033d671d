"""What happened in the compound of `pages_world`: events, decisions, incidents, refused messages."""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, Transition
from bus.deadletters import DeadLetter
from recognition.models import DecisionRow
from registry.models import Ring
from storage import MediaStore
from storage.events import EventRow

COMPOUND = "honghua"
STEP = dt.timedelta(seconds=20)


def event(
    event_id: str, device: str, zone: str, ring: Ring, kind: str, at: dt.datetime, **body: Any
) -> EventRow:
    return EventRow(
        id=event_id,
        compound=COMPOUND,
        device_id=device,
        record_id=event_id,
        type=kind,
        ring=ring,
        zone=zone,
        lane=None,
        direction="in",
        device_time=at,
        corrected_time=at,
        received_at=at,
        late=False,
        marks=body.pop("marks", []),
        body=body,
        content_hash=event_id.ljust(32, "0")[:32],
    )


def decision(
    event_id: str, kind: str, outcome: str, at: dt.datetime, reasons: list[str], **more: Any
) -> DecisionRow:
    fields: dict[str, Any] = {
        "score": None,
        "threshold": None,
        "margin": None,
        "gallery_size": None,
        "engine": None,
        "engine_version": None,
        "person_id": None,
        "household_id": None,
        "plate": None,
        "quality": None,
    }
    return DecisionRow(
        sighting_id=f"s-{event_id}",
        event_id=event_id,
        compound=COMPOUND,
        subject_kind=kind,
        outcome=outcome,
        candidates=[],
        reasons=reasons,
        evidence={},
        milliseconds=90,
        at=at,
        decided_at=at,
        **fields | more,
    )


def incident(incident_id: str, at: dt.datetime, **changes: Any) -> Incident:
    fields: dict[str, Any] = {
        "id": incident_id,
        "compound": COMPOUND,
        "rule": "R-E01",
        "kind": "person.unknown_passed",
        "ring": Ring.ENTRANCE,
        "zone": "gate-east",
        "device_id": "cam-east",
        "lane": "lane-east",
        "severity": 3,
        "state": State.RAISED,
        "version": 1,
        "happened_at": at,
        "raised_at": at,
        "last_signal_at": at,
        "signal_count": 1,
        "active_key": incident_id,
        "reason": "unknown_passed",
        "reason_args": {"lane": "lane-east", "window_s": 10.0, "night": True, "distance": 0.71},
        "team": "t-vol",
    }
    return Incident(**fields | changes)


def history(session: Session, row: Incident, steps: list[tuple[State, str, str]], at: dt.datetime) -> None:
    before: State | None = None
    for version, (state, actor, role) in enumerate(steps, start=1):
        session.add(
            Transition(
                id=f"{row.id}-{version}",
                incident=row.id,
                version=version,
                from_state=before,
                to_state=state,
                actor=actor,
                role=role,
                at=at + STEP * (version - 1),
            )
        )
        before = state


def evidence(session: Session, row: Incident, event_id: str) -> None:
    session.add(
        Evidence(
            signal_id=f"sig-{row.id}",
            incident=row.id,
            rule=row.rule,
            severity=row.severity,
            at=row.happened_at,
            event_ids=[event_id],
            sighting_ids=[f"s-{event_id}"],
        )
    )


def incidents(session: Session, media: MediaStore, at: dt.datetime, probe: bytes) -> None:
    picture = {"role": "face", "media_id": media.put(probe).media_id, "size": len(probe)}
    before = {
        name: at - dt.timedelta(seconds=s)
        for name, s in (("hit", 14), ("face", 95), ("plate", 260), ("door", 40), ("off", 400), ("done", 2400))
    }
    session.add_all(
        [
            event("e-hit", "cam-east", "gate-east", Ring.ENTRANCE, "face.captured", before["hit"], pictures=[picture]),
            event("e-face", "cam-east", "gate-east", Ring.ENTRANCE, "face.captured", before["face"], pictures=[picture]),
            event("e-plate", "cam-north", "gate-north", Ring.ENTRANCE, "plate.recognised", before["plate"],
                  plate={"text": "云M8X21K"}, marks=["clock_skew"]),
            event("e-door", "door-3", "b3", Ring.BUILDING, "door.opened", before["door"]),
            event("e-off", "cam-sheds", "sheds", Ring.COMMON, "device.offline", before["off"]),
            event("e-home", "cam-east", "gate-east", Ring.ENTRANCE, "face.captured", at - dt.timedelta(seconds=5)),
        ]
    )  # fmt: skip
    face = {"engine": "dlib", "engine_version": "19.24", "gallery_size": 1873, "quality": {"score": 0.74}}
    session.add_all(
        [
            decision("e-hit", "face", "identified", before["hit"], ["within_threshold"], score=0.342,
                     threshold=0.41, margin=0.187, person_id="p-1", **face),
            decision("e-face", "face", "unknown", before["face"], ["nobody_near"], score=0.71, threshold=0.41,
                     margin=0.02, **face),
            decision("e-plate", "plate", "unknown", before["plate"], ["not_registered"], score=0.96,
                     gallery_size=640, plate="云M8X21K"),
            decision("e-home", "face", "household", at, ["same_household"], score=0.33, threshold=0.41, **face),
        ]
    )  # fmt: skip
    rows = {
        "i-hit": incident("i-hit", before["hit"], rule="R-E09", kind="watchlist.hit", severity=2,
                          needs_comparison=True, subject_kind="person", subject="p-1", reason="watchlist_hit",
                          reason_args={"entry_id": "w-7", "distance": 0.342}),
        "i-door": incident("i-door", before["door"], rule="R-B05", kind="door.forced", severity=1, zone="b3",
                           ring=Ring.BUILDING, device_id="door-3", state=State.CONFIRMED, version=3,
                           reason="door_forced", reason_args={"lane": "lane-3", "window_s": 3.0, "night": True}),
        "i-face": incident("i-face", before["face"], signal_count=2),
        "i-plate": incident("i-plate", before["plate"], rule="R-E04", kind="vehicle.unregistered", severity=4,
                            zone="gate-north", device_id="cam-north", state=State.DISPATCHED, version=4,
                            subject_kind="plate", subject="云M8X21K", reason="unregistered_plate",
                            reason_args={"plate": "云M8X21K", "window_s": 60.0}),
        "i-off": incident("i-off", before["off"], rule="R-D01", kind="device.offline", severity=3, zone="sheds",
                          ring=Ring.COMMON, device_id="cam-sheds", state=State.ACKNOWLEDGED, version=2,
                          reason="device_offline", reason_args={"cause": "last_will", "ring_share": 0.5}),
        "i-done": incident("i-done", before["done"], state=State.RESOLVED, version=7, signal_count=1,
                           reason_args={"lane": "lane-east", "window_s": 10.0}, resolution="访客，已登记"),
    }  # fmt: skip
    session.add_all(rows.values())
    session.flush()
    for row, of in (("i-hit", "e-hit"), ("i-face", "e-face"), ("i-plate", "e-plate"), ("i-door", "e-door")):
        evidence(session, rows[row], of)
    system, operator = ("system", "system"), ("u-operator", "operator")
    raised = (State.RAISED, *system)
    for row in rows.values():
        taken = [raised]
        if row.version >= 2:
            taken.append((State.ACKNOWLEDGED, *operator))
        if row.version >= 3:
            taken.append((State.CONFIRMED, *operator))
        if row.version >= 4:
            taken.append((State.DISPATCHED, *operator))
        history(session, row, taken, row.raised_at)
    session.add(
        Dispatch(
            id="d-plate",
            incident="i-plate",
            compound=COMPOUND,
            responder="r-li",
            state=DispatchState.OFFERED,
            offered_at=at - dt.timedelta(seconds=50),
        )
    )


def letters(session: Session, at: dt.datetime) -> None:
    for number, (reason, detail, device) in enumerate(
        (
            ("malformed_json", "line 1 column 14", "cam-north"),
            ("unknown_device", "cam-88", None),
            ("bad_base64", "images[0].jpeg", "cam-east"),
            ("broker_too_large", "9437184 > 8388608", None),
        )
    ):
        session.add(
            DeadLetter(
                id=f"l-{number}",
                source="broker" if reason.startswith("broker") else "mqtt",
                reason=reason,
                detail=detail,
                topic=f"rw/v1/{COMPOUND}/{device or 'cam-88'}/up/event",
                compound=COMPOUND,
                device_id=device,
                received_at=at - dt.timedelta(minutes=number * 7 + 1),
                size=1200 + number,
                raw=b"{",
                count=number + 1,
                context={"client": device or "cam-88"},
            )
        )
