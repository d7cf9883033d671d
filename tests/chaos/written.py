"""What is written of a run: journals of devices and phones, the log of faults, and the database itself."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import select

from alerts.incidents.models import Evidence, Incident
from alerts.notify.models import Notification, NotificationAttempt
from bus.deadletters import DeadLetter
from devices.simulator.history import Entry
from storage import Database
from storage.events import EventRow
from tests.chaos.doors import KIND
from tests.chaos.history import Door, Fault, History, RaisedIncident, Written
from tests.chaos.phones import Letter

RULE = "R-B05"
_BATCH = 5000
_T = TypeVar("_T")


def journals(paths: Iterable[Path]) -> History:
    """What devices said and were told."""
    history = History()
    for path in paths:
        for entry in _lines(path, Entry):
            _take(history, entry)
    return history


def _take(history: History, entry: Entry) -> None:
    if entry.digest is not None:
        which = history.broken if entry.what == "broken" else history.broken_acknowledged
        if entry.by != "puback":
            which.add(entry.digest)
        return
    if entry.happening is None or entry.number is None:
        return
    key = entry.device, entry.number
    if entry.what == "told":
        history.tell(entry.device, entry.happening)
        if entry.kind == KIND and entry.said is not None:
            history.doors[key] = Door(entry.device, entry.number, entry.said.timestamp())
    elif entry.what == "acknowledged":
        history.acknowledge(entry.device, entry.happening)
        if entry.by is not None and entry.ms is not None:
            history.waits_ms[entry.by].append(entry.ms)


def letters(path: Path) -> list[Letter]:
    return list(_lines(path, Letter))


def faults(path: Path) -> list[Fault]:
    return list(_lines(path, Fault))


def _lines(path: Path, kind: type[_T]) -> Iterator[_T]:
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for line in file:
            # Who reads while another writes may see half of the last line.
            if line.endswith(b"\n"):
                yield decoder.decode(line)


def database(given: Database) -> Written:
    """What the database holds of it."""
    written = Written()
    with given.read() as session:
        rows = session.execute(
            select(EventRow.id, EventRow.device_id, EventRow.type, EventRow.record_id, EventRow.late),
            execution_options={"yield_per": _BATCH},
        )
        for row in rows:
            # What Ringward notes of a device by itself (it came, it went) no device has told.
            if row.record_id.startswith(f"{row.type}@"):
                continue
            written.stored[row.device_id][row.record_id] += 1
            if row.type == KIND:
                written.doors[row.id] = row.device_id, row.record_id, bool(row.late)
        events: dict[str, list[str]] = {}
        for incident, ids in session.execute(
            select(Evidence.incident, Evidence.event_ids).where(Evidence.rule == RULE)
        ):
            events.setdefault(incident, []).extend(ids)
        written.incidents = [
            RaisedIncident(row.id, row.severity, tuple(events.get(row.id, ())))
            for row in session.execute(select(Incident.id, Incident.severity).where(Incident.rule == RULE))
        ]
        for row in session.execute(
            select(Notification.id, Notification.incident, Notification.responder, Notification.purpose)
        ):
            written.notifications[row.id] = row.incident, row.responder, str(row.purpose)
        for attempt, notification in session.execute(
            select(NotificationAttempt.id, NotificationAttempt.notification)
        ):
            written.attempts[attempt] = notification
        for raw in session.scalars(select(DeadLetter.raw).where(DeadLetter.raw.is_not(None))):
            written.refused.add(hashlib.blake2b(raw, digest_size=16).hexdigest())
    return written
