"""Where those on duty are, who agreed to say so: one row each, overwritten, gone with the duty.

Used for one thing: who is near. Nobody looks at it on a map, and there is no history of it.
"""

import datetime as dt
import math
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from alerts.dispatch.models import Arrival, ResponderPosition
from alerts.dispatch.suggest import ground
from alerts.duty.onduty import on_duty
from alerts.incidents.models import Incident
from alerts.rounds import Round
from registry.errors import RefusedError
from registry.models import Compound
from storage import audit

# A phone that knows no better than this knows nothing that ranks anybody.
_WORST_M: Final = 200.0
# Further out than this they are not in the compound, and where they are is nobody's to know.
_REACH_M: Final = 3000.0
_FRESH: Final = dt.timedelta(minutes=3)
_AT_ONCE: Final = 200


def agree(session: Session, compound: str, responder: str, at: dt.datetime) -> ResponderPosition:
    """Somebody on duty agrees to say where they are until their duty ends. Raises `RefusedError`.

    Codes: `off_duty`.
    """
    _refuse_off_duty(session, compound, responder, at)
    row = session.get(ResponderPosition, responder)
    if row is None:
        row = ResponderPosition(responder=responder, compound=compound, consented_at=at)
        session.add(row)
        session.flush()
        entry = audit.AuditEntry(
            responder, "responder", "position.agreed", "incident_handling", f"responder:{responder}", ""
        )
        audit.append(session, at, entry)
    return row


def say(
    session: Session,
    compound: str,
    responder: str,
    longitude: float,
    latitude: float,
    accuracy: float,
    at: dt.datetime,
) -> bool:
    """Overwrites where somebody is; WGS 84 degrees, `accuracy` in metres. Whether it was of any use.

    Raises `RefusedError`: `off_duty`, `position_not_agreed`, `compound_not_placed`.
    """
    _refuse_off_duty(session, compound, responder, at)
    row = session.get(ResponderPosition, responder)
    if row is None or row.compound != compound:
        raise RefusedError("position_not_agreed")
    x, y = on_plan(session.get_one(Compound, compound), longitude, latitude)
    if not math.isfinite(accuracy) or accuracy > _WORST_M or math.hypot(x, y) > _REACH_M:
        row.x = row.y = row.accuracy = row.at = None
        return False
    row.x, row.y, row.accuracy, row.at = x, y, accuracy, at
    return True


def forget(session: Session, responder: str) -> bool:
    """Their word, or the end of their duty: the row goes. Whether there was one."""
    gone = session.execute(
        delete(ResponderPosition)
        .where(ResponderPosition.responder == responder)
        .returning(ResponderPosition.responder)
        .execution_options(synchronize_session=False)
    ).all()
    return bool(gone)


def clear(session: Session, now: dt.datetime) -> int:
    """Forgets everybody whose duty is over; returns how many."""
    rows = session.scalars(select(ResponderPosition).order_by(ResponderPosition.responder)).all()
    there = {
        compound: {one.id for one in on_duty(session, compound, now)}
        for compound in {row.compound for row in rows}
    }
    over = [row.responder for row in rows if row.responder not in there[row.compound]][:_AT_ONCE]
    return sum(forget(session, responder) for responder in over)


ROUND: Final = Round("positions", dt.timedelta(seconds=60), clear, version=1)


def arrived_by(session: Session, incident: Incident, responder: str, at: dt.datetime) -> Arrival:
    """What stands behind "I am there" where no code was shown: their position, or their word."""
    row = session.get(ResponderPosition, responder)
    if row is None or row.x is None or row.y is None or row.at is None or row.at <= at - _FRESH:
        return Arrival.SAID
    place = ground(session, incident).places.get(incident.zone)
    at_place = place is not None and place.holds((row.x, row.y), row.accuracy or 0.0)
    return Arrival.GEOFENCE if at_place else Arrival.SAID


def on_plan(compound: Compound, longitude: float, latitude: float) -> tuple[float, float]:
    """Plan metres of WGS 84 degrees: the inverse of `registry.places.geojson.Projection`.

    Raises `RefusedError("compound_not_placed")` where nobody has said where the plan lies.
    """
    if compound.longitude is None or compound.latitude is None or compound.bearing is None:
        raise RefusedError("compound_not_placed")
    turn, phi = math.radians(compound.bearing), math.radians(compound.latitude)
    # Metres of a degree on the ellipsoid (US NIMA), as the projection has them.
    parallel = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    meridian = 111132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi) - 0.0023 * math.cos(6 * phi)
    east, north = (longitude - compound.longitude) * parallel, (latitude - compound.latitude) * meridian
    return east * math.cos(turn) - north * math.sin(turn), -east * math.sin(turn) - north * math.cos(turn)


def _refuse_off_duty(session: Session, compound: str, responder: str, at: dt.datetime) -> None:
    if responder not in {one.id for one in on_duty(session, compound, at)}:
        forget(session, responder)
        raise RefusedError("off_duty")
