"""What becomes known of something after an alarm was raised of it.

Somebody was unknown, and a better picture says who it is. The rule would have been silent had it known;
nobody closes an alarm behind an operator's back for that. It is written on the card, and the operator
closes it with the reason that it is.
"""

import datetime as dt
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from alerts.incidents.record import announce, load
from alerts.rules import Observation

# Evidence is at most this far in event time from what it stands on: no rule looks back for longer.
_REACH: Final = dt.timedelta(hours=27)
_OPEN: Final = tuple(state for state in State if state.is_open)


def became_known(session: Session, compound: str, seen: Observation, at: dt.datetime) -> list[Incident]:
    """Amends the open incidents that stand on what `seen` amends; returns those that changed.

    The subject is filled in where it was unknown; `known_later` (belongs, registered, household, vehicle)
    and `premise_gone` in the reason's facts say what the card shows. Twice the same changes nothing.
    """
    if not seen.amends:
        return []
    known = _known(seen)
    changed: list[Incident] = []
    for incident_id, premise_gone in _standing_on(session, compound, seen).items():
        incident = load(session, incident_id)
        args: dict[str, Any] = dict(incident.reason_args)
        if known is not None:
            args["known_later"] = known
        if premise_gone:
            args["premise_gone"] = True
        subject = _subject(seen)
        fills = incident.subject is None and subject is not None
        if not fills and args == incident.reason_args:
            continue
        if fills and subject is not None:
            incident.subject_kind, incident.subject = subject
        incident.reason_args = args
        incident.version += 1
        announce(session, incident, at)
        changed.append(incident)
    return changed


def _standing_on(session: Session, compound: str, seen: Observation) -> dict[str, bool]:
    """Open incidents with evidence of the same event, and whether what they were raised for is gone."""
    rows = session.execute(
        select(Incident.id, Evidence.event_ids, Evidence.sighting_ids, Evidence.trace)
        .join(Evidence, Evidence.incident == Incident.id)
        .where(
            Incident.compound == compound,
            Incident.state.in_(_OPEN),
            Evidence.at.between(seen.at - _REACH, seen.at + _REACH),
        )
        .order_by(Incident.id)
    )
    found: dict[str, bool] = {}
    for row in rows:
        if seen.event_id not in row.event_ids and seen.sighting_id not in row.sighting_ids:
            continue
        gone = row.trace.get("anchor") == seen.id and row.trace.get("anchor_type") != seen.type
        found[row.id] = found.get(row.id, False) or gone
    return found


def _known(seen: Observation) -> str | None:
    if seen.person_id is not None:
        return "belongs" if seen.person is not None and seen.person.belongs else "registered"
    if seen.household_id is not None and seen.type.startswith("face."):
        return "household"
    return "vehicle" if seen.vehicle_id is not None else None


def _subject(seen: Observation) -> tuple[str, str] | None:
    if seen.person_id is not None:
        return "person", seen.person_id
    return None if seen.plate is None or seen.type != "plate.recognised" else ("plate", seen.plate)
