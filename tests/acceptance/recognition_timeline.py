"""Recognition on a timeline: at +0 s this face, by +0.4 s that is told, and nothing else.

Everything between the device's message and the incident is the real thing: intake, database,
worker, rules and openings. Time moves only when a story moves it, a tenth of a second a step,
as the processes take turns.
"""

import datetime as dt
from typing import Any, Final

from prometheus_client import CollectorRegistry
from sqlalchemy import select

from alerts.desk import AlertDesk, DeskMetrics
from alerts.incidents.models import Incident
from bus.messages import EventStored, Message, Sighting, decode
from devices import openings
from devices.commands.models import DeviceCommand
from devices.models import Device
from devices.opening import Opener, OpeningMetrics
from devices.stages import By
from ingest.arrival import Arrival
from storage.events import OutboxRow
from tests.support.native import event, topic
from tests.support.passages import Street

TICK_S: Final = 0.1
_BY: Final = By("admin", "administrator")


class Story:
    """Plays what happens on a street and keeps what is heard of it: (seconds, what, of whom)."""

    def __init__(self, street: Street) -> None:
        self.street = street
        self.heard: list[tuple[float, str, str | None]] = []
        # Recognition is down: its events wait.
        self.blind = False
        self._began = street.clock.now()
        self._ticks = 0
        self._seq = 0
        self._waiting: list[EventStored] = []
        self._records = 0
        self._known: dict[str, Any] = {}
        metrics = CollectorRegistry()
        self._desk = AlertDesk(street.database, street.clock, DeskMetrics(metrics), lambda: None)
        self._opener = Opener(street.database, street.clock, OpeningMetrics(metrics))

    def opens(self, camera: str, door: str) -> None:
        """An administrator lets a camera open the door before it."""
        with self.street.database.write() as session:
            devices = [session.get_one(Device, name) for name in (camera, door)]
            openings.allow(session, *devices, 0, self.street.clock.now(), _BY)

    def at(self, seconds: float, device: str, kind: str = "face.captured", **fields: Any) -> None:
        """A device reports something at a moment of the story."""
        self.until(seconds)
        self._records += 1
        seen = self.street.clock.now() - dt.timedelta(seconds=fields.pop("ago", 0.0))
        payload = event(f"s-{self._records}", kind, seen, **fields)
        self.street.intake.process([Arrival(topic(device), payload, self.street.clock.now())])
        self._turn()

    def until(self, seconds: float) -> None:
        """Time passes, and everybody takes turns."""
        while self._ticks < round(seconds / TICK_S):
            self._ticks += 1
            self.street.clock.at = self._began + dt.timedelta(seconds=self._ticks * TICK_S)
            self._turn()

    def _turn(self) -> None:
        # What one says the next hears in the same turn, until nobody has anything to say.
        while messages := self._new():
            for message in messages:
                self._hear(message)
            if not self.blind:
                for waiting in self._waiting:
                    self.street.worker.handle(waiting)
                self._waiting.clear()
        if not self.blind:
            for waiting in self._waiting:
                self.street.worker.handle(waiting)
            self._waiting.clear()
            self.street.worker.settle()
        for message in self._new():
            self._hear(message)
        self._desk.tick()
        self._look_at_doors_and_incidents()

    def _hear(self, message: Message) -> None:
        self._desk.handle(message)
        if isinstance(message, EventStored):
            if not message.type.startswith("device."):
                self._waiting.append(message)
        elif isinstance(message, Sighting):
            said = f"{message.subject_kind}.{message.outcome}" + (" amended" if message.amends else "")
            self._say(said, message.person_id or message.household_id or message.vehicle_id)
            self._opener.handle(message)

    def _look_at_doors_and_incidents(self) -> None:
        with self.street.database.read() as session:
            for command in session.scalars(select(DeviceCommand).order_by(DeviceCommand.asked_at)):
                self._say_once(command.id, command.kind, command.device)
            for incident in session.scalars(select(Incident).order_by(Incident.raised_at)):
                self._say_once(incident.id, incident.kind, incident.subject)

    def _say_once(self, key: str, said: str, of: str | None) -> None:
        if key not in self._known:
            self._known[key] = said
            self._say(said, of)

    def _say(self, said: str, of: str | None) -> None:
        self.heard.append((round(self._ticks * TICK_S, 1), said, of))

    def _new(self) -> list[Message]:
        with self.street.database.read() as session:
            query = select(OutboxRow).where(OutboxRow.seq > self._seq).order_by(OutboxRow.seq)
            rows = list(session.scalars(query))
            found = [decode(row.payload) for row in rows]
            self._seq = rows[-1].seq if rows else self._seq
        return found
