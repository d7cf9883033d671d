"""An intake on a small compound, and a short way to hand it messages."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from bus.deadletters import DeadLetter
from bus.messages import EventStored, decode
from devices import presence
from devices.adapters.contract import Outgoing
from devices.directory import DeviceDirectory
from devices.models import DeviceStatus
from ingest.arrival import Arrival
from ingest.flood import Limit
from ingest.intake import Intake
from ingest.metrics import IntakeMetrics
from storage import Database, MediaStore
from storage.events import EventRow, OutboxRow
from tests.support.clock import VirtualClock
from tests.support.compound import settle_in, status_of
from tests.support.native import topic


@dataclass
class Gate:
    """An intake, its database, and a short way to hand it messages."""

    database: Database
    media: MediaStore
    intake: Intake
    clock: VirtualClock
    metrics: CollectorRegistry

    def take(self, *payloads: bytes, on: str | None = None, retained: bool = False) -> list[Outgoing | None]:
        where = topic() if on is None else on
        settled = self.intake.process(
            [Arrival(where, payload, self.clock.now(), retained=retained) for payload in payloads]
        )
        return [one.answers[0] if one.answers else None for one in settled]

    def rows(self, table: type, *order: object) -> list:
        with self.database.read() as session:
            found = list(session.scalars(select(table).order_by(*order)))
            session.expunge_all()
        return found

    def events(self) -> list[EventRow]:
        return [row for row in self.rows(EventRow, EventRow.record_id) if not row.type.startswith("device.")]

    def letters(self) -> list[DeadLetter]:
        return self.rows(DeadLetter, DeadLetter.id)

    def status(self, device_id: str = "cam-1") -> DeviceStatus:
        return status_of(self.database, device_id)

    def told(self) -> list[EventStored]:
        """What waits in the outbox about devices' own events."""
        messages = [decode(row.payload) for row in self.rows(OutboxRow, OutboxRow.seq)]
        return [m for m in messages if isinstance(m, EventStored) and not m.type.startswith("device.")]


def make_gate(database: Database, media: MediaStore, clock: VirtualClock, limit: Limit | None = None) -> Gate:
    """A gate on a database that holds nothing yet; `limit` is what one device may send."""
    settle_in(database)
    with database.write() as session:
        presence.ensure_rows(session, clock.now())
    metrics = CollectorRegistry()
    intake = Intake(database, media, DeviceDirectory(database), IntakeMetrics(metrics), limit)
    return Gate(database, media, intake, clock, metrics)
