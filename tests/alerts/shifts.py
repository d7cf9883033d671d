"""One holder of a compound after another, on one database and a clock that only the story moves."""

import datetime as dt
from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from sqlalchemy import select
from timeline import COMPOUND, START, VirtualClock

from alerts import leases
from alerts.deskmetrics import DeskMetrics
from alerts.evaluator import Evaluator, Ground
from alerts.incidents.models import Incident
from alerts.leases import Lease
from alerts.rulebook.models import RuleVersion
from alerts.rules import Observation
from bus.messages import CredentialUse, EventStored, Message, Sighting
from devices.commands.models import CommandState, DeviceCommand
from devices.models import Device, DeviceKind, Stage
from registry.models import PassKind, VisitorPass, Zone
from registry.passes.models import PassState
from storage import Database, content_id, new_id

NEXT_TO = {"gate": ["square"], "square": ["gate", "hall"], "hall": ["square"]}
_RINGS = {"gate": "entrance", "square": "common", "hall": "building"}


class Shift:
    """One evaluator after another on one database, with a bus that each message is put on."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = VirtualClock()
        self.stored: list[Message] = []
        self.registry = CollectorRegistry()
        self.evaluator: Evaluator
        self._holders = 0
        with database.write() as session:
            for zone in session.scalars(select(Zone)):
                zone.neighbours = NEXT_TO.get(zone.id, [])
                zone.kind = "bike_shed" if zone.id == "square" else zone.kind

    def take_over(self, *, waiting: Sequence[Message] = ()) -> Evaluator:
        """The next holder: recalls what is stored; `waiting` is what nobody has handled."""
        self._holders += 1
        name = f"holder-{self._holders}"
        with self.database.write() as session:
            lease = leases.acquire(session, COMPOUND, name, self.clock.now())
        assert lease is not None
        self.evaluator = self.open(lease)
        self.evaluator.recall(self.evaluator.observed(self.stored), {one.id for one in waiting})
        return self.evaluator

    def open(self, lease: Lease | None) -> Evaluator:
        self.registry = CollectorRegistry()
        ground = Ground(self.database, self.clock, DeskMetrics(self.registry), lambda: None)
        return Evaluator(COMPOUND, ground, lease)

    def dies(self) -> None:
        """Its lease runs out, and it has said last how far it had come a while ago."""
        self.later(leases.TTL.total_seconds() + 0.1)

    def tells(self) -> None:
        """The holder says how far it has come."""
        with self.database.write() as session:
            leases.hold(session, self.evaluator._lease, self.evaluator.come)

    def happens(self, *messages: Message) -> None:
        """Stored, and handled by the present holder."""
        self.stored += messages
        self.evaluator.take(list(messages))

    def later(self, seconds: float) -> None:
        self.clock.moment += dt.timedelta(seconds=seconds)

    def passes(self, seconds: float) -> None:
        """Time, which the holder notices."""
        for _ in range(int(seconds)):
            self.later(1)
            self.evaluator.tick()

    def event(self, kind: str, zone: str, **more: object) -> EventStored:
        now = self.clock.now()
        facts = {"device_id": f"{zone}-device", "at": now, "ring": _RINGS.get(zone, "building")} | more
        return EventStored(
            id=new_id(),
            compound=COMPOUND,
            type=kind,
            zone=zone,
            device_time=facts["at"],
            received_at=now,
            lane=zone,
            **facts,
        )

    def stranger(self, zone: str = "gate") -> Sighting:
        now = self.clock.now()
        return Sighting(
            id=new_id(),
            event_id=new_id(),
            compound=COMPOUND,
            device_id=f"{zone}-camera",
            subject_kind="face",
            outcome="unknown",
            ring=_RINGS[zone],
            zone=zone,
            at=now,
            received_at=now,
            lane=zone,
            direction="in",
            score=0.7,
        )

    def visits(self, *, ends_in: float) -> None:
        """A visitor comes in at the gate, on a pass that ends then; going out is told there, too."""
        now = self.clock.now()
        with self.database.write() as session:
            session.add(
                VisitorPass(
                    id="visit",
                    compound=COMPOUND,
                    kind=PassKind.VISITOR,
                    state=PassState.APPROVED,
                    zones=["gate"],
                    starts_at=now - dt.timedelta(hours=1),
                    ends_at=now + dt.timedelta(seconds=ends_in),
                )
            )
            session.add(_device("gate-device", "gate", DeviceKind.FACE_CAMERA))
        self.evaluator.refresh()
        shown = CredentialUse("pass", "visit")
        self.happens(self.event("access.granted", "gate", direction="in", credential=shown))

    def orders(self, *, answer_by: float) -> None:
        """A door is told to open, and does not answer."""
        now = self.clock.now()
        with self.database.write() as session:
            session.add(_device("hall-door", "hall", DeviceKind.DOOR))
            session.flush()
            until = now + dt.timedelta(seconds=answer_by)
            session.add(
                DeviceCommand(
                    id="order",
                    compound=COMPOUND,
                    device="hall-door",
                    kind="open",
                    arguments={},
                    state=CommandState.SENT,
                    asked_by="operator-1",
                    reason="a visitor",
                    key="order",
                    asked_at=now,
                    expires_at=until,
                    answer_by=until,
                )
            )

    def heard(self, kind: str) -> list[Observation]:
        """What rules know of a kind."""
        view = self.evaluator._engine.view
        return list(view.of_type(kind, START - dt.timedelta(days=1), self.clock.now()))

    def incidents(self) -> list[Incident]:
        with self.database.read() as session:
            found = list(session.scalars(select(Incident).order_by(Incident.raised_at, Incident.id)))
            session.expunge_all()
        return found

    def rules(self) -> list[str]:
        return [incident.rule for incident in self.incidents()]

    def figure(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"ringward_alerts_{name}_total", labels) or 0.0

    def sets_rules(self, text: str) -> None:
        with self.database.write() as session:
            session.add(
                RuleVersion(
                    id=new_id(),
                    compound=COMPOUND,
                    number=1,
                    text=text,
                    digest=content_id(text),
                    author="installer-1",
                    at=self.clock.now(),
                )
            )


def _device(name: str, zone: str, kind: DeviceKind) -> Device:
    return Device(
        id=name,
        compound=COMPOUND,
        zone=zone,
        kind=kind,
        name=name,
        lane=zone,
        secret_hash="",
        stage=Stage.APPROVED,
    )
