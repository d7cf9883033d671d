"""What those who are asked, who go and who wait for them are told of a dispatch."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from alerts.dispatch.models import Dispatch
from alerts.incidents.models import Incident
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Purpose
from bus import subjects
from bus.messages import DispatchChanged, encode
from storage import new_id
from storage.events import enqueue

_WORTH: Final = dt.timedelta(minutes=30)
"""An offer that comes later than this says nothing any more: the page has what is so now."""


def important(incident: Incident) -> bool:
    """Whether it goes by a receiver's rule for what is important: what cannot wait (S1, S2)."""
    return incident.severity <= 2


def tell(
    session: Session,
    incident: Incident,
    dispatch: Dispatch,
    purpose: Purpose,
    at: dt.datetime,
    *,
    key: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Tells the dispatch's responder something; once for each asking, unless `key` says otherwise."""
    graver = purpose in {Purpose.HELP, Purpose.LONE_WORKER}
    ask(
        session,
        [
            Ask(
                compound=incident.compound,
                key=key or f"{purpose}:{dispatch.id}:{dispatch.offers}",
                purpose=purpose,
                severity=1 if purpose is Purpose.HELP else incident.severity,
                responder=dispatch.responder,
                important=graver or (purpose is not Purpose.TAKEN and important(incident)),
                drill=incident.drill,
                incident=incident.id,
                dispatch=dispatch.id,
                arguments=facts(incident) | dict(more or {}),
                expires_at=at + _WORTH,
            )
        ],
        at,
    )


def tell_people(
    session: Session,
    incident: Incident,
    responders: Iterable[str],
    purpose: Purpose,
    key: str,
    at: dt.datetime,
    *,
    severity: int | None = None,
    dispatch: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> int:
    """Tells others something about an incident; `key` is completed with each receiver. Returns how many."""
    gravity = incident.severity if severity is None else severity
    made = ask(
        session,
        [
            Ask(
                compound=incident.compound,
                key=f"{key}:{responder}",
                purpose=purpose,
                severity=gravity,
                responder=responder,
                important=gravity <= 2,
                drill=incident.drill,
                incident=incident.id,
                dispatch=dispatch,
                arguments=facts(incident) | dict(more or {}),
            )
            for responder in responders
        ],
        at,
    )
    return len(made)


def facts(incident: Incident) -> dict[str, Any]:
    """What words may say of an incident: place and kind, and nothing of anybody."""
    return {"kind": incident.kind, "zone": incident.zone}


def announce(session: Session, dispatch: Dispatch, at: dt.datetime) -> None:
    """Puts the dispatch's present state into the outbox."""
    message = DispatchChanged(
        id=dispatch.id,
        incident_id=dispatch.incident,
        compound=dispatch.compound,
        responder_id=dispatch.responder,
        state=dispatch.state,
        at=at,
    )
    enqueue(
        session,
        [(f"dispatch:{dispatch.id}:{new_id()}", subjects.dispatch(dispatch.compound), encode(message))],
    )
