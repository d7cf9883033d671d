"""The alert consumer: events and sightings in, incidents out; an evaluator for each compound."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import select

from alerts import calendar, glance
from alerts.deskmetrics import DeskMetrics
from alerts.evaluator import Evaluator, Ground
from alerts.leases import Lease, LeaseLostError
from alerts.routing.current import in_force
from alerts.routing.tree import Tree
from alerts.rules.engine import HORIZON
from alerts.situation import OVERLAP
from bus.messages import EventStored, Message, Sighting
from registry.models import Compound
from storage import Clock, Database

__all__ = ["AlertDesk", "DeskMetrics"]

log = structlog.get_logger(__name__)

Replay = Callable[[str, dt.datetime], Sequence[Message]]
"""(compound, since): the stored events and sightings, in order of time."""


class AlertDesk:
    """The compounds whose rules this process evaluates. Safe to call from several threads."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        metrics: DeskMetrics,
        on_commit: Callable[[], None],
        routes: Callable[[], Tree] = in_force,
    ) -> None:
        self._ground = Ground(database, clock, metrics, on_commit, routes)
        self._lock = threading.Lock()
        self._evaluators: dict[str, Evaluator] = {}

    def open(self, lease: Lease) -> Evaluator:
        """Begins to evaluate a compound under a lease. The evaluator has to recall before it takes."""
        return self._keep(Evaluator(lease.compound, self._ground, lease))

    def close(self, lease: Lease) -> None:
        """Nothing is evaluated under a lease any more; what is evaluated under a newer one goes on."""
        with self._lock:
            found = self._evaluators.get(lease.compound)
            if found is not None and found.lease == lease:
                del self._evaluators[lease.compound]
        self._ground.metrics.compounds.set(len(self._evaluators))

    def restore(self, replay: Replay) -> int:
        """Without leases: rebuilds every compound's engine from what was stored; returns how many messages.

        What was raised before the restart is known by its evidence and not raised again.
        """
        since = self._ground.clock.now() - HORIZON
        with self._ground.database.read() as session:
            compounds = list(session.scalars(select(Compound.id)))
        taken = 0
        for compound in compounds:
            evaluator = self._of(compound)
            taken += evaluator.recall(evaluator.observed(replay(compound, since)))
        return taken

    def handle(self, message: Message) -> None:
        """Takes one message. When it returns, what the rules said of it is committed."""
        if isinstance(message, EventStored | Sighting):
            self._of(message.compound).take([message])

    def tick(self) -> None:
        """Lets time pass: questions that are due are answered.

        A compound for which that fails is tried again with the next turn; the others do not wait for it.
        Raises `LeaseLostError`, after all had their turn, where one is somebody else's by now.
        """
        due = self._due()
        self._each("tick", lambda evaluator: evaluator.tick(due))
        self._ground.metrics.behind.set(max((one.behind_s for one in self._all()), default=0.0))

    def refresh(self) -> None:
        """Reads again what people may have changed: rules, mutes, plans, incidents they have ended.

        Fails for one compound like `tick`.
        """
        signs = self._signs()
        self._each("refresh", lambda evaluator: evaluator.refresh(signs))

    def _due(self) -> glance.Due | None:
        """One look at the register for all whose turn it is; None where there is none, or it fails."""
        asked = [since for one in self._all() if (since := one.calendar_from) is not None]
        if not asked:
            return None
        try:
            with self._ground.database.read() as session:
                return glance.due(session, min(asked), self._ground.clock.now() - calendar.SETTLED)
        except Exception:
            # Each looks for itself then, and counts what fails for it.
            log.exception("alerts.glance_failed")
            return None

    def _signs(self) -> glance.Signs | None:
        asked = [one.ended_to for one in self._all()]
        known = [one for one in asked if one is not None]
        now = self._ground.clock.now()
        if not asked:
            return None
        try:
            with self._ground.database.read() as session:
                return glance.signs(session, now, now - HORIZON, min(known, default=now) - OVERLAP)
        except Exception:
            log.exception("alerts.glance_failed")
            return None

    def _each(self, name: str, turn: Callable[[Evaluator], None]) -> None:
        lost: LeaseLostError | None = None
        for evaluator in self._all():
            try:
                turn(evaluator)
            except LeaseLostError as error:
                lost = error
            except Exception:
                self._ground.metrics.failed.labels(evaluator.compound).inc()
                log.exception("alerts.compound_failed", compound=evaluator.compound, turn=name)
        if lost is not None:
            raise lost

    def _all(self) -> list[Evaluator]:
        with self._lock:
            return list(self._evaluators.values())

    def _of(self, compound: str) -> Evaluator:
        with self._lock:
            found = self._evaluators.get(compound)
        return found if found is not None else self._keep(Evaluator(compound, self._ground))

    def _keep(self, evaluator: Evaluator) -> Evaluator:
        with self._lock:
            self._evaluators[evaluator.compound] = evaluator
        self._ground.metrics.compounds.set(len(self._evaluators))
        return evaluator
