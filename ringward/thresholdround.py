"""Once a day of each compound: what operators' answers say of its cameras, and what they propose."""

import datetime as dt
from collections.abc import Iterable
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry, Gauge

from recognition.feedback import proposals
from recognition.work.policy import RecognitionPolicy
from ringward.foundation import Foundation

DEVICES_MOST: Final = 1000
"""Cameras that have a series of their own; a metric is for alarms, the report has all."""


class ScoreMetrics:
    """By camera, of nobody in particular."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.false_names = Gauge(
            "ringward_recognition_false_name_share",
            "False names among the names that operators judged, 90 days; asked where something looked wrong.",
            ["device"],
            registry=registry,
        )
        self.judged = Gauge(
            "ringward_recognition_judged_names",
            "Names that operators judged, 90 days: what the share of false ones rests on.",
            ["device"],
            registry=registry,
        )
        self.proposals = Gauge(
            "ringward_recognition_threshold_proposals_open",
            "Thresholds that wait for a person to decide on them.",
            registry=registry,
        )


class ThresholdRound:
    """Surveys each compound once a local day, and once after every start."""

    def __init__(self, foundation: Foundation, metrics: ScoreMetrics) -> None:
        self._ground = foundation
        self._metrics = metrics
        self._surveyed: dict[str, dt.date] = {}
        self._found: dict[str, list[proposals.Found]] = {}

    def run(self, now: dt.datetime, zones: Iterable[tuple[str, ZoneInfo]]) -> None:
        """Does what is due; counts open proposals every time, since people decide at any."""
        for compound, zone in zones:
            day = now.astimezone(zone).date()
            if self._surveyed.get(compound) == day:
                continue
            self._survey(compound, now)
            self._surveyed[compound] = day
            self._show()
        with self._ground.database.read() as session:
            self._metrics.proposals.set(proposals.open_count(session))

    def _survey(self, compound: str, now: dt.datetime) -> None:
        settings = self._ground.settings
        promised = RecognitionPolicy(gate_fpir=settings.gate_fpir, door_fpir=settings.door_fpir)
        # It reads months of decisions: nobody who writes waits for that.
        with self._ground.database.read() as session:
            found = proposals.survey(session, compound, promised.fpir, now)
        with self._ground.database.write() as session:
            proposals.record(session, compound, found, now)
        self._found[compound] = found

    def _show(self) -> None:
        """The series of cameras that are in use now and no others."""
        self._metrics.false_names.clear()
        self._metrics.judged.clear()
        scores = [one.score for found in self._found.values() for one in found]
        for score in scores[:DEVICES_MOST]:
            if score.false_of_judged.value is None:
                continue
            device = score.looked.device
            self._metrics.false_names.labels(device).set(score.false_of_judged.value)
            self._metrics.judged.labels(device).set(score.false_of_judged.of)
