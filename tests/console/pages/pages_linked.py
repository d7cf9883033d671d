"""Incidents that hang together, in the compound of `pages_world`: a guess, a proposal, blind devices."""

import datetime as dt
from typing import Any

import pages_history
from pages_history import COMPOUND
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident, IncidentKey, MergeProposal
from registry.models import Ring

# Rule, kind, key, ring, zone, device, event type and event, seconds ago.
STEPS = [
    ("R-E01", "person.unknown_passed", "R-E01:lane-east", Ring.ENTRANCE, "gate-east", "cam-east",
     "face.captured", "l-face", 600),
    ("R-C01", "person.loitering", "R-C01:garden", Ring.COMMON, "garden", "cam-garden",
     "video.loitering", "l-garden", 420),
    ("R-B05", "door.forced", "R-B05:door-3", Ring.BUILDING, "b3", "door-3", "door.forced", "l-door", 240),
]  # fmt: skip


def iso(moment: dt.datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def signal(incident: str, rule: str, key: str, at: dt.datetime, events: list[str], **trace: Any) -> Evidence:
    fields: dict[str, Any] = {
        "lane": None,
        "reason": "unknown_passed",
        "args": {},
        "needs_comparison": False,
        "subject_kind": None,
        "subject": None,
        "probable": False,
        "joins": [],
        "blind": [],
        "rules": "4",
        "mode": "normal",
    }
    return Evidence(
        signal_id=f"sig-{rule}-{key}"[:32],
        incident=incident,
        rule=rule,
        severity=trace.pop("severity", 3),
        at=at,
        event_ids=events,
        sighting_ids=[],
        key=key,
        trace=fields | trace,
    )


def guessed(session: Session, at: dt.datetime) -> Incident:
    """Three steps that became one incident because somebody could have walked from one to the next."""
    row = pages_history.incident(
        "i-guess",
        at - dt.timedelta(seconds=600),
        kind="path.escalation",
        severity=1,
        zone="b3",
        ring=Ring.BUILDING,
        device_id="door-3",
        probable=True,
        signal_count=4,
        key=STEPS[0][2],
        reason="ring_escalation_probable",
        reason_args={"steps": 3, "ring": "building", "minutes": 6, "forced": True},
        rules_version="4",
        blind=[
            {
                "device": "cam-sheds",
                "start": iso(at - dt.timedelta(seconds=900)),
                "end": iso(at - dt.timedelta(seconds=500)),
                "why": "offline",
            },
            {
                "device": "cam-sheds",
                "start": iso(at - dt.timedelta(seconds=510)),
                "end": iso(at - dt.timedelta(seconds=300)),
                "why": "offline",
            },
            {
                "device": "cam-garden",
                "start": iso(at - dt.timedelta(seconds=420)),
                "end": iso(at - dt.timedelta(seconds=400)),
                "why": "occluded",
            },
        ],
    )
    session.add(row)
    for _, _, _, ring, zone, device, kind, event, ago in STEPS:
        seen = at - dt.timedelta(seconds=ago)
        session.add(pages_history.event(event, device, zone, ring, kind, seen))
    # Merely seen, on the way: no rule had anything to say of it.
    seen = at - dt.timedelta(seconds=330)
    session.add(pages_history.event("l-seen", "cam-sheds", "sheds", Ring.COMMON, "face.unknown", seen))
    session.flush()
    for rule, kind, key, ring, zone, device, _, event, ago in STEPS:
        seen = at - dt.timedelta(seconds=ago)
        session.add(
            signal(row.id, rule, key, seen, [event], kind=kind, ring=ring, zone=zone, device_id=device)
        )
        session.add(IncidentKey(compound=COMPOUND, key=key, incident=row.id, last_at=seen))
    session.add(
        signal(
            row.id,
            "R-X01",
            f"R-X01:{STEPS[0][2]}",
            at - dt.timedelta(seconds=240),
            [*(step[7] for step in STEPS), "l-seen"],
            severity=1,
            kind="path.escalation",
            ring="building",
            zone="b3",
            device_id="door-3",
            probable=True,
            joins=[step[2] for step in STEPS],
            reason="ring_escalation_probable",
        )
    )
    session.flush()
    pages_history.history(session, row, [(row.state, "system", "system")], at)
    return row


def proposed(
    session: Session, at: dt.datetime, one: str = "i-off", other: str = "i-face", *, key: str = "mp-1"
) -> None:
    """A proposal that two incidents of `pages_history` are one thing."""
    first, second = sorted((one, other))
    session.add(
        MergeProposal(
            id=key, compound=COMPOUND, first=first, second=second, reason="cluster_near", at=at, state="open"
        )
    )
    session.flush()
