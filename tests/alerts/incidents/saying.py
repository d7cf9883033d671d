"""What rules say, made by hand, and how it is written."""

import datetime as dt
import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select
from timeline import COMPOUND, START

from alerts.incidents import raising
from alerts.incidents.models import Evidence, Incident, IncidentKey, Transition
from alerts.incidents.raising import Change
from alerts.rules import Blind, Clear, Observation, Proposal, Said, Signal
from bus.messages import IncidentChanged, decode
from storage import Database
from storage.events import OutboxRow

WINDOW_S = 60.0
_numbers = itertools.count()


def moment(offset: float) -> dt.datetime:
    return START + dt.timedelta(seconds=offset)


def observed(offset: float = 0, ring: str = "entrance", **facts: object) -> Observation:
    number = next(_numbers)
    given = {
        "id": f"o-{number}",
        "event_id": f"e-{number}",
        "sighting_id": f"s-{number}",
        "type": "face.unknown",
        "at": moment(offset),
        "received_at": moment(offset),
        "device": f"{ring}-camera",
        "zone": ring,
        "ring": ring,
        "lane": ring,
    }
    return Observation(**(given | facts))


def said(
    key: str,
    offset: float = 0,
    *,
    severity: int = 3,
    ring: str = "entrance",
    rule: str = "R-E01",
    window: float = WINDOW_S,
    anchor: Observation | None = None,
    **more: object,
) -> Signal:
    seen = anchor or observed(offset, ring)
    given = {
        "rule": rule,
        "kind": f"kind-of-{rule}",
        "severity": severity,
        "dedupe_key": key,
        "dedupe_window": dt.timedelta(seconds=window),
        "anchor": seen,
        "evidence": (seen,),
        "reason": "unknown_passed",
        "reason_args": {"lane": ring},
    }
    return Signal(**(given | more))


def over(key: str, offset: float = 0) -> Clear:
    return Clear("R-E01", key, moment(offset))


def one_thing(key: str, other: str, offset: float = 0, *, automatic: bool = False) -> Proposal:
    return Proposal("R-X02", (key, other), moment(offset), "near_in_time", automatic)


def blind(device: str, start: float, end: float) -> Blind:
    return Blind(device, moment(start), moment(end), "offline")


def write(database: Database, *batch: Said, at: float = 0, **how: object) -> list[Change]:
    with database.write() as session:
        return raising.apply_all(session, COMPOUND, batch, moment(at), **how)


def raise_one(database: Database, key: str, at: float = 0, **what: object) -> Incident:
    """The incident of one signal, as it was written."""
    return write(database, said(key, at, **what), at=at)[-1].incident


def again(database: Database, incident: Incident) -> Incident:
    """The incident as it is now."""
    with database.read() as session:
        row = session.get_one(Incident, incident.id)
        session.expunge_all()
    return row


def incidents(database: Database) -> list[Incident]:
    return _all(database, select(Incident).order_by(Incident.raised_at, Incident.id))


def evidence_of(database: Database, incident: Incident) -> list[Evidence]:
    return _all(database, select(Evidence).where(Evidence.incident == incident.id).order_by(Evidence.at))


def keys_of(database: Database, incident: Incident) -> list[str]:
    rows = _all(database, select(IncidentKey).where(IncidentKey.incident == incident.id))
    return sorted(row.key for row in rows)


def path_of(database: Database, incident: Incident) -> list[Transition]:
    query = select(Transition).where(Transition.incident == incident.id).order_by(Transition.version)
    return _all(database, query)


def told(database: Database) -> list[IncidentChanged]:
    with database.read() as session:
        return [decode(raw) for raw in session.scalars(select(OutboxRow.payload).order_by(OutboxRow.seq))]


def at_once(works: Sequence[Callable[[], None]]) -> None:
    """Runs all of them in threads of their own that start together."""
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        start.wait(timeout=30)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(run, work) for work in works]:
            future.result(timeout=60)


def looks(incident: Incident) -> dict[str, object]:
    """Everything of an incident that an undo has to bring back."""
    gone = {"version", "due_at", "escalation", "merged_into"}
    columns = [column.key for column in Incident.__table__.columns if column.key not in gone]
    return {name: getattr(incident, name) for name in columns}


def _all(database: Database, query: object) -> list:
    with database.read() as session:
        rows = list(session.scalars(query))
        session.expunge_all()
    return rows
