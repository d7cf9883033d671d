"""Writing what rules say: the holder's word, the incidents and how far that was, in one commit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from alerts import leases
from alerts.incidents import amending, holding, raising
from alerts.leases import Come, Lease
from alerts.rules import Observation, Said, Signal
from alerts.situation import Situation

if TYPE_CHECKING:
    from alerts.evaluator import Ground

# Who is at the desk is not known to the rules: what one person can look at is the measure.
_OPERATORS = 1

log = structlog.get_logger(__name__)


class Writing:
    """For one compound. With a lease nothing is written that is not written under it."""

    def __init__(self, compound: str, ground: "Ground", lease: Lease | None) -> None:
        self._compound = compound
        self._ground = ground
        self._lease = lease

    def write(
        self, said: Sequence[Said], amended: Sequence[Observation], come: Come, situation: Situation
    ) -> None:
        """Raises `LeaseLostError` where another one evaluates the compound by now."""
        ground, force = self._ground, situation.in_force
        now = ground.clock.now()
        with ground.database.write() as session:
            if self._lease is not None:
                leases.hold(session, self._lease, come)
            changes = raising.apply_all(
                session,
                self._compound,
                said,
                now,
                book=force.book,
                routes=ground.routes,
                hold=holding.by_budget(force.budget, _OPERATORS),
                confirm_alone=force.confirmation.confirm_alone,
            )
            for seen in amended:
                amending.became_known(session, self._compound, seen, now)
        # Counted only now: a commit that failed is tried again and must not count twice.
        for one in said:
            if isinstance(one, Signal):
                ground.metrics.signals.labels(one.rule, str(one.severity)).inc()
        for change in changes:
            if change.kind != "raised":
                continue
            incident = change.incident
            ground.metrics.incidents.labels(incident.rule, incident.ring, str(incident.severity)).inc()
            ground.metrics.latency.labels(incident.rule).observe((now - incident.happened_at).total_seconds())
            log.info("incident.raised", rule=incident.rule, incident=incident.id)
        ground.on_commit()
