"""What the keeper does by itself: erasures, retention at night, the audit log's anchor, the rules file,
proposals.

Nothing here may stop the rest: what fails is logged, counted and tried again at the next
round.
"""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import func, select

from devices import standing
from privacy import erasures, filing, retention
from privacy.models import DeletionProof, Erasure, ErasureStep, StepState
from privacy.retention import orphans
from recognition.gallery import sweeping
from registry.faces import revisions
from registry.models import Compound
from registry.people import population
from ringward.foundation import Foundation, anchor_audit
from ringward.rulesround import RulesMetrics, RulesRound
from ringward.thresholdround import ScoreMetrics, ThresholdRound
from storage import partitions
from storage.anchors import AnchorError

log = structlog.get_logger(__name__)

ROUND_S: Final = 5.0
_FILING_EVERY: Final = dt.timedelta(minutes=10)
_SILENT_EVERY: Final = dt.timedelta(minutes=10)
_FOLLOWED_EVERY: Final = dt.timedelta(hours=1)
_DIVIDED_EVERY: Final = dt.timedelta(hours=1)


class HousekeepingMetrics:
    """Without identities: classes and counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.deleted = Counter(
            "ringward_privacy_deleted_rows",
            "Rows and pictures that retention deleted, by class.",
            ["retention_class"],
            registry=registry,
        )
        self.failures = Counter(
            "ringward_privacy_housekeeping_failures",
            "Rounds of the keeper that failed and are tried again, by what failed.",
            ["work"],
            registry=registry,
        )
        self.ran = Gauge(
            "ringward_privacy_retention_last_run_timestamp_seconds",
            "When retention last ran to its end.",
            registry=registry,
        )
        self.open_steps = Gauge(
            "ringward_privacy_erasure_steps_open",
            "Places that have not confirmed yet that they forgot somebody.",
            registry=registry,
        )
        self.oldest = Gauge(
            "ringward_privacy_oldest_open_erasure_seconds",
            "Age of the oldest erasure that is not complete; it is due after 24 hours.",
            registry=registry,
        )
        self.faces = Gauge(
            "ringward_privacy_people_with_faces",
            "Distinct people with stored face templates; 100,000 have to be filed.",
            registry=registry,
        )
        self.anchored = Gauge(
            "ringward_privacy_audit_anchor_holds",
            "1 while the end of the audit log is what was anchored, 0 when it was cut off or forged.",
            registry=registry,
        )
        self.scores = ScoreMetrics(registry)
        self.rules = RulesMetrics(registry)


class StoppedError(BaseException):
    """The process ends: not an error of the class that was under way, which goes on next time."""


class Housekeeping:
    """A round every few seconds, and retention beside it."""

    def __init__(self, foundation: Foundation, metrics: HousekeepingMetrics) -> None:
        self._ground = foundation
        self._metrics = metrics
        self._stopping = threading.Event()
        self._ran: dict[str | None, dt.datetime] = {}
        self._before: dict[str | None, dt.datetime] | None = None
        self._counted: dt.datetime | None = None
        self._looked: dt.datetime | None = None
        self._followed: dt.datetime | None = None
        self._divided: dt.datetime | None = None
        # Pictures that nothing named last night; forgotten with the process, and suspected anew.
        self._suspected: frozenset[str] = frozenset()
        self._grown: dict[str, dt.date] = {}
        self._thresholds = ThresholdRound(foundation, metrics.scores)
        self._rules = RulesRound(foundation, metrics.rules)

    def stop(self) -> None:
        """Ends retention after the batch that it is at."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def rest(self, seconds: float) -> None:
        """Waits until the next round, or until it is to stop."""
        self._stopping.wait(seconds)

    def round(self) -> None:
        """Does what is due now."""
        now = self._ground.clock.now()
        self._try("rules file", lambda: self._rules.look(now))
        self._try("erasures", lambda: self._follow_up(now))
        self._try("anchor", self._anchor)
        self._try("filing", lambda: self._count(now))
        self._try("ages", lambda: self._grow_up(now))
        self._try("silent devices", lambda: self._distrust(now))
        self._try("galleries", lambda: self._forget_changes(now))
        self._try("pieces", lambda: self._make_pieces(now))

    def keep(self) -> None:
        """Runs retention where it is due, and surveys answers. It may take long: in its own thread.

        Raises `StoppedError` between two batches when the process is to end.
        """
        self._try("retention", lambda: self._keep(self._ground.clock.now()))
        self._try("thresholds", self._propose)
        self._try("rules", self._survey_rules)

    def _try(self, work: str, do: Callable[[], None]) -> None:
        if self._stopping.is_set():
            return
        try:
            do()
        except Exception as error:
            self._metrics.failures.labels(work).inc()
            log.exception("keeper.failed", work=work, error=type(error).__name__)

    def _follow_up(self, now: dt.datetime) -> None:
        erasures.follow_up(self._ground.database, self._ground.media, self._ground.vault, now)
        with self._ground.database.read() as session:
            waiting = select(func.count()).where(ErasureStep.state == StepState.PENDING)
            self._metrics.open_steps.set(session.scalar(waiting) or 0)
            oldest = session.scalar(
                select(func.min(Erasure.ordered_at)).where(Erasure.completed_at.is_(None))
            )
            self._metrics.oldest.set(0 if oldest is None else (now - oldest).total_seconds())

    def _anchor(self) -> None:
        try:
            anchor_audit(self._ground)
        except AnchorError as error:
            self._metrics.anchored.set(0)
            log.error("audit.anchor_broken", state=str(error.state))  # noqa: TRY400 - nothing of ours failed
        else:
            self._metrics.anchored.set(1)

    def _count(self, now: dt.datetime) -> None:
        if self._counted is not None and now - self._counted < _FILING_EVERY:
            return
        with self._ground.database.write() as session:
            self._metrics.faces.set(filing.check(session, now))
        self._counted = now

    def _distrust(self, now: dt.datetime) -> None:
        """Devices that were silent for long are looked at before they are believed again."""
        if self._looked is not None and now - self._looked < _SILENT_EVERY:
            return
        after = dt.timedelta(days=self._ground.settings.device_silent_days)
        with self._ground.database.write() as session:
            moved = standing.sweep_silent(session, now, after)
        self._looked = now
        if moved:
            log.warning("keeper.silent_devices", devices=len(moved))

    def _forget_changes(self, now: dt.datetime) -> None:
        """What galleries have followed long ago, and what killed processes left of them in memory."""
        sweeping.sweep()
        if self._followed is not None and now - self._followed < _FOLLOWED_EVERY:
            return
        with self._ground.database.write() as session:
            revisions.clear_away(session, now)
        self._followed = now

    def _make_pieces(self, now: dt.datetime) -> None:
        """The weeks that events will fall into; a round that fails has weeks left."""
        if self._divided is not None and now - self._divided < _DIVIDED_EVERY:
            return
        partitions.make_ahead(self._ground.database, now)
        self._divided = now

    def _grow_up(self, now: dt.datetime) -> None:
        """Once a day of each compound: who has turned 14 is a child no more, in the galleries too."""
        for compound, zone in self._zones():
            day = now.astimezone(zone).date()
            if compound is None or self._grown.get(compound) == day:
                continue
            with self._ground.database.write() as session:
                grown = population.come_of_age(session, compound, day)
            self._grown[compound] = day
            if grown:
                log.info("keeper.came_of_age", compound=compound, people=grown)

    def _propose(self) -> None:
        self._thresholds.run(self._ground.clock.now(), self._compounds())

    def _survey_rules(self) -> None:
        self._rules.survey(self._ground.clock.now(), self._compounds())

    def _keep(self, now: dt.datetime) -> None:
        failed = False
        for compound, zone in self._zones():
            if self._stopping.is_set() or not self._is_due(compound, zone, now):
                continue
            outcome = retention.run(
                self._ground.database,
                self._ground.media,
                self._ground.vault,
                self._ground.settings.retention,
                now,
                compounds=[] if compound is None else [compound],
                deployment=compound is None,
                sleep=self._pause,
                seen=lambda name, count: self._metrics.deleted.labels(name).inc(count),
            )
            for name, _ in outcome.failed:
                failed = True
                self._metrics.failures.labels(f"retention {name}").inc()
            if compound is None:
                self._ground.database.refresh_statistics()
                partitions.refresh_statistics(self._ground.database)
                if not failed:
                    self._sweep(now)
            self._ran[compound] = now
            self._metrics.ran.set(now.timestamp())

    def _sweep(self, now: dt.datetime) -> None:
        """Pictures that nothing names, now that everything else has gone."""
        policy = self._ground.settings.retention
        count, self._suspected = orphans.sweep(
            self._ground.database, self._ground.media, policy, now, self._suspected
        )
        self._metrics.deleted.labels(orphans.NAME).inc(count)

    def _zones(self) -> list[tuple[str | None, ZoneInfo]]:
        """Compounds with their time zones; None, with the console's own zone, is the deployment."""
        with self._ground.database.read() as session:
            rows = session.execute(select(Compound.id, Compound.time_zone))
            zones: dict[str, str] = {row.id: row.time_zone for row in rows}
        own = zones.get(self._ground.settings.compound, "UTC")
        return [*((one, ZoneInfo(zones[one])) for one in sorted(zones)), (None, ZoneInfo(own))]

    def _compounds(self) -> list[tuple[str, ZoneInfo]]:
        return [(compound, zone) for compound, zone in self._zones() if compound is not None]

    def _is_due(self, compound: str | None, zone: ZoneInfo, now: dt.datetime) -> bool:
        """Whether the quiet hour has begun since the last run.

        A machine that is off at night catches up when it is on again.
        """
        local = now.astimezone(zone)
        hour = local.replace(hour=self._ground.settings.retention_hour, minute=0, second=0, microsecond=0)
        if hour > local:
            hour -= dt.timedelta(days=1)
        if self._before is None:
            self._before = self._proofs()
        ran = self._ran.get(compound, self._before.get(compound))
        return ran is None or ran < hour

    def _proofs(self) -> dict[str | None, dt.datetime]:
        """When earlier processes deleted anything last, by compound; asked once: of its own runs it knows."""
        with self._ground.database.read() as session:
            query = select(DeletionProof.compound, func.max(DeletionProof.at).label("at"))
            return {row.compound: row.at for row in session.execute(query.group_by(DeletionProof.compound))}

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise StoppedError
