"""The alert consumer: events and sightings in, incidents out.

One active a compound. The engine lives in memory and is rebuilt from the database on
start; what it says is written before the message is settled.
"""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy import select

from alerts import facts, mutes
from alerts.incidents import raising
from alerts.incidents.models import Incident
from alerts.routing.tree import DEFAULT_ROUTES, Route
from alerts.rules import RULES, Clear, Engine, Observation, RuleBook, Said, Signal
from alerts.rules.engine import HORIZON
from bus.messages import EventStored, Message, Sighting
from registry.models import Compound
from storage import Clock, Database

log = structlog.get_logger(__name__)


class DeskMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.signals = Counter(
            "ringward_alerts_signals", "What rules said.", ["rule", "severity"], registry=registry
        )
        self.incidents = Counter(
            "ringward_alerts_incidents", "Incidents raised.", ["rule", "ring", "severity"], registry=registry
        )
        self.latency = Histogram(
            "ringward_alerts_happened_to_raised_seconds",
            "From event time to the incident's commit.",
            ["rule"],
            registry=registry,
            buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120),
        )


class AlertDesk:
    """Feeds one engine a compound and writes what it says. Safe to call from several threads."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: DeskMetrics,
        on_commit: Callable[[], None],
        routes: Sequence[Route] = DEFAULT_ROUTES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._on_commit = on_commit
        self._routes = routes
        self._lock = threading.Lock()
        self._engines: dict[str, Engine] = {}
        # Said but not yet written: a failed commit must not swallow an alert.
        self._unwritten: list[tuple[str, Said]] = []

    def restore(self, replay: Callable[[str, dt.datetime], Sequence[Message]]) -> int:
        """Rebuilds every engine from what was stored; returns how many messages it took.

        `replay(compound, since)` gives events and sightings in order of time. What was
        raised before the restart is known by its evidence and not raised again.
        """
        now = self._clock.now()
        with self._database.read() as session:
            compounds = list(session.scalars(select(Compound.id)))
        taken = 0
        for compound in compounds:
            for message in replay(compound, now - HORIZON):
                self.handle(message)
                taken += 1
        self.tick()
        return taken

    def handle(self, message: Message) -> None:
        """Takes one message. When it returns, what the rules said of it is committed."""
        if not isinstance(message, EventStored | Sighting):
            return
        with self._lock:
            with self._database.read() as session:
                engine = self._engine(message.compound)
                observation: Observation | None
                if isinstance(message, EventStored):
                    observation = facts.of_event(session, message)
                else:
                    observation = facts.of_sighting(session, message)
            if observation is not None:
                self._unwritten += [(message.compound, said) for said in engine.feed(observation)]
            self._write()

    def tick(self) -> None:
        """Lets time pass: questions that are due are answered."""
        with self._lock:
            now = self._clock.now()
            for compound, engine in self._engines.items():
                self._unwritten += [(compound, signal) for signal in engine.advance(now)]
            self._write()

    def refresh_mutes(self) -> None:
        """Reads the mutes again."""
        with self._lock:
            since = self._clock.now() - HORIZON
            with self._database.read() as session:
                for compound, engine in self._engines.items():
                    engine.set_mutes(mutes.in_force(session, compound, since))

    def _engine(self, compound: str) -> Engine:
        engine = self._engines.get(compound)
        if engine is None:
            with self._database.read() as session:
                zone = session.scalar(select(Compound.time_zone).where(Compound.id == compound))
                engine = Engine(RULES, RuleBook(ZoneInfo(zone or "Asia/Shanghai")))
                engine.set_mutes(mutes.in_force(session, compound, self._clock.now() - HORIZON))
            self._engines[compound] = engine
        return engine

    def _write(self) -> None:
        if not self._unwritten:
            return
        now = self._clock.now()
        raised: list[Incident] = []
        with self._database.write() as session:
            for compound, said in self._unwritten:
                if isinstance(said, Clear):
                    raising.clear(session, compound, said, now)
                    continue
                if not isinstance(said, Signal):
                    continue
                incident = raising.apply(session, compound, said, now, self._routes)
                if incident is not None and incident.version == 1:
                    raised.append(incident)
        # Counted only now: a commit that failed is tried again and must not count twice.
        for _, said in self._unwritten:
            if isinstance(said, Signal):
                self._metrics.signals.labels(said.rule, str(said.severity)).inc()
        for incident in raised:
            self._metrics.incidents.labels(incident.rule, incident.ring, str(incident.severity)).inc()
            self._metrics.latency.labels(incident.rule).observe((now - incident.happened_at).total_seconds())
            log.info("incident.raised", rule=incident.rule, incident=incident.id)
        self._unwritten.clear()
        self._on_commit()
