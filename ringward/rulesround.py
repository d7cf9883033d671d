"""The keeper's part in the rules: the file on disk, and once a day how right the rules are."""

import datetime as dt
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Gauge

from alerts.rulebook import health, intake
from alerts.rulebook.health import Health
from ringward.foundation import Foundation

SOURCES_MOST: Final = 1000
"""Rules at devices that have a series of their own; a metric is for alarms, the report has all."""


class RulesMetrics:
    """By rule and device, of nobody in particular."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.false_alarms = Gauge(
            "ringward_rules_false_alarm_share",
            "False alarms among those that operators judged, 7 days, by rule and device.",
            ["rule", "device"],
            registry=registry,
        )
        self.judged = Gauge(
            "ringward_rules_judged_alarms",
            "Alarms that operators judged, 7 days: what the share of false ones rests on.",
            ["rule", "device"],
            registry=registry,
        )
        self.proposals = Gauge(
            "ringward_rules_proposals_open",
            "Changes of rules that wait for a person to decide on them.",
            registry=registry,
        )
        self.file_refused = Gauge(
            "ringward_rules_file_refused",
            "1 while the rules file on disk has errors and the rules before it are in force.",
            registry=registry,
        )


class RulesRound:
    """Looks at the file in every round, and surveys each compound once a local day and after a start."""

    def __init__(self, foundation: Foundation, metrics: RulesMetrics) -> None:
        self._ground = foundation
        self._metrics = metrics
        settings = foundation.settings
        path = settings.rules_file
        self._file = (
            intake.RulesFile(foundation.database, settings.compound, path) if path is not None else None
        )
        self._surveyed: dict[str, dt.date] = {}
        self._found: dict[str, list[Health]] = {}

    def look(self, now: dt.datetime) -> None:
        """Takes the rules file in where it has changed. One with errors stops nothing."""
        if self._file is None:
            return
        self._file.look(now)
        self._metrics.file_refused.set(self._file.refused)

    def survey(self, now: dt.datetime, zones: Iterable[tuple[str, ZoneInfo]]) -> None:
        """Does what is due; counts open proposals every time, since people decide at any."""
        for compound, zone in zones:
            day = now.astimezone(zone).date()
            if self._surveyed.get(compound) == day:
                continue
            # It reads a week of incidents: nobody who writes waits for that.
            with self._ground.database.read() as session:
                self._found[compound] = health.health(session, compound, now)
                proposed = health.survey(session, compound, now)
            with self._ground.database.write() as session:
                health.record(session, compound, proposed, now)
            self._surveyed[compound] = day
            self._show()
        with self._ground.database.read() as session:
            self._metrics.proposals.set(health.open_count(session))

    def _show(self) -> None:
        """The series of what was judged in these seven days and no others."""
        self._metrics.false_alarms.clear()
        self._metrics.judged.clear()
        for one in [one for found in self._found.values() for one in found][:SOURCES_MOST]:
            if one.tally.share is None:
                continue
            self._metrics.false_alarms.labels(one.rule, one.device).set(one.tally.share)
            self._metrics.judged.labels(one.rule, one.device).set(one.tally.judged)
